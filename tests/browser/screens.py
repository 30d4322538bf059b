"""Takes pictures of every page into ./screenshots: python -m tests.browser.screens [--var DIR] [name …].

Starts the real service on a free loopback port over an installation in a temporary folder (or in DIR, which
is kept and used again), signs in, and opens each page wide, narrow and dark. --odd and --empty do the same
for an installation with odd contents and for one without any; --zh takes the pages in Chinese; --timeline
makes the picture of the manual.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import re
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

ROOT = Path(__file__).resolve().parents[2]
CHROMIUM = "/usr/bin/chromium"
PASSWORD = "correct horse battery staple"
TIMELINE = ROOT / "docs" / "images" / "session-timeline.png"
VIEWS = {
    "1440": (1440, 900, "light"),
    "dark": (1440, 900, "dark"),
    "390": (390, 844, "light"),
    "2560": (2560, 1440, "light"),
}

ADMINISTRATION = ("people", "assignments", "cohorts", "recognizer", "kept-data", "apps", "audit")

_SET_PASSWORD = (
    "from emotrack.accounts.models import User; u = User.objects.order_by('id')[0]; "
    f"u.set_password({PASSWORD!r}); u.save(); print('user=' + u.username)"
)
SPEAK = "from emotrack.accounts.models import User; User.objects.update(language={!r})"
_PLANT = "import json; from tests.browser.planted import plant; print('planted=' + json.dumps(plant()))"


def free_port() -> int:
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        return listening.getsockname()[1]


def in_shell(var: Path, code: str) -> str:
    """What the code prints, run inside the installation."""
    shell = [sys.executable, "manage.py", "shell", "-v0", "-c", code]
    environment = os.environ | {"EMOTRACK_VAR_DIR": str(var)}
    done = subprocess.run(shell, cwd=ROOT, env=environment, capture_output=True, text=True, check=True)
    return done.stdout


def plant(var: Path) -> dict[str, str]:
    """Odd names, empty, waiting and crowded sessions in that installation: their public ids."""
    return json.loads(re.search(r"planted=(.*)", in_shell(var, _PLANT))[1])


@contextlib.contextmanager
def service(var: Path, *options: str) -> Iterator[tuple[str, str]]:
    """A running installation: its address and the name of its first user."""
    port = free_port()
    environment = os.environ | {"EMOTRACK_VAR_DIR": str(var), "OMP_NUM_THREADS": "1"}
    run = [sys.executable, "manage.py", "run", "--port", str(port), *options]
    server = subprocess.Popen(run, cwd=ROOT, env=environment)
    try:
        _wait_for(f"http://127.0.0.1:{port}/sign-in", server)
        user = re.search(r"user=(\S+)", in_shell(var, _SET_PASSWORD))[1]
        yield f"http://127.0.0.1:{port}", user
    finally:
        server.terminate()
        server.wait(30)


def _wait_for(address: str, server: subprocess.Popen, within_s: float = 300.0) -> None:
    until = time.monotonic() + within_s
    while time.monotonic() < until:
        if server.poll() is not None:
            raise SystemExit("the service stopped while starting")
        with contextlib.suppress(OSError), urllib.request.urlopen(address, timeout=5) as answer:
            if answer.status == 200:
                return
        time.sleep(0.5)
    raise SystemExit("the service did not start in time")


def sign_in(page: Page, address: str, user: str) -> None:
    page.goto(f"{address}/sign-in")
    page.fill("#id_username", user)
    page.fill("#id_password", PASSWORD)
    page.click("button[type=submit]")
    page.wait_for_selector("h1")


def pages_of(page: Page, address: str) -> dict[str, str]:
    """Name of a picture to the address it is taken of."""
    page.goto(f"{address}/")
    cases = page.locator("tr.line a.who").evaluate_all("links => links.map(a => [a.textContent, a.href])")
    found = {"caseload": "/", "alerts": "/alerts", "rules": "/rules", "replies": "/replies", "you": "/you"}
    found |= {name: f"/{name}" for name in ADMINISTRATION}
    found |= {"rule-kinds": "/rules/new", "rule-session": "/rules/new/sudden_drop"}
    if not cases:
        return {name: address + path for name, path in found.items()}
    sample = next((href for name, href in cases if "conversation" in name), None)
    pages = {"client": cases[0][1], "client-little": cases[-1][1]}
    for name, href in {"session": sample, "session-long": cases[0][1]}.items():
        if href is None:
            continue
        page.goto(href)
        first = page.locator("a[href*='/sessions/']").first
        if first.count():
            pages[name] = address + first.get_attribute("href")
    for name, listing, link in (("alert", "/alerts", "article.al a.b"), ("rule", "/rules", "h2 a")):
        page.goto(address + listing)
        if page.locator(link).count():
            pages[name] = address + page.locator(link).first.get_attribute("href")
    for name, part in (("compare", "/compare"), ("compare-periods", "/compare?mode=periods")):
        pages[name] = cases[0][1] + part
    pages |= {f"report-{name}": f"{pages[name]}/report" for name in ("client", "session") if name in pages}
    pages |= {"consents": f"{cases[0][1]}/consents", "access-log": f"{cases[0][1]}/access"}
    return {name: address + path for name, path in found.items()} | pages


def addresses_of(planted: dict[str, str]) -> dict[str, str]:
    """Every page of the site, by the name of its picture; those of one client stand on what was planted."""
    return {
        "caseload": "/",
        "alerts": "/alerts",
        "alert": f"/alerts/{planted['alert']}",
        "rules": "/rules",
        "rule": f"/rules/{planted['rule']}",
        "rule-kinds": "/rules/new",
        "rule-new": "/rules/new/low_session",
        "replies": "/replies",
        "channels": "/channels",
        "channel": f"/channels/{planted['channel']}",
        "deliveries": "/deliveries",
        "deliveries-none": "/deliveries?state=waiting&since=2001-01-01&channel=",
        "system": "/system",
        "people": "/people",
        "person": f"/people/of/{planted['user']}",
        "assignments": "/assignments",
        "cohorts": "/cohorts",
        "cohort": f"/cohorts/{planted['cohort']}",
        "audit": "/audit",
        "recognizer": "/recognizer",
        "kept-data": "/kept-data",
        "apps": "/apps",
        "app": f"/apps/{planted['app']}",
        "you": "/you",
        "password": "/you/password",
        "client-crowded": f"/clients/{planted['crowded']}",
        "client-odd": f"/clients/{planted['odd']}",
        "client-new": f"/clients/{planted['new']}",
        "compare": f"/clients/{planted['crowded']}/compare",
        "report-client": f"/clients/{planted['crowded']}/report",
        "report-session": f"/sessions/{planted['long_session']}/report",
        "report-empty": f"/sessions/{planted['empty_session']}/report",
        "compare-periods": f"/clients/{planted['crowded']}/compare?mode=periods",
        "compare-past": f"/clients/{planted['crowded']}/compare?mode=past",
        "compare-none": f"/clients/{planted['new']}/compare",
        "client-add": "/clients/new",
        "client-weeks": f"/clients/{planted['crowded']}?range=all&by=week&against=before",
        "client-days": f"/clients/{planted['crowded']}?range=days&first=2001-01-01&last=2001-01-02",
        "consents": f"/clients/{planted['crowded']}/consents",
        "consents-end": f"/clients/{planted['crowded']}/consents?end=alerts",
        "access-log": f"/clients/{planted['crowded']}/access",
        "access-log-none": f"/clients/{planted['crowded']}/access?who=nobody-of-that-name",
        "session-crowded": f"/sessions/{planted['long_session']}",
        "session-waiting": f"/sessions/{planted['waiting_session']}",
        "upload": f"/clients/{planted['new']}/upload",
        "live-start": f"/clients/{planted['new']}/live",
        "live-without-microphone": f"/sessions/{planted['empty_session']}/live",
        "session-empty": f"/sessions/{planted['empty_session']}",
        "not-found": "/clients/00000000000000000000",
    }


def drawn(page: Page, url: str) -> None:
    """Open the page and wait until its charts stand and what it tries out by itself has come."""
    page.goto(url)
    page.wait_for_selector(".plot.waiting", state="detached", timeout=20000)
    # The page's own timers are shorter, so they have rung by then however busy the machine is.
    page.evaluate("new Promise(done => setTimeout(done, 100))")
    page.wait_for_selector("[aria-busy=true]", state="detached", timeout=20000)


def take(browser: Browser, address: str, user: str, pages: dict[str, str], into: Path) -> list[str]:
    """Pictures of the pages in every view; what the browser complained of."""
    complaints: list[str] = []
    for view, (width, height, scheme) in VIEWS.items():
        context = browser.new_context(
            viewport={"width": width, "height": height}, color_scheme=scheme, reduced_motion="reduce"
        )
        page = context.new_page()
        page.on("console", lambda m: m.type in ("error", "warning") and complaints.append(m.text))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.goto(f"{address}/sign-in")
        page.screenshot(path=into / f"signin-{view}.png")
        sign_in(page, address, user)
        for name, url in pages.items():
            complaints.extend(_picture(page, name, url, into / f"{name}-{view}.png"))
        context.close()
    return complaints


def _picture(page: Page, name: str, url: str, path: Path) -> list[str]:
    drawn(page, url)
    if name == "session":
        page.locator(".tr.turn button").first.click()
        page.wait_for_timeout(500)
    page.wait_for_timeout(200)
    page.screenshot(path=path, full_page=True)
    overflow = page.evaluate("document.documentElement.scrollWidth - innerWidth")
    return [f"{path.stem}: {overflow} px wider than the screen"] if overflow > 0 else []


def timeline(browser: Browser, address: str, user: str) -> None:
    """The picture of the documentation: a session of the sample practice in which an alert fired."""
    context = browser.new_context(viewport={"width": 1440, "height": 940}, reduced_motion="reduce")
    page = context.new_page()
    sign_in(page, address, user)
    page.locator("tr.line", has_text="More changeable").first.locator("a.who").click()
    page.locator(".lines a[href*='/sessions/']").first.click()
    page.wait_for_selector("#timeline[data-drawn]")
    page.wait_for_timeout(500)
    page.screenshot(path=TIMELINE)
    context.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--var", type=Path, help="Folder of the installation; kept.")
    parser.add_argument("--timeline", action="store_true", help="Only the picture in docs/images.")
    parser.add_argument("--odd", action="store_true", help="Odd names, empty and crowded pages, no sample.")
    parser.add_argument("--empty", action="store_true", help="A new installation without the sample.")
    parser.add_argument("--zh", action="store_true", help="The pages in Simplified Chinese.")
    parser.add_argument("names", nargs="*", help="Only these pages.")
    chosen = parser.parse_args()
    with contextlib.ExitStack() as stack:
        var = chosen.var or Path(stack.enter_context(tempfile.TemporaryDirectory()))
        bare = ["--no-sample"] if chosen.odd or chosen.empty else []
        address, user = stack.enter_context(service(var, *bare))
        in_shell(var, SPEAK.format("zh-hans" if chosen.zh else "en"))
        play = stack.enter_context(sync_playwright())
        browser = play.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        timeline(browser, address, user) if chosen.timeline else _all(chosen, browser, address, user, var)
        browser.close()


def _all(chosen: argparse.Namespace, browser: Browser, address: str, user: str, var: Path) -> None:
    into = ROOT / "screenshots" / ("zh" if chosen.zh else "")
    into /= "odd" if chosen.odd else "empty" if chosen.empty else ""
    into.mkdir(exist_ok=True, parents=True)
    if chosen.odd:
        pages = {name: address + path for name, path in addresses_of(plant(var)).items()}
    else:
        page = browser.new_page()
        sign_in(page, address, user)
        pages = pages_of(page, address)
        page.close()
    if chosen.names:
        pages = {name: url for name, url in pages.items() if name in chosen.names}
    for complaint in sorted(set(take(browser, address, user, pages, into))):
        sys.stderr.write(f"{complaint}\n")


if __name__ == "__main__":
    main()
