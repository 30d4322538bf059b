"""How much faster the measures over whole histories are than the plain way of writing them.

    python -m benchmarks.analysis [--rows 100000] [--dimension 1024]

Every line compares two ways in the same run, on one thread; results are compared too.
"""

from __future__ import annotations

import argparse
import math
import os
import resource
import time
import warnings
from collections.abc import Callable
from itertools import pairwise

os.environ["OMP_NUM_THREADS"] = os.environ["OPENBLAS_NUM_THREADS"] = "1"

import numpy as np
import ruptures

from analysis.changes import change_points
from analysis.series import SessionTracker, Turn
from analysis.thinning import thin
from analysis.trend import mann_kendall
from analysis.volatility import volatility_index

RNG = np.random.default_rng(1)


def seconds(job: Callable[[], object], repeats: int = 1) -> float:
    """The quickest of ``repeats``."""
    best = math.inf
    for _ in range(repeats):
        started = time.perf_counter()
        job()
        best = min(best, time.perf_counter() - started)
    return best


def row(name: str, naive: float, ours: float, goal: str) -> None:
    print(f"{name:<50} {naive * 1000:>10.2f} ms {ours * 1000:>10.3f} ms {naive / ours:>8.1f} x   {goal}")


def volatility(rows: int, dimension: int) -> None:
    embeddings = RNG.standard_normal((rows, dimension), dtype=np.float32)
    ours = seconds(lambda: volatility_index(embeddings), repeats=3)
    for way, plain in (
        ("each window anew", _window_by_window),
        ("each distance once", _distance_by_distance),
    ):
        naive = seconds(lambda plain=plain: plain(embeddings))
        assert np.allclose(volatility_index(embeddings[:500])[1:], plain(embeddings[:500])[1:], rtol=1e-5)
        row(f"volatility, {rows} x {dimension}, loop, {way}", naive, ours, "25 x")


def _window_by_window(embeddings: np.ndarray) -> list[float]:
    index = [math.nan]
    for i in range(1, len(embeddings)):
        window = embeddings[max(i - 4, 0) : i + 1]
        steps = [np.linalg.norm(after - before) for before, after in pairwise(window)]
        index.append(float(np.mean(steps)))
    return index


def _distance_by_distance(embeddings: np.ndarray) -> list[float]:
    distances, index = [], [math.nan]
    for i in range(1, len(embeddings)):
        distances.append(float(np.linalg.norm(embeddings[i] - embeddings[i - 1])))
        index.append(sum(distances[-4:]) / len(distances[-4:]))
    return index


def change(n: int = 10_000) -> None:
    for cuts in (20, 0):
        series = RNG.normal(size=n)
        if cuts:
            series += np.repeat(RNG.normal(0, 2, cuts), n // cuts)
        ours = seconds(lambda series=series: change_points(series), repeats=5)
        if cuts:
            row(f"change points, n = {n}, {cuts} levels, ruptures.Pelt", _pelt(series), ours, "<= 10 ms")
        else:
            print(f"{f'change points, n = {n}, no change':<50} {'':>13} {ours * 1000:>10.3f} ms")


def _pelt(series: np.ndarray) -> float:
    """With its default of looking at every fifth place only."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        search = ruptures.Pelt("normal", min_size=5).fit(series)
        return seconds(lambda: search.predict(pen=3 * math.log(len(series))))


def trend(n: int = 100_000) -> None:
    times, values = np.arange(float(n)), RNG.normal(size=n)
    ours = seconds(lambda: mann_kendall(times, values, carry_over=False), repeats=5)
    naive = seconds(lambda: _every_pair(values))
    assert _every_pair(values[:3000]) == mann_kendall(times[:3000], values[:3000], carry_over=False).s
    row(f"Mann-Kendall, n = {n}, every pair", naive, ours, "300 x")


def _every_pair(values: np.ndarray) -> int:
    return int(sum(np.sign(values[i + 1 :] - values[i]).sum() for i in range(len(values) - 1)))


def thinning(n: int = 1_000_000, most: int = 1_000) -> None:
    times, values = np.arange(float(n)), RNG.normal(size=n).cumsum()
    ours = seconds(lambda: thin(times, values, most), repeats=5)
    row(
        f"thinning, {n} to {most}, numpy a bucket",
        seconds(lambda: _plain_lttb(times, values, most)),
        ours,
        "",
    )


def _plain_lttb(times: np.ndarray, values: np.ndarray, most: int) -> list[int]:
    edges = np.linspace(1, len(times) - 1, most - 1).astype(int)
    kept = [0]
    for k in range(len(edges) - 1):
        a, b, c = edges[k], edges[k + 1], edges[min(k + 2, len(edges) - 1)]
        x, y = times[b : max(c, b + 1)].mean(), values[b : max(c, b + 1)].mean()
        x0, y0 = times[kept[-1]], values[kept[-1]]
        areas = np.abs((x0 - x) * (values[a:b] - y0) - (x0 - times[a:b]) * (y - y0))
        kept.append(a + int(areas.argmax()))
    return [*kept, len(times) - 1]


def one_more(history: int = 50_000, dimension: int = 1024, repeats: int = 2_000) -> None:
    """A client with a long history against a new one, in turns, so that both meet the same machine."""
    turns = RNG.standard_normal((64, dimension)).astype(np.float16).astype(np.float32)
    long, new = SessionTracker(), SessionTracker()
    for i in range(history):
        long.add(_turn(i, turns))
    costs = {"long": [], "new": []}
    for i in range(repeats):
        costs["new"].append(seconds(lambda i=i: new.add(_turn(i, turns))))
        costs["long"].append(seconds(lambda i=i: long.add(_turn(history + i, turns))))
    fresh, grown = (float(np.median(costs[name])) for name in ("new", "long"))
    print(
        f"{'one more utterance, new client and one of ' + str(history):<50} {fresh * 1e6:>10.1f} us "
        f"{grown * 1e6:>10.1f} us {grown / fresh:>8.2f}     within 20 %"
    )
    embeddings = np.resize(turns, (history, dimension))
    row("  the same by computing everything again", seconds(lambda: volatility_index(embeddings)), grown, "")


def _turn(i: int, embeddings: np.ndarray) -> Turn:
    return Turn(10.0 * i, 10.0 * i + 4, embeddings[i % len(embeddings)], 0.1, 0.2, 0.0, True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--dimension", type=int, default=1024)
    given = parser.parse_args()
    print(f"{'':<50} {'plain way':>13} {'here':>13} {'ratio':>10}   goal")
    change()
    trend()
    thinning()
    one_more()
    volatility(given.rows, given.dimension)
    print(f"most memory held: {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6:.2f} GB")


if __name__ == "__main__":
    main()
