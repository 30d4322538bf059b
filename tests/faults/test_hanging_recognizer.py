"""A recognizer that gives no answer is said to be away, and nobody queues up behind it."""

from __future__ import annotations

import threading
import time

import numpy as np
import pytest

from analysis.values import Waveform
from emotrack import recognition
from emotrack.recognition import RecognizerUnavailable
from tests.emotrack.fakes import FakeRecognizer, service_of

SOUND = Waveform(np.full(1600, 0.3, dtype=np.float32))


@pytest.fixture
def hanging(monkeypatch):
    """A recognizer that is asked and does not answer, and the service before it."""
    monkeypatch.setattr(recognition, "ANSWER_WITHIN_S", 0.1)
    recognizer = FakeRecognizer()
    recognizer.hold.clear()
    service = service_of(recognizer)
    with pytest.raises(RecognizerUnavailable):
        service.recognize(SOUND)
    while service.status().ready:
        time.sleep(0.01)
    yield recognizer, service
    recognizer.hold.set()


def test_it_is_said_to_be_away_until_it_answers_again(hanging):
    recognizer, service = hanging
    assert service.status().sentence == "The recognizer was asked and gives no answer."
    recognizer.hold.set()
    while not service.status().ready:
        time.sleep(0.01)
    assert service.recognize(SOUND).scores.shape == (9,)


def test_nobody_queues_up_behind_it(hanging):
    _recognizer, service = hanging
    for _ in range(5):
        with pytest.raises(RecognizerUnavailable):
            service.recognize(SOUND)
    assert service.status().waiting == 0


def test_what_was_given_up_in_the_queue_is_not_read_for_nobody(monkeypatch):
    monkeypatch.setattr(recognition, "ANSWER_WITHIN_S", 0.3)
    recognizer = FakeRecognizer()
    service = service_of(recognizer)
    recognizer.hold.clear()
    asking = [threading.Thread(target=_ask, args=(service,)) for _ in range(4)]
    for thread in asking:
        thread.start()
    for thread in asking:
        thread.join(20)
    recognizer.hold.set()
    while not service.status().ready:
        time.sleep(0.01)
    assert service.recognize(SOUND) is not None
    assert recognizer.asked <= 3  # the one that hung, at most one batch with it, and the last


def _ask(service) -> None:
    with pytest.raises(RecognizerUnavailable):
        service.recognize(SOUND)
