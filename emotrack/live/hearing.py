"""What one connection hears: frames become turns on the time axis of the session; no network, no database."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from analysis.turns import Turn, TurnFinder, TurnStarted
from emotrack.history.models import Speaker
from emotrack.pipeline import SpokenTurn


@dataclass(frozen=True, slots=True)
class Setup:
    """How the sound that follows is to be understood; ``interval_ms`` 0: no provisional readings."""

    rate_hz: int = 16_000
    language: str = ""
    speaker: str = Speaker.CLIENT
    interval_ms: int = 0


@dataclass(frozen=True, slots=True)
class Began:
    start_ms: int


@dataclass(frozen=True, slots=True, eq=False)
class SoFar:
    """A turn that still goes on, to be read provisionally."""

    start_ms: int
    end_ms: int
    sound: bytes


@dataclass(frozen=True, slots=True)
class Moved:
    """From here on another setup holds, or the sound jumps to another time."""

    setup: Setup
    to_ms: int | None = None


Event = Began | SoFar | SpokenTurn


class Hearing:
    """Used by one thread at a time. Times are milliseconds on the session's axis.

    Sound before ``from_ms`` was kept in an earlier connection and is skipped, so that a sender who resends
    too much doubles nothing.
    """

    def __init__(self, from_ms: int) -> None:
        self.setup = Setup()
        self._base_ms = self._ended_ms = from_ms
        self._finder: TurnFinder | None = None
        self._skip_samples = 0
        self._told_ms = 0

    @property
    def received_ms(self) -> int:
        heard = self._finder.received_ms if self._finder else 0
        return self._base_ms + heard

    @property
    def settled_ms(self) -> int:
        """Before this nothing can become part of a turn that has not ended."""
        return max(self._ended_ms, self._base_ms + (self._finder.settled_ms if self._finder else 0))

    def take(self, items: Iterable[bytes | Moved]) -> list[Event]:
        """Frames and changes in the order in which they came."""
        events: list[Event] = []
        held = bytearray()
        for item in items:
            if isinstance(item, Moved):
                events += self._feed(bytes(held)) + self._move(item)
                held.clear()
            else:
                held += item
        return events + self._feed(bytes(held))

    def flush(self) -> list[SpokenTurn]:
        """The turn that goes on, ended here."""
        return [self._ended(turn) for turn in self._finder.flush()] if self._finder else []

    def _move(self, moved: Moved) -> list[SpokenTurn]:
        """A new speaker, another rate or another time ends the turn that goes on."""
        was, will = self.setup, moved.setup
        cuts = moved.to_ms is not None or (was.speaker, was.rate_hz) != (will.speaker, will.rate_hz)
        ended = self.flush() if cuts else []
        at = self.received_ms if moved.to_ms is None else moved.to_ms
        if cuts:
            self._base_ms, self._finder = max(at, self._ended_ms), None
            self._skip_samples = round((self._base_ms - at) * will.rate_hz / 1000)
        self.setup = will
        return ended

    def _feed(self, pcm: bytes) -> list[Event]:
        if self._skip_samples:
            skipped = min(self._skip_samples, len(pcm) // 2)
            self._skip_samples -= skipped
            pcm = pcm[2 * skipped :]
        if not pcm:
            return []
        if self._finder is None:
            self._finder = TurnFinder(self.setup.rate_hz)
        events = [self._said(event) for event in self._finder.feed(pcm)]
        if so_far := self._so_far():
            events.append(so_far)
        self._finder.forget(self._finder.settled_ms)
        return events

    def _said(self, event: TurnStarted | Turn) -> Event:
        if isinstance(event, Turn):
            return self._ended(event)
        self._told_ms = event.start_ms
        return Began(self._base_ms + event.start_ms)

    def _ended(self, turn: Turn) -> SpokenTurn:
        end_ms = min(turn.end_ms, self._finder.received_ms)
        sound = self._finder.wav(turn.start_ms, end_ms)
        self._ended_ms = self._base_ms + end_ms
        placed = Turn(self._base_ms + turn.start_ms, self._ended_ms)
        return SpokenTurn(placed, sound, self.setup.speaker, self.setup.language)

    def _so_far(self) -> SoFar | None:
        since, now = self._finder.speaking_since_ms, self._finder.received_ms
        if not self.setup.interval_ms or since is None or now - self._told_ms < self.setup.interval_ms:
            return None
        self._told_ms = now
        return SoFar(self._base_ms + since, self._base_ms + now, self._finder.wav(since, now))
