"""The memory of a session: each utterance in, its mood values out, at a cost that history does not change."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np

from analysis.baseline import SessionBaseline
from analysis.volatility import (
    MAX_GAP_S,
    WINDOW,
    WINDOW_PAIRS,
    floor_of,
    robust_z,
    window_distance,
)

LEVEL_HALF_LIFE_S = 5 * 60.0
"""The mood level forgets half of what it heard in this many seconds."""


@dataclass(frozen=True, slots=True, eq=False)
class Turn:
    """One utterance of the client, as the series sees it.

    start_s, end_s: seconds from an origin that never changes (a Unix time will do), start <= end.
    embedding: (D,) float32, already rounded to what storage keeps; ``None`` where none is known.
    valence, arousal, dominance: -1..1; ``None`` where missing.
    ok: whether the reading is ``OK``; any other is a gap, and changes nothing.
    """

    start_s: float
    end_s: float
    embedding: np.ndarray | None
    valence: float | None
    arousal: float | None
    dominance: float | None
    ok: bool


@dataclass(frozen=True, slots=True)
class Level:
    """A running mean in which a value's weight halves every 5 minutes: ``total / weight``.

    at_s: when the last value entered; ``None`` before the first.
    """

    total: float = 0.0
    weight: float = 0.0
    at_s: float | None = None

    @property
    def value(self) -> float | None:
        return self.total / self.weight if self.weight > 0 else None

    def after(self, x: float, at_s: float, half_life_s: float = LEVEL_HALF_LIFE_S) -> Level:
        """The level with ``x`` in it: ``S ← S·2^(−Δt/h) + x``, ``W ← W·2^(−Δt/h) + 1``."""
        kept = 0.0 if self.at_s is None else 2.0 ** ((self.at_s - at_s) / half_life_s)
        return Level(self.total * kept + x, self.weight * kept + 1.0, at_s)


@dataclass(frozen=True, slots=True)
class Levels:
    """The levels of the three dimensions: all that must be stored, beside 5 turns, to go on later."""

    valence: Level = Level()
    arousal: Level = Level()
    dominance: Level = Level()


@dataclass(frozen=True, slots=True)
class MoodValues:
    """What one utterance made of the series; ``None`` is "no value here", never zero.

    volatility: plain index, mean Euclidean distance of the window's pairs.
    volatility_partial: the window does not hold all 4 pairs. window_pairs: how many it holds, 0..4.
    window_distance: ``w``, 0..2, of full windows only.
    volatility_z: its robust z, once the baseline is armed.
    z_missing: why there is no z (``no_reading``, ``no_embedding``, ``partial_window``, ``baseline_forming``,
    ``no_spread``), else ``None``.
    level, level_arousal, level_dominance: EWMA with a half-life of 5 minutes, since the session's start.
    levels: their state after this utterance, to resume from.
    """

    volatility: float | None
    volatility_partial: bool
    window_pairs: int
    window_distance: float | None
    volatility_z: float | None
    z_missing: str | None
    level: float | None
    level_arousal: float | None
    level_dominance: float | None
    levels: Levels


@dataclass(frozen=True, slots=True, eq=False)
class _Point:
    """A turn of the window with its distances to the turn before it (``None`` where they are no pair)."""

    turn: Turn
    exact: np.ndarray
    unit: np.ndarray | None
    l2: float | None = None
    cosine: float | None = None


@dataclass(slots=True, eq=False)
class SessionTracker:
    """One session's running state; add its turns in order (start, then id) and keep what each returns.

    baseline: the client's usual as it stood before the session; ``None`` for a first session.
    center: (D,) constant of the recognizer, subtracted before cosine distances; ``None`` for none.
    typical_distance: the recognizer's population median of ``w``, for the floor of the robust z.

    Arithmetic is float64 in a fixed order: adding the same turns again, or resuming from the last 5 of them
    and the stored levels, gives the same bits.
    """

    baseline: SessionBaseline | None = None
    center: np.ndarray | None = None
    typical_distance: float | None = None
    levels: Levels = field(default_factory=Levels)
    _window: deque[_Point] = field(default_factory=lambda: deque(maxlen=WINDOW), init=False)
    _last_start_s: float = field(default=-math.inf, init=False)

    @classmethod
    def resume(
        cls,
        baseline: SessionBaseline | None,
        center: np.ndarray | None,
        typical_distance: float | None,
        *,
        recent_turns: Iterable[Turn],
        levels: Levels,
    ) -> SessionTracker:
        """The tracker as it stood after a session's earlier turns.

        recent_turns: at least the last 5 ok turns that have an embedding, oldest first (more do no harm).
        levels: of the last ok turn's ``MoodValues``.
        """
        tracker = cls(baseline, center, typical_distance)
        for turn in recent_turns:
            tracker.add(turn)
        tracker.levels = levels
        return tracker

    def add(self, turn: Turn) -> MoodValues:
        """The values of the next turn. Raises ``ValueError`` (turn-…) for a turn that cannot be right."""
        _check(turn)
        if turn.start_s < self._last_start_s:
            raise ValueError("turn-order: turns must come in the order of their start")
        if not turn.ok:
            self._last_start_s = turn.start_s
            return self._gap()
        point = None if turn.embedding is None else self._point(turn)
        self._last_start_s = turn.start_s
        self.levels = _advance(self.levels, turn)
        return self._after(turn, point)

    def _gap(self) -> MoodValues:
        return MoodValues(None, True, 0, None, None, "no_reading", None, None, None, self.levels)

    def _point(self, turn: Turn) -> _Point:
        exact = np.array(turn.embedding, dtype=np.float64)
        self._check_dimension(exact)
        point = _Point(turn, exact, _unit(exact if self.center is None else exact - self.center))
        if self._window and turn.start_s - self._window[-1].turn.end_s <= MAX_GAP_S:
            point = _paired(self._window[-1], point)
        self._window.append(point)
        return point

    def _check_dimension(self, embedding: np.ndarray) -> None:
        known = self.center if self.center is not None else (self._window[-1].exact if self._window else None)
        if known is not None and known.shape != embedding.shape:
            raise ValueError(f"turn-dimension: expected {known.shape}, got {embedding.shape}")

    def _after(self, turn: Turn, point: _Point | None) -> MoodValues:
        pairs = [] if point is None else list(self._window)[1:]
        distances = [p.l2 for p in pairs if p.l2 is not None]
        w = window_distance([math.nan if p.cosine is None else p.cosine for p in pairs])
        no_w = "no_embedding" if point is None else "partial_window"
        z, missing = (None, no_w) if w is None else window_z(w, self.baseline, self.typical_distance)
        return MoodValues(
            volatility=sum(distances) / len(distances) if distances else None,
            volatility_partial=len(distances) < WINDOW_PAIRS,
            window_pairs=len(distances),
            window_distance=w,
            volatility_z=z,
            z_missing=missing,
            level=None if turn.valence is None else self.levels.valence.value,
            level_arousal=None if turn.arousal is None else self.levels.arousal.value,
            level_dominance=None if turn.dominance is None else self.levels.dominance.value,
            levels=self.levels,
        )


def window_z(
    w: float, baseline: SessionBaseline | None, typical_distance: float | None
) -> tuple[float | None, str | None]:
    """The robust z of a full window's distance, or ``None`` and why (``baseline_forming``, ``no_spread``).

    baseline: of the window's session. typical_distance: of the recognizer, for the floor. All that a later
    change of the baseline needs, without the embeddings.
    """
    usual = None if baseline is None else baseline.window_distance
    if usual is None or not usual.armed or usual.median is None or usual.mad is None:
        return None, "baseline_forming"
    z = robust_z(w, usual.median, usual.mad, floor_of(typical_distance, usual.median))
    return z, "no_spread" if z is None else None


def _check(turn: Turn) -> None:
    if not (math.isfinite(turn.start_s) and math.isfinite(turn.end_s) and turn.start_s <= turn.end_s):
        raise ValueError("turn-time: needs finite times, start before end")
    values = (turn.valence, turn.arousal, turn.dominance)
    if any(x is not None and not -1.0 <= x <= 1.0 for x in values):
        raise ValueError("turn-mood: valence, arousal and dominance lie within -1..1")
    if turn.embedding is not None and (
        turn.embedding.ndim != 1 or len(turn.embedding) == 0 or not np.isfinite(turn.embedding).all()
    ):
        raise ValueError("turn-embedding: needs one (D,) vector of finite numbers")


def _advance(levels: Levels, turn: Turn) -> Levels:
    def entered(level: Level, x: float | None) -> Level:
        return level if x is None else level.after(float(x), float(turn.start_s))

    return Levels(
        entered(levels.valence, turn.valence),
        entered(levels.arousal, turn.arousal),
        entered(levels.dominance, turn.dominance),
    )


def _unit(vector: np.ndarray) -> np.ndarray | None:
    norm = math.sqrt(float(vector @ vector))
    return vector / norm if norm > 0 else None


def _paired(before: _Point, after: _Point) -> _Point:
    step = after.exact - before.exact
    cosine = None
    if before.unit is not None and after.unit is not None:
        chord = after.unit - before.unit
        cosine = float(chord @ chord) / 2
    return _Point(after.turn, after.exact, after.unit, math.sqrt(float(step @ step)), cosine)


def replay(turns: Iterable[Turn], tracker: SessionTracker) -> list[MoodValues]:
    """The values of a whole session: its turns, sorted by start, added to a fresh tracker.

    Equal starts stay in the order given, so order them by id first. A rebuild and in-order arrival end in
    the same bits.
    """
    return [tracker.add(turn) for turn in sorted(turns, key=lambda turn: turn.start_s)]
