"""Two things that happen to one client at the same moment: both hold, none waits for the other for ever."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future
from datetime import timedelta
from functools import partial
from time import sleep

import pytest
from django.db import OperationalError, connection, transaction
from django.utils import timezone

from analysis.turns import Turn
from emotrack import pipeline
from emotrack.api.errors import problem_of
from emotrack.history import remarks
from emotrack.history.actions import Vanished
from emotrack.history.locks import hold
from emotrack.history.models import Client, Note, Session, Speaker, Utterance
from emotrack.mood.models import SessionMood
from emotrack.pipeline import SpokenTurn, reading, upkeep
from emotrack.privacy import actions as privacy
from emotrack.privacy.models import Purpose
from emotrack.recordings.actions import Superseded, begin_stream
from emotrack.recordings.models import Recording
from tests.emotrack import factories as make
from tests.emotrack.pipeline.turns import SPEECH, accept

LONG_ENOUGH_TO_WAIT_S = 0.5
"""By then the second one stands where it must wait for the first."""

together = pytest.mark.django_db(transaction=True)


def stream_into(session: Session) -> Recording:
    stream = pipeline.open_stream(session=session, by=make.TESTS, now=timezone.now())
    begin_stream(stream, started_at=timezone.now() - timedelta(minutes=1))
    return stream


def keep(stream: Recording) -> Utterance | None:
    spoken = SpokenTurn(Turn(1000, 3500), SPEECH, Speaker.CLIENT)
    return pipeline.keep_turn(stream, spoken, by=make.TESTS, now=timezone.now())


def beside(work: Callable[[], object]) -> Future:
    """What ``work`` comes to in a thread of its own, which leaves no connection behind."""
    done: Future = Future()

    def run() -> None:
        try:
            done.set_result(work())
        except Exception as error:
            done.set_exception(error)
        finally:
            connection.close()

    threading.Thread(target=run, daemon=True).start()
    return done


@pytest.fixture
def stream(session) -> Recording:
    return stream_into(session)


@pytest.fixture
def held_reading(session, fake_recognizer, monkeypatch):
    """A reading that holds its client until ``go_on``, just before it commits."""
    carry_on, holds, go_on = reading.carry_on, threading.Event(), threading.Event()

    def slowly(*args: object) -> None:
        carry_on(*args)
        holds.set()
        assert go_on.wait(30)

    waiting = accept(session, audio=SPEECH)
    monkeypatch.setattr(reading, "carry_on", slowly)
    done = beside(lambda: pipeline.process(waiting.pk))
    assert holds.wait(30)
    monkeypatch.setattr(reading, "carry_on", carry_on)
    yield waiting, go_on, done
    go_on.set()


MEANWHILE: dict[str, Callable[[Recording, Utterance], object]] = {
    "a post": lambda stream, _read: accept(stream.session, audio=SPEECH),
    "a turn of a stream": lambda stream, _read: keep(stream),
    "another connection": lambda stream, _read: stream_into(stream.session),
    "another time": lambda _stream, read: pipeline.amend_utterance(
        read, by=make.TESTS, now=timezone.now(), occurred_at=timezone.now() - timedelta(hours=1)
    ),
    "the end of the session": lambda stream, _read: pipeline.end_session(
        stream.session, by=make.TESTS, now=timezone.now()
    ),
}


@together
@pytest.mark.parametrize("happens", MEANWHILE.values(), ids=MEANWHILE)
def test_a_reading_and_what_happens_meanwhile_both_hold(stream, held_reading, happens):
    waiting, go_on, read = held_reading
    other = beside(lambda: happens(stream, waiting))
    sleep(LONG_ENOUGH_TO_WAIT_S)
    go_on.set()
    read.result(30)
    other.result(30)
    assert Utterance.objects.get(pk=waiting.pk).status == "analyzed"


@together
def test_a_turn_and_the_connection_that_takes_over_both_come_to_an_end(stream):
    with transaction.atomic():
        hold(stream.client_id)
        both = beside(lambda: keep(stream)), beside(lambda: stream_into(stream.session))
        sleep(LONG_ENOUGH_TO_WAIT_S)
    kept, taken = (done.exception(30) for done in both)
    assert taken is None and (kept is None or isinstance(kept, Superseded))


@together
def test_what_was_posted_while_the_consent_ended_is_not_kept(session):
    with transaction.atomic():
        privacy.withdraw_consent(
            client=session.client, purpose=Purpose.VOICE_EMOTION, by=make.TESTS, now=timezone.now()
        )
        posted = beside(lambda: accept(session, audio=SPEECH))
        sleep(LONG_ENOUGH_TO_WAIT_S)
    assert isinstance(posted.exception(30), privacy.ConsentRequired)
    assert not Utterance.objects.exists()


@together
def test_a_note_that_is_sent_twice_at_the_same_moment_is_kept_once(session):
    alice = make.counselor()

    def write(text: str) -> None:
        remarks.write_note(
            client=session.client,
            session=session,
            text=text,
            by=alice,
            now=timezone.now(),
            public_id="a" * 20,
        )

    with transaction.atomic():
        hold(session.client_id)
        both = [beside(partial(write, text)) for text in ("first", "second")]
        sleep(LONG_ENOUGH_TO_WAIT_S)
    for done in both:
        done.result(30)
    assert Note.objects.count() == 1


# --- What was looked at before it changed ---------------------------------------------------------


@pytest.mark.django_db
def test_a_session_in_which_somebody_speaks_at_the_last_moment_is_not_ended(session, monkeypatch):
    late = timezone.now() + timedelta(hours=2)

    def speaks_meanwhile(client_id: int) -> Client:
        Session.objects.update(last_activity_at=late)
        return hold(client_id)

    monkeypatch.setattr(upkeep, "hold", speaks_meanwhile)
    assert upkeep.end_idle_sessions(now=late) == 0
    assert Session.objects.get().ended_at is None


@pytest.mark.django_db
def test_mending_the_words_does_not_undo_a_reading_made_since_they_were_looked_at(session, fake_recognizer):
    looked_at = accept(session, audio=SPEECH)
    pipeline.process(looked_at.pk)
    pipeline.amend_utterance(looked_at, by=make.TESTS, now=timezone.now(), text="at last")
    now = Utterance.objects.get()
    assert (now.text, now.status) == ("at last", "analyzed")
    assert now.scores is not None


@pytest.mark.django_db
def test_deleting_what_was_read_since_it_was_looked_at_leaves_no_trace_in_the_mood(session, fake_recognizer):
    first, second = accept(session, audio=SPEECH), accept(session, audio=SPEECH)
    for utterance in (first, second):
        pipeline.process(utterance.pk)
    assert SessionMood.objects.get().valid == 2
    pipeline.remove_utterance(second, by=make.TESTS, now=timezone.now())
    assert SessionMood.objects.get().valid == 1


@pytest.mark.django_db
def test_what_somebody_else_deleted_is_told_to_be_gone(session):
    utterance = accept(session, audio=SPEECH)
    stale = Utterance.objects.get()
    pipeline.remove_utterance(utterance, by=make.TESTS, now=timezone.now())
    with pytest.raises(Vanished):
        pipeline.remove_utterance(stale, by=make.TESTS, now=timezone.now())
    with pytest.raises(Vanished):
        pipeline.amend_utterance(stale, by=make.TESTS, now=timezone.now(), text="too late")


@pytest.mark.django_db
def test_a_new_name_leaves_everything_else_of_the_client_as_it_is(session):
    looked_at = Client.objects.get()
    Client.objects.update(erased_at=make.NOW)
    remarks.rename_client(looked_at, name="Anna", by=make.TESTS, now=timezone.now())
    assert Client.objects.get().erased_at == make.NOW


# --- A storage that is busy -----------------------------------------------------------------------


@pytest.mark.django_db
def test_a_reading_that_the_storage_cannot_take_is_given_back_at_once(session, fake_recognizer, monkeypatch):
    def busy(*_args: object) -> None:
        raise OperationalError("deadlock detected")

    waiting = accept(session, audio=SPEECH)
    monkeypatch.setattr(reading, "_keep_reading", busy)
    pipeline.process(waiting.pk)
    now = Utterance.objects.get()
    assert (now.status, now.attempts) == ("queued", 0)
    assert now.leased_until < timezone.now() + reading.RETRY_AFTER


def test_a_request_that_lost_a_deadlock_is_asked_to_come_again():
    answer = problem_of(OperationalError("deadlock detected"))
    assert (answer.slug, answer.status, answer.headers) == ("storage-busy", 503, {"Retry-After": "1"})
