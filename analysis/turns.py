"""Cuts sound into turns while it arrives: a turn is speech between two silences. Memory stays bounded."""

from __future__ import annotations

import io
import wave
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import soxr

from analysis.quality import SPEECH_GOES_ON, SPEECH_STARTS
from analysis.speech import WINDOW, SpeechStream
from analysis.values import SAMPLE_RATE_HZ

WINDOW_MS = 1000 * WINDOW // SAMPLE_RATE_HZ

SHORTEST_RUN = 4
"""Windows of speech (128 ms) that begin a turn; a shorter burst is a click (a guess, as in ``quality``)."""

SILENCE = 19
"""Windows without speech (608 ms) that end a turn: longer than the pauses inside most sentences (a guess)."""

MARGIN = 6
"""Windows kept on each side (192 ms): the network notices soft onsets up to .15 s late."""

LONGEST = 937
"""Windows (30 s) after which a turn is cut, at the least speech-like moment of its last third."""


@dataclass(frozen=True, slots=True)
class TurnStarted:
    """Somebody began to speak."""

    start_ms: int


@dataclass(frozen=True, slots=True)
class Turn:
    """Speech with its margins, in milliseconds from the beginning of the sound."""

    start_ms: int
    end_ms: int


class Cutter:
    """Decides on probabilities alone; positions are windows of 32 ms."""

    def __init__(self) -> None:
        self.heard = 0
        self._free_from = 0
        self._run_from: int | None = None
        self._run_peak = 0.0
        self._start: int | None = None
        self._last_voice = 0
        self._tail: list[float] = []

    @property
    def settled(self) -> int:
        """Before this window nothing can become part of a turn that has not ended."""
        if self._start is not None:
            return self._start
        edge = self.heard if self._run_from is None else self._run_from
        return max(self._free_from, edge - MARGIN)

    @property
    def speaking_since(self) -> int | None:
        return self._start

    def feed(self, probabilities: Iterable[float]) -> list[TurnStarted | Turn]:
        events: list[TurnStarted | Turn] = []
        for probability in probabilities:
            self.heard += 1
            if self._start is None:
                self._listen(probability, events)
            else:
                self._follow(probability, events)
        return events

    def flush(self) -> list[Turn]:
        """End the turn that goes on, because no more sound comes."""
        if self._start is None:
            return []
        events: list[TurnStarted | Turn] = []
        self._end(min(self.heard, self._last_voice + MARGIN), events)
        return events

    def _listen(self, probability: float, events: list) -> None:
        if probability < SPEECH_GOES_ON:
            self._run_from, self._run_peak = None, 0.0
            return
        if self._run_from is None:
            self._run_from = self.heard - 1
        self._run_peak = max(self._run_peak, probability)
        if self._run_peak >= SPEECH_STARTS and self.heard - self._run_from >= SHORTEST_RUN:
            self._begin(max(self._free_from, self._run_from - MARGIN), events)

    def _begin(self, start: int, events: list) -> None:
        self._start, self._last_voice, self._tail = start, self.heard, []
        events.append(TurnStarted(start * WINDOW_MS))

    def _follow(self, probability: float, events: list) -> None:
        self._tail.append(probability)
        if probability >= SPEECH_GOES_ON:
            self._last_voice = self.heard
        if self.heard - self._last_voice >= SILENCE:
            self._end(self._last_voice + MARGIN, events)
        elif self.heard - self._start >= LONGEST:
            third = self._tail[-(LONGEST // 3) :]
            at = self.heard - len(third) + int(np.argmin(third)) + 1
            self._end(at, events)
            self._begin(at, events)

    def _end(self, end: int, events: list) -> None:
        events.append(Turn(self._start * WINDOW_MS, end * WINDOW_MS))
        self._free_from, self._start = end, None
        self._run_from, self._run_peak, self._tail = None, 0.0, []


class TurnFinder:
    """Finds the turns of one channel of 16-bit sound at any rate, and keeps the sound of those that go on.

    A time of ``t`` ms lies at sample ``round(t * rate_hz / 1000)`` of the sound as it came.
    """

    def __init__(self, rate_hz: int) -> None:
        self.rate_hz = rate_hz
        self._speech, self._cutter = SpeechStream(), Cutter()
        same = rate_hz == SAMPLE_RATE_HZ
        self._resampler = None if same else soxr.ResampleStream(rate_hz, SAMPLE_RATE_HZ, 1, dtype="float32")
        self._sound, self._first = bytearray(), 0

    @property
    def received_ms(self) -> int:
        return 1000 * (self._first + len(self._sound) // 2) // self.rate_hz

    @property
    def settled_ms(self) -> int:
        """Everything before is silence or belongs to a turn that has ended."""
        return self._cutter.settled * WINDOW_MS

    @property
    def speaking_since_ms(self) -> int | None:
        since = self._cutter.speaking_since
        return None if since is None else since * WINDOW_MS

    def feed(self, pcm: bytes) -> list[TurnStarted | Turn]:
        """Take little-endian 16-bit samples. Sound before ``settled_ms`` may be forgotten: see ``forget``."""
        self._sound += pcm
        samples = np.frombuffer(pcm, "<i2").astype(np.float32) / 32768.0
        if self._resampler is not None:
            samples = self._resampler.resample_chunk(samples)
        return self._cutter.feed(self._speech.feed(samples).tolist())

    def flush(self) -> list[Turn]:
        """The turn that was going on, ended here."""
        return self._cutter.flush()

    def wav(self, start_ms: int, end_ms: int) -> bytes:
        """The sound between two times as a 16-bit mono WAV file at its own rate."""
        first, last = (self._sample(at) - self._first for at in (start_ms, end_ms))
        if first < 0:
            raise ValueError("this sound was forgotten")
        return wav_of(bytes(self._sound[2 * first : 2 * last]), self.rate_hz)

    def forget(self, before_ms: int) -> None:
        """Let go of the sound before a time."""
        drop = min(self._sample(before_ms) - self._first, len(self._sound) // 2)
        if drop > 0:
            del self._sound[: 2 * drop]
            self._first += drop

    def _sample(self, at_ms: int) -> int:
        return round(at_ms * self.rate_hz / 1000)


def wav_of(pcm: bytes, rate_hz: int) -> bytes:
    """16-bit mono samples as a WAV file."""
    target = io.BytesIO()
    with wave.open(target, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate_hz)
        file.writeframes(pcm)
    return target.getvalue()
