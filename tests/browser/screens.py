"""Takes pictures of every page into ./screenshots: python -m tests.browser.screens [--var DIR] [name …].

Starts the real service on a free loopback port over an installation in a temporary folder (or in DIR, which
is kept and used again), signs in, and opens each page wide, narrow and dark.
"""

from __future__ import annotations

import argparse
import contextlib
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
VIEWS = {"1440": (1440, 900, "light"), "dark": (1440, 900, "dark"), "390": (390, 844, "light")}

_SET_PASSWORD = (
    "from emotrack.accounts.models import User; u = User.objects.order_by('id')[0]; "
    f"u.set_password({PASSWORD!r}); u.save(); print('user=' + u.username)"
)


def free_port() -> int:
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        return listening.getsockname()[1]


@contextlib.contextmanager
def service(var: Path, *options: str) -> Iterator[tuple[str, str]]:
    """A running installation: its address and the name of its first user."""
    port = free_port()
    environment = os.environ | {"EMOTRACK_VAR_DIR": str(var), "OMP_NUM_THREADS": "1"}
    manage = [sys.executable, "manage.py"]
    server = subprocess.Popen([*manage, "run", "--port", str(port), *options], cwd=ROOT, env=environment)
    try:
        _wait_for(f"http://127.0.0.1:{port}/sign-in", server)
        set_password = [*manage, "shell", "-v0", "-c", _SET_PASSWORD]
        said = subprocess.run(
            set_password, cwd=ROOT, env=environment, capture_output=True, text=True, check=True
        )
        yield f"http://127.0.0.1:{port}", re.search(r"user=(\S+)", said.stdout)[1]
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
    return {name: address + path for name, path in found.items()} | pages


def take(browser: Browser, address: str, user: str, only: list[str], into: Path) -> list[str]:
    """Pictures of all pages in every view; what the browser complained of."""
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
        for name, url in pages_of(page, address).items():
            if only and name not in only:
                continue
            page.goto(url)
            page.wait_for_timeout(300)
            page.wait_for_selector(".plot.waiting", state="detached", timeout=20000)
            if name == "session":
                page.locator(".tr.turn button").first.click()
                page.wait_for_timeout(500)
            page.wait_for_timeout(200)
            page.screenshot(path=into / f"{name}-{view}.png", full_page=True)
            overflow = page.evaluate("document.documentElement.scrollWidth - innerWidth")
            if overflow > 0:
                complaints.append(f"{name}-{view}: {overflow} px wider than the screen")
        context.close()
    return complaints


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--var", type=Path, help="Folder of the installation; kept.")
    parser.add_argument("names", nargs="*", help="Only these pages.")
    chosen = parser.parse_args()
    into = ROOT / "screenshots"
    into.mkdir(exist_ok=True)
    with contextlib.ExitStack() as stack:
        var = chosen.var or Path(stack.enter_context(tempfile.TemporaryDirectory()))
        address, user = stack.enter_context(service(var))
        play = stack.enter_context(sync_playwright())
        browser = play.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        for complaint in sorted(set(take(browser, address, user, chosen.names, into))):
            sys.stderr.write(f"{complaint}\n")
        browser.close()


if __name__ == "__main__":
    main()
