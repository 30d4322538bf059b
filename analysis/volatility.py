"""How far a voice moves from utterance to utterance: distances of embeddings and their rolling index."""

from __future__ import annotations

from collections.abc import Iterator
from enum import StrEnum

import numpy as np
from numpy.typing import ArrayLike

WINDOW = 5
"""Utterances in a window; their 4 consecutive distances make one value of the index."""

WINDOW_PAIRS = WINDOW - 1

MAX_GAP_S = 30 * 60.0
"""A pair further apart than this (end to next start, seconds) is no pair: something else happened between."""

MAD_TO_SD = 1.4826
"""Makes a median absolute deviation comparable with a standard deviation under a normal distribution."""

FLOOR_SHARE = 0.05
"""The scale of the robust z never falls below this share of the typical window distance."""

BLOCK_VALUES = 131_072
"""Numbers converted at a time; a block of this size stays within a core's cache."""


class Metric(StrEnum):
    """How two embeddings are compared.

    L2: Euclidean. COSINE: 1 - cos of the angle, 0..2. CHORD: Euclidean between unit vectors, √(2·cosine).
    """

    L2 = "l2"
    COSINE = "cosine"
    CHORD = "chord"


class Statistic(StrEnum):
    """What a window says of its distances."""

    MEAN = "mean"
    RMS = "rms"
    MEDIAN = "median"


def checked_embeddings(embeddings: ArrayLike) -> np.ndarray:
    """(n, D) floating rows as they are (nothing is copied); a row of NaN stands for a missing embedding.

    Raises ``ValueError`` for rows of different lengths or another shape.
    """
    try:
        array = np.asarray(embeddings)
    except ValueError as error:
        raise ValueError("embeddings-shape: the embeddings differ in dimension") from error
    if array.ndim != 2 or array.shape[1] == 0:
        raise ValueError(f"embeddings-shape: expected (n, D), got {array.shape}")
    return array if np.issubdtype(array.dtype, np.floating) else array.astype(np.float64)


def row_distances(left: np.ndarray, right: np.ndarray, metric: Metric) -> np.ndarray:
    """(n,) float64 distances between the rows of two (n, D) arrays.

    A cosine with a zero vector is undefined and NaN. Small differences are what matters for the cosine, so
    it is taken in double precision from the chord between unit vectors: ``cos distance = chord² / 2``.
    Raises ``ValueError`` for infinities.
    """
    result = _distances_between(_at_least_single(left), _at_least_single(right), metric)
    if not np.isfinite(result).all() and (np.isinf(left).any() or np.isinf(right).any()):
        raise ValueError("embeddings-non-finite: an embedding holds an infinity")
    return result


def _at_least_single(rows: np.ndarray) -> np.ndarray:
    return rows.astype(np.float32) if rows.dtype == np.float16 else rows


@np.errstate(invalid="ignore", over="ignore")
def _distances_between(left: np.ndarray, right: np.ndarray, metric: Metric) -> np.ndarray:
    if metric is Metric.L2:
        return _norms(left - right)
    gap = _unit(left.astype(np.float64)) - _unit(right.astype(np.float64))
    squared = np.vecdot(gap, gap)
    return squared / 2 if metric is Metric.COSINE else np.sqrt(squared)


def _norms(rows: np.ndarray) -> np.ndarray:
    return np.sqrt(np.vecdot(rows, rows).astype(np.float64))


def _unit(rows: np.ndarray) -> np.ndarray:
    norms = _norms(rows)
    return rows / np.where(norms > 0, norms, np.nan)[:, None]


def _blocks(pairs: int, dimension: int) -> Iterator[slice]:
    step = max(1, BLOCK_VALUES // dimension)
    return (slice(start, min(start + step, pairs)) for start in range(0, pairs, step))


def consecutive_distances(
    embeddings: ArrayLike,
    metric: Metric = Metric.L2,
    *,
    sessions: ArrayLike | None = None,
    skip_missing: bool = False,
) -> np.ndarray:
    """(n,) float64: how far each embedding is from the one before it, oldest first; NaN where there is none.

    embeddings: (n, D); rows of NaN are missing. Read in blocks, so memory stays bounded for any n.
    sessions: (n,) ids; the first utterance of a session has no distance. By default all are one session.
    skip_missing: compare across a missing row with the last present one; otherwise it breaks two pairs.
    """
    rows = checked_embeddings(embeddings)
    kept = present_rows(rows) if skip_missing else np.arange(len(rows))
    result = np.full(len(rows), np.nan)
    for block in _blocks(len(kept) - 1, rows.shape[1]):
        before, after = _neighbors(rows, kept, block, whole=len(kept) == len(rows))
        result[kept[block.start + 1 : block.stop + 1]] = row_distances(before, after, metric)
    if sessions is not None:
        result[_session_starts(np.asarray(sessions), kept)] = np.nan
    return result


def present_rows(rows: np.ndarray) -> np.ndarray:
    """Indices of the rows without NaN, found block by block."""
    blocks = [np.isnan(rows[block]).any(axis=1) for block in _blocks(len(rows), rows.shape[1])]
    return np.flatnonzero(~np.concatenate(blocks)) if blocks else np.arange(0)


def _neighbors(
    rows: np.ndarray, kept: np.ndarray, block: slice, whole: bool
) -> tuple[np.ndarray, np.ndarray]:
    if whole:
        return rows[block], rows[block.start + 1 : block.stop + 1]
    return rows[kept[block]], rows[kept[block.start + 1 : block.stop + 1]]


def _session_starts(sessions: np.ndarray, kept: np.ndarray) -> np.ndarray:
    return kept[1:][sessions[kept][1:] != sessions[kept][:-1]]


def rolling(
    distances: ArrayLike,
    statistic: Statistic = Statistic.MEAN,
    *,
    pairs: int = WINDOW_PAIRS,
    min_pairs: int = 1,
) -> np.ndarray:
    """(n,) float64: the statistic over the last ``pairs`` distances, NaN ones left out.

    NaN where fewer than ``min_pairs`` are present: 1 gives partial windows too, ``pairs`` only full ones.
    """
    values = np.asarray(distances, dtype=np.float64)
    if values.ndim != 1 or not 1 <= min_pairs <= pairs:
        raise ValueError("rolling: needs a (n,) series and 1 <= min_pairs <= pairs")
    if len(values) == 0:
        return values
    padded = np.concatenate([np.full(pairs - 1, np.nan), values])
    windows = np.lib.stride_tricks.sliding_window_view(padded, pairs)
    return _summaries(windows, statistic, min_pairs)


def _summaries(windows: np.ndarray, statistic: Statistic, min_pairs: int) -> np.ndarray:
    present = ~np.isnan(windows)
    counts = present.sum(axis=1)
    enough = counts >= min_pairs
    if statistic is Statistic.MEDIAN:
        result = np.full(len(windows), np.nan)
        result[enough] = np.nanmedian(windows[enough], axis=1)
        return result
    filled = np.where(present, windows, 0.0)
    power = filled**2 if statistic is Statistic.RMS else filled
    means = power.sum(axis=1) / np.where(enough, counts, np.nan)
    return np.sqrt(means) if statistic is Statistic.RMS else means


def volatility_index(
    embeddings: ArrayLike, *, sessions: ArrayLike | None = None, full_windows_only: bool = False
) -> np.ndarray:
    """(n,) the plain index: mean Euclidean distance in the last 5 utterances.

    It grows with √D, the norm of the embeddings and 1/√duration: a threshold on it means nothing for
    another recognizer. With ``sessions`` given, missing rows are skipped and no window spans two sessions.
    """
    min_pairs = WINDOW_PAIRS if full_windows_only else 1
    if sessions is None:
        return rolling(consecutive_distances(embeddings), min_pairs=min_pairs)
    return _per_session(embeddings, np.asarray(sessions), min_pairs)


def _per_session(embeddings: ArrayLike, sessions: np.ndarray, min_pairs: int) -> np.ndarray:
    distances = consecutive_distances(embeddings, sessions=sessions, skip_missing=True)
    present = present_rows(checked_embeddings(embeddings))
    result = np.full(len(sessions), np.nan)
    breaks = np.flatnonzero(sessions[present][1:] != sessions[present][:-1]) + 1
    for rows in np.split(present, breaks):
        result[rows] = rolling(distances[rows], min_pairs=min_pairs)
    return result


def window_distance(cosine_distances: ArrayLike) -> float | None:
    """``w``: the median of a full window's 4 centered cosine distances; ``None`` unless all 4 are defined."""
    values = np.asarray(cosine_distances, dtype=np.float64)
    if len(values) != WINDOW_PAIRS or np.isnan(values).any():
        return None
    return float(np.median(values))


def floor_of(typical_distance: float | None, own_median: float) -> float:
    """The smallest scale that a robust z may divide by: 5 % of the recognizer's typical window distance.

    Where no population was measured, 5 % of the person's own median stands in for it (a guess).
    """
    return FLOOR_SHARE * (own_median if typical_distance is None else typical_distance)


def robust_z(w: float, median: float, mad: float, floor: float) -> float | None:
    """How far ``w`` lies from the usual, in robust SDs: ``(w - median) / max(1.4826·MAD, floor)``.

    mad: plain median absolute deviation, not yet multiplied. ``None`` when both scale and floor are 0.

    >>> round(robust_z(0.9, 0.5, 0.1, 0.01), 3)
    2.698
    """
    if not np.isfinite([w, median, mad, floor]).all() or mad < 0 or floor < 0:
        raise ValueError("robust-z: needs finite numbers, and a spread and a floor of at least 0")
    scale = max(MAD_TO_SD * mad, floor)
    return (w - median) / scale if scale > 0 else None
