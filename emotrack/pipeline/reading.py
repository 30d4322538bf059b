"""Recognize an utterance and store what was heard; may run twice, and a killed worker loses nothing."""

from __future__ import annotations

import logging
from collections import OrderedDict
from dataclasses import dataclass
from datetime import timedelta
from threading import Lock

import numpy as np
from django.conf import settings
from django.db import OperationalError, transaction
from django.utils import timezone
from django_tasks import task

from analysis.affect import calibrate, decide_reading
from analysis.audio import AudioRejected
from analysis.quality import quality_gate, trim
from analysis.values import Quality, Reading, Recognition, RecognizerError
from emotrack import stream
from emotrack.history import actions as history
from emotrack.history import retention
from emotrack.history.corrections import correction_for
from emotrack.history.locks import hold
from emotrack.history.models import (
    Audio,
    Embedding,
    FrameLogits,
    Recognizer,
    Session,
    Source,
    Status,
    Utterance,
)
from emotrack.pipeline.consequences import carry_on
from emotrack.pipeline.sound import Heard, hear, long_enough
from emotrack.pipeline.words import compare
from emotrack.privacy import actions as privacy
from emotrack.privacy.models import Purpose
from emotrack.recognition import RecognizerUnavailable, service

log = logging.getLogger("emotrack.pipeline")

RETRY_AFTER = timedelta(seconds=15)
LARGEST_FLOAT16 = 6e4
MOST_ATTEMPTS = 5
"""An utterance that brought down its worker this often is set aside, so that it cannot do it for ever."""


class _Handover:
    """Decoded sound on its way from ``accept`` to ``process`` in one process; only a shortcut."""

    def __init__(self, most: int) -> None:
        self._most, self._items, self._lock = most, OrderedDict[str, Heard | None](), Lock()

    def put(self, public_id: str, heard: Heard | None) -> None:
        with self._lock:
            self._items[public_id] = heard
            while len(self._items) > self._most:
                self._items.popitem(last=False)

    def take(self, public_id: str) -> Heard | None:
        with self._lock:
            return self._items.pop(public_id, None)


handover = _Handover(most=16)


@task()
def recognize(utterance_id: int) -> None:
    """Wakes a worker for one utterance."""
    process(utterance_id)


def process(utterance_id: int) -> None:
    """Recognize an utterance, then refresh mood and check rules. Does nothing when it is done or taken."""
    now = timezone.now()
    if not history.lease(utterance_id, now=now, until=now + timedelta(seconds=settings.LEASE_SECONDS)):
        return
    utterance = Utterance.objects.select_related("client", "session").get(pk=utterance_id)
    if utterance.attempts > MOST_ATTEMPTS:
        _fail(utterance, "analysis-failed")
        return
    try:
        privacy.require_consent(utterance.client, {Purpose.VOICE_EMOTION})
        _recognize(utterance)
    except privacy.ConsentRequired:
        _fail(utterance, "consent-withdrawn")
    except RecognizerUnavailable as error:
        log.warning("utterance %s waits: %s", utterance.public_id, error)
        history.release(utterance_id, free_at=timezone.now() + RETRY_AFTER)
    except OperationalError as error:
        log.warning("utterance %s waits for the storage: %s", utterance.public_id, type(error).__name__)
        history.release(utterance_id, free_at=timezone.now() + RETRY_AFTER)
    except RecognizerError as error:
        log.error("utterance %s: %s", utterance.public_id, error)
        _fail(utterance, "recognizer-failed")
    except (AudioRejected, FileNotFoundError, Audio.DoesNotExist) as error:
        reason = type(error).__name__
        log.error("utterance %s: its sound cannot be read again: %s", utterance.public_id, reason)
        _fail(utterance, "audio-lost")


def _recognize(utterance: Utterance) -> None:
    heard = handover.take(utterance.public_id) or hear(history.read_audio(utterance.audio))
    recognizer = history.our_recognizer(service().card)
    gate = quality_gate(heard.quality)
    result, start_s, version = None, 0.0, ""
    if gate is not Reading.NO_SPEECH:
        speech, start_s = trim(heard.decoded.waveform, heard.quality)
        known, version = correction_for(utterance.session, recognizer)
        result = service().recognize(long_enough(speech), known)
    _keep_reading(utterance, recognizer, gate, result, start_s, version)


def _keep_reading(
    utterance: Utterance,
    recognizer: Recognizer,
    gate: Reading | None,
    result: Recognition | None,
    start_s: float,
    correction_version: str,
) -> None:
    """Store the result at storage precision and derive everything else from what is stored."""
    now = timezone.now()
    with transaction.atomic():
        hold(utterance.client_id)
        still = Utterance.objects.filter(pk=utterance.pk, status=Status.QUEUED)
        if not still.update(status=Status.ANALYZED, analyzed_at=now, leased_until=None, failure=""):
            return  # withdrawn, deleted or done by somebody else in the meantime
        # Read again: somebody may have amended it while the recognizer listened.
        again = Utterance.objects.select_related("client", "session", "words_recognizer")
        utterance = again.get(pk=utterance.pk)
        utterance.recognizer, utterance.source = recognizer, Source.AUDIO
        utterance.correction_version = correction_version
        if result is not None:
            utterance.scores = result.scores.astype(np.float32)
            _keep_parts(utterance, result, start_s)
        calibrated = None if result is None else calibrate(utterance.scores, recognizer.temperature)
        utterance.reading = decide_reading(calibrated, gate)
        compare(utterance)
        utterance.save()
        if retention.in_force().audio_days == retention.AFTER_ANALYSIS:
            history.delete_audio(utterance.audio, now=now)
        carry_on(utterance, now)


def _keep_parts(utterance: Utterance, result: Recognition, start_s: float) -> None:
    if max(np.abs(result.embedding).max(), np.abs(result.frames).max(initial=0)) > LARGEST_FLOAT16:
        raise RecognizerError("The recognizer gave numbers too large to store.")
    embedding, frames = result.embedding.astype("<f2"), result.frames.astype("<f2")
    Embedding(utterance=utterance, vector=embedding).save(force_insert=True)
    FrameLogits(
        utterance=utterance,
        logits=frames,
        rate_hz=result.frame_rate_hz,
        first_frame_s=start_s + result.first_frame_s,
    ).save(force_insert=True)


def _fail(utterance: Utterance, failure: str) -> None:
    with transaction.atomic():
        Utterance.objects.filter(pk=utterance.pk, status=Status.QUEUED).update(
            status=Status.FAILED, failure=failure, leased_until=None
        )
        stream.publish(utterance.client, "utterance")


@dataclass(frozen=True, slots=True, eq=False)
class Prediction:
    """What ``predict`` answers: ``scores`` are calibrated, and missing without speech."""

    reading: Reading
    scores: np.ndarray | None
    quality: Quality
    warnings: tuple[str, ...]


def predict(audio: bytes, session: Session | None = None) -> Prediction:
    """Read one sound and store nothing; with a session, as its utterances are read.

    Raises ``AudioRejected`` or ``RecognizerError``.
    """
    heard = hear(audio)
    gate = quality_gate(heard.quality)
    if gate is Reading.NO_SPEECH:
        return Prediction(gate, None, heard.quality, heard.decoded.warnings)
    speech, _start_s = trim(heard.decoded.waveform, heard.quality)
    known = correction_for(session, history.our_recognizer(service().card))[0] if session else None
    result = service().recognize(long_enough(speech), known)
    scores = calibrate(result.scores, service().card.temperature)
    return Prediction(decide_reading(scores, gate), scores, heard.quality, heard.decoded.warnings)
