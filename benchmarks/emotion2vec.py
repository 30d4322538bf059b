"""How much faster a model held in memory answers than a process per request, which tutorials show.

    python benchmarks/emotion2vec.py [--size base|tiny] [--requests 3] [--seconds 5]

Both read the same speech-long noise, on one thread, with the same random weights of the published
dimensions (random numbers cost what trained ones cost). The baseline is FunASR's own documented use:
a new Python process, ``AutoModel`` and one ``generate``.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from analysis.recognition.emotion2vec import Emotion2vecRecognizer
from analysis.recognition.process_state import left_as_found
from analysis.values import SAMPLE_RATE_HZ, Waveform
from tests.analysis import tiny_checkpoint

PER_REQUEST = """
import sys
import numpy as np
from funasr import AutoModel
model = AutoModel(model=sys.argv[1], device="cpu", ncpu=1, disable_update=True, disable_pbar=True)
model.generate(np.load(sys.argv[2]), granularity="utterance", extract_embedding=True)
"""


def main() -> None:
    given = _arguments()
    size = {"base": tiny_checkpoint.BASE, "tiny": tiny_checkpoint.TINY}[given.size]
    with tempfile.TemporaryDirectory() as folder:
        with left_as_found("funasr"):
            weights = tiny_checkpoint.build(Path(folder) / "emotion2vec_plus_random", size)
        samples = _noise(given.seconds)
        np.save(Path(folder) / "speech.npy", samples)
        command = [sys.executable, "-c", PER_REQUEST, str(weights), str(Path(folder) / "speech.npy")]
        recognizer = Emotion2vecRecognizer(str(weights), threads=1)
        recognizer.recognize([Waveform(samples)])
        baseline, resident = [], []
        for _ in range(given.requests):  # in turns, so that both meet the same machine
            baseline.append(_seconds(lambda: subprocess.run(command, check=True, capture_output=True)))
            resident.append(_seconds(lambda: recognizer.recognize([Waveform(samples)])))
    _report(given, statistics.median(baseline), statistics.median(resident))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--size", choices=("base", "tiny"), default="base")
    parser.add_argument("--requests", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=5.0)
    return parser.parse_args()


def _noise(seconds: float) -> np.ndarray:
    random = np.random.default_rng(0)
    return (0.1 * random.standard_normal(int(seconds * SAMPLE_RATE_HZ))).astype(np.float32)


def _seconds(work) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def _report(given: argparse.Namespace, baseline: float, resident: float) -> None:
    print(f"one {given.seconds:g} s utterance, {given.size} size, one thread, median of {given.requests}")
    print(f"process per request (baseline): {1000 * baseline:8.0f} ms")
    print(f"model held in memory:           {1000 * resident:8.0f} ms")
    print(f"ratio: {baseline / resident:.1f} x")


if __name__ == "__main__":
    main()
