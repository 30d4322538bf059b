"""Invented histories whose truth is known: for tests, for the demonstration, and to measure false alarms."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache

import numpy as np

from analysis.affect import AFFECT_LABELS, AFFECTIVE, PAD, decide_reading, project, softmax
from analysis.series import Turn
from analysis.synthetic_talk import Talk, tone_of
from analysis.values import LABELS, Decomposition, Headline, Reading, RecognizerCard

DIMENSION = 64
WEEK_DAYS = 7.0
CARD_SEED = 20_240_101

SHARPNESS = 0.20
"""How far from a label's point of mood it still gets a share; a guess that gives believable scores."""

REACH = 0.7
"""Labels are heard from this share of their distance to neutral on; everyday speech seldom goes further."""

RARITY = {"disgusted": -1.5, "surprised": -1.0, "fearful": -0.3}
"""Log odds that keep labels rare which are rare in conversation; a guess."""

TYPICAL_DISTANCE = 0.18
"""Median window distance over many ``nothing`` histories; a test measures it again."""

_LABEL_POINTS = REACH * np.array([PAD[label] for label in AFFECT_LABELS])
_LABEL_ODDS = np.array([RARITY.get(label, 0.0) for label in AFFECT_LABELS])


@dataclass(frozen=True, slots=True, eq=False)
class SyntheticTurn:
    """One utterance of an invented session.

    start_s: from the session's start. duration_s: of its speech. speaker: ``client`` or ``counselor``.
    scores: (9,) float32; embedding: (64,) float32 as float16 keeps it; both ``None`` for the counselor and
    without speech. reading: ``None`` for the counselor.
    planted: part of a burst. style: which of two styles, else ``None``.
    """

    start_s: float
    duration_s: float
    speaker: str
    text: str
    scores: np.ndarray | None = None
    embedding: np.ndarray | None = None
    reading: Reading | None = None
    planted: bool = False
    style: int | None = None


@dataclass(frozen=True, slots=True, eq=False)
class SyntheticSession:
    """One weekly meeting. day: days from the history's start, its time of day included."""

    day: float
    duration_s: float
    turns: tuple[SyntheticTurn, ...]

    def series(self) -> list[Turn]:
        """The client's turns as a ``SessionTracker`` takes them, in seconds from the history's start."""
        return [_as_series(turn, self.day * 86_400.0) for turn in self.turns if turn.speaker == "client"]


@dataclass(frozen=True, slots=True)
class Truth:
    """What was planted.

    levels: the latent valence of each session. slope_per_week: of the latent valence, 0 without a trend.
    change_at: index of the first session after a jump or a relapse. period_weeks: of an oscillation.
    bursts: (session, first, last) by the position among the client's turns, last included.
    """

    levels: tuple[float, ...]
    slope_per_week: float = 0.0
    change_at: int | None = None
    period_weeks: float | None = None
    bursts: tuple[tuple[int, int, int], ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class SyntheticHistory:
    """One invented person. sessions: oldest first."""

    name: str
    seed: int
    sessions: tuple[SyntheticSession, ...]
    truth: Truth


@dataclass(slots=True, eq=False)
class _Plan:
    """What a story wants, before chance: (n,) valence and arousal levels, and how much a session moves."""

    valence: np.ndarray
    arousal: np.ndarray
    movement: np.ndarray
    slope_per_week: float = 0.0
    change_at: int | None = None
    period_weeks: float | None = None
    burst_sessions: tuple[int, ...] = ()
    two_styles: bool = False
    day_to_day: float = 0.08
    bursts: list[tuple[int, int, int]] = field(default_factory=list)


def _steady(weeks: np.ndarray, valence: float = 0.05, arousal: float = 0.15, movement: float = 1.0) -> _Plan:
    n = len(weeks)
    return _Plan(np.full(n, valence), np.full(n, arousal), np.full(n, movement))


def _sloped(weeks: np.ndarray, start: float, slope: float) -> _Plan:
    plan = _steady(weeks, start)
    plan.valence = start + slope * weeks
    plan.slope_per_week = slope
    return plan


def _improving(weeks: np.ndarray) -> _Plan:
    return _sloped(weeks, -0.45, 0.8 / max(weeks[-1], 1.0))


def _drift(weeks: np.ndarray) -> _Plan:
    return _sloped(weeks, 0.2, -0.4 / max(weeks[-1], 1.0))


def _jump(weeks: np.ndarray) -> _Plan:
    plan, at = _steady(weeks, 0.25), len(weeks) // 2
    plan.valence[at:] = -0.35
    plan.change_at = at
    return plan


def _relapsing(weeks: np.ndarray) -> _Plan:
    plan, at = _sloped(weeks, -0.4, 0.8 / max(weeks[-1], 1.0)), len(weeks) * 5 // 6
    plan.valence[at:] = -0.45
    plan.slope_per_week, plan.change_at = 0.0, at
    return plan


def _volatile(weeks: np.ndarray) -> _Plan:
    plan = _steady(weeks, -0.05, 0.25, movement=1.2)
    plan.burst_sessions = tuple(range(len(weeks) // 2, len(weeks), 3))
    plan.day_to_day = 0.15
    return plan


def _burst(weeks: np.ndarray) -> _Plan:
    plan = _steady(weeks)
    plan.burst_sessions = tuple(range(8, len(weeks), 4))
    return plan


def _oscillation(weeks: np.ndarray) -> _Plan:
    plan = _steady(weeks)
    plan.period_weeks = 8.0
    plan.valence = 0.4 * np.sin(2 * np.pi * weeks / plan.period_weeks)
    return plan


def _two_styles(weeks: np.ndarray) -> _Plan:
    plan = _steady(weeks, movement=0.7)
    plan.two_styles = True
    return plan


def _flat(weeks: np.ndarray) -> _Plan:
    plan = _steady(weeks, -0.05, 0.0, movement=0.35)
    plan.day_to_day = 0.02
    return plan


_STORIES: dict[str, Callable[[np.ndarray], _Plan]] = {
    "improving": _improving,
    "relapsing": _relapsing,
    "volatile": _volatile,
    "flat": _flat,
    "too_little": _steady,
    "two_styles": _two_styles,
    "drift": _drift,
    "jump": _jump,
    "burst": _burst,
    "oscillation": _oscillation,
    "nothing": _steady,
}

STORIES: tuple[str, ...] = tuple(_STORIES)

TOO_LITTLE_SESSIONS = 3
BURST_TURNS = 12
STYLE_TURNS = 9
STYLE_POINTS = np.array([[0.50, 0.45, 0.30], [-0.50, -0.20, -0.25]])
BURST_POINTS = np.array([[-0.55, 0.60, 0.20], [0.65, 0.50, 0.35], [-0.60, -0.25, -0.35], [0.40, 0.70, -0.15]])


@cache
def _recognizer() -> tuple[np.ndarray, np.ndarray]:
    """The invented recognizer: its center (64,) and how mood and labels become an embedding (10, 64)."""
    rng = np.random.default_rng(CARD_SEED)
    center = rng.normal(0.0, 1.0, DIMENSION)
    weights = rng.normal(0.0, 1.0, (3 + len(AFFECT_LABELS), DIMENSION))
    return center.astype(np.float16).astype(np.float32), weights


def synthetic_card() -> RecognizerCard:
    """The card of the invented recognizer: a series of its own, never to be mixed with real ones."""
    return RecognizerCard(
        id="synthetic",
        version="1",
        dimension=DIMENSION,
        headline=Headline.VALENCE,
        decomposition=Decomposition.WINDOWED,
        center=_recognizer()[0].copy(),
        typical_distance=TYPICAL_DISTANCE,
        accuracy="Invented readings for demonstration; nobody was recorded.",
        languages=("en",),
    )


def story(
    name: str, seed: int, weeks: int = 52, *, turns: tuple[int, int] = (30, 60), talk: bool = True
) -> SyntheticHistory:
    """One person's invented history of weekly sessions of 40 to 50 minutes, the same for the same seed.

    name: one of ``STORIES``. weeks: how long it lasts, at least 1; about one week in eight has no session.
    turns: fewest and most turns of a session, counselor's included. talk: whether turns carry words.
    """
    if name not in _STORIES or weeks < 1 or not 2 <= turns[0] <= turns[1]:
        raise ValueError(f"story: {name!r} of {weeks} weeks with {turns} turns cannot be told")
    rng = np.random.default_rng([CARD_SEED, STORIES.index(name), seed])
    when = _weeks_held(name, weeks, rng)
    plan = _STORIES[name](when.astype(np.float64))
    plan.valence = plan.valence + rng.normal(0.0, plan.day_to_day, len(when))
    teller = _Teller(plan, rng, turns, talk)
    sessions = tuple(teller.session(i, float(week)) for i, week in enumerate(when))
    return SyntheticHistory(name, seed, sessions, _truth(plan))


def _weeks_held(name: str, weeks: int, rng: np.random.Generator) -> np.ndarray:
    """Which weeks had a session: all but holidays of two or three weeks and a few single absences."""
    if name == "too_little":
        return np.arange(min(TOO_LITTLE_SESSIONS, weeks))
    held = rng.random(weeks) > 0.04
    for _holiday in range(weeks // 26):
        start = rng.integers(0, weeks)
        held[start : start + rng.integers(2, 4)] = False
    held[[0, -1]] = True
    return np.flatnonzero(held)


def _truth(plan: _Plan) -> Truth:
    return Truth(
        tuple(float(x) for x in plan.valence),
        plan.slope_per_week,
        plan.change_at,
        plan.period_weeks,
        tuple(plan.bursts),
    )


class _Teller:
    """Turns a plan into sessions, one person's chance throughout."""

    def __init__(self, plan: _Plan, rng: np.random.Generator, turns: tuple[int, int], talk: bool) -> None:
        self.plan, self.rng, self.turns, self.talk = plan, rng, turns, talk
        self.hour = float(rng.integers(9, 18)) / 24
        self.voice = rng.normal(0.0, 1.2, DIMENSION)
        self.habit = _LABEL_ODDS + rng.normal(0.0, 0.3, len(AFFECT_LABELS))

    def session(self, index: int, week: float) -> SyntheticSession:
        duration_s = float(self.rng.uniform(40, 50) * 60)
        count = int(self.rng.integers(self.turns[0], self.turns[1] + 1))
        starts, lengths = self._times(count, duration_s)
        is_client = self._speakers(count)
        moods, planted, styles = self._moods(index, int(is_client.sum()))
        heard = self._heard(moods, lengths[is_client])
        talk, turns, k = Talk(self.rng), [], 0
        for start, length, client in zip(starts, lengths, is_client, strict=True):
            if not client:
                words = talk.counselor() if self.talk else ""
                turns.append(SyntheticTurn(float(start), float(length), "counselor", words))
                continue
            words = talk.client(start / duration_s, tone_of(*moods[k, :2])) if self.talk else ""
            style = None if styles is None else int(styles[k])
            turns.append(
                SyntheticTurn(
                    float(start), float(length), "client", words, *heard[k], bool(planted[k]), style
                )
            )
            k += 1
        return SyntheticSession(week * WEEK_DAYS + self.hour, duration_s, tuple(turns))

    def _times(self, count: int, duration_s: float) -> tuple[np.ndarray, np.ndarray]:
        """Starts and lengths in seconds: speech fills most of the meeting, pauses the rest."""
        slots = self.rng.dirichlet(np.full(count, 4.0)) * duration_s
        lengths = np.clip(slots * self.rng.uniform(0.25, 0.6, count), 1.2, 30.0)
        return (np.cumsum(slots) - slots).round(2), np.minimum(lengths, slots * 0.9).round(2)

    def _speakers(self, count: int) -> np.ndarray:
        """(count,) bool, ``True`` for the client, who speaks about 60 % of the turns; the counselor opens."""
        client = self.rng.random(count) < 0.6
        client[0], client[1] = False, True
        return client

    def _moods(self, index: int, n: int) -> tuple[np.ndarray, np.ndarray, np.ndarray | None]:
        """(n, 3) latent mood of the client's turns, which of them are a burst, and their styles."""
        level = np.array([self.plan.valence[index], self.plan.arousal[index], 0.0])
        moods = level + self.plan.movement[index] * self._wandering(n)
        planted, styles = np.zeros(n, dtype=bool), None
        if self.plan.two_styles:
            styles = (np.arange(n) + self.rng.integers(2 * STYLE_TURNS)) // STYLE_TURNS % 2
            moods = moods + STYLE_POINTS[styles]
        if index in self.plan.burst_sessions and n > BURST_TURNS:
            first = int(self.rng.integers(0, n - BURST_TURNS + 1))
            planted[first : first + BURST_TURNS] = True
            moods[planted] = self._burst()
            self.plan.bursts.append((index, first, first + BURST_TURNS - 1))
        return moods, planted, styles

    def _wandering(self, n: int) -> np.ndarray:
        """(n, 3) a mood that carries over from turn to turn (φ = .6) with stationary SD .2, .18 and .18."""
        steps = self.rng.normal(0.0, 1.0, (n, 3))
        for i in range(1, n):
            steps[i] = 0.6 * steps[i - 1] + 0.8 * steps[i]
        return steps * (0.20, 0.18, 0.18)

    def _burst(self) -> np.ndarray:
        """(12, 3) moods that jump from one corner to another, never twice to the same."""
        jumps = np.cumsum(self.rng.integers(1, len(BURST_POINTS), BURST_TURNS)) % len(BURST_POINTS)
        return BURST_POINTS[jumps] + self.rng.normal(0.0, 0.08, (BURST_TURNS, 3))

    def _heard(self, moods: np.ndarray, lengths: np.ndarray) -> list[tuple]:
        """What the invented recognizer makes of each mood: (scores, embedding, reading)."""
        scores, embeddings = self._scores(moods), self._embeddings(moods)
        gates = self._gates(lengths)
        return [
            (None, None, gate) if gate is Reading.NO_SPEECH else (row, embedding, decide_reading(row, gate))
            for row, embedding, gate in zip(scores, embeddings, gates, strict=True)
        ]

    def _gates(self, lengths: np.ndarray) -> list[Reading | None]:
        chance = self.rng.random(len(lengths))
        return [Reading.NO_SPEECH if c < 0.01 else Reading.LOW_QUALITY if c < 0.035 else None for c in chance]

    def _scores(self, moods: np.ndarray) -> np.ndarray:
        """(n, 9) float32: each label's share by its nearness to the mood, and a little other and unknown."""
        apart = ((moods[:, None, :] - _LABEL_POINTS) ** 2).sum(axis=2)
        noise = self.rng.normal(0.0, 0.5, apart.shape)
        shares = softmax(-apart / (2 * SHARPNESS**2) + self.habit + noise)
        rest = np.where(self.rng.random(len(moods)) < 0.03, 0.65, self.rng.beta(1.2, 18.0, len(moods)))
        scores = np.empty((len(moods), len(LABELS)))
        scores[:, AFFECTIVE] = shares * (1 - rest)[:, None]
        scores[:, ~AFFECTIVE] = rest[:, None] * self.rng.dirichlet([1.0, 2.0], len(moods))
        return scores.astype(np.float32)

    def _embeddings(self, moods: np.ndarray) -> np.ndarray:
        """(n, 64) float32, as float16 keeps it: center, voice, a linear map of mood and labels, noise."""
        center, weights = _recognizer()
        apart = ((moods[:, None, :] - _LABEL_POINTS) ** 2).sum(axis=2)
        latent = np.hstack([2.0 * moods, softmax(-apart / (2 * SHARPNESS**2))])
        noise = self.rng.normal(0.0, 0.5, (len(moods), DIMENSION))
        return (center + self.voice + latent @ weights + noise).astype(np.float16).astype(np.float32)


def _as_series(turn: SyntheticTurn, origin_s: float) -> Turn:
    start_s = origin_s + turn.start_s
    end_s, ok = start_s + turn.duration_s, turn.reading is Reading.OK
    if not ok or turn.scores is None:
        return Turn(start_s, end_s, turn.embedding, None, None, None, False)
    mood = project(turn.scores)
    return Turn(start_s, end_s, turn.embedding, mood.valence, mood.arousal, mood.dominance, True)
