"""Words are read beside the tone: they never change it, and never stand in its way."""

from __future__ import annotations

from datetime import timedelta
from itertools import permutations

import numpy as np
import pytest
from django.core.management import call_command
from django.utils import timezone

from analysis.recognition.words import WordRecognizer
from analysis.values import LABELS
from emotrack import pipeline
from emotrack.history.models import Recognizer, Session, Utterance
from emotrack.mood.models import MoodPoint, SessionMood
from emotrack.pipeline import Posted
from emotrack.pipeline import words as words_pipeline
from emotrack.privacy import actions as privacy
from tests.analysis import sounds
from tests.emotrack import factories as make

pytestmark = pytest.mark.django_db

SPEECH = sounds.wav(sounds.spoken(2.5))
"""The planted recognizer takes it for angry."""

HAPPY, SAD = "Thank you so much, I am really happy about that", "I am so sad and lonely without her"


@pytest.fixture
def session() -> Session:
    return make.session(make.client(), started_at=timezone.now())


def accept(session: Session, **posted: object) -> Utterance:
    now = timezone.now()
    return pipeline.accept(session=session, posted=Posted(**posted), by=make.TESTS, now=now).utterance


def read(utterance: Utterance) -> Utterance:
    pipeline.process(utterance.pk)
    return fresh(utterance)


def fresh(utterance: Utterance) -> Utterance:
    return Utterance.objects.select_related("words_recognizer").get(pk=utterance.pk)


def amend(utterance: Utterance, **changes: object) -> Utterance:
    pipeline.amend_utterance(fresh(utterance), by=make.TESTS, now=timezone.now(), **changes)
    return fresh(utterance)


def label(utterance: Utterance) -> str:
    return LABELS[utterance.words_scores.argmax()]


def posted(**shares: float) -> dict:
    return {"scores": make.scores(**shares), "recognizer": ("theirs", "1")}


def test_words_stand_beside_the_voice_and_change_nothing_of_it(session, fake_recognizer):
    alone, both = (read(accept(session, audio=SPEECH, text=text)) for text in (None, HAPPY))
    assert np.array_equal(alone.scores, both.scores)
    assert (both.source, both.reading, str(both.recognizer)) == ("audio", "ok", "fake 1")
    assert (both.words_reading, label(both), str(both.words_recognizer)) == ("ok", "happy", "words 1")
    one, other = MoodPoint.objects.order_by("occurred_at")
    assert (one.valence, one.arousal) == (other.valence, other.arousal)


@pytest.mark.parametrize(("text", "differ"), [(HAPPY, True), (SAD, False)])
def test_pleasant_words_in_an_angry_voice_are_marked(session, fake_recognizer, text, differ):
    assert read(accept(session, audio=SPEECH, text=text)).incongruent is differ


@pytest.mark.parametrize(
    "text", [None, "mm-hm", "Ich habe heute wirklich keine Lust mehr auf diese Arbeit.", "I want to die"]
)
def test_where_words_abstain_nothing_is_compared(session, text):
    assert accept(session, text=text, **posted(sad=0.9)).incongruent is None


def test_where_the_tone_abstains_nothing_is_compared(session):
    assert accept(session, text=HAPPY, **posted(unknown=0.9)).incongruent is None


def test_scores_that_an_app_posts_are_held_against_its_words(session):
    assert accept(session, text=HAPPY, **posted(sad=0.9)).incongruent is True


def test_words_alone_answer_and_enter_no_series(session):
    said = accept(session, text=SAD)
    assert (said.status, said.recognizer, said.reading, said.words_alone) == ("analyzed", None, "", True)
    assert (said.read_from, label(said)) == ("text", "sad")
    assert not MoodPoint.objects.exists()
    assert not SessionMood.objects.exists()


def test_a_line_of_words_leaves_the_series_of_the_voice_the_clients_own(session):
    accept(session, **posted(sad=0.9))
    accept(session, text=HAPPY)
    assert [str(mood.recognizer) for mood in SessionMood.objects.all()] == ["theirs 1"]


@pytest.mark.parametrize("speaker", ["counselor", "assistant", "other"])
def test_only_the_clients_words_are_read(session, speaker):
    assert accept(session, text=SAD, speaker=speaker).words_recognizer is None


def test_the_language_that_is_named_is_believed(session):
    said = accept(session, text=SAD, language="de")
    assert (said.words_reading, said.words_scores) == ("other_language", None)


# --- Consent ----------------------------------------------------------------------------------------------


def withdraw(session: Session) -> None:
    privacy.withdraw_consent(client=session.client, purpose="text", by=make.TESTS, now=timezone.now())


def test_after_a_withdrawal_words_are_kept_at_most_and_never_read(session):
    before = accept(session, text=SAD)
    withdraw(session)
    assert accept(session, text=SAD).words_reading == ""
    assert amend(before, text=HAPPY).words_scores is None


def test_words_that_may_not_be_kept_are_not_written_down_later_either(session, settings):
    settings.CONSENT_REQUIRED = frozenset({"text"})
    silent = accept(session, **posted(sad=0.9))
    withdraw(session)
    with pytest.raises(privacy.ConsentRequired):
        amend(silent, text=SAD)
    assert fresh(silent).text is None


# --- Late and mended ----------------------------------------------------------------------------------------


def test_a_mended_transcript_is_read_and_judged_again(session):
    said = accept(session, text=SAD, **posted(sad=0.9))
    assert said.incongruent is False
    mended = amend(said, text=HAPPY)
    assert (label(mended), mended.incongruent) == ("happy", True)
    taken_back = amend(said, text="")
    assert (taken_back.words_recognizer, taken_back.words_reading, taken_back.incongruent) == (None, "", None)


def test_a_change_of_speaker_takes_the_reading_of_the_words_with_it(session):
    said = accept(session, text=SAD)
    assert amend(said, speaker="counselor").words_scores is None
    assert label(amend(said, speaker="client")) == "sad"


HOUR = timedelta(hours=1)
STEPS = {
    "read": lambda said: read(said),
    "mend": lambda said: amend(said, text=HAPPY),
    "move": lambda said: amend(said, occurred_at=said.occurred_at - HOUR),
}


@pytest.mark.parametrize("order", list(permutations(STEPS)))
def test_whatever_comes_first_the_end_is_the_same(session, fake_recognizer, order):
    said = accept(session, audio=SPEECH, text=SAD)
    for step in order:
        STEPS[step](said)
    end = fresh(said)
    assert (end.status, end.reading, end.text, end.words_reading) == ("analyzed", "ok", HAPPY, "ok")
    assert (label(end), end.occurred_at, end.incongruent) == ("happy", said.occurred_at - HOUR, True)
    assert MoodPoint.objects.get().occurred_at == said.occurred_at - HOUR


def test_an_amendment_based_on_an_old_look_does_not_undo_a_reading(session, fake_recognizer):
    waiting = accept(session, audio=SPEECH, text=SAD)
    old_look = fresh(waiting)
    read(waiting)
    pipeline.amend_utterance(old_look, by=make.TESTS, now=timezone.now(), text=HAPPY)
    end = fresh(waiting)
    assert (end.status, end.reading, end.text) == ("analyzed", "ok", HAPPY)


# --- When it breaks ---------------------------------------------------------------------------------------


class Broken:
    def read(self, text: str, language: str = "") -> None:
        raise ZeroDivisionError


def test_a_reader_that_breaks_costs_the_voice_nothing_and_is_mended_later(
    session, fake_recognizer, monkeypatch, caplog, capsys
):
    monkeypatch.setattr(words_pipeline, "word_recognizer", Broken)
    done = read(accept(session, audio=SPEECH, text=HAPPY))
    assert (done.status, done.reading, done.words_recognizer) == ("analyzed", "ok", None)
    assert done.warnings == ["words-not-read"]
    assert "could not be read" in caplog.text
    monkeypatch.setattr(words_pipeline, "word_recognizer", WordRecognizer)
    call_command("read_words")
    assert "1 utterances" in capsys.readouterr().out
    again = fresh(done)
    assert (again.warnings, again.words_reading, again.incongruent) == ([], "ok", True)


def test_reading_what_is_missing_asks_for_consent_and_touches_nothing_else(session):
    row = make.utterance(session, text=SAD)
    kept = make.utterance(make.session(make.client("Eve", consents=True)), text=SAD)
    withdraw(session)
    assert pipeline.read_unread_words(now=timezone.now()) == 1
    assert (fresh(row).words_recognizer, label(fresh(kept))) == (None, "sad")
    assert pipeline.read_unread_words(now=timezone.now()) == 0


@pytest.mark.parametrize("text", ["😀" * 500, "a" * 20_000, "sad " * 5_000, "‮evil‬ \u200b", "!?…", "\t\n "])
def test_odd_words_are_kept_as_they_are(session, text):
    said = accept(session, text=text)
    assert (fresh(said).text, said.warnings) == (text, [])


def test_the_telling_words_are_named_only_by_the_version_that_read_them(session):
    said = accept(session, text="Well, I was terrified of him.")
    assert words_pipeline.telling_words(said)[0].word == "terrified"
    said.words_recognizer = Recognizer(name="words", version="0")
    assert words_pipeline.telling_words(said) == []
