"""The utterances that sound most like a given one: exact, or by a rough search and an exact second look."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from analysis.projection import Basis, embedding_rows, row_blocks, unit_rows

CANDIDATES = 200
"""Rows that the rough search hands to the exact one, at least; ten for each that is asked for."""


@dataclass(frozen=True, slots=True, eq=False)
class Neighbors:
    """places: (m,) row numbers, most similar first. similarity: (m,) cosine, -1..1."""

    places: np.ndarray
    similarity: np.ndarray


def nearest(query: ArrayLike, rows: ArrayLike, count: int, *, center: ArrayLike | None = None) -> Neighbors:
    """The ``count`` rows with the largest cosine to the query, exact; of equals the earlier row.

    query: (D,). rows: (n, D) of any float type, looked at in blocks. center: (D,), subtracted from both, the
    recognizer's constant center. A row without direction (at the center) is like nothing and is left out.
    Raises ``ValueError`` for NaN, infinity, another dimension, a count below 1 or a query at the center.
    """
    rows, center = embedding_rows(rows), _center(center)
    direction = _direction(query, rows.shape[1], count, center)
    found = [np.empty(0, dtype=np.float32)]
    found += [_cosines(block - center, direction) for block in row_blocks(rows)]
    return _best(np.concatenate(found), count)


def _center(center: ArrayLike | None) -> np.ndarray:
    return np.float32(0) if center is None else np.asarray(center, dtype=np.float32)


def _direction(query: ArrayLike, dimension: int, count: int, center: np.ndarray) -> np.ndarray:
    query = np.asarray(query, dtype=np.float32)
    if count < 1 or query.shape != (dimension,):
        raise ValueError(f"neighbors: needs a count of at least 1 and a query of {dimension} numbers")
    direction = query - center
    norm = np.linalg.norm(direction)
    if not (np.isfinite(norm) and norm > 0):
        raise ValueError("neighbors: the query has no direction")
    return direction / norm


def _cosines(rows: np.ndarray, direction: np.ndarray) -> np.ndarray:
    norms = np.sqrt(np.einsum("ij,ij->i", rows, rows))
    with np.errstate(invalid="ignore", divide="ignore"):
        return rows @ direction / norms


def _best(similarity: np.ndarray, count: int) -> Neighbors:
    similarity = np.where(np.isnan(similarity), -np.inf, similarity)
    if len(similarity) > count:
        edge = np.partition(similarity, -count)[-count]
        places = np.flatnonzero(similarity >= edge)
    else:
        places = np.arange(len(similarity))
    places = places[np.argsort(-similarity[places], kind="stable")][:count]
    places = places[similarity[places] > -np.inf]
    return Neighbors(places, np.clip(similarity[places], -1.0, 1.0))


@dataclass(frozen=True, slots=True, eq=False)
class RoughIndex:
    """Directions of all rows in a few dimensions: some 50 numbers instead of 1024 to look at for each.

    axes: (c, D) float32, orthonormal. center: (D,) or 0. codes: (n, c) float32, the part of each row's unit
    vector that lies along the axes, so that a product of codes is a cosine but for what lies outside.
    """

    axes: np.ndarray
    center: np.ndarray
    codes: np.ndarray

    def candidates(self, query: ArrayLike, count: int) -> np.ndarray:
        """(m,) row numbers worth an exact look, by falling rough similarity."""
        direction = _direction(query, self.axes.shape[1], count, self.center)
        return _best(self.codes @ (self.axes @ direction), count).places


def rough_index(rows: ArrayLike, basis: Basis, *, center: ArrayLike | None = None) -> RoughIndex:
    """The index of (n, D) embeddings, made in blocks: about 200 bytes a row."""
    center = _center(center)
    # What all rows share is no variance, yet it is part of every cosine: its direction leads the axes.
    spanned = np.vstack([basis.mean - center, basis.axes]).T.astype(np.float64)
    axes = np.linalg.qr(spanned)[0].T.astype(np.float32)
    codes = [unit_rows(block - center) @ axes.T for block in row_blocks(embedding_rows(rows))]
    return RoughIndex(axes, center, np.concatenate(codes) if codes else np.empty((0, len(axes)), np.float32))


def nearest_by_index(
    query: ArrayLike, index: RoughIndex, rows_at: Callable[[np.ndarray], ArrayLike], count: int
) -> Neighbors:
    """Like ``nearest`` over all rows, but only the rough search's candidates are read and compared.

    rows_at: gives the (m, D) embeddings at (m,) row numbers. A neighbor is missed when it resembles the
    query mostly outside the basis; how seldom that is depends on the variance that the basis explains.
    """
    places = np.sort(index.candidates(query, max(CANDIDATES, 10 * count)))
    close = nearest(query, rows_at(places), count, center=index.center)
    return Neighbors(places[close.places], close.similarity)
