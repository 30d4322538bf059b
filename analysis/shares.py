"""Shares of a whole with the interval that so few observations allow."""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import NormalDist


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
    z = NormalDist().inv_cdf(0.5 + confidence / 2)
    p, squeeze = count / n, 1 + z * z / n
    center = (p + z * z / (2 * n)) / squeeze
    half = z * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n)) / squeeze
    return max(center - half, 0.0) if count else 0.0, min(center + half, 1.0) if count < n else 1.0


def share(count: int, n: int, minimum: int, reason: str) -> Share:
    """A share with its 95 % interval, or the reason where fewer than ``minimum`` observations are there."""
    if n < max(minimum, 1):
        return Share(None, None, None, n, reason)
    return Share(count / n, *wilson(count, n), n)
