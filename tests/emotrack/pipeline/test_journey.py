"""One utterance from a door to its mood: durable first, read then, and nothing lost on the way."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest
from django.utils import timezone
from django_tasks_db.models import DBTaskResult

from analysis.audio import AudioRejected
from analysis.values import RecognizerError
from emotrack import pipeline
from emotrack.audit.models import AuditEvent
from emotrack.history import actions as history
from emotrack.history.actions import Refused, StorageFull
from emotrack.history.models import Audio, Embedding, FrameLogits, Session, Utterance
from emotrack.mood.models import MoodPoint
from emotrack.pipeline import Posted, reading, upkeep
from emotrack.recognition import RecognizerUnavailable
from tests.analysis import sounds
from tests.emotrack import factories as make
from tests.emotrack.pipeline.turns import SPEECH, accept, read

pytestmark = pytest.mark.django_db


def test_an_accepted_utterance_waits_with_its_sound_on_the_disk(session, settings):
    waiting = accept(session, audio=SPEECH)
    assert waiting.status == "queued"
    audio = Audio.objects.get(utterance=waiting)
    assert history.read_audio(audio) == SPEECH
    assert SPEECH[44:144] not in (Path(settings.AUDIO_DIR) / audio.path).read_bytes()


def test_reading_stores_scores_embedding_frames_and_mood(session, fake_recognizer):
    done = read(accept(session, audio=SPEECH))
    assert (done.status, done.source, str(done.recognizer)) == ("analyzed", "audio", "fake 1")
    assert done.scores.sum() == pytest.approx(1, abs=1e-5)
    assert Embedding.objects.get(utterance=done).vector.dtype == np.float16
    assert FrameLogits.objects.get(utterance=done).logits.shape[1] == 9
    assert MoodPoint.objects.get(utterance=done).reading == done.reading


def test_processing_twice_changes_nothing(session, fake_recognizer):
    done = read(accept(session, audio=SPEECH))
    read(done)
    assert MoodPoint.objects.count() == 1
    assert len(fake_recognizer.batches) == 1


def test_an_utterance_that_somebody_holds_is_left_alone(session, fake_recognizer):
    waiting = accept(session, audio=SPEECH)
    assert history.lease(waiting.pk, now=timezone.now(), until=timezone.now() + timedelta(minutes=1))
    assert read(waiting).status == "queued"


def test_a_killed_workers_utterance_is_taken_up_again(session, fake_recognizer):
    waiting = accept(session, audio=SPEECH)
    long_ago = timezone.now() - timedelta(minutes=5)
    Utterance.objects.filter(pk=waiting.pk).update(received_at=long_ago, leased_until=long_ago)
    DBTaskResult.objects.update(status="RUNNING", started_at=long_ago)
    assert upkeep.requeue_waiting(now=timezone.now()) == 1
    assert read(waiting).status == "analyzed"


def test_without_a_recognizer_it_waits_and_is_read_after_the_repair(session, fake_recognizer):
    fake_recognizer.broken = lambda: RecognizerUnavailable("no weights")
    waiting = accept(session, audio=SPEECH)
    assert read(waiting).status == "queued"
    assert read(waiting).attempts == 0
    fake_recognizer.broken = None
    Utterance.objects.filter(pk=waiting.pk).update(leased_until=None)
    assert read(waiting).status == "analyzed"


@pytest.mark.parametrize("broken", [lambda: RecognizerError("it says no"), lambda: ZeroDivisionError()])
def test_a_recognizer_that_breaks_fails_the_reading_and_keeps_the_utterance(session, fake_recognizer, broken):
    fake_recognizer.broken = broken
    failed = read(accept(session, audio=SPEECH, text="still here"))
    assert (failed.status, failed.failure, failed.text) == ("failed", "recognizer-failed", "still here")
    fake_recognizer.broken = None
    assert pipeline.retry_failed() == 1
    assert read(failed).status == "analyzed"


def spoil(**changes):
    return lambda result: replace(result, **changes)


@pytest.mark.parametrize(
    "spoiled",
    [
        spoil(scores=np.full(9, np.nan, dtype=np.float32)),
        spoil(scores=np.full(5, 0.2, dtype=np.float32)),
        spoil(scores=np.full(9, 0.2, dtype=np.float32)),
        spoil(embedding=np.ones(7, dtype=np.float32)),
        spoil(embedding=np.full(8, np.inf, dtype=np.float32)),
        spoil(embedding=np.full(8, 1e6, dtype=np.float32)),
        spoil(frames=np.ones((3, 5), dtype=np.float32)),
    ],
)
def test_numbers_that_cannot_be_are_never_stored(session, fake_recognizer, spoiled):
    fake_recognizer.spoiled = spoiled
    failed = read(accept(session, audio=SPEECH))
    assert (failed.status, failed.scores, failed.reading) == ("failed", None, "")
    assert not Embedding.objects.exists()
    assert not MoodPoint.objects.exists()


def test_what_breaks_its_worker_again_and_again_is_set_aside(session, fake_recognizer):
    waiting = accept(session, audio=SPEECH)
    Utterance.objects.filter(pk=waiting.pk).update(attempts=5)
    assert read(waiting).failure == "analysis-failed"


def test_silence_is_no_speech_and_a_gap(session, fake_recognizer):
    done = read(accept(session, audio=sounds.wav(sounds.silence(2))))
    assert (done.status, done.reading, done.scores) == ("analyzed", "no_speech", None)
    point = MoodPoint.objects.get()
    assert (point.valence, point.reading) == (None, "no_speech")
    assert not fake_recognizer.batches


def test_a_quiet_voice_is_low_quality_and_its_scores_stay_out_of_the_series(session, fake_recognizer):
    done = read(accept(session, audio=sounds.wav(sounds.spoken(2.5) * 0.02)))
    assert done.reading in {"low_quality", "no_speech"}
    assert MoodPoint.objects.get().valence is None


def test_the_counselors_speech_is_kept_and_never_scored(session, fake_recognizer):
    said = accept(session, speaker="counselor", audio=SPEECH, text="How was it?")
    assert (said.status, said.reading, said.text) == ("analyzed", "", "How was it?")
    assert not fake_recognizer.batches


def test_ready_scores_are_read_at_once(session):
    app = make.app()
    done = accept(
        session,
        app,
        scores=make.scores(happy=0.8),
        embedding=np.ones(16, dtype=np.float32),
        recognizer=("mine", "3"),
    )
    assert (done.status, done.reading, done.recognizer.dimension) == ("analyzed", "ok", 16)
    assert MoodPoint.objects.get().valence > 0.6


@pytest.mark.parametrize(
    ("posted", "slug"),
    [
        ({}, "nothing-said"),
        ({"scores": make.scores(sad=0.5)}, "recognizer-required"),
        ({"embedding": np.ones(4, np.float32), "recognizer": ("a", "1")}, "embedding-without-scores"),
        ({"scores": np.full(9, 0.2, np.float32), "recognizer": ("a", "1")}, "scores-sum"),
        (
            {"scores": make.scores(sad=0.9), "recognizer": ("a", "1"), "speaker": "counselor"},
            "only-the-client-is-scored",
        ),
        (
            {
                "scores": make.scores(sad=0.9),
                "embedding": np.array([7e4], np.float32),
                "recognizer": ("a", "1"),
            },
            "embedding-out-of-range",
        ),
        (
            {"scores": make.scores(sad=0.9), "embedding": np.array([], np.float32), "recognizer": ("a", "1")},
            "embedding-shape",
        ),
        ({"text": "x" * 20_001}, "text-too-long"),
        ({"text": "later", "occurred_at": timezone.now() + timedelta(hours=1)}, "timestamp-in-future"),
    ],
)
def test_what_is_not_allowed_is_refused_and_leaves_nothing(session, posted, slug):
    with pytest.raises(Refused) as refused:
        accept(session, make.app(), **posted)
    assert refused.value.slug == slug
    assert not Utterance.objects.exists()


def test_an_embedding_of_another_dimension_is_refused(session):
    app = make.app()
    ready = {"scores": make.scores(sad=0.9), "recognizer": ("a", "1")}
    accept(session, app, embedding=np.ones(4, np.float32), **ready)
    with pytest.raises(Refused) as refused:
        accept(session, app, embedding=np.ones(5, np.float32), **ready)
    assert refused.value.slug == "embedding-dimension"
    assert Utterance.objects.count() == 1


def test_two_apps_may_use_one_name_for_different_recognizers(session):
    ready = {"scores": make.scores(sad=0.9), "recognizer": ("mine", "1")}
    accept(session, make.app("One"), embedding=np.ones(4, np.float32), **ready)
    accept(session, make.app("Two"), embedding=np.ones(5, np.float32), **ready)
    assert MoodPoint.objects.values("recognizer").distinct().count() == 2


def test_bad_audio_is_refused_and_leaves_neither_row_nor_file(session, settings):
    with pytest.raises(AudioRejected):
        accept(session, audio=b"%PDF-1.7 not a sound")
    assert not Utterance.objects.exists()
    assert not Path(settings.AUDIO_DIR).exists()


def test_a_full_disk_keeps_neither_row_nor_half_a_file(session, settings, monkeypatch):
    import errno
    import os

    def full(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(StorageFull):
        accept(session, audio=SPEECH)
    assert not Utterance.objects.exists()
    assert not [p for p in Path(settings.AUDIO_DIR).rglob("*") if p.is_file()]


def test_a_transaction_that_fails_takes_its_file_along(session, settings, monkeypatch):
    from emotrack.pipeline import accepting

    def broken(*_args: object) -> None:
        raise RuntimeError("planted")

    monkeypatch.setattr(accepting, "_set_going", broken)
    with pytest.raises(RuntimeError, match="planted"):
        accept(session, audio=SPEECH)
    assert not Utterance.objects.exists()
    assert not [p for p in Path(settings.AUDIO_DIR).rglob("*") if p.is_file()]


def test_one_key_makes_one_row(session):
    app = make.app()
    posted = {"session": session, "posted": Posted(text="hello"), "by": app.actor, "app": app}
    first = pipeline.accept(**posted, now=make.NOW, key="k", fingerprint=b"1")
    again = pipeline.accept(**posted, now=make.NOW, key="k", fingerprint=b"1")
    assert (first.replayed, again.replayed) == (False, True)
    assert first.utterance == again.utterance
    with pytest.raises(Refused) as refused:
        pipeline.accept(**posted, now=make.NOW, key="k", fingerprint=b"2")
    assert refused.value.slug == "idempotency-key-reused"
    assert Utterance.objects.count() == 1


def test_the_correction_is_taken_once_from_earlier_ended_sessions(fake_recognizer):
    client = make.client()
    now = timezone.now()
    earlier = make.session(client, started_at=now - timedelta(days=7))
    for _ in range(3):
        read(accept(earlier, audio=SPEECH, occurred_at=earlier.started_at))
    later = make.session(client, started_at=now - timedelta(hours=1))
    read(accept(later, audio=SPEECH))
    assert fake_recognizer.corrections[-1] is None  # the earlier session had not ended
    pipeline.end_session(earlier, by=make.TESTS, now=now)
    read(accept(later, audio=SPEECH))
    assert fake_recognizer.corrections[-1] is None  # fixed at the session's start
    third = make.session(client, started_at=now)
    done = read(accept(third, audio=SPEECH))
    assert fake_recognizer.corrections[-1].utterances == 3
    assert done.correction_version.startswith("mean-3-")


def test_idle_sessions_end_by_themselves(session):
    accept(session, text="hello")
    assert upkeep.end_idle_sessions(now=timezone.now() + timedelta(minutes=59)) == 0
    assert upkeep.end_idle_sessions(now=timezone.now() + timedelta(minutes=61)) == 1
    session.refresh_from_db()
    assert session.end_reason == "idle"


def test_every_acceptance_is_in_the_audit_log_without_content(session):
    accept(session, text="a secret")
    event = AuditEvent.objects.get(action="utterance.accepted")
    assert "secret" not in str(event.detail)
    assert event.client == session.client.public_id


def test_a_caller_waits_also_when_a_worker_was_quicker(
    session, fake_recognizer, processed_in_place, monkeypatch
):
    waiting = accept(session, audio=SPEECH)
    history.lease(waiting.pk, now=timezone.now(), until=timezone.now() + timedelta(minutes=1))
    polls = []

    def meanwhile(_seconds: float) -> None:
        polls.append(1)
        Utterance.objects.filter(pk=waiting.pk).update(leased_until=None)
        pipeline.process(waiting.pk)

    monkeypatch.setattr("emotrack.pipeline.waiting.sleep", meanwhile)
    done = pipeline.hurry(waiting, wait_s=5)
    assert (done.status, len(polls)) == ("analyzed", 1)


def test_a_caller_does_not_wait_for_a_recognizer_that_is_not_there(
    session, fake_recognizer, processed_in_place
):
    fake_recognizer.broken = lambda: RecognizerUnavailable("no weights")
    waiting = accept(session, audio=SPEECH)
    assert pipeline.hurry(waiting, wait_s=600).status == "queued"


@pytest.mark.parametrize(
    ("posted", "consents"), [({"audio": b"%PDF-1.7"}, True), ({}, True), ({"audio": SPEECH}, False)]
)
def test_a_refused_first_call_leaves_neither_client_nor_session(posted, consents):
    app = make.app(consents=consents)
    with pytest.raises((Refused, AudioRejected)):
        pipeline.accept_first_seen(
            app=app, client="new", session="new", posted=Posted(**posted), by=app.actor, now=timezone.now()
        )
    assert not app.client_links.exists()
    assert not Session.objects.exists()


def test_a_bug_in_the_reading_does_not_reach_the_caller(session, monkeypatch, processed_in_place):
    waiting = accept(session, audio=SPEECH)

    def broken(_utterance_id: int) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr("emotrack.pipeline.waiting.process", broken)
    assert pipeline.hurry(waiting, wait_s=0.01).status == "queued"


@pytest.mark.parametrize("lost", ["row", "file"])
def test_a_sound_that_is_gone_fails_the_reading_and_not_the_worker(session, fake_recognizer, settings, lost):
    waiting = accept(session, audio=SPEECH)
    audio = Audio.objects.get(utterance=waiting)
    reading.handover.take(waiting.public_id)
    (Path(settings.AUDIO_DIR) / audio.path).unlink()
    if lost == "row":
        audio.delete()
    assert read(waiting).failure == "audio-lost"
