"""Ways to part points into clusters, and how clearly, how surely and how far beyond chance they part."""

from __future__ import annotations

import math

import numpy as np

from analysis.projection import unit_rows

CLUSTER_COUNTS = range(2, 9)
STARTS = 10
RESAMPLES = 20
CLOUDS, CLOUD_POINTS = 10, 2000
SEED = 20_230_907


def best_partition(points: np.ndarray, seed: int = SEED, least: float = 1) -> tuple[np.ndarray, float]:
    """The k-means centers with the largest mean cosine silhouette among 2 to 8, and that silhouette.

    points: (n, c) unit rows. least: partitions with a cluster of fewer members come last.
    """
    tried = []
    for k in CLUSTER_COUNTS:
        centers = k_means(points, k, seed)
        labels = nearest_centers(points, centers)
        enough = bool(np.bincount(labels, minlength=len(centers)).min() >= least)
        tried.append((enough, float(cosine_silhouette(points, labels).mean()), centers))
    _enough, silhouette, centers = max(tried, key=lambda one: one[:2])
    return centers, silhouette


def k_means(points: np.ndarray, k: int, seed: int = SEED, starts: int = STARTS) -> np.ndarray:
    """(k, c) centers of the best of ``starts`` runs of Lloyd's algorithm from k-means++."""
    from sklearn.cluster import KMeans  # loads for a second: only who fits pays for it, never the site

    return KMeans(min(k, _distinct(points, k)), n_init=starts, random_state=seed).fit(points).cluster_centers_


def _distinct(points: np.ndarray, enough: int) -> int:
    """How many different points there are, counted no further than is needed to know of ``enough``."""
    few = len(np.unique(points[: 8 * enough], axis=0))
    return few if few >= enough else len(np.unique(points, axis=0))


def nearest_centers(points: np.ndarray, centers: np.ndarray) -> np.ndarray:
    """(n,) place of each point's nearest center in Euclid's sense."""
    return (np.einsum("ij,ij->i", centers, centers) / 2 - points @ centers.T).argmin(axis=1)


def cosine_silhouette(points: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """(n,) silhouettes (Rousseeuw 1987) of unit rows under cosine distance, exact, -1..1.

    The mean cosine distance to a cluster is 1 − x·(mean of its members), so that no pairs are needed. A
    point alone in its cluster has 0; with a single cluster all have 0.
    """
    points = points.astype(np.float64)
    sizes, sums = _cluster_sums(points, labels)
    if np.count_nonzero(sizes) < 2:
        return np.zeros(len(points))
    similar = points @ sums.T
    own = np.arange(len(points)), labels
    to_itself = 1 - np.einsum("ij,ij->i", points, points)
    others = np.maximum(sizes[labels] - 1, 1)
    inside = (sizes[labels] - similar[own] - to_itself) / others
    with np.errstate(invalid="ignore", divide="ignore"):
        outside = np.where(sizes > 0, 1 - similar / sizes, np.inf)
    outside[own] = np.inf
    outside = outside.min(axis=1)
    widest = np.maximum(inside, outside)
    return np.where(
        (sizes[labels] > 1) & (widest > 0), (outside - inside) / np.where(widest > 0, widest, 1), 0
    )


def _cluster_sums(points: np.ndarray, labels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(k,) sizes and (k, c) sums of the members."""
    member = np.zeros((len(points), labels.max() + 1))
    member[np.arange(len(points)), labels] = 1.0
    return member.sum(axis=0), member.T @ points


def adjusted_rand(left: np.ndarray, right: np.ndarray) -> float:
    """Agreement of two partitions of the same points, 1 for the same, 0 by chance (Hubert & Arabie 1985)."""
    table = np.zeros((left.max() + 1, right.max() + 1))
    np.add.at(table, (left, right), 1)
    together = _pairs(table)
    rows, columns, total = _pairs(table.sum(axis=1)), _pairs(table.sum(axis=0)), _pairs(table.sum())
    by_chance, most = rows * columns / total, (rows + columns) / 2
    return 1.0 if most == by_chance else float((together - by_chance) / (most - by_chance))


def _pairs(counts: np.ndarray) -> float:
    return float((counts * (counts - 1) / 2).sum())


def bootstrap_agreement(
    points: np.ndarray, centers: np.ndarray, rng: np.random.Generator, resamples: int = RESAMPLES
) -> float:
    """Mean adjusted Rand index of the partition with those that k-means finds in bootstrap resamples.

    Each resample's centers partition all points, so that the two are compared over the same ones.
    """
    labels, n = nearest_centers(points, centers), len(points)
    found = []
    for _ in range(resamples):
        drawn = points[rng.integers(0, n, n)]
        again = k_means(drawn, len(centers), int(rng.integers(2**31)))
        found.append(adjusted_rand(labels, nearest_centers(points, again)))
    return float(np.mean(found))


def silhouette_by_chance(positions: np.ndarray, k: int, rng: np.random.Generator) -> float:
    """Mean cosine silhouette of k clusters cut from normal clouds with the positions' mean and covariance.

    As SigClust does (Liu et al. 2008), with the silhouette in place of its cluster index. positions: (n, c),
    not yet at unit length. Clouds hold at most 2,000 points: their silhouette hardly depends on how many.
    """
    spread = np.linalg.svd(positions - positions.mean(axis=0), full_matrices=False)
    shape = spread.S[:, None] * spread.Vh / math.sqrt(len(positions))
    found = []
    for _ in range(CLOUDS):
        drawn = rng.normal(size=(min(len(positions), CLOUD_POINTS), len(shape))) @ shape
        cloud = unit_rows(drawn + positions.mean(axis=0))
        centers = k_means(cloud, k, int(rng.integers(2**31)), starts=3)
        found.append(cosine_silhouette(cloud, nearest_centers(cloud, centers)).mean())
    return float(np.mean(found))
