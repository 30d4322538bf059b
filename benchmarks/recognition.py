"""How much faster the warm embedded recognizer answers than a process per request, which tutorials show.

    python benchmarks/recognition.py [--requests 5] [--seconds 5]

Both take the same synthetic speech as WAV bytes through decoding, quality, trimming and recognition, on one
thread. The baseline starts a new Python process for each request and is otherwise the same code.
The last line times the recognizer alone, in processor time, its windows included.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ[name] = "1"
ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

import numpy as np  # noqa: E402

from analysis.audio import decode, encode_wav  # noqa: E402
from analysis.quality import measure, trim  # noqa: E402
from analysis.recognition.acoustic import AcousticRecognizer  # noqa: E402
from analysis.values import SAMPLE_RATE_HZ, Waveform  # noqa: E402
from tests.analysis import sounds  # noqa: E402

PER_REQUEST = """
import pathlib, sys
from analysis.audio import decode
from analysis.quality import measure, trim
from analysis.recognition.acoustic import AcousticRecognizer
waveform = decode(pathlib.Path(sys.argv[1]).read_bytes()).waveform
speech, _ = trim(waveform, measure(waveform))
AcousticRecognizer().recognize([speech])
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--requests", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=5.0)
    given = parser.parse_args()
    speech = np.resize(sounds.spoken(3.0), round(given.seconds * SAMPLE_RATE_HZ))
    data = encode_wav(Waveform(speech))
    recognizer = AcousticRecognizer()

    def warm() -> None:
        waveform = decode(data).waveform
        recognizer.recognize([trim(waveform, measure(waveform))[0]])

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "speech.wav"
        path.write_bytes(data)
        command = [sys.executable, "-c", PER_REQUEST, str(path)]
        warm()
        baseline, resident = [], []
        for _ in range(given.requests):  # in turns, so that both meet the same machine
            baseline.append(seconds(lambda: subprocess.run(command, check=True, cwd=ROOT)))
            resident.append(min(seconds(warm) for _ in range(3)))
    report(given, statistics.median(baseline), statistics.median(resident), alone(recognizer, speech))


def seconds(job: Callable[[], object]) -> float:
    start = time.perf_counter()
    job()
    return time.perf_counter() - start


def alone(recognizer: AcousticRecognizer, speech: np.ndarray, runs: int = 20) -> float:
    """Processor seconds of one recognition, the mean of many."""
    start = time.process_time()
    for _ in range(runs):
        recognizer.recognize([Waveform(speech)])
    return (time.process_time() - start) / runs


def report(given: argparse.Namespace, baseline: float, resident: float, processor: float) -> None:
    print(f"{given.seconds:g} s of speech, median of {given.requests} requests, one thread")
    print(f"  baseline, a process per request:        {baseline * 1000:8.1f} ms")
    print(f"  warm: decode, quality, trim, recognize: {resident * 1000:8.1f} ms")
    print(f"  ratio: {baseline / resident:.1f} x (goal: 8)")
    print(f"  the recognizer alone: {processor * 1000:.1f} ms of processor time (goal: 30 for 5 s)")


if __name__ == "__main__":
    main()
