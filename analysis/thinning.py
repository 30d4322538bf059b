"""Fewer points that draw the same curve, its gaps kept as gaps."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike
from tsdownsample import LTTBDownsampler

LEAST = 3
"""Fewer points than this draw no curve."""

GAP_SHARE = 4
"""At most one point in four says "here is a gap"; beyond that only the longest gaps are kept."""


def thin(times: ArrayLike, values: ArrayLike, most: int) -> np.ndarray:
    """(k,) int64 positions, oldest first, k <= most, that keep the shape: largest triangle three buckets.

    times: (n,) finite, oldest first. values: (n,), NaN for missing: the first row of a gap is kept, so that a
    line drawn through the kept rows breaks there. n <= most gives every position. (Steinarsson 2013.)
    """
    t, x = np.asarray(times, dtype=np.float64), np.asarray(values, dtype=np.float64)
    if t.ndim != 1 or t.shape != x.shape or most < LEAST:
        raise ValueError(f"thin-shape: needs times and values of one length, and at least {LEAST} points")
    if not np.isfinite(t).all() or (t[1:] < t[:-1]).any() or np.isinf(x).any():
        raise ValueError("thin-order: needs finite times, oldest first, and finite or missing values")
    if len(x) <= most:
        return np.arange(len(x))
    missing = np.isnan(x)
    if not missing.any():
        return _selected(t, x, most)
    gaps, valid = _gaps(missing, most // GAP_SHARE), np.flatnonzero(~missing)
    return np.sort(np.concatenate([gaps, valid[_selected(t[valid], x[valid], most - len(gaps))]]))


def _gaps(missing: np.ndarray, most: int) -> np.ndarray:
    """First rows of the longest runs of missing values."""
    edges = np.diff(np.concatenate([[0], missing.astype(np.int8), [0]]))
    starts, stops = np.flatnonzero(edges == 1), np.flatnonzero(edges == -1)
    return starts[np.argsort(starts - stops, kind="stable")[:most]]


def _selected(times: np.ndarray, values: np.ndarray, most: int) -> np.ndarray:
    if len(values) <= most:
        return np.arange(len(values))
    return LTTBDownsampler().downsample(times, values, n_out=most).astype(np.int64)
