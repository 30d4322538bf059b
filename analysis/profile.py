"""Everything that is said about how one person's mood lies and moves, each figure with what it rests on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from analysis.dynamics import Dynamics, Figure, checked_ids, coverage, describe, series
from analysis.home_base import Dwelling, dwelling
from analysis.inertia import Inertia, inertia
from analysis.movement import ACUTE_STEP, acute_changes, checked_times, timed_movement
from analysis.shares import Share
from analysis.transitions import Transitions, mix, transitions


@dataclass(frozen=True, slots=True, eq=False)
class MoodSeries:
    """The utterances of one client in one series, oldest first, gaps included.

    times_s: (n,) start in seconds, oldest first. sessions: (n,) ids. valence, arousal, dominance: (n,), NaN
    for an abstention. labels: n dominant affective labels, ``None`` for an abstention.
    Raises ``ValueError`` where lengths differ, times are not finite or not oldest first, values are infinite.
    """

    times_s: np.ndarray
    sessions: np.ndarray
    valence: np.ndarray
    arousal: np.ndarray
    dominance: np.ndarray
    labels: Sequence[str | None]

    def __post_init__(self) -> None:
        n = len(self.labels)
        checked_times(self.times_s, n)
        checked_ids(self.sessions, n)
        if any(len(series(x)) != n for x in (self.valence, self.arousal, self.dominance)):
            raise ValueError("profile-shape: every column needs one value for each utterance")


@dataclass(frozen=True, slots=True)
class DimensionProfile:
    """One dimension of mood. headline: mean, median, SD, MSSD, RMSSD and coverage.

    tmssd: steps in which time counts. acute: share of leaps. inertia: how long it carries over.
    home: home base and displacements.
    """

    headline: Dynamics
    tmssd: Figure
    acute: Share
    inertia: Inertia
    home: Dwelling


@dataclass(frozen=True, slots=True, eq=False)
class Profile:
    """A person's dynamics. mix: of dominant labels over time, 0..1. coverage: labeled / all, 0..1."""

    valence: DimensionProfile
    arousal: DimensionProfile
    dominance: DimensionProfile
    mix: Figure
    transitions: Transitions
    coverage: float | None


def dimension_profile(
    values: ArrayLike, times_s: ArrayLike, sessions: ArrayLike, acute_step: float = ACUTE_STEP
) -> DimensionProfile:
    """One dimension.

    values: (n,), oldest first, NaN for an abstention. times_s: (n,) seconds. sessions: (n,) ids.
    acute_step: how large a leap is for this recognizer (``movement.acute_step``).
    """
    return DimensionProfile(
        headline=describe(values, sessions),
        tmssd=timed_movement(values, times_s, sessions),
        acute=acute_changes(values, sessions, acute_step),
        inertia=inertia(values, times_s, sessions),
        home=dwelling(values, sessions),
    )


def profile(
    mood: MoodSeries, acute_steps: tuple[float, float, float] = (ACUTE_STEP, ACUTE_STEP, ACUTE_STEP)
) -> Profile:
    """Valence, arousal and dominance side by side, and the labels over time.

    acute_steps: how large a leap is in each dimension, for this recognizer.
    """
    columns = (mood.valence, mood.arousal, mood.dominance)
    dimensions = [
        dimension_profile(values, mood.times_s, mood.sessions, step)
        for values, step in zip(columns, acute_steps, strict=True)
    ]
    labeled = [np.nan if label is None else 0.0 for label in mood.labels]
    return Profile(
        *dimensions,
        mix=mix(mood.labels),
        transitions=transitions(mood.labels, mood.sessions),
        coverage=coverage(labeled),
    )
