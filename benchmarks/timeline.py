"""How soon a session of 100,000 frames stands on the screen, against sending every frame from its own row.

    python -m benchmarks.timeline [--frames 100000] [--browser /usr/bin/chromium]

Both ways answer over the same database and are drawn by the same browser with the same bundle, in one run;
the quickest of six counts. Time is server (request to last byte) plus browser (bytes to painted figure).
The page draws a whole session from its turns and fetches frames for ten minutes around what is looked at.
"""

from __future__ import annotations

import argparse
import json
import os
import tempfile
import time
from datetime import timedelta
from pathlib import Path

import numpy as np

LABELS = 9
RATE_HZ = 50.0
TURNS = 400
ROUNDS = 6
BUNDLE = Path(__file__).resolve().parents[1] / "static" / "vendor" / "plotly-cartesian-4.1.1.min.js"

DRAW = """async body => {
  const place = document.getElementById('chart')
  Plotly.purge(place)
  const started = performance.now()
  const told = JSON.parse(body)
  const resolved = JSON.parse(JSON.stringify(told.figure).replace(/"\\$[^"]+"/g, '"#445566"'))
  await Plotly.newPlot(place, resolved.data, resolved.layout, { displayModeBar: false })
  await new Promise(done => requestAnimationFrame(() => setTimeout(done)))
  return performance.now() - started
}"""


def prepare(var: str) -> None:
    """An installation of its own, thrown away afterwards."""
    os.environ["EMOTRACK_VAR_DIR"] = var
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "emotrack.settings")
    import django

    django.setup()
    from django.conf import settings
    from django.core.management import call_command

    settings.ALLOWED_HOSTS = ["testserver"]
    call_command("migrate", verbosity=0)


def frame_rows():
    """The plain way's table: one row a frame."""
    from django.db import connection, models

    fields = {f"share{k}": models.FloatField() for k in range(LABELS)}
    meta = type("Meta", (), {"app_label": "history", "db_table": "benchmark_frames"})
    body = {"__module__": __name__, "Meta": meta, "session": models.IntegerField(db_index=True)}
    model = type("BenchmarkFrame", (models.Model,), body | {"at_s": models.FloatField()} | fields)
    with connection.schema_editor() as editor:
        editor.create_model(model)
    return model


def plant(frames: int, rows=None):
    """A session of ``TURNS`` turns that hold so many frames in all, and the plain way's rows of it."""
    from emotrack.history.models import FrameLogits
    from emotrack.mood import actions as mood
    from tests.emotrack import factories

    rng = np.random.default_rng(3)
    client = factories.client("Bench")
    session = factories.session(client)
    each = frames // TURNS
    step_s = max(18.0, each / RATE_HZ + 6.0)
    logits = []
    for k in range(TURNS):
        at = session.started_at + timedelta(seconds=step_s * k)
        shares = factories.scores(**{("sad", "happy", "neutral")[k % 3]: 0.5 + 0.3 * rng.random()})
        turn = factories.utterance(
            session, at, shares=shares, embedding=rng.normal(size=8), seconds=each / RATE_HZ, text="Words."
        )
        values = rng.normal(size=(each, LABELS)).astype("<f2")
        FrameLogits(utterance=turn, logits=values, rate_hz=RATE_HZ, first_frame_s=0.01).save(
            force_insert=True
        )
        if rows is not None:
            at_s = step_s * k + np.arange(each) / RATE_HZ
            logits += [
                rows(session=session.pk, at_s=t, **{f"share{i}": float(x) for i, x in enumerate(v)})
                for t, v in zip(at_s.tolist(), values, strict=True)
            ]
    if rows is not None:
        rows.objects.bulk_create(logits, batch_size=5000)
    mood.rebuild(client)
    session.ended_at = session.started_at + timedelta(seconds=step_s * TURNS)
    session.save(update_fields=["ended_at"])
    return session


def every_frame(rows, session) -> bytes:
    """What a good engineer writes first: all rows of the session, a line for each label."""
    found = list(rows.objects.filter(session=session.pk).order_by("at_s"))
    x = [row.at_s for row in found]
    data = [
        {"type": "scatter", "mode": "lines", "x": x, "y": [getattr(row, f"share{k}") for row in found]}
        for k in range(LABELS)
    ]
    return json.dumps({"figure": {"data": data, "layout": {"height": 500}}}).encode()


def ours(browser, session, query: str) -> bytes:
    answer = browser.get(f"/sessions/{session.public_id}/timeline.json?w=960&only=figure{query}")
    if answer.status_code != 200:
        raise SystemExit(f"the timeline answered {answer.status_code}")
    return answer.content


def measured(page, job) -> tuple[float, float, int]:
    """(server ms, browser ms, bytes), the quickest sum of ``ROUNDS``."""
    best = None
    for _ in range(ROUNDS):
        started = time.perf_counter()
        body = job()
        server = 1000 * (time.perf_counter() - started)
        drawn = page.evaluate(DRAW, body.decode())
        if best is None or server + drawn < best[0] + best[1]:
            best = (server, drawn, len(body))
    return best


def said(name: str, found: tuple[float, float, int]) -> None:
    server, drawn, size = found
    print(f"{name:<44} {server:>8.0f} + {drawn:>6.0f} ms   {size / 1000:>9.0f} kB")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--frames", type=int, default=100_000)
    parser.add_argument("--browser", default="/usr/bin/chromium")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as var:
        prepare(var)
        _compare(asked.frames, asked.browser)


def _compare(frames: int, executable: str) -> None:
    from django.test import Client
    from playwright.sync_api import sync_playwright

    from emotrack.history.actions import assign
    from tests.emotrack import factories

    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "1"  # Playwright keeps a loop in this thread
    rows, alice = frame_rows(), factories.counselor()
    some, many = plant(frames, rows), plant(10 * frames)
    for session in (some, many):
        assign(client=session.client, counselor=alice, by=factories.TESTS, now=factories.NOW)
    visitor = Client()
    visitor.force_login(alice)
    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=executable, args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 1440, "height": 900})
        page.set_content('<div id="chart" style="width:1100px"></div>')
        page.add_script_tag(path=str(BUNDLE))
        plain = measured(page, lambda: every_frame(rows, some))
        whole = measured(page, lambda: ours(visitor, some, ""))
        close = measured(page, lambda: ours(visitor, some, "&span=600&from=600"))
        ten = measured(page, lambda: ours(visitor, many, ""))
        ten_close = measured(page, lambda: ours(visitor, many, "&span=600&from=600"))
        browser.close()
    print(f"{frames} frames in {TURNS} turns: server + browser, bytes")
    said("every frame from its own row", plain)
    said("whole session", whole)
    said("ten minutes, with their frames", close)
    said("ten times the frames: whole session", ten)
    said("ten times the frames: ten minutes", ten_close)
    slowest = max(sum(whole[:2]), sum(close[:2]))
    print(f"faster than every frame         {sum(plain[:2]) / slowest:>6.1f} x   goal 10 x")
    growth = max(sum(ten[:2]) / sum(whole[:2]), sum(ten_close[:2]) / sum(close[:2]))
    print(f"ten times the frames            {growth:>6.2f} x   goal at most 1.5 x")
    share = max(whole[2], close[2]) / plain[2]
    print(f"bytes of every frame            {100 * share:>6.1f} %   goal at most 3 %")


if __name__ == "__main__":
    main()
