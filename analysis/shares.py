"""Shares of a whole with the interval that so few observations allow."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
from numpy.typing import ArrayLike

from analysis.affect import AFFECT_LABELS
from analysis.dynamics import series

RECENT = 20
"""A recent share looks back over so many observations."""

RECENT_MINIMUM = 10
"""Observations before a recent share is told."""


@dataclass(frozen=True, slots=True)
class Share:
    """A share, 0..1, with its interval.

    n: observations it rests on. reason: why there is no share, else ``None``.
    """

    value: float | None
    low: float | None
    high: float | None
    n: int
    reason: str | None = None


def wilson(count: int, n: int, confidence: float = 0.95) -> tuple[float, float]:
    """The interval of a share of ``count`` among ``n``, within 0..1 (Wilson 1927).

    (center ± z·√(p(1−p)/n + z²/4n²)) / (1 + z²/n) with center = p + z²/2n. Raises ``ValueError`` unless
    0 <= count <= n and n >= 1.

    >>> [round(x, 3) for x in wilson(6, 10)]
    [0.313, 0.832]
    """
    if not (n >= 1 and 0 <= count <= n and 0 < confidence < 1):
        raise ValueError("share-counts: needs 0 <= count <= n, n >= 1 and a confidence between 0 and 1")
    low, high = _bounds(np.array([count]), np.array([n]), confidence)
    return float(low[0]), float(high[0])


def _bounds(count: np.ndarray, n: np.ndarray, confidence: float) -> tuple[np.ndarray, np.ndarray]:
    z = NormalDist().inv_cdf(0.5 + confidence / 2)
    p, squeeze = count / n, 1 + z * z / n
    center = (p + z * z / (2 * n)) / squeeze
    half = z * np.sqrt(p * (1 - p) / n + z * z / (4 * n * n)) / squeeze
    low = np.where(count > 0, np.maximum(center - half, 0.0), 0.0)
    return low, np.where(count < n, np.minimum(center + half, 1.0), 1.0)


def share(count: int, n: int, minimum: int, reason: str) -> Share:
    """A share with its 95 % interval, or the reason where fewer than ``minimum`` observations are there."""
    if n < max(minimum, 1):
        return Share(None, None, None, n, reason)
    return Share(count / n, *wilson(count, n), n)


# --- Over the latest observations -------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, eq=False)
class RecentShares:
    """A share as it stood after each utterance: (n,) each, NaN where nothing is told.

    value: 0..1. low, high: its 95 % Wilson interval. n: observations it rests on, at most the window.
    """

    value: np.ndarray
    low: np.ndarray
    high: np.ndarray
    n: np.ndarray


def recent_share(hits: ArrayLike, window: int = RECENT, minimum: int = RECENT_MINIMUM) -> RecentShares:
    """The share of hits among the latest ``window`` observations, once there are ``minimum``.

    hits: (n,) 1 or 0, oldest first; NaN is no observation: nothing is told there, and it is not counted.
    """
    x = series(hits)
    if not 1 <= minimum <= window:
        raise ValueError("share-window: needs 1 <= minimum <= window")
    rows = np.flatnonzero(~np.isnan(x))
    if not np.isin(x[rows], (0.0, 1.0)).all():
        raise ValueError("share-hits: a hit is 1, a miss 0, and NaN no observation")
    seen = np.concatenate([[0.0], np.cumsum(x[rows])])
    stop = np.arange(1, len(rows) + 1)
    start = np.maximum(stop - window, 0)
    n, count = np.zeros(len(x), dtype=np.int64), np.zeros(len(x))
    n[rows], count[rows] = stop - start, seen[stop] - seen[start]
    told = n >= minimum
    value, low, high = (np.full(len(x), np.nan) for _ in range(3))
    value[told] = count[told] / n[told]
    low[told], high[told] = _bounds(count[told], n[told], 0.95)
    return RecentShares(value, low, high, n)


def emotion_share(labels: Sequence[str | None], label: str, window: int = RECENT) -> RecentShares:
    """How often ``label`` was the strongest among the latest 20 readings.

    labels: n strongest affective labels, oldest first, ``None`` for an abstention. ``low`` above .5 says that
    it is more than half, chance allowed for.
    """
    if label not in AFFECT_LABELS:
        raise ValueError(f"share-label: {label!r} is none of {', '.join(AFFECT_LABELS)}")
    return recent_share([np.nan if one is None else float(one == label) for one in labels], window)


def abstained_share(ok: Sequence[bool], window: int = RECENT) -> RecentShares:
    """How many of the latest 20 utterances gave no reading. ok: n, whether each gave one, oldest first."""
    return recent_share([float(not one) for one in ok], window)


def incongruence_share(incongruent: Sequence[bool | None], window: int = RECENT) -> RecentShares:
    """In how many of the latest 20 utterances that have both, tone and words say different things.

    incongruent: n, oldest first; ``None`` where tone or words are missing.
    """
    return recent_share([np.nan if one is None else float(one) for one in incongruent], window)
