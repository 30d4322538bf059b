"""What is taken back: consent, words, sound whose time is over, a whole utterance."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from analysis.values import Recognition
from emotrack import pipeline
from emotrack.history import actions as history
from emotrack.history.models import Audio, Utterance
from emotrack.mood.models import MoodPoint
from emotrack.privacy import actions as privacy
from tests.analysis import sounds
from tests.emotrack import factories as make
from tests.emotrack.pipeline.turns import SPEECH, accept, read

pytestmark = pytest.mark.django_db


def test_without_consent_nothing_of_the_voice_is_kept():
    session = make.session(make.client(consents=False))
    with pytest.raises(privacy.ConsentRequired):
        accept(session, audio=SPEECH)
    assert not Utterance.objects.exists()


def test_withdrawal_cancels_what_waits(session, fake_recognizer):
    waiting = accept(session, audio=SPEECH)
    privacy.withdraw_consent(
        client=session.client, purpose="voice_emotion", by=make.TESTS, now=timezone.now()
    )
    assert read(waiting).failure == "consent-withdrawn"
    assert not fake_recognizer.batches


def test_a_withdrawal_between_lease_and_result_is_honored(session, fake_recognizer, monkeypatch):
    waiting = accept(session, audio=SPEECH)
    listen = fake_recognizer._read

    def withdraw_meanwhile(waveform) -> Recognition:
        privacy.withdraw_consent(
            client=session.client, purpose="voice_emotion", by=make.TESTS, now=timezone.now()
        )
        return listen(waveform)

    monkeypatch.setattr("emotrack.pipeline.reading.service", lambda: InThisThread(fake_recognizer))
    fake_recognizer._read = withdraw_meanwhile
    done = read(waiting)
    assert (done.status, done.scores) == ("failed", None)


class InThisThread:
    """The service without its thread, so that the planted withdrawal is in the test's transaction."""

    def __init__(self, recognizer) -> None:
        self.recognizer, self.card = recognizer, recognizer.card

    def recognize(self, waveform, correction=None) -> Recognition:
        return self.recognizer.recognize([waveform], [correction])[0]


def test_an_amendment_made_while_the_recognizer_listens_is_kept(session, fake_recognizer, monkeypatch):
    waiting = accept(session, audio=SPEECH, text="teh")
    listen = fake_recognizer._read

    def amend_meanwhile(waveform) -> Recognition:
        row = Utterance.objects.select_related("session", "client").get(pk=waiting.pk)
        pipeline.amend_utterance(row, by=make.TESTS, now=timezone.now(), text="the")
        return listen(waveform)

    monkeypatch.setattr("emotrack.pipeline.reading.service", lambda: InThisThread(fake_recognizer))
    fake_recognizer._read = amend_meanwhile
    done = read(waiting)
    assert (done.status, done.text) == ("analyzed", "the")


def test_audio_is_forgotten_after_analysis_when_the_setting_says_so(session, fake_recognizer, settings):
    settings.AUDIO_KEPT_DAYS = 0
    done = read(accept(session, audio=SPEECH))
    assert Audio.objects.get(utterance=done).deleted_at is not None


def test_expired_audio_goes_but_never_before_it_was_read(session, fake_recognizer):
    read_one, waiting = accept(session, audio=SPEECH), accept(session, audio=SPEECH)
    read(read_one)
    later = timezone.now() + timedelta(days=31)
    assert history.delete_expired_audio(now=later) == 1
    assert Audio.objects.get(utterance=waiting).deleted_at is None


def test_deleting_an_utterance_leaves_the_series_as_if_it_had_never_been_said(session, fake_recognizer):
    kept = [read(accept(session, audio=sounds.wav(sounds.spoken(1.5 + i)))) for i in range(3)]
    before = list(MoodPoint.objects.order_by("occurred_at").values_list("level", "volatility"))
    extra = read(accept(session, audio=sounds.wav(sounds.spoken(3.0))))
    pipeline.remove_utterance(extra, by=make.TESTS, now=timezone.now())
    assert list(MoodPoint.objects.order_by("occurred_at").values_list("level", "volatility")) == before
    assert Utterance.objects.count() == len(kept)
