"""What a session's timeline is made of, and the words of its clock: no colors, no framework."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from analysis.values import LABELS

GAP_S = 75.0
"""A longer time between two turns breaks the lines …"""

GAP_STEPS = 3.0
"""… but in a conversation whose turns are sparse only one of this many usual steps does."""


@dataclass(frozen=True, slots=True)
class Turn:
    """One utterance of the client on the timeline.

    at_s, end_s: seconds since the session's start. id: public id. reading: as stored, empty while it waits.
    shares: (9,) calibrated, in the order of ``LABELS``. value, level: headline dimension, -1..1;
    half_width: of the level's 95 % interval. z: volatility against the person's own usual; index: the plain
    one; partial: whether it rests on less than a whole window. hover: lines of words. code: letters of the
    strongest label. reason: why there is no reading. valence: of the tone, -1..1, also where the headline is
    arousal.
    """

    at_s: float
    end_s: float
    id: str
    reading: str
    shares: Sequence[float] | None = None
    value: float | None = None
    level: float | None = None
    half_width: float | None = None
    z: float | None = None
    index: float | None = None
    partial: bool = False
    hover: str = ""
    code: str = ""
    reason: str = ""
    valence: float | None = None

    @property
    def read(self) -> bool:
        return self.reading == "ok" and self.value is not None

    @property
    def label(self) -> str:
        return LABELS[max(range(len(LABELS)), key=lambda i: self.shares[i])]

    @property
    def middle_s(self) -> float:
        return (self.at_s + self.end_s) / 2


@dataclass(frozen=True, slots=True)
class Said:
    """What the words of an utterance say, on the timeline.

    valence: -1..1, ``None`` where they abstain. apart: whether the tone is of the other sign. hover: for an
    utterance that has no turn, because only its words were read.
    """

    at_s: float
    end_s: float
    id: str
    valence: float | None
    apart: bool = False
    hover: str = ""

    @property
    def middle_s(self) -> float:
        return (self.at_s + self.end_s) / 2


@dataclass(frozen=True, slots=True)
class Episode:
    """What the alerts lane draws; times in seconds since the start. kind: what its rule looks for."""

    pending_s: float
    fired_s: float | None
    recovering_s: float | None
    ended_s: float
    severity: str
    words: str
    kind: str = ""
    id: str = ""


@dataclass(frozen=True, slots=True)
class Mark:
    """A place on the clock that people or the system pinned something to. sign: what stands there."""

    at_s: float
    sign: str
    id: str = ""


@dataclass(frozen=True, slots=True)
class Push:
    """One turn's frames. at_s: since the start. value: towards (0..1) or away from (-1..0) the label.

    The turn's strongest moment lies at 1 or -1, so turns are not to be held against each other.
    """

    label: str
    at_s: Sequence[float]
    value: Sequence[float]


@dataclass(frozen=True, slots=True)
class Words:
    """Every word that a figure shows, translated by the caller."""

    lanes: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    no_reading: str = "no reading"
    alert_above: str = ""
    ends_below: str = ""
    level: str = ""
    usual: str = ""
    hidden: str = ""


@dataclass(frozen=True, slots=True)
class Timeline:
    """All that a session's figure shows.

    wave: (start_s, width_s, loudness 0..1, is_client) of each bar. notes: what people pinned. recognizers:
    where another recognizer took over. said: what was read of words, empty where none were. pushes: frames,
    only where few enough are looked at.
    hidden: whether readings were left out.
    """

    turns: Sequence[Turn]
    duration_s: float
    words: Words
    episodes: Sequence[Episode] = ()
    usual: tuple[float, float] | None = None
    threshold: float | None = None
    recovery: float | None = None
    wave: Sequence[tuple[float, float, float, bool]] = ()
    notes: Sequence[Mark] = ()
    recognizers: Sequence[Mark] = ()
    pushes: Sequence[Push] = ()
    hidden: bool = False
    said: Sequence[Said] = ()

    @property
    def has_words(self) -> bool:
        """Whether words were read anywhere, and so stand beside the tone."""
        return bool(self.said)

    @property
    def has_z(self) -> bool:
        return any(turn.z is not None for turn in self.turns)


def clock(seconds: float) -> str:
    """Seconds as people read them off a player.

    >>> clock(2000), clock(3600)
    ('33:20', '1:00:00')
    """
    minutes, s = divmod(round(seconds), 60)
    hours, m = divmod(minutes, 60)
    return f"{hours}:{m:02d}:{s:02d}" if hours else f"{m}:{s:02d}"


def signed(value: float) -> str:
    """Two decimals with a real minus sign; zero has no sign.

    >>> signed(-0.214), signed(0.001)
    ('−0.21', '0.00')
    """
    text = f"{value:+.2f}".replace("-", "−")
    return "0.00" if text[1:] == "0.00" else text


def longest_joined_s(turns: Sequence[Turn]) -> float:
    """Seconds between two turns up to which a line joins them."""
    steps = sorted(after.at_s - before.at_s for before, after in pairwise(turns))
    return max(GAP_S, GAP_STEPS * steps[len(steps) // 2]) if steps else GAP_S


def runs_of(turns: Sequence[Turn]) -> list[list[Turn]]:
    """Read turns in runs that a line may join: no long gap and no run of abstentions within."""
    runs: list[list[Turn]] = []
    gap_s = longest_joined_s(turns)
    missing, last_end = 0, None
    for turn in turns:
        if turn.read:
            joined = last_end is not None and turn.at_s - last_end <= gap_s and missing < 2
            runs[-1].append(turn) if joined else runs.append([turn])
            missing, last_end = 0, turn.end_s
        elif turn.reading:
            missing += 1
    return runs


def blocks_of(turns: Sequence[Turn]) -> list[tuple[float, float, str]]:
    """(start_s, end_s, reason) of every run of two or more turns, or 20 s, without a reading."""
    blocks, run = [], []
    for turn in [*turns, None]:
        if turn is not None and turn.reading and not turn.read:
            run.append(turn)
            continue
        if run and (len(run) > 1 or run[-1].end_s - run[0].at_s >= 20):
            blocks.append((run[0].at_s, run[-1].end_s, run[0].reason))
        run = []
    return blocks
