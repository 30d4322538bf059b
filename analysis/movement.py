"""How far a mood steps when time is counted, and how often a step is a leap."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from analysis.dynamics import MIN_PAIRS, Figure, checked_ids, figure, pair_differences, series
from analysis.shares import Share, share

WITHIN_SESSION = 0.0
BETWEEN_SESSIONS = 0.5
"""How much of the elapsed time is divided out of a step: none within a session, its root between sessions."""

ACUTE_STEP = 0.3
"""A step this large is a leap where no population was measured (a guess)."""

ACUTE_QUANTILE = 0.9

MIN_POPULATION_STEPS = 1_000
"""Steps of a population before its quantile replaces the guess."""

MIN_PAIRS_ACUTE = 20
"""Pairs before a share of leaps is shown."""


@dataclass(frozen=True, slots=True, eq=False)
class Steps:
    """Steps from each valid value to the next: (k,) each.

    change: in units of the series. elapsed: time between, above 0, in the unit of the times.
    between: whether the step leads from one session to another.
    """

    change: np.ndarray
    elapsed: np.ndarray
    between: np.ndarray


def checked_times(times: ArrayLike, n: int) -> np.ndarray:
    """(n,) float64. Raises ``ValueError`` for another length, times not finite, or not oldest first."""
    array = np.asarray(times, dtype=np.float64)
    if array.shape != (n,) or not np.isfinite(array).all():
        raise ValueError("dynamics-times: needs one finite time for each value")
    if (np.diff(array) < 0).any():
        raise ValueError("dynamics-order: times must be oldest first")
    return array


def timed_steps(values: ArrayLike, times: ArrayLike, sessions: ArrayLike | None = None) -> Steps:
    """The steps of a series over true time; missing rows are stepped over, steps in no time dropped.

    values: (n,), oldest first, NaN for an abstention. times: (n,), in any unit. sessions: (n,) ids.
    """
    x = series(values)
    t, ids = checked_times(times, len(x)), checked_ids(sessions, len(x))
    rows = np.flatnonzero(~np.isnan(x))
    elapsed = np.diff(t[rows])
    kept = elapsed > 0
    between = ids[rows][1:] != ids[rows][:-1]
    return Steps(np.diff(x[rows])[kept], elapsed[kept], between[kept])


def tmssd(
    values: ArrayLike,
    times: ArrayLike,
    sessions: ArrayLike | None = None,
    *,
    within: float = WITHIN_SESSION,
    between: float = BETWEEN_SESSIONS,
) -> float:
    """Mean squared step in which time counts: mean of (Δx / (Δt / median Δt)^λ)²; NaN without steps.

    λ is ``within`` for steps in a session and ``between`` for steps from one to the next; the median is over
    all steps used. A change over a long time weighs less than the same change at once (Jahng, Wood & Trull
    2008, with their λ fixed).
    """
    steps = timed_steps(values, times, sessions)
    if len(steps.change) == 0:
        return math.nan
    power = np.where(steps.between, between, within)
    scaled = steps.change / (steps.elapsed / np.median(steps.elapsed)) ** power
    return float(np.mean(scaled**2))


def timed_movement(values: ArrayLike, times: ArrayLike, sessions: ArrayLike | None = None) -> Figure:
    """``tmssd`` where there are 10 steps, else the reason."""
    n = len(timed_steps(values, times, sessions).change)
    return figure(tmssd(values, times, sessions), n, MIN_PAIRS, "too_few_pairs")


def acute_step(population_steps: ArrayLike) -> float:
    """How large a step must be to be a leap: the 90 % quantile of |Δx| over a recognizer's population.

    population_steps: (k,) steps of many people, as from ``pair_differences``. Below 1,000 the guess .3.
    Steps of 0 in nine of ten would make every step a leap; the guess stands in for that too.
    """
    steps = np.abs(series(population_steps))
    steps = steps[~np.isnan(steps)]
    if len(steps) < MIN_POPULATION_STEPS:
        return ACUTE_STEP
    line = float(np.quantile(steps, ACUTE_QUANTILE))
    return line if line > 0 else ACUTE_STEP


def acute_changes(values: ArrayLike, sessions: ArrayLike | None = None, step: float = ACUTE_STEP) -> Share:
    """Probability of acute change: share of neighbors in a session with |Δx| >= step, 95 % Wilson interval.

    An abstention breaks its pairs, as in ``mssd``. At least 20 pairs, else a reason. (Jahng and others 2008.)
    """
    if not (math.isfinite(step) and step > 0):
        raise ValueError("acute-step: must be a number above 0")
    differences = np.abs(pair_differences(values, sessions))
    count = int((differences >= step).sum())
    return share(count, len(differences), MIN_PAIRS_ACUTE, "too_few_pairs")
