"""Weight and time to interactive of the pages that a counselor opens, in Chromium on the embedded server.

    python -m benchmarks.pages [--var DIR] [--loads 7]

Plants, in bulk, 500 clients with a year of weekly sessions and one with 500 sessions and 50,000 readings,
starts the service, signs in and loads each page. Interactive: all has arrived, every chart on the screen is
drawn and the browser has painted once more; whole: so are the charts below. In the same run each page is held
against a baseline that sends every point.
Exits 1 when a page takes a second or more. --var keeps the installation for the next run.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import re
import statistics
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

from tests.browser.screens import CHROMIUM, in_shell, service, sign_in

GOAL_S = 1.0
CLIENTS, WEEKS = 500, 52
SESSIONS, TURNS = 500, 100

_PLANT = "import json; from benchmarks.pages_planted import plant; print('planted=' + json.dumps(plant({})))"

_READY = """
window.readyAt = window.wholeAt = 0
const onScreen = place => place.getBoundingClientRect().top < innerHeight
const look = () => {
  const page = document.readyState === 'complete' && document.querySelector('h1, .tl')
  const waiting = [...document.querySelectorAll('.plot.waiting')]
  if (page && !waiting.some(onScreen) && !readyAt)
    requestAnimationFrame(() => setTimeout(() => { readyAt ||= performance.now() }))
  if (!page || waiting.length) return requestAnimationFrame(look)
  requestAnimationFrame(() => setTimeout(() => {
    wholeAt = performance.now()
    document.documentElement.dataset.ready = 'yes'
  }))
}
requestAnimationFrame(look)
"""

_WEIGHT = """() => ['navigation', 'resource'].flatMap(kind => performance.getEntriesByType(kind))
  .reduce((sum, entry) => sum + entry.encodedBodySize, 0)"""

_DRAW_ALL = """async address => {
  const start = performance.now()
  const answer = await (await fetch(address)).json()
  const rows = answer.points
  const place = document.createElement('div')
  document.body.append(place)
  await Plotly.newPlot(place, [{ x: rows.map(r => r.at), y: rows.map(r => r.valence), mode: 'markers' }])
  await new Promise(done => requestAnimationFrame(() => setTimeout(done)))
  place.remove()
  return [performance.now() - start, rows.length]
}"""

_ASK_EACH = """async addresses => {
  const start = performance.now()
  const waiting = [...addresses]
  const ask = async () => { while (waiting.length) await (await fetch(waiting.pop())).json() }
  await Promise.all(Array.from({ length: 6 }, ask))
  return [performance.now() - start, addresses.length]
}"""


@contextlib.contextmanager
def installation(kept: Path | None) -> Iterator[Path]:
    if kept is not None:
        kept.mkdir(parents=True, exist_ok=True)
        yield kept
    else:
        with tempfile.TemporaryDirectory() as folder:
            yield Path(folder)


def planted(var: Path) -> dict[str, str]:
    """Public ids of the client with the long year and of their last session; planted once."""
    plan = {"clients": CLIENTS, "weeks": WEEKS, "sessions": SESSIONS, "turns": TURNS}
    return json.loads(re.search(r"planted=(.*)", in_shell(var, _PLANT.format(plan)))[1])


def load(page: Page, address: str) -> tuple[float, float, int]:
    """(seconds to interactive, seconds to the whole page, bytes of all that it fetched, uncached or not)."""
    page.goto(address)
    page.wait_for_selector("html[data-ready]", timeout=60_000)
    ready, whole = page.evaluate("[window.readyAt / 1000, window.wholeAt / 1000]")
    return ready, whole, page.evaluate(_WEIGHT)


def measured(page: Page, address: str, loads: int) -> tuple[float, float, float, int]:
    """(median and slowest to interactive, median to whole) seconds, and bytes.

    The first load, which fills the browser's cache, is left out.
    """
    load(page, address)
    ready, whole, weights = zip(*(load(page, address) for _ in range(loads)), strict=True)
    return statistics.median(ready), max(ready), statistics.median(whole), weights[-1]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--var", type=Path, help="Folder of the installation; kept.")
    parser.add_argument("--loads", type=int, default=7)
    chosen = parser.parse_args()
    with contextlib.ExitStack() as stack:
        var = stack.enter_context(installation(chosen.var))
        address, user = stack.enter_context(service(var, "--no-sample"))
        ids = planted(var)
        play = stack.enter_context(sync_playwright())
        browser = play.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 1440, "height": 900})
        sign_in(page, address, user)
        page.add_init_script(_READY)
        slow = report(page, address, ids, chosen.loads)
        browser.close()
    sys.exit(1 if slow else 0)


def report(page: Page, address: str, ids: dict[str, str], loads: int) -> list[str]:
    """Print every page; the names of those that miss the goal."""
    client, session = f"{address}/clients/{ids['client']}", f"{address}/sessions/{ids['session']}"
    api = f"{address}/api/v1/clients/{ids['client']}/mood?resolution=utterance&max_points=100000"
    pages = {
        f"caseload, {CLIENTS} clients": f"{address}/",
        f"client, a year of {SESSIONS} sessions": client,
        "client, everything by month": f"{client}?range=all&by=month&against=before",
        "compare, session with session": f"{client}/compare",
        "compare, period with period": f"{client}/compare?mode=periods",
        f"session, {TURNS} turns": session,
        "access log": f"{client}/access",
    }
    print(f"{'page':38} {'median':>8} {'slowest':>8} {'whole':>8} {'weight':>9}")
    slow, medians = [], {}
    for name, place in pages.items():
        median, slowest, whole, weight = measured(page, place, loads)
        medians[name] = median
        print(f"{name:38} {median:7.2f}s {slowest:7.2f}s {whole:7.2f}s {weight / 1024:6.0f} KiB")
        slow += [name] if median >= GOAL_S else []
    page.goto(client)
    drawn_ms, points = page.evaluate(_DRAW_ALL, api)
    client_name = f"client, a year of {SESSIONS} sessions"
    print(
        f"baseline, every one of {points:,} readings sent and drawn: {drawn_ms / 1000:.2f}s, "
        f"{drawn_ms / 1000 / medians[client_name]:.1f} times the client's page"
    )
    each = [f"{address}/api/v1/clients/{c}/mood?resolution=session" for c in ids["all"]]
    asked_ms, n = page.evaluate(_ASK_EACH, each)
    caseload_name = f"caseload, {CLIENTS} clients"
    print(
        f"baseline, one request for each of {n} clients: {asked_ms / 1000:.2f}s, "
        f"{asked_ms / 1000 / medians[caseload_name]:.1f} times the caseload"
    )
    return slow


if __name__ == "__main__":
    main()
