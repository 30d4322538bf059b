"""The warm recognizer: batches, breaks, and says so."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

import numpy as np
import pytest

from analysis.values import RecognizerError, Waveform
from emotrack.recognition import RecognitionService, RecognizerUnavailable
from tests.emotrack.fakes import FakeRecognizer, service_of

ONE_SECOND = Waveform(np.full(16_000, 0.3, dtype=np.float32))


def seconds(length: float) -> Waveform:
    return Waveform(np.full(int(16_000 * length), 0.3, dtype=np.float32))


def until(condition: Callable[[], bool]) -> None:
    give_up = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < give_up
        time.sleep(0.01)


def ask_all_at_once(recognizer: FakeRecognizer, lengths: list[float]) -> dict[float, object]:
    """Ask for several waveforms while the recognizer is busy, so that they queue up; answer or error each."""
    service, outcome = service_of(recognizer), {}
    recognizer.hold.clear()

    def ask(length: float) -> None:
        try:
            outcome[length] = service.recognize(seconds(length))
        except RecognizerError as error:
            outcome[length] = error

    busy = threading.Thread(target=ask, args=(6.0,))
    busy.start()
    until(lambda: recognizer.asked == 1)
    threads = [threading.Thread(target=ask, args=(length,)) for length in lengths]
    for thread in threads:
        thread.start()
    until(lambda: service._jobs.qsize() == len(lengths))
    recognizer.hold.set()
    for thread in (busy, *threads):
        thread.join(20)
    return outcome


def test_what_queues_up_is_read_together_and_each_caller_gets_its_own():
    recognizer = FakeRecognizer()
    lengths = [0.5, 1.0, 1.5, 0.6, 0.7]
    answers = ask_all_at_once(recognizer, lengths)
    assert {n: float(answers[n].embedding[1]) for n in lengths} == pytest.approx({n: n for n in lengths})
    assert recognizer.batches == [1, 5]


def test_one_bad_waveform_does_not_cost_its_neighbors():
    class Picky(FakeRecognizer):
        def _read(self, waveform):
            if waveform.duration_s < 1:
                raise ZeroDivisionError
            return super()._read(waveform)

    outcome = ask_all_at_once(Picky(), [1.0, 0.5, 1.5])
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
