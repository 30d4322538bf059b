"""How a mood lies and moves: its middle, its width, and its movement from one utterance to the next."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from analysis.volatility import MAD_TO_SD

MIN_VALUES = 3
"""Valid values before a mean or a median is shown."""

MIN_VALUES_SPREAD = 5
"""Valid values before a standard deviation is shown."""

MIN_PAIRS = 10
"""Pairs of neighbors before a movement (MSSD, RMSSD) is shown."""

MIN_COVERAGE = 0.6
"""Below this share of utterances with a valid value, figures read "insufficient data"."""


@dataclass(frozen=True, slots=True)
class Figure:
    """A number as pages may show it.

    value: ``None`` when there is too little to say. n: the values or pairs it rests on.
    reason: why there is no value (``too_few_values``, ``too_few_pairs``), else ``None``.
    """

    value: float | None
    n: int
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Dynamics:
    """The dynamics of one dimension over one session or many.

    mean, median: need 3 valid values; sd: 5; mssd, rmssd: 10 pairs within a session.
    coverage: valid / all, 0..1, ``None`` without any utterance; it stands beside every figure.
    """

    mean: Figure
    median: Figure
    sd: Figure
    mssd: Figure
    rmssd: Figure
    coverage: float | None

    @property
    def sufficient(self) -> bool:
        """Whether enough of the utterances gave a reading for the figures to speak for all."""
        return self.coverage is not None and self.coverage >= MIN_COVERAGE


def series(values: ArrayLike) -> np.ndarray:
    """(n,) float64, NaN for missing. Raises ``ValueError`` for another shape or infinities."""
    array = np.asarray(values, dtype=np.float64)
    if array.ndim != 1 or np.isinf(array).any():
        raise ValueError("dynamics-values: needs a (n,) series without infinities; NaN stands for missing")
    return array


def checked_ids(sessions: ArrayLike | None, n: int) -> np.ndarray:
    """(n,) session ids, by default all one. Raises ``ValueError`` unless there is one for each value."""
    ids = np.zeros(n, dtype=np.int8) if sessions is None else np.asarray(sessions)
    if ids.shape != (n,):
        raise ValueError("dynamics-sessions: needs one session id for each value")
    return ids


def valid(values: ArrayLike) -> np.ndarray:
    """The values that are not missing, float64, in order."""
    array = series(values)
    return array[~np.isnan(array)]


def mean(values: ArrayLike) -> float:
    """Mean of the valid values; NaN without any."""
    x = valid(values)
    return float(x.mean()) if len(x) else math.nan


def median(values: ArrayLike) -> float:
    """Median of the valid values; NaN without any."""
    return quantile(values, 0.5)


def sd(values: ArrayLike) -> float:
    """Sample standard deviation (n − 1) of the valid values; NaN below two."""
    x = valid(values)
    return float(x.std(ddof=1)) if len(x) > 1 else math.nan


def mad(values: ArrayLike) -> float:
    """1.4826 times the median absolute deviation from the median; NaN without values."""
    x = valid(values)
    return float(MAD_TO_SD * np.median(np.abs(x - np.median(x)))) if len(x) else math.nan


def quantile(values: ArrayLike, q: float) -> float:
    """Quantile of type 7 (Hyndman & Fan 1996: R's default, linear between order statistics), q in 0..1."""
    x = valid(values)
    return float(np.quantile(x, q)) if len(x) else math.nan


def pair_differences(values: ArrayLike, sessions: ArrayLike | None = None, lag: int = 1) -> np.ndarray:
    """Differences of values ``lag`` apart, both valid and in one session; (pairs,) float64.

    values: (n,), oldest first; NaN for an abstention, which breaks its pairs. sessions: (n,) ids.
    """
    x = series(values)
    if lag < 1:
        raise ValueError("dynamics-lag: must be at least 1")
    differences = x[lag:] - x[:-lag]
    ids = checked_ids(sessions, len(x))
    return differences[~np.isnan(differences) & (ids[lag:] == ids[:-lag])]


def mssd(
    values: ArrayLike,
    sessions: ArrayLike | None = None,
    *,
    lag: int = 1,
    divisor: Literal["pairs", "values"] = "pairs",
) -> float:
    """Mean squared successive difference (von Neumann 1941); NaN without pairs.

    divisor: ``pairs`` divides by the pairs there are; ``values`` by valid values − lag, as R's psych does,
    which is smaller where values are missing.
    """
    differences = pair_differences(values, sessions, lag)
    if len(differences) == 0:
        return math.nan
    count = len(differences) if divisor == "pairs" else len(valid(values)) - lag
    return float(differences @ differences) / count


def rmssd(values: ArrayLike, sessions: ArrayLike | None = None) -> float:
    """Square root of ``mssd``: the typical step from one utterance to the next; NaN without pairs."""
    return math.sqrt(mssd(values, sessions))


def autocorrelation(values: ArrayLike, lag: int = 1) -> float:
    """Autocorrelation at a lag, -1..1: lagged products over the sum of squares, about one mean.

    The estimator of Box & Jenkins, as in R's acf. NaN for missing values, for fewer than lag + 2 values and
    for a constant series.
    """
    x = series(values)
    if lag < 1:
        raise ValueError("dynamics-lag: must be at least 1")
    if len(x) < lag + 2 or np.isnan(x).any() or np.ptp(x) == 0:
        return math.nan
    centered = (x - x.mean()) / np.ptp(x)
    return float(centered[lag:] @ centered[:-lag]) / float(centered @ centered)


def lag_correlation(values: ArrayLike, lag: int = 1) -> float:
    """Pearson correlation of the pairs ``lag`` apart, each side about its own mean; NaN where undefined."""
    x = series(values)
    left, right = x[:-lag], x[lag:]
    both = ~(np.isnan(left) | np.isnan(right))
    if both.sum() < 2 or np.ptp(left[both]) == 0 or np.ptp(right[both]) == 0:
        return math.nan
    return float(np.corrcoef(left[both] / np.ptp(left[both]), right[both] / np.ptp(right[both]))[0, 1])


def coverage(values: ArrayLike) -> float | None:
    """Share of valid values, 0..1; ``None`` for an empty series."""
    x = series(values)
    return len(valid(x)) / len(x) if len(x) else None


def figure(value: float, n: int, minimum: int, reason: str) -> Figure:
    """The value where it rests on enough, else the reason."""
    return Figure(value, n) if n >= minimum else Figure(None, n, reason)


def describe(values: ArrayLike, sessions: ArrayLike | None = None) -> Dynamics:
    """The figures of one dimension, each with what it rests on, or the reason why it is not shown.

    values: (n,), oldest first, NaN for an abstention. sessions: (n,) ids; by default all are one session.
    """
    x, n = series(values), len(valid(values))
    pairs = len(pair_differences(x, sessions))
    few_values, few_pairs = "too_few_values", "too_few_pairs"
    return Dynamics(
        mean=figure(mean(x), n, MIN_VALUES, few_values),
        median=figure(median(x), n, MIN_VALUES, few_values),
        sd=figure(sd(x), n, MIN_VALUES_SPREAD, few_values),
        mssd=figure(mssd(x, sessions), pairs, MIN_PAIRS, few_pairs),
        rmssd=figure(rmssd(x, sessions), pairs, MIN_PAIRS, few_pairs),
        coverage=coverage(x),
    )
