"""Whether a session differs from earlier ones by more than turns, or days, differ anyway."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import stdtr

from analysis.baseline import ARM_SESSIONS
from analysis.dynamics import MIN_VALUES_SPREAD, checked_ids, series

MAX_CARRY_OVER = 0.95
"""Carry-over above this is not believed."""

RELIABLE = 1.96
"""Beyond this the change is larger than 95 % of what noise alone makes (Jacobson & Truax 1991)."""


@dataclass(frozen=True, slots=True)
class ReliableChange:
    """The change from one stretch to another in its own standard errors.

    index: ``None`` with a reason (``too_few_values``, ``no_variation``). difference: later mean less
    earlier mean. carry_over: lag-1 autocorrelation pooled within sessions, 0...95.
    n_earlier, n_later: valid values.
    """

    index: float | None
    difference: float | None
    carry_over: float | None
    n_earlier: int
    n_later: int
    reason: str | None = None

    @property
    def reliable(self) -> bool:
        return self.index is not None and abs(self.index) > RELIABLE


@dataclass(frozen=True, slots=True)
class UnusualDay:
    """A session among a person's other sessions.

    index: its distance from their mean in their own spreads. p: how often a usual day lies as far away, 0..1,
    two-sided. n: the sessions it is held against. reason: why there is none (``too_few_sessions``,
    ``no_session_mean``, ``no_variation``), else ``None``.
    """

    index: float | None
    p: float | None
    n: int
    reason: str | None = None


def unusual_day(usual_means: ArrayLike, mean: float | None) -> UnusualDay:
    """Whether a session's mean differs from the usual sessions by more than days differ anyway.

    usual_means: (k,) means of the baseline sessions, NaN left out; at least 8. mean: of the session in
    question. t = (mean − their mean) / (s·√(1 + 1/k)), k − 1 degrees of freedom (Crawford & Howell 1998, one
    case against a small sample).
    """
    means = series(usual_means)
    means = means[~np.isnan(means)]
    k = len(means)
    if k < ARM_SESSIONS:
        return UnusualDay(None, None, k, "too_few_sessions")
    if mean is None or math.isnan(mean):
        return UnusualDay(None, None, k, "no_session_mean")
    if np.ptp(means) == 0:
        return UnusualDay(None, None, k, "no_variation")
    t = float((mean - means.mean()) / (means.std(ddof=1) * math.sqrt(1 + 1 / k)))
    return UnusualDay(t, float(2 * stdtr(k - 1, -abs(t))), k)


def carry_over(values: ArrayLike, sessions: ArrayLike | None = None) -> float:
    """Lag-1 autocorrelation pooled within sessions, clipped to 0...95; 0 where nothing varies.

    values: (n,), oldest first, NaN left out. Each session is centered at its own mean; products of neighbors
    and squares are summed over all sessions before they are divided.
    """
    x = series(values)
    rows = np.flatnonzero(~np.isnan(x))
    ids = checked_ids(sessions, len(x))[rows]
    _names, which, counts = np.unique(ids, return_inverse=True, return_counts=True)
    if len(rows) == 0 or np.ptp(x[rows]) == 0:
        return 0.0
    centered = x[rows] - (np.bincount(which, weights=x[rows]) / counts)[which]
    same = ids[1:] == ids[:-1]
    squares = float(centered @ centered)
    products = float((centered[1:] * centered[:-1])[same].sum())
    return min(max(products / squares, 0.0), MAX_CARRY_OVER) if squares > 0 else 0.0


def standard_error(values: ArrayLike, phi: float) -> float:
    """Of a mean whose values carry over: s / √n_eff, n_eff = n(1−φ)/(1+φ); NaN below two values."""
    x = series(values)
    x = x[~np.isnan(x)]
    if not 0 <= phi < 1:
        raise ValueError("carry-over: must be at least 0 and below 1")
    return float(x.std(ddof=1)) * math.sqrt((1 + phi) / (1 - phi) / len(x)) if len(x) > 1 else math.nan


def reliable_change(
    earlier: ArrayLike,
    later: ArrayLike,
    earlier_sessions: ArrayLike | None = None,
    later_sessions: ArrayLike | None = None,
) -> ReliableChange:
    """RCI = (m2 − m1) / √(SE1² + SE2²), carry-over allowed for.

    earlier: utterances of the baseline sessions (or of one session), later: those of the session in question;
    (n,) each, oldest first, NaN for an abstention. Needs 5 valid values on each side. It asks about noise
    from turn to turn, not about ordinary differences between days: docs/measures.md has both false alarms.
    """
    x, y = series(earlier), series(later)
    n, m = int((~np.isnan(x)).sum()), int((~np.isnan(y)).sum())
    if min(n, m) < MIN_VALUES_SPREAD:
        return ReliableChange(None, None, None, n, m, "too_few_values")
    phi = _pooled(x, y, checked_ids(earlier_sessions, len(x)), checked_ids(later_sessions, len(y)))
    difference = float(np.nanmean(y) - np.nanmean(x))
    error = math.hypot(standard_error(x, phi), standard_error(y, phi))
    if error <= np.finfo(np.float64).eps * max(abs(np.nanmax(x)), abs(np.nanmax(y)), 1e-300):
        return ReliableChange(None, difference, phi, n, m, "no_variation")
    return ReliableChange(difference / error, difference, phi, n, m)


def _pooled(x: np.ndarray, y: np.ndarray, x_ids: np.ndarray, y_ids: np.ndarray) -> float:
    """The carry-over of both sides together, a session of one never taken for one of the other."""
    one, two = (np.unique(ids, return_inverse=True)[1] for ids in (x_ids, y_ids))
    offset = one.max() + 1 if len(one) else 0
    return carry_over(np.concatenate([x, y]), np.concatenate([one, two + offset]))
