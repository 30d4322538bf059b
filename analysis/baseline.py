"""What is usual for one person: medians and spreads of earlier sessions, fixed while a session lasts."""

from __future__ import annotations

import math
from bisect import bisect_left, insort
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from analysis.volatility import MAD_TO_SD

BASELINE_VALUES = 200
"""A baseline looks back over this many valid values of earlier sessions."""

ARM_UTTERANCE_VALUES = 50
"""Values before rules on utterances may compare with a person's own usual."""

ARM_SESSIONS = 8
"""Earlier sessions before rules on sessions may do so."""

ARM_FLATTENING_SESSIONS = 20
"""Earlier sessions before flattening (unusually little movement) may be judged."""


LOW_QUANTILE = 0.05
"""Unusually little is less than this share of a person's earlier sessions had."""


@dataclass(frozen=True, slots=True)
class Usual:
    """What is usual of one measure.

    n: valid values it rests on, at most 200. median, mad: of those values (``None`` without any); mad is the
    plain median absolute deviation, not multiplied.
    """

    n: int = 0
    median: float | None = None
    mad: float | None = None

    @property
    def scale(self) -> float | None:
        """1.4826·MAD, comparable with a standard deviation."""
        return None if self.mad is None else MAD_TO_SD * self.mad

    @property
    def armed(self) -> bool:
        """Whether an utterance may be held against it."""
        return self.n >= ARM_UTTERANCE_VALUES

    def band(self, width: float = 1.0) -> tuple[float, float] | None:
        """The usual range, median ± width · scale; ``None`` without values."""
        if self.median is None or self.scale is None:
            return None
        return self.median - width * self.scale, self.median + width * self.scale


@dataclass(frozen=True, slots=True)
class SessionBaseline:
    """A client's usual in one series as it stood when a session began; later utterances never change it.

    sessions: earlier sessions with at least one valid value. valence, arousal, dominance: of utterances,
    -1..1. volatility: the plain index over full windows. window_distance: ``w`` over full windows.
    session_valence: means of the earlier sessions.
    """

    sessions: int = 0
    valence: Usual = Usual()
    arousal: Usual = Usual()
    volatility: Usual = Usual()
    window_distance: Usual = Usual()
    session_valence: Usual = Usual()
    dominance: Usual = Usual()

    @property
    def n(self) -> int:
        """Valid utterances it rests on, as in "baseline still forming, 31 of 50"."""
        return self.valence.n

    @property
    def armed_for_sessions(self) -> bool:
        return self.sessions >= ARM_SESSIONS

    @property
    def armed_for_flattening(self) -> bool:
        return self.sessions >= ARM_FLATTENING_SESSIONS


def usual(values: ArrayLike) -> Usual:
    """The median and MAD of the last 200 valid values.

    values: (n,), oldest first; NaN stands for a missing value and is left out. Raises ``ValueError`` for
    infinities.

    >>> usual([1, 2, float("nan"), 4])
    Usual(n=3, median=2.0, mad=1.0)
    """
    array = np.asarray(values, dtype=np.float64)
    if array.ndim != 1 or np.isinf(array).any():
        raise ValueError("baseline-values: needs a (n,) series without infinities")
    valid = array[~np.isnan(array)][-BASELINE_VALUES:]
    if len(valid) == 0:
        return Usual()
    median = _median(valid)
    return Usual(len(valid), median, _median(np.abs(valid - median)))


def _median(values: np.ndarray) -> float:
    """``np.median``, whose generality takes ten times as long as a few values take to sort."""
    ordered = np.sort(values)
    middle = len(ordered) // 2
    return float(ordered[middle] if len(ordered) % 2 else (ordered[middle - 1] + ordered[middle]) / 2)


def session_baseline(
    *,
    valence: ArrayLike,
    arousal: ArrayLike,
    volatility: ArrayLike,
    window_distance: ArrayLike,
    session_valence: ArrayLike,
    dominance: ArrayLike = (),
) -> SessionBaseline:
    """The baseline of a session, from the client's *earlier* sessions in the same series, oldest first.

    valence, arousal, dominance: (n,) of utterances. volatility, window_distance: (m,) of full windows only.
    session_valence: (k,) means. NaN stands for missing everywhere; only the last 200 valid values count.
    """
    means = np.asarray(session_valence, dtype=np.float64)
    return SessionBaseline(
        sessions=int((~np.isnan(means)).sum()),
        valence=usual(valence),
        arousal=usual(arousal),
        volatility=usual(volatility),
        window_distance=usual(window_distance),
        session_valence=usual(means),
        dominance=usual(dominance),
    )


def own_quantile_margin(
    values: ArrayLike, q: float = LOW_QUANTILE, minimum: int = ARM_FLATTENING_SESSIONS
) -> np.ndarray:
    """(n,) how far each session lies above the q-quantile of the person's earlier ones; negative is below it.

    values: (n,) one a session, oldest first, NaN for missing; the last 200 earlier ones count. NaN before
    ``minimum`` of them. The quantile is of type 6 (Weibull), the one below which the next session of a steady
    person lies with a chance of q; that of type 7 would cry out in 9 of 100 sessions after 20, not in 5.
    """
    array = np.asarray(values, dtype=np.float64)
    if array.ndim != 1 or np.isinf(array).any():
        raise ValueError("baseline-values: needs a (n,) series without infinities")
    if not 0 < q < 1 or minimum < 1:
        raise ValueError("baseline-quantile: needs a quantile within 0..1 and at least one earlier value")
    margins = np.full(len(array), np.nan)
    rows = np.flatnonzero(~np.isnan(array))
    earlier: list[float] = []
    for place, row in enumerate(rows):
        if place >= minimum:
            margins[row] = array[row] - _weibull_quantile(earlier, q)
        insort(earlier, array[row])
        if place >= BASELINE_VALUES:
            del earlier[bisect_left(earlier, array[rows[place - BASELINE_VALUES]])]
    return margins


def _weibull_quantile(ordered: Sequence[float], q: float) -> float:
    """As ``np.quantile(…, method="weibull")`` (Hyndman & Fan 1996, type 6), of values that stand in order."""
    position = min(max((len(ordered) + 1) * q - 1, 0.0), len(ordered) - 1.0)
    below = math.floor(position)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (position - below) * (ordered[above] - ordered[below])
