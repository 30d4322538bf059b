"""What the words of an utterance say, and whether the tone says something else.

Tone and words are two lanes (decision 0601): nothing here changes a score, a mood or a series of the voice.
"""

from __future__ import annotations

import heapq
import logging
from datetime import datetime

from django.db import transaction

from analysis.affect import calibrate, top_label
from analysis.recognition.fusion import fuse, opposed
from analysis.recognition.words import WordsRead
from analysis.recognition.words.recognizer import Push
from emotrack import stream
from emotrack.history import actions as history
from emotrack.history.locks import hold
from emotrack.history.models import (
    Client,
    ReadingState,
    Recognizer,
    Speaker,
    Utterance,
    WordsReadingState,
)
from emotrack.pipeline.consequences import replay_from
from emotrack.privacy import actions as privacy
from emotrack.recognition import word_recognizer

log = logging.getLogger("emotrack.pipeline")

NOT_READ = "words-not-read"
"""The warning of an utterance whose words the recognizer failed at; ``manage.py read_words`` tries again."""


def read_words(utterance: Utterance) -> None:
    """Set what the words say as they stand now, and hold it against the tone; the caller saves.

    Nothing is read of another speaker than the client, without words, or without consent. A reader that
    breaks costs its own reading alone: the utterance carries a warning and goes on its way.
    """
    utterance.words_recognizer, utterance.words_scores, utterance.words_reading = None, None, ""
    utterance.warnings = [warning for warning in utterance.warnings if warning != NOT_READ]
    if utterance.speaker == Speaker.CLIENT and utterance.text and privacy.may_read_words(utterance.client):
        try:
            recognizer = word_recognizer()
            said = recognizer.read(utterance.text, utterance.language)
        except Exception:
            log.exception("the words of utterance %s could not be read", utterance.public_id)
            utterance.warnings = [*utterance.warnings, NOT_READ]
        else:
            keep_said(utterance, said, history.our_recognizer(recognizer.card))
    compare(utterance)


def keep_said(utterance: Utterance, said: WordsRead, by: Recognizer) -> None:
    utterance.words_recognizer = by
    utterance.words_scores, utterance.words_reading = said.scores, str(said.reading)


def compare(utterance: Utterance) -> None:
    """Set whether one of tone and words is pleasant and the other not, ``None`` where one abstains.

    The caller saves. Of what ``fuse`` gives only the two valences are used (decision 0601 says why).
    """
    utterance.incongruent = None
    if utterance.speaker != Speaker.CLIENT or utterance.scores is None:
        return
    if utterance.reading == ReadingState.OK == utterance.words_reading:
        tone = calibrate(utterance.scores, utterance.recognizer.temperature)
        words = calibrate(utterance.words_scores, utterance.words_recognizer.temperature)
        both = fuse(tone, words)
        utterance.incongruent = opposed(both.valence_audio, both.valence_text)


def telling_words(utterance: Utterance, most: int = 5) -> list[Push]:
    """The words that pushed the label of its words most, strongest first; they are content.

    Empty where no label is claimed, the words are gone, or another version of the reader read them.
    """
    if utterance.words_reading != WordsReadingState.OK or not utterance.text:
        return []
    recognizer, by = word_recognizer(), utterance.words_recognizer
    if (by.name, by.version) != (recognizer.card.id, recognizer.card.version):
        return []
    found = recognizer.pushes(utterance.text, top_label(utterance.words_scores))
    return [push for push in heapq.nlargest(most, found, key=lambda push: push.push) if push.push > 0]


def read_unread_words(*, now: datetime) -> int:
    """Read what no reader of words has seen: from before there was one, or where it failed; how many."""
    rows = Utterance.objects.of_series().filter(text__isnull=False, words_recognizer=None)
    done = 0
    for client in Client.objects.filter(pk__in=rows.values("client")).iterator():
        if privacy.may_read_words(client):
            done += _read_unread_of(client, now)
    return done


@transaction.atomic
def _read_unread_of(client: Client, now: datetime) -> int:
    client = hold(client.pk)
    unread = Utterance.objects.of_series().filter(client=client, text__isnull=False, words_recognizer=None)
    done, judged = 0, {}
    for utterance in unread.select_related("session", "recognizer"):
        utterance.client = client  # one key unwrapped for all rows
        read_words(utterance)
        utterance.save(
            update_fields=["words_recognizer", "words_scores", "words_reading", "incongruent", "warnings"]
        )
        done += utterance.words_recognizer_id is not None
        if utterance.incongruent is not None:
            judged[utterance.session_id, utterance.recognizer_id] = utterance
    for utterance in judged.values():
        replay_from(utterance.session, utterance.recognizer, now)
    if done:
        stream.publish(client, "utterance")
    return done
