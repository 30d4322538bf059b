"""The warm recognizer: batches, breaks, and says so."""

from __future__ import annotations

import threading
import time

import numpy as np
import pytest

from analysis.values import RecognizerError, Waveform
from emotrack.recognition import RecognitionService, RecognizerUnavailable
from tests.emotrack.fakes import FakeRecognizer, service_of

ONE_SECOND = Waveform(np.full(16_000, 0.3, dtype=np.float32))


def test_what_queues_up_is_read_together_and_each_caller_gets_its_own():
    recognizer = FakeRecognizer()
    recognizer.hold.clear()
    service = service_of(recognizer)
    lengths = [0.5, 1.0, 1.5, 0.6, 0.7]
    answers: dict[float, float] = {}

    def ask(seconds: float) -> None:
        waveform = Waveform(np.full(int(16_000 * seconds), 0.3, dtype=np.float32))
        answers[seconds] = float(service.recognize(waveform).embedding[1])

    threads = [threading.Thread(target=ask, args=(s,)) for s in lengths]
    for thread in threads:
        thread.start()
    while service._jobs.qsize() < len(lengths) - 1:
        time.sleep(0.01)
    recognizer.hold.set()
    for thread in threads:
        thread.join()
    assert answers == pytest.approx({s: s for s in lengths})
    assert len(recognizer.batches) < len(lengths)


def test_one_bad_waveform_does_not_cost_its_neighbors():
    class Picky(FakeRecognizer):
        def _read(self, waveform):
            if waveform.duration_s < 1:
                raise ZeroDivisionError
            return super()._read(waveform)

    recognizer = Picky()
    recognizer.hold.clear()
    service = service_of(recognizer)
    outcome: dict[float, object] = {}

    def ask(seconds: float) -> None:
        try:
            outcome[seconds] = service.recognize(
                Waveform(np.full(int(16_000 * seconds), 0.3, dtype=np.float32))
            )
        except RecognizerError as error:
            outcome[seconds] = error

    threads = [threading.Thread(target=ask, args=(s,)) for s in (1.0, 0.5, 1.5)]
    for thread in threads:
        thread.start()
    while service._jobs.qsize() < 2:
        time.sleep(0.01)
    recognizer.hold.set()
    for thread in threads:
        thread.join()
    assert isinstance(outcome[0.5], RecognizerError)
    assert not isinstance(outcome[1.0], Exception) and not isinstance(outcome[1.5], Exception)


def test_a_missing_recognizer_says_why_and_is_not_tried_at_every_call():
    tried = []

    def build():
        tried.append(1)
        raise RecognizerError("Put the weights into models/.")

    service = RecognitionService(build)
    for _ in range(3):
        with pytest.raises(RecognizerUnavailable, match="Put the weights"):
            service.recognize(ONE_SECOND)
    assert len(tried) == 1
    assert service.status().sentence == "Put the weights into models/."
    assert not service.status().ready


def test_a_recognizer_that_hangs_is_given_up(monkeypatch):
    monkeypatch.setattr("emotrack.recognition.ANSWER_WITHIN_S", 0.05)
    recognizer = FakeRecognizer()
    recognizer.hold.clear()
    with pytest.raises(RecognizerUnavailable, match="no answer"):
        service_of(recognizer).recognize(ONE_SECOND)
    recognizer.hold.set()
