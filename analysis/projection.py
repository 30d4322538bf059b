"""The few directions in which embeddings differ most, found in blocks of rows, and a map of them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.linalg import eigh

MOST_COMPONENTS = 50
"""Directions that are kept; k-means and the search for neighbors gain nothing from more (analysis.md, 7)."""

BLOCK_BYTES = 32 * 2**20
"""Working memory of one block: a million rows of 1024 never stand in memory as single precision at once."""

NO_VARIANCE, TINY = 1e-6, 1e-30
"""Directions below this share of the largest variance are rounding, not speech: float16 keeps 11 bits."""


@dataclass(frozen=True, slots=True, eq=False)
class Basis:
    """A center and directions from it.

    mean: (D,) float32. axes: (c, D) float32, orthonormal rows, largest variance first.
    explained: (c,) float64, each direction's share of all variance, 0..1.
    """

    mean: np.ndarray
    axes: np.ndarray
    explained: np.ndarray

    @property
    def dimension(self) -> int:
        return len(self.mean)

    def project(self, rows: ArrayLike) -> np.ndarray:
        """(n, D) embeddings as (n, c) float32 coordinates. Raises ``ValueError`` for another dimension."""
        found = [(block - self.mean) @ self.axes.T for block in row_blocks(self._fitting(rows))]
        return np.concatenate(found) if found else np.empty((0, len(self.axes)), dtype=np.float32)

    def lift(self, coordinates: ArrayLike) -> np.ndarray:
        """(n, c) coordinates as (n, D) float32 offsets from the mean, comparable across bases."""
        return np.asarray(coordinates, dtype=np.float32) @ self.axes

    def _fitting(self, rows: ArrayLike) -> np.ndarray:
        rows = embedding_rows(rows)
        if rows.shape[1] != self.dimension:
            raise ValueError(
                f"embedding-dimension: the basis has {self.dimension} dimensions, the rows {rows.shape[1]}"
            )
        return rows


def embedding_rows(rows: ArrayLike) -> np.ndarray:
    """(n, D) of any float type as it is, so that a float16 file is not doubled in memory.

    Raises ``ValueError`` for another shape; rows with NaN or infinity are refused when they are reached.
    """
    rows = np.asarray(rows)
    if rows.ndim != 2 or rows.shape[1] == 0:
        raise ValueError("embedding-rows: needs an (n, D) array")
    return rows if rows.dtype.kind == "f" else rows.astype(np.float64)


def row_blocks(rows: np.ndarray) -> Iterator[np.ndarray]:
    """The rows in order, in C-ordered float32 blocks. Raises ``ValueError`` at a NaN or an infinity."""
    step = max(1, BLOCK_BYTES // (4 * rows.shape[1]))
    for start in range(0, len(rows), step):
        block = np.ascontiguousarray(rows[start : start + step], dtype=np.float32)
        if not np.isfinite(block).all():
            raise ValueError("embedding-rows: holds NaN or infinity")
        yield block


def fit_basis(rows: ArrayLike, components: int = MOST_COMPONENTS) -> Basis:
    """Principal components of (n, D) embeddings: at most ``components``, D and n − 1 of them.

    The eigenvectors of the covariance, which is summed in blocks about the first block's mean, in double
    precision between blocks. Directions without variance are left out, so a constant history has none.
    Raises ``ValueError`` without rows.
    """
    rows = embedding_rows(rows)
    if len(rows) == 0:
        raise ValueError("embedding-rows: a basis needs at least one row")
    few = len(rows) <= rows.shape[1]
    mean, variances, axes, total = (_from_few if few else _from_many)(rows, components)
    kept = min(len(rows) - 1, int((variances > NO_VARIANCE * max(variances.max(initial=0), TINY)).sum()))
    return Basis(
        mean.astype(np.float32),
        _one_sign(axes[:kept]).astype(np.float32),
        variances[:kept] / total if kept else np.empty(0),
    )


def _from_many(rows: np.ndarray, most: int) -> tuple[np.ndarray, np.ndarray, np.ndarray, float]:
    """Mean, variances (c,) and axes (c, D) by the (D, D) covariance, and the sum of all variances."""
    mean, covariance = _moments(rows)
    last = len(covariance) - 1
    variances, vectors = eigh(covariance, subset_by_index=(max(0, last + 1 - most), last))
    return mean, variances[::-1], vectors[:, ::-1].T, float(np.trace(covariance))


def _from_few(rows: np.ndarray, most: int) -> tuple[np.ndarray, np.ndarray, np.ndarray, float]:
    """The same by the (n, n) products of the rows, which are fewer than their numbers."""
    exact = np.concatenate(list(row_blocks(rows))).astype(np.float64)
    mean = exact.mean(axis=0)
    exact -= mean
    variances, mixes = np.linalg.eigh(exact @ exact.T / len(exact))
    variances, mixes = np.maximum(variances[::-1][:most], 0.0), mixes[:, ::-1][:, :most]
    axes = unit_rows(mixes.T @ exact)
    return mean, variances, axes, float((exact**2).sum() / len(exact))


def _moments(rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(D,) mean and (D, D) covariance, float64."""
    dimension, shift = rows.shape[1], None
    total, products = np.zeros(dimension), np.zeros((dimension, dimension))
    for block in row_blocks(rows):
        shift = block.mean(axis=0) if shift is None else shift
        centered = block - shift
        total += centered.sum(axis=0, dtype=np.float64)
        products += centered.T @ centered
    offset = total / len(rows)
    return shift + offset, products / len(rows) - np.outer(offset, offset)


def _one_sign(axes: np.ndarray) -> np.ndarray:
    """Each row turned so that its largest entry is positive: the same data give the same map."""
    largest = np.take_along_axis(axes, np.abs(axes).argmax(axis=1, keepdims=True), axis=1)
    return axes * np.where(largest < 0, -1.0, 1.0)


def unit_rows(rows: np.ndarray) -> np.ndarray:
    """Each row at length 1; a row of zeros has no direction and stays as it is."""
    norms = np.linalg.norm(rows, axis=1, keepdims=True)
    return rows / np.where(norms > 0, norms, 1)


@dataclass(frozen=True, slots=True, eq=False)
class Map:
    """Embeddings on a plane.

    positions: (n, 2) float32, in embedding units. explained: (2,) share of all variance along each axis, to
    be stated beside the map: what is far apart here is far apart, what is close here may not be.
    """

    positions: np.ndarray
    explained: np.ndarray


def plane(basis: Basis, rows: ArrayLike) -> Map:
    """(n, D) embeddings on the first two directions; a direction that is missing is all zeros."""
    flat = Basis(basis.mean, basis.axes[:2], basis.explained[:2])
    missing = 2 - len(flat.axes)
    return Map(
        np.pad(flat.project(rows), ((0, 0), (0, missing))),
        np.pad(flat.explained, (0, missing)),
    )
