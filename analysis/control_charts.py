"""Charts that watch a person's sessions for a shift too small, or too slow, to show in any one of them."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import ndtri, stdtr

from analysis.baseline import ARM_SESSIONS
from analysis.dynamics import series

EWMA_SMOOTHING = 0.2
EWMA_WIDTH = 2.86
"""An EWMA of smoothing .2 strays this many of its own standard errors once in 370 steady sessions."""

CUSUM_ALLOWANCE = 0.5
CUSUM_LIMIT = 4.10
"""A one-sided CUSUM of allowance .5 reaches this once in 370 steady sessions."""

SURE = 1e-300
"""A p below this cannot be told from 0; it bounds a score to 37."""


def self_starting_scores(means: ArrayLike, minimum: int = ARM_SESSIONS) -> np.ndarray:
    """(n,) each session in normal scores of the person's own earlier sessions: no training period is needed.

    means: (n,) session means, oldest first, NaN where a session gave none. NaN also before ``minimum``
    earlier means (at least 2), and where those are all alike. With k earlier means, their mean m and their
    spread s, Q = Φ⁻¹(F_{k−1}((x − m) / (s·√(1 + 1/k)))), F Student's t (Quesenberry 1991). Of a steady normal
    series the scores are independent standard normal, however few sessions came before: a chart on them cries
    out as seldom as its tables say. A shift that goes on becomes usual in time.
    """
    x = series(means)
    if minimum < 2:
        raise ValueError("chart-minimum: a spread needs at least two earlier sessions")
    scores = np.full(len(x), np.nan)
    mean, squares, low, high = 0.0, 0.0, math.inf, -math.inf
    for n, i in enumerate(np.flatnonzero(~np.isnan(x))):
        if n >= minimum and high > low:
            spread = math.sqrt(squares / (n - 1))
            scores[i] = _normal_score((x[i] - mean) / (spread * math.sqrt(1 + 1 / n)), n - 1)
        step = x[i] - mean
        mean += step / (n + 1)
        squares += step * (x[i] - mean)
        low, high = min(low, x[i]), max(high, x[i])
    return scores


def _normal_score(t: float, freedom: int) -> float:
    tail = max(float(stdtr(freedom, -abs(t))), SURE)
    return math.copysign(-float(ndtri(tail)), t)


def ewma_chart(
    values: ArrayLike, *, center: float = 0.0, sd: float = 1.0, smoothing: float = EWMA_SMOOTHING
) -> np.ndarray:
    """(n,) distance of an exponentially weighted mean from the center, in its own standard errors.

    values: (n,), oldest first; NaN gives NaN and changes nothing. z_i = λ·x_i + (1−λ)·z_{i−1}, z_0 = center;
    its standard error after i values is sd·√(λ/(2−λ)·(1−(1−λ)^{2i})) (Roberts 1959). The mood is unusually
    low below −2.86 (Lucas & Saccucci 1990). Defaults are those for ``self_starting_scores``.
    """
    x = _standardized(values, center, sd)
    if not 0 < smoothing <= 1:
        raise ValueError("chart-smoothing: must be above 0 and at most 1")
    distances = np.full(len(x), np.nan)
    level, forgotten = 0.0, 1.0
    for i in np.flatnonzero(~np.isnan(x)):
        level += smoothing * (x[i] - level)
        forgotten *= (1 - smoothing) ** 2
        distances[i] = level / math.sqrt(smoothing / (2 - smoothing) * (1 - forgotten))
    return distances


def cusum(
    values: ArrayLike,
    *,
    center: float = 0.0,
    sd: float = 1.0,
    allowance: float = CUSUM_ALLOWANCE,
    downward: bool = True,
) -> np.ndarray:
    """(n,) one-sided cumulative sum of what lies beyond the allowance, in standard deviations, at least 0.

    values: (n,), oldest first; NaN gives NaN and changes nothing. C_i = max(0, C_{i−1} + d_i − k), d_i the
    distance below the center (above it unless ``downward``) over sd (Page 1954). It signals beyond 4.10.
    A shift by one standard deviation is found soonest with k = .5.
    """
    x = _standardized(values, center, sd)
    if not (math.isfinite(allowance) and allowance >= 0):
        raise ValueError("chart-allowance: must be a number of at least 0")
    sums = np.full(len(x), np.nan)
    total = 0.0
    for i in np.flatnonzero(~np.isnan(x)):
        total = max(0.0, total + (-x[i] if downward else x[i]) - allowance)
        sums[i] = total
    return sums


def _standardized(values: ArrayLike, center: float, sd: float) -> np.ndarray:
    if not (math.isfinite(center) and math.isfinite(sd) and sd > 0):
        raise ValueError("chart-center: needs a finite center and a standard deviation above 0")
    return (series(values) - center) / sd
