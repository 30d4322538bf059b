"""One warm recognizer per process; calls from many threads are read in small batches, in order."""

from __future__ import annotations

import logging
import queue
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeout
from dataclasses import dataclass
from functools import cache

import numpy as np
from django.conf import settings

from analysis.recognition.acoustic import AcousticRecognizer
from analysis.recognition.emotion2vec import Emotion2vecRecognizer
from analysis.recognition.recognizer import Recognizer
from analysis.recognition.words import WordRecognizer
from analysis.values import LABELS, Recognition, RecognizerCard, RecognizerError, SpeakerCorrection, Waveform

log = logging.getLogger("emotrack.recognition")

BATCH_SECONDS = 5.0
"""Seconds of audio read together at most; a longer utterance goes alone (performance notes, section 5)."""

ANSWER_WITHIN_S = 120.0
"""Beside the sound's own length: a recognizer slower than speech is of no use here."""

BUILD_AGAIN_AFTER_S = 30.0
_NO_ANSWER = "The recognizer was asked and gives no answer."


class RecognizerUnavailable(RecognizerError):
    """There is no recognizer to ask now; what was posted waits and is read once there is one."""


@dataclass(frozen=True, slots=True)
class RecognizerStatus:
    ready: bool
    sentence: str
    waiting: int


@dataclass(slots=True, eq=False)
class _Job:
    waveform: Waveform
    correction: SpeakerCorrection | None
    answer: Future


class RecognitionService:
    """The door to a recognizer. ``build`` makes it on first use and may raise ``RecognizerError``."""

    def __init__(self, build: Callable[[], Recognizer]) -> None:
        self._build = build
        self._recognizer: Recognizer | None = None
        self._problem = ""
        self._try_again_at = 0.0
        self._building = threading.Lock()
        self._jobs: queue.Queue[_Job] = queue.Queue()
        self._reader: threading.Thread | None = None
        self._asked_at: float | None = None
        self._patience_s = ANSWER_WITHIN_S

    @property
    def recognizer(self) -> Recognizer:
        with self._building:
            if self._recognizer is None:
                self._recognizer = self._built()
            return self._recognizer

    def _built(self) -> Recognizer:
        if time.monotonic() < self._try_again_at:
            raise RecognizerUnavailable(self._problem)
        try:
            return self._build()
        except RecognizerError as error:
            self._problem = str(error)
            self._try_again_at = time.monotonic() + BUILD_AGAIN_AFTER_S
            log.error("no recognizer: %s", error)
            raise RecognizerUnavailable(self._problem) from error

    @property
    def card(self) -> RecognizerCard:
        return self.recognizer.card

    def status(self) -> RecognizerStatus:
        try:
            card = self.card
        except RecognizerUnavailable as error:
            return RecognizerStatus(False, str(error), self._jobs.qsize())
        if self._hangs():
            return RecognizerStatus(False, _NO_ANSWER, self._jobs.qsize())
        return RecognizerStatus(True, f"{card.id} {card.version}", self._jobs.qsize())

    def recognize(self, waveform: Waveform, correction: SpeakerCorrection | None = None) -> Recognition:
        """Read one waveform, trimmed speech of at least .5 s.

        Raises ``RecognizerUnavailable`` when nobody can answer now, ``RecognizerError`` when the answer
        was not an honest one (NaN, wrong shape).
        """
        if self._hangs():
            raise RecognizerUnavailable(_NO_ANSWER)
        self._start_reader()
        job = _Job(waveform, correction, Future())
        self._jobs.put(job)
        try:
            result = job.answer.result(ANSWER_WITHIN_S + waveform.duration_s)
        except FutureTimeout as error:
            job.answer.cancel()  # it comes again, and is then read once
            raise RecognizerUnavailable(_NO_ANSWER) from error
        return checked(result, self.card)

    def _hangs(self) -> bool:
        """Whether it was asked so long ago that whoever asks now would wait in vain."""
        asked_at = self._asked_at
        return asked_at is not None and time.monotonic() - asked_at > self._patience_s

    def _start_reader(self) -> None:
        with self._building:
            if self._reader is None or not self._reader.is_alive():
                self._reader = threading.Thread(target=self._read_on, name="recognizer", daemon=True)
                self._reader.start()

    def _read_on(self) -> None:
        while True:
            jobs = [self._jobs.get()]
            seconds = jobs[0].waveform.duration_s
            while seconds < BATCH_SECONDS and not self._jobs.empty():
                jobs.append(self._jobs.get())
                seconds += jobs[-1].waveform.duration_s
            self._read([job for job in jobs if job.answer.set_running_or_notify_cancel()])

    def _read(self, jobs: list[_Job]) -> None:
        self._patience_s = ANSWER_WITHIN_S + sum(job.waveform.duration_s for job in jobs)
        self._asked_at = time.monotonic()
        try:
            if jobs:
                self._answer(jobs)
        finally:
            self._asked_at = None

    def _answer(self, jobs: list[_Job]) -> None:
        try:
            results = self.recognizer.recognize([j.waveform for j in jobs], [j.correction for j in jobs])
            if len(results) != len(jobs):
                raise RecognizerError(f"The recognizer gave {len(results)} answers to {len(jobs)} sounds.")
        except Exception as error:
            if len(jobs) > 1:  # one bad waveform must not cost its neighbors their reading
                for job in jobs:
                    self._answer([job])
                return
            jobs[0].answer.set_exception(_named(error))
            return
        for job, result in zip(jobs, results, strict=True):
            job.answer.set_result(result)


def _named(error: Exception) -> RecognizerError:
    if _is_out_of_memory(error):
        return RecognizerUnavailable("The recognizer has not enough memory now.")
    if isinstance(error, RecognizerError):
        return error
    log.exception("the recognizer broke", exc_info=error)
    return RecognizerError(f"The recognizer broke: {type(error).__name__}")


def _is_out_of_memory(error: BaseException | None) -> bool:
    """Also torch's own error, which has that name and is known here by nothing else."""
    while error is not None:
        if isinstance(error, MemoryError) or type(error).__name__ == "OutOfMemoryError":
            return True
        error = error.__cause__
    return False


def checked(result: Recognition, card: RecognizerCard) -> Recognition:
    """The result, if its shapes and numbers are what the card promises. Raises ``RecognizerError``."""
    nine = len(LABELS)
    if result.scores.shape != (nine,) or not np.isfinite(result.scores).all():
        raise RecognizerError("The recognizer gave scores that are not nine numbers.")
    if abs(float(result.scores.sum()) - 1) > 1e-3 or (result.scores < 0).any():
        raise RecognizerError("The recognizer gave scores that are not shares.")
    if result.embedding.shape != (card.dimension,) or not np.isfinite(result.embedding).all():
        raise RecognizerError(f"The recognizer gave an embedding that is not {card.dimension} numbers.")
    if result.frames.ndim != 2 or result.frames.shape[1] != nine or not np.isfinite(result.frames).all():
        raise RecognizerError("The recognizer gave frames that are not rows of nine numbers.")
    return result


def _build_from_settings() -> Recognizer:
    if settings.RECOGNIZER == "emotion2vec":
        return Emotion2vecRecognizer(
            settings.EMOTION2VEC_MODEL,
            device=settings.EMOTION2VEC_DEVICE,
            threads=settings.RECOGNIZER_THREADS,
        )
    return AcousticRecognizer()


@cache
def word_recognizer() -> WordRecognizer:
    """This process's reader of words; it computes where it is called. Raises ``RecognizerError``."""
    return WordRecognizer()


@cache
def service() -> RecognitionService:
    """This process's recognizer, as the settings say; built on first use."""
    return RecognitionService(_build_from_settings)
