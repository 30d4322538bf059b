"""A history far larger than memory should hold at once: how long it takes, and how much memory it needs.

    python -m benchmarks.analysis_million [--rows 1000000] [--dimension 1024]

The embeddings lie in a temporary file (2 GB) and are read in blocks. What counts is memory of our own, beside
the pages of the file that the system keeps as it likes.
"""

from __future__ import annotations

import argparse
import re
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from analysis.clusters import find_patterns
from analysis.projection import fit_basis
from analysis.similarity import nearest
from analysis.volatility import volatility_index
from benchmarks.analysis_patterns import speech

BLOCK = 20_000


def own_memory_gb() -> float:
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return int(re.search(r"^RssAnon:\s+(\d+) kB", status, re.MULTILINE)[1]) / 1e6


def measured(name: str, job: Callable[[], object]) -> None:
    before, peak, done = own_memory_gb(), 0.0, threading.Event()

    def watch() -> None:
        nonlocal peak
        while not done.wait(0.02):
            peak = max(peak, own_memory_gb())

    watcher = threading.Thread(target=watch)
    watcher.start()
    started = time.perf_counter()
    job()
    took = time.perf_counter() - started
    done.set()
    watcher.join()
    print(f"{name:<40} {took:>8.1f} s   {max(peak - before, 0.0):>6.2f} GB of its own", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--dimension", type=int, default=1024)
    asked = parser.parse_args()
    with tempfile.NamedTemporaryFile() as file:
        rows = np.memmap(file, np.float16, "w+", shape=(asked.rows, asked.dimension))
        for start in range(0, asked.rows, BLOCK):
            size = min(BLOCK, asked.rows - start)
            rows[start : start + size] = speech(size, asked.dimension, seed=start)
        rows.flush()
        print(f"{asked.rows} x {asked.dimension} float16, {rows.nbytes / 1e9:.2f} GB")
        measured("volatility", lambda: volatility_index(rows))
        measured("PCA 50", lambda: fit_basis(rows))
        measured("nearest 10, exact", lambda: nearest(rows[0].astype(np.float32), rows, 10))
        measured("patterns, looked for and told", lambda: find_patterns(rows))


if __name__ == "__main__":
    main()
