"""How long directions, patterns and neighbors take beside the plain way of finding them."""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable

import numpy as np
from sklearn.cluster import KMeans
from sklearn.decomposition import PCA, IncrementalPCA
from sklearn.metrics import silhouette_score

from analysis.clusters import find_patterns
from analysis.partitions import cosine_silhouette, k_means, nearest_centers
from analysis.projection import fit_basis, unit_rows
from analysis.similarity import nearest, nearest_by_index, rough_index

KINDS, DIRECTIONS = 12, 80


def speech(n: int, dimension: int, seed: int = 0) -> np.ndarray:
    """(n, dimension) float16 rows: kinds of mood in directions of falling weight, noise in all."""
    rng = np.random.default_rng(seed)
    weights = rng.normal(size=(DIRECTIONS, dimension)).astype(np.float32)
    weights *= np.linspace(1.5, 0.1, DIRECTIONS, dtype=np.float32)[:, None]
    kinds = rng.normal(size=(KINDS, DIRECTIONS)).astype(np.float32)
    blocks = []
    for start in range(0, n, 20_000):
        size = min(20_000, n - start)
        moods = kinds[rng.integers(0, KINDS, size)] + rng.normal(size=(size, DIRECTIONS)).astype(np.float32)
        noise = rng.standard_normal((size, dimension), dtype=np.float32)
        blocks.append((moods @ weights + noise + 2).astype(np.float16))
    return np.concatenate(blocks)


def seconds(job: Callable[[], object], repeats: int = 1) -> float:
    """The quickest of ``repeats``."""
    best = np.inf
    for _ in range(repeats):
        started = time.perf_counter()
        job()
        best = min(best, time.perf_counter() - started)
    return best


def row(name: str, naive: float, ours: float) -> None:
    print(f"{name:<58} {naive * 1000:>10.1f} ms {ours * 1000:>10.1f} ms {naive / ours:>8.1f} x")


def directions(rows: np.ndarray) -> None:
    single = rows.astype(np.float32)
    ours = seconds(lambda: fit_basis(rows))
    row(
        "PCA 50 against scikit-learn, randomized",
        seconds(lambda: PCA(50, svd_solver="randomized").fit(single)),
        ours,
    )
    row(
        "PCA 50 against covariance_eigh on float32 in memory",
        seconds(lambda: PCA(50, svd_solver="covariance_eigh").fit(single)),
        ours,
    )
    row("PCA 50 against IncrementalPCA", seconds(lambda: IncrementalPCA(50).fit(single)), ours)


def partitions(rows: np.ndarray) -> None:
    points = unit_rows(fit_basis(rows).project(rows))
    single = unit_rows(rows.astype(np.float32) - rows.mean(axis=0, dtype=np.float32))
    naive = seconds(lambda: KMeans(8, n_init=1, random_state=0).fit(single))
    row(
        "k-means, k = 8, one start, 50 numbers instead of all",
        naive,
        seconds(lambda: k_means(points, 8, starts=1)),
    )
    some = points[:5000]
    labels = nearest_centers(some, k_means(some, 8, starts=1))
    naive = seconds(lambda: silhouette_score(some, labels, metric="cosine"))
    row(
        "cosine silhouette of 5,000 without pairs", naive, seconds(lambda: cosine_silhouette(some, labels), 5)
    )


def neighbors(rows: np.ndarray) -> None:
    query, count = rows[0].astype(np.float32), 10

    def naive() -> np.ndarray:
        single = rows.astype(np.float32)
        return np.argsort(-(single @ query) / np.linalg.norm(single, axis=1))[:count]

    basis = fit_basis(rows)
    index = rough_index(rows, basis)
    slow = seconds(naive)
    row(
        "nearest 10, exact, in blocks, against numpy at once",
        slow,
        seconds(lambda: nearest(query, rows, count), 3),
    )
    quick = seconds(lambda: nearest_by_index(query, index, lambda at: rows[at], count), 10)
    row("nearest 10, rough index and exact second look", slow, quick)
    queries = rows[np.random.default_rng(1).integers(0, len(rows), 30)]
    hits = [
        np.isin(
            nearest_by_index(q, index, lambda at: rows[at], count).places, nearest(q, rows, count).places
        ).mean()
        for q in queries
    ]
    print(
        f"   of the true ten found by the rough index: {np.mean(hits):.3f}; "
        f"variance explained by the basis: {basis.explained.sum():.2f}"
    )


def whole(n: int, dimension: int) -> None:
    rows = speech(n, dimension)
    print(f"patterns of one person with {n} utterances: {seconds(lambda: find_patterns(rows)):.2f} s")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--utterances", type=int, default=100_000)
    parser.add_argument("--dimension", type=int, default=1024)
    asked = parser.parse_args()
    rows = speech(asked.utterances, asked.dimension)
    print(f"{asked.utterances} x {asked.dimension} float16; plain way, ours, ratio")
    directions(rows)
    partitions(rows)
    neighbors(rows)
    for n in (500, 5_000):
        whole(n, asked.dimension)


if __name__ == "__main__":
    main()
