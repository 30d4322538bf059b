"""Streams per core against a bare WebSocket echo, and how long a turn takes from its end to the page.

    python benchmarks/live.py [--senders 8] [--seconds 60]

Both servers are real processes on one core each, asked by the same client in the same run. A frame is 100 ms
of sound at 16 kHz. The first figure is a line on which nobody speaks: finding that out is part of the price.
The second is speech and silence in turn, every turn decoded, measured and kept on the disk; nothing is
recognized, because the turns are the counselor's. The echo answers every frame; EmoTrack tells at the end
what is kept.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

import httpx  # noqa: E402
import numpy as np  # noqa: E402
import websockets  # noqa: E402

from analysis.quality import measure, trim  # noqa: E402
from analysis.recognition.acoustic import AcousticRecognizer  # noqa: E402
from analysis.values import Waveform  # noqa: E402
from tests.analysis import sounds  # noqa: E402
from tests.faults.site import Site, site_in  # noqa: E402
from tests.journeys.server import free_port  # noqa: E402

FRAME = 3200
GOAL_SHARE, GOAL_P95_MS = 0.40, 150.0
ECHO = """
async def app(scope, receive, send):
    if scope["type"] != "websocket":
        await send({"type": "http.response.start", "status": 404, "headers": []})
        await send({"type": "http.response.body", "body": b""})
        return
    await receive()
    await send({"type": "websocket.accept"})
    while (message := await receive())["type"] == "websocket.receive":
        await send({"type": "websocket.send", "text": str(len(message["bytes"]))})
"""


def speech(seconds: float) -> bytes:
    """Half talk, half silence."""
    pieces, at = [], 0.0
    while at < seconds:
        pieces += [sounds.spoken(3.0, seed=len(pieces)), sounds.silence(3.0)]
        at += 6.0
    samples = np.concatenate(pieces)[: round(16000 * seconds)]
    return np.clip(np.rint(samples * 32768), -32768, 32767).astype("<i2").tobytes()


def on_one_core(process: subprocess.Popen) -> None:
    os.sched_setaffinity(process.pid, {max(os.sched_getaffinity(0))})


async def echoed(port: int, sound: bytes, senders: int) -> float:
    """Frames a second."""

    async def one() -> None:
        async with websockets.connect(f"ws://127.0.0.1:{port}/", max_queue=None) as line:
            frames = [sound[i : i + FRAME] for i in range(0, len(sound), FRAME)]

            async def answers() -> None:
                for _ in frames:
                    await line.recv()

            waiting = asyncio.create_task(answers())
            for frame in frames:
                await line.send(frame)
            await waiting

    began = time.perf_counter()
    await asyncio.gather(*(one() for _ in range(senders)))
    return senders * len(sound) / FRAME / (time.perf_counter() - began)


async def listened(site: Site, sessions: list[str], sound: bytes, turns: int) -> tuple[float, int]:
    """Frames a second, and how many senders lack sound or one of their turns."""
    missing = 0
    start = (datetime.now(UTC) - timedelta(hours=2)).isoformat()

    async def one(session: str) -> None:
        nonlocal missing
        address = f"ws://127.0.0.1:{site.port}/ws/listen?session={session}"
        key = {"Authorization": f"Bearer {site.key}"}
        async with websockets.connect(address, additional_headers=key, max_queue=None) as line:
            await line.recv()
            update = {"type": "session.update", "speaker": "counselor", "started_at": start}
            await line.send(json.dumps(update))
            for i in range(0, len(sound), FRAME):
                await line.send(sound[i : i + FRAME])
            await line.send(json.dumps({"type": "session.close"}))
            kept = 0
            async for text in line:
                message = json.loads(text)
                kept += message["type"] == "utterance.end"
                if message["type"] == "session.closed":
                    missing += len(sound) // 32 - 4000 > message["committed_ms"]
            missing += kept < turns

    began = time.perf_counter()
    await asyncio.gather(*(one(session) for session in sessions))
    return len(sessions) * len(sound) / FRAME / (time.perf_counter() - began), missing


def sessions_of(site: Site, count: int) -> list[str]:
    made = []
    with site.api() as api:
        for number in range(count):
            body = {"client": f"c{number}", "session": f"s{number}-{time.time()}", "text": "hello"}
            made.append(api.post("utterances", json=body).raise_for_status().json()["session"])
    return made


async def delays(site: Site, session: str, turns: int) -> list[float]:
    """Milliseconds from sending the frame that ends a turn to having fetched what the page shows of it."""
    said = np.concatenate([sounds.silence(0.5), sounds.spoken(2.0)])
    pcm = np.clip(np.rint(said * 32768), -32768, 32767).astype("<i2").tobytes()
    address = f"ws://127.0.0.1:{site.port}/ws/listen?session={session}"
    found = []
    api = site.api()
    key = {"Authorization": f"Bearer {site.key}"}
    async with websockets.connect(address, additional_headers=key) as line:
        await line.recv()
        start = (datetime.now(UTC) - timedelta(hours=2)).isoformat()
        await line.send(json.dumps({"type": "session.update", "started_at": start}))
        for _ in range(turns):
            for i in range(0, len(pcm), FRAME):
                await line.send(pcm[i : i + FRAME])
            ended = False
            while not ended:
                sent = time.perf_counter()
                await line.send(bytes(FRAME))
                ended = await _ends_soon(line)
            answer = await _measured(line)
            shown = await asyncio.to_thread(api.get, f"sessions/{session}/timeline?max_points=200")
            shown.raise_for_status()
            assert answer["utterance"]["status"] == "analyzed"
            found.append(1000 * (time.perf_counter() - sent))
    api.close()
    return found


async def _ends_soon(line: websockets.ClientConnection) -> bool:
    """Whether the turn ended with the frame just sent; frames come in real time."""
    try:
        async with asyncio.timeout(0.1):
            while True:
                if json.loads(await line.recv())["type"] == "utterance.end":
                    return True
    except TimeoutError:
        return False


async def _measured(line: websockets.ClientConnection) -> dict:
    async for text in line:
        message = json.loads(text)
        if message["type"] == "measurement":
            return message
    raise AssertionError("closed before it was measured")


def recognizer_ms(count: int = 10) -> float:
    """What the recognizer alone takes for the same turn (median)."""
    waveform = Waveform(sounds.spoken(2.0))
    speech, _start_s = trim(waveform, measure(waveform))
    recognizer, taken = AcousticRecognizer(), []
    for _ in range(count + 1):
        began = time.perf_counter()
        recognizer.recognize([speech])
        taken.append(1000 * (time.perf_counter() - began))
    return statistics.median(taken[1:])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--senders", type=int, default=8)
    parser.add_argument("--seconds", type=float, default=60.0, help="of sound, per sender")
    parser.add_argument("--turns", type=int, default=20)
    asked = parser.parse_args()
    sound = speech(asked.seconds)
    with tempfile.TemporaryDirectory() as folder:
        bare = echo_rate(Path(folder), sound, asked.senders)
        with site_in(Path(folder)) as site:
            site.begin()
            on_one_core(site.processes[-1])
            quiet, silent = bytes(len(sound)), sessions_of(site, asked.senders)
            rate, lost = asyncio.run(listened(site, silent, quiet, turns=0))
            talking = sessions_of(site, asked.senders)
            kept, missing = asyncio.run(listened(site, talking, sound, turns=int(asked.seconds // 6)))
            missing += lost
            waited = asyncio.run(delays(site, sessions_of(site, 1)[0], asked.turns))
    recognizer = recognizer_ms()
    p95 = float(np.percentile(waited, 95))
    print(f"bare echo       {bare:8.0f} frames/s")
    print(f"/ws/listen      {rate:8.0f} frames/s  {rate / bare:5.0%} of the echo (goal {GOAL_SHARE:.0%})")
    print(f"with turns kept {kept:8.0f} frames/s  {kept / bare:5.0%}")
    print(f"dropped         {missing:8d}")
    print(f"end → shown     {np.median(waited):8.0f} ms median, {p95:.0f} ms p95")
    print(f"recognizer      {recognizer:8.0f} ms median")
    print(f"beyond it       {p95 - recognizer:8.0f} ms p95 (goal {GOAL_P95_MS:.0f})")
    reached = rate >= GOAL_SHARE * bare and not missing and p95 - recognizer <= GOAL_P95_MS
    sys.exit(0 if reached else 1)


def echo_rate(folder: Path, sound: bytes, senders: int) -> float:
    (folder / "echo.py").write_text(ECHO)
    port = free_port()
    run = [sys.executable, "-m", "uvicorn", "echo:app", "--port", str(port), "--log-level", "error"]
    server = subprocess.Popen([*run, "--http", "h11", "--lifespan", "off"], cwd=folder)
    try:
        on_one_core(server)
        give_up = time.monotonic() + 30
        while time.monotonic() < give_up:
            try:
                httpx.get(f"http://127.0.0.1:{port}/", timeout=1)
                break
            except httpx.TransportError:
                time.sleep(0.2)
        return asyncio.run(echoed(port, sound, senders))
    finally:
        server.terminate()
        server.wait(10)


if __name__ == "__main__":
    main()
