"""The journey of one utterance: accept → recognize → refresh mood → check rules.

``accept`` makes it durable, ``process`` takes it the rest of the way and may run twice: rows are the
truth, the task queue only wakes workers.
"""

from __future__ import annotations

import logging
from collections import OrderedDict
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as FutureTimeout
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from math import ceil
from threading import Lock
from time import monotonic, sleep

import numpy as np
from django.conf import settings
from django.db import IntegrityError, close_old_connections, transaction
from django.utils import timezone
from django_tasks import task

from analysis.affect import calibrate, decide_reading
from analysis.audio import AudioLimits, AudioRejected, DecodedAudio, decode, peaks
from analysis.quality import measure, quality_gate, quality_reason, trim
from analysis.values import SAMPLE_RATE_HZ, Quality, Reading, Recognition, RecognizerError, Waveform
from emotrack import stream
from emotrack.accounts.models import App
from emotrack.alerts import actions as alerts
from emotrack.audit import actions as audit
from emotrack.audit.actions import Actor
from emotrack.history import actions as history
from emotrack.history.actions import Conflict, Refused
from emotrack.history.corrections import correction_for
from emotrack.history.models import (
    Audio,
    Client,
    Embedding,
    EndReason,
    FrameLogits,
    IdempotencyKey,
    Recognizer,
    Session,
    Source,
    Speaker,
    Status,
    Utterance,
)
from emotrack.mood import actions as mood
from emotrack.privacy import actions as privacy
from emotrack.privacy.models import Purpose
from emotrack.recognition import RecognizerUnavailable, service
from emotrack.schedule.actions import Recurring, run_due

log = logging.getLogger("emotrack.pipeline")

LEASE = timedelta(seconds=60)
RETRY_AFTER = timedelta(seconds=15)
LARGEST_FLOAT16 = 6e4
PEAKS_PER_SECOND = 50
SHORTEST_INPUT_S = 0.5
POLL_S = 0.05


@dataclass(frozen=True, slots=True, eq=False)
class Posted:
    """One utterance as a door has parsed it.

    scores: (9,) float32 in the order of ``LABELS``. embedding: (D,) float32. recognizer: (id, version),
    whose scores and embedding these are.
    """

    speaker: str = Speaker.CLIENT
    occurred_at: datetime | None = None
    duration_ms: int | None = None
    language: str = ""
    text: str | None = None
    audio: bytes | None = None
    scores: np.ndarray | None = None
    embedding: np.ndarray | None = None
    recognizer: tuple[str, str] | None = None

    @property
    def purposes(self) -> set[str]:
        """What the client must have agreed to for this to be kept."""
        voice = self.speaker == Speaker.CLIENT and (self.audio is not None or self.scores is not None)
        return ({Purpose.VOICE_EMOTION} if voice else set()) | ({Purpose.TEXT} if self.text else set())


@dataclass(frozen=True, slots=True, eq=False)
class Accepted:
    """replayed: the idempotency key was known, this is the row that it made."""

    utterance: Utterance
    replayed: bool


@dataclass(frozen=True, slots=True, eq=False)
class Heard:
    """A sound and what was measured of it."""

    decoded: DecodedAudio
    quality: Quality

    @property
    def duration_ms(self) -> int:
        return round(1000 * self.decoded.waveform.duration_s)


# --- Admit --------------------------------------------------------------------------------------


@transaction.atomic
def admit_client(
    *,
    app: App,
    external_id: str,
    by: Actor,
    now: datetime,
    name: str | None = None,
    consent: privacy.ConsentClaim | None = None,
) -> tuple[Client, bool]:
    """Find or create an app's client; a new one gets the consents that the app asserts or its terms obtain."""
    client, new = history.find_or_create_client(app=app, external_id=external_id, by=by, now=now, name=name)
    claim = consent or (privacy.claim_by_terms(app, now=now) if new else None)
    if claim is not None:
        privacy.assert_consent(client=client, claim=claim, app=app, by=by, now=now)
    return client, new


admit_session = history.find_or_create_session


# --- Accept -------------------------------------------------------------------------------------


def accept(
    *,
    session: Session,
    posted: Posted,
    by: Actor,
    now: datetime,
    app: App | None = None,
    key: str | None = None,
    fingerprint: bytes = b"",
) -> Accepted:
    """Make an utterance durable, and the reading with it when the app brought one.

    Raises ``Refused`` (with its kinds ``Conflict``, ``ConsentRequired``, ``StorageFull``) or
    ``AudioRejected``; then nothing was kept.
    """
    if known := _made_before(app, key, fingerprint):
        return Accepted(known, replayed=True)
    privacy.require_consent(session.client, posted.purposes)
    _check(posted, now)
    heard = None if posted.audio is None else _hear(posted.audio)
    try:
        utterance = _store(session, posted, heard, by=by, now=now, app=app, key=key, fingerprint=fingerprint)
    except IntegrityError:
        # The same key came twice at once: the other request was first, and its row stands by now.
        if known := _made_before(app, key, fingerprint):
            return Accepted(known, replayed=True)
        raise
    if utterance.status == Status.QUEUED and settings.RECOGNIZE_IN_WEB:
        _decoded.put(utterance.public_id, heard)
    return Accepted(utterance, replayed=False)


def _made_before(app: App | None, key: str | None, fingerprint: bytes) -> Utterance | None:
    if app is None or key is None:
        return None
    row = IdempotencyKey.objects.select_related("utterance__client").filter(app=app, key=key).first()
    if row is None:
        return None
    if bytes(row.fingerprint) != fingerprint:
        raise Refused("idempotency-key-reused", "This Idempotency-Key came with another request before.")
    if row.utterance is None:
        raise Conflict("idempotency-key-in-flight", "The first request with this key is still under way.")
    return row.utterance


def _check(posted: Posted, now: datetime) -> None:
    history.refuse_future(posted.occurred_at, now, "/occurred_at")
    if posted.text is not None and len(posted.text) > settings.TEXT_MAX_CHARACTERS:
        raise Refused("text-too-long", f"At most {settings.TEXT_MAX_CHARACTERS} characters.", "/text")
    if posted.audio is None and posted.text is None and posted.scores is None:
        raise Refused("nothing-said", "Send audio, text or scores.")
    if posted.embedding is not None and posted.scores is None:
        raise Refused("embedding-without-scores", "An embedding comes with its scores.", "/scores")
    if posted.scores is not None and posted.recognizer is None:
        raise Refused("recognizer-required", "Scores and embeddings name their recognizer.", "/recognizer")
    if posted.embedding is not None:
        _check_embedding(posted.embedding)


def _check_embedding(embedding: np.ndarray) -> None:
    if embedding.ndim != 1 or not len(embedding):
        raise Refused("embedding-shape", "An embedding is one list of numbers.", "/embedding")
    if not np.isfinite(embedding).all() or np.abs(embedding).max() > LARGEST_FLOAT16:
        raise Refused("embedding-out-of-range", "Each number lies within ±60000.", "/embedding")


def _hear(data: bytes) -> Heard:
    limits = AudioLimits(max_bytes=settings.AUDIO_MAX_BYTES, max_seconds=settings.AUDIO_MAX_SECONDS)
    decoded = decode(data, limits)
    return Heard(decoded, measure(decoded.waveform, truncated=decoded.truncated))


def _store(
    session: Session,
    posted: Posted,
    heard: Heard | None,
    *,
    by: Actor,
    now: datetime,
    app: App | None,
    key: str | None,
    fingerprint: bytes,
) -> Utterance:
    utterance = _new_utterance(session, posted, heard, now)
    written: list[str] = []
    try:
        with transaction.atomic():
            session = Session.objects.select_for_update().select_related("client").get(pk=session.pk)
            utterance.session, utterance.client = session, session.client
            utterance.save(force_insert=True)
            if app is not None and key is not None:
                IdempotencyKey.objects.create(
                    app=app, key=key, fingerprint=fingerprint, utterance=utterance, created_at=now
                )
            if heard is not None:
                written.append(_keep_sound(utterance, posted.audio, heard, now).path)
            _touch(session, utterance, now)
            audit.record(
                "utterance.accepted",
                by=by,
                now=now,
                subject=utterance.public_id,
                client=session.client.public_id,
            )
            _set_going(utterance, posted, app, now)
    except BaseException:
        for path in written:
            history.drop_file(path)
        raise
    return utterance


def _new_utterance(session: Session, posted: Posted, heard: Heard | None, now: datetime) -> Utterance:
    duration_ms = (
        posted.duration_ms if posted.duration_ms is not None else (heard.duration_ms if heard else 0)
    )
    utterance = Utterance(
        session=session,
        client=session.client,
        speaker=posted.speaker,
        occurred_at=posted.occurred_at or now - timedelta(milliseconds=duration_ms),
        duration_ms=duration_ms,
        received_at=now,
        language=posted.language,
        status=Status.ANALYZED,
        analyzed_at=now,
    )
    utterance.text = posted.text
    if heard is not None:
        utterance.quality = described(heard.quality)
        utterance.warnings = list(heard.decoded.warnings)
        if posted.scores is None and posted.speaker == Speaker.CLIENT:
            utterance.status, utterance.analyzed_at = Status.QUEUED, None
    return utterance


def described(quality: Quality) -> dict:
    """The measurements as they are stored and answered, with the reason they are not good enough, if so."""
    return {k: round(v, 4) if isinstance(v, float) else v for k, v in asdict(quality).items()} | {
        "voiced_share": round(quality.voiced_share, 4),
        "reason": quality_reason(quality),
    }


def _keep_sound(utterance: Utterance, data: bytes, heard: Heard, now: datetime) -> Audio:
    waveform = heard.decoded.waveform
    columns = max(1, ceil(waveform.duration_s * PEAKS_PER_SECOND))
    return history.keep_audio(
        utterance,
        data,
        media_type=MEDIA_TYPES[heard.decoded.container],
        peaks=peaks(waveform, columns).tobytes(),
        now=now,
    )


MEDIA_TYPES = {
    "wav": "audio/wav",
    "mp3": "audio/mpeg",
    "mp4": "audio/mp4",
    "m4a": "audio/mp4",
    "flac": "audio/flac",
    "ogg": "audio/ogg",
    "webm": "audio/webm",
}


def _touch(session: Session, utterance: Utterance, now: datetime) -> None:
    """Keep the session's times true; an utterance before its start moves the start."""
    moved = utterance.occurred_at < session.started_at
    session.started_at = min(session.started_at, utterance.occurred_at)
    session.last_activity_at = max(session.last_activity_at, now)
    session.save(update_fields=["started_at", "last_activity_at"])
    if moved:  # and with it the order of the client's sessions
        for recognizer in Recognizer.objects.filter(sessionmood__session=session):
            _replay(session, recognizer, now)


def _set_going(utterance: Utterance, posted: Posted, app: App | None, now: datetime) -> None:
    if posted.scores is not None:
        _take_posted_reading(utterance, posted, app, now)
    elif utterance.status == Status.QUEUED:
        recognize.enqueue(utterance.pk)
    else:
        stream.publish(utterance.client, "utterance")


def _take_posted_reading(utterance: Utterance, posted: Posted, app: App | None, now: datetime) -> None:
    """A reading that an app brought goes the rest of the way at once."""
    name, version = posted.recognizer
    utterance.recognizer = history.recognizer_of_app(
        app=app, name=name, version=version, embedding=posted.embedding
    )
    utterance.source = Source.AUDIO
    utterance.scores = np.asarray(posted.scores, dtype=np.float32)
    if utterance.speaker == Speaker.CLIENT:
        utterance.reading = decide_reading(calibrate(utterance.scores, utterance.recognizer.temperature))
    utterance.save()
    if posted.embedding is not None:
        Embedding(utterance=utterance, vector=posted.embedding.astype("<f2")).save(force_insert=True)
    _carry_on(utterance, now)


# --- Recognize ----------------------------------------------------------------------------------


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


_decoded = _Handover(most=16)


@task()
def recognize(utterance_id: int) -> None:
    """Wakes a worker for one utterance."""
    process(utterance_id)


def process(utterance_id: int) -> None:
    """Recognize an utterance, then refresh mood and check rules. Does nothing when it is done or taken."""
    now = timezone.now()
    if not history.lease(utterance_id, now=now, until=now + LEASE):
        return
    utterance = Utterance.objects.select_related("client", "session").get(pk=utterance_id)
    try:
        privacy.require_consent(utterance.client, {Purpose.VOICE_EMOTION})
        _recognize(utterance)
    except privacy.ConsentRequired:
        _fail(utterance, "consent-withdrawn")
    except RecognizerUnavailable as error:
        log.warning("utterance %s waits: %s", utterance.public_id, error)
        Utterance.objects.filter(pk=utterance_id).update(leased_until=timezone.now() + RETRY_AFTER)
    except RecognizerError as error:
        log.error("utterance %s: %s", utterance.public_id, error)
        _fail(utterance, "recognizer-failed")
    except (AudioRejected, FileNotFoundError) as error:
        log.error(
            "utterance %s: its sound cannot be read again: %s", utterance.public_id, type(error).__name__
        )
        _fail(utterance, "audio-lost")


def _recognize(utterance: Utterance) -> None:
    heard = _decoded.take(utterance.public_id) or _hear(history.read_audio(utterance.audio))
    recognizer = history.our_recognizer(service().card)
    gate = quality_gate(heard.quality)
    result, start_s, version = None, 0.0, ""
    if gate is not Reading.NO_SPEECH:
        speech, start_s = trim(heard.decoded.waveform, heard.quality)
        known, version = correction_for(utterance.session, recognizer)
        result = service().recognize(long_enough(speech), known)
    _keep_reading(utterance, recognizer, gate, result, start_s, version)


def long_enough(waveform: Waveform) -> Waveform:
    """The waveform, with silence after it when it is shorter than a recognizer accepts."""
    missing = int(SHORTEST_INPUT_S * SAMPLE_RATE_HZ) - len(waveform.samples)
    return waveform if missing <= 0 else Waveform(np.pad(waveform.samples, (0, missing)))


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
        Client.objects.select_for_update().get(pk=utterance.client_id)
        still = Utterance.objects.filter(pk=utterance.pk, status=Status.QUEUED)
        if not still.update(status=Status.ANALYZED, analyzed_at=now, leased_until=None, failure=""):
            return  # withdrawn, deleted or done by somebody else in the meantime
        utterance.refresh_from_db(fields=["status", "analyzed_at", "leased_until", "failure"])
        utterance.recognizer, utterance.source = recognizer, Source.AUDIO
        utterance.correction_version = correction_version
        if result is not None:
            utterance.scores = result.scores.astype(np.float32)
            _keep_parts(utterance, result, start_s)
        calibrated = None if result is None else calibrate(utterance.scores, recognizer.temperature)
        utterance.reading = decide_reading(calibrated, gate)
        utterance.save()
        if settings.AUDIO_KEPT_DAYS == 0:
            history.delete_audio(utterance.audio, now=now)
        _carry_on(utterance, now)


def _keep_parts(utterance: Utterance, result: Recognition, start_s: float) -> None:
    embedding, frames = result.embedding.astype("<f2"), result.frames.astype("<f2")
    if not (np.isfinite(embedding).all() and np.isfinite(frames).all()):
        raise RecognizerError("The recognizer gave numbers too large to store.")
    Embedding(utterance=utterance, vector=embedding).save(force_insert=True)
    FrameLogits(
        utterance=utterance,
        logits=frames,
        rate_hz=result.frame_rate_hz,
        first_frame_s=start_s + result.first_frame_s,
    ).save(force_insert=True)


def _carry_on(utterance: Utterance, now: datetime) -> None:
    """Refresh mood and check rules, in the transaction that stored the reading."""
    if utterance.speaker == Speaker.CLIENT:
        muted = privacy.was_withdrawn(utterance.client, Purpose.ALERTS)
        for session in mood.refresh(utterance):
            alerts.evaluate(session, utterance.recognizer, now=now, muted=muted)
    stream.publish(utterance.client, "utterance")


def _fail(utterance: Utterance, failure: str) -> None:
    with transaction.atomic():
        Utterance.objects.filter(pk=utterance.pk, status=Status.QUEUED).update(
            status=Status.FAILED, failure=failure, leased_until=None
        )
        stream.publish(utterance.client, "utterance")


# --- Wait ---------------------------------------------------------------------------------------

_executor = ThreadPoolExecutor(max_workers=2, thread_name_prefix="journey")


def _process_in_thread(utterance_id: int) -> None:
    close_old_connections()
    try:
        process(utterance_id)
    finally:
        close_old_connections()


def hurry(utterance: Utterance, *, wait_s: float) -> Utterance:
    """Wait for the reading, ``wait_s`` at most; the fresh row, which may still be queued."""
    if utterance.status == Status.QUEUED:
        if settings.RECOGNIZE_IN_WEB:
            _wait_for(_executor.submit(_process_in_thread, utterance.pk), wait_s)
        else:
            _wait_for_worker(utterance.pk, wait_s)
    return Utterance.objects.select_related("client", "session", "recognizer").get(pk=utterance.pk)


def _wait_for(done: Future, wait_s: float) -> None:
    try:
        done.result(wait_s)
    except FutureTimeout:
        log.info("a reading was not ready within %g s", wait_s)


def _wait_for_worker(utterance_id: int, wait_s: float) -> None:
    until = monotonic() + wait_s
    while monotonic() < until:
        if not Utterance.objects.filter(pk=utterance_id, status=Status.QUEUED).exists():
            return
        sleep(POLL_S)


# --- Change and end -----------------------------------------------------------------------------


@transaction.atomic
def remove_utterance(utterance: Utterance, *, by: Actor, now: datetime) -> None:
    """Delete an utterance and its sound; its series is replayed as if it had never been said."""
    client, session, recognizer = utterance.client, utterance.session, utterance.recognizer
    audio = Audio.objects.filter(utterance=utterance).first()
    audit.record("utterance.deleted", by=by, now=now, subject=utterance.public_id, client=client.public_id)
    utterance.delete()
    if audio is not None:
        transaction.on_commit(lambda: history.drop_file(audio.path))
    if recognizer is not None:
        _replay(session, recognizer, now)
    stream.publish(client, "utterance")


@transaction.atomic
def amend_utterance(
    utterance: Utterance,
    *,
    by: Actor,
    now: datetime,
    text: str | None = None,
    occurred_at: datetime | None = None,
    speaker: str | None = None,
) -> Utterance:
    """Change what was written down about an utterance; a changed time or speaker replays its series."""
    history.refuse_future(occurred_at, now, "/occurred_at")
    replays = (occurred_at or utterance.occurred_at) != utterance.occurred_at or (
        speaker or utterance.speaker
    ) != utterance.speaker
    changed = {"text": text, "occurred_at": occurred_at, "speaker": speaker}
    for name, value in changed.items():
        if value is not None:
            setattr(utterance, name, value)
    utterance.save()
    _touch(utterance.session, utterance, now)
    audit.record(
        "utterance.changed",
        by=by,
        now=now,
        subject=utterance.public_id,
        client=utterance.client.public_id,
        fields=sorted(name for name, value in changed.items() if value is not None),
    )
    if replays:
        _after_amendment(utterance, now)
    stream.publish(utterance.client, "utterance")
    return utterance


def _after_amendment(utterance: Utterance, now: datetime) -> None:
    unread = utterance.speaker == Speaker.CLIENT and not utterance.reading
    if unread and Audio.objects.filter(utterance=utterance, deleted_at__isnull=True).exists():
        utterance.status, utterance.analyzed_at = Status.QUEUED, None
        utterance.save(update_fields=["status", "analyzed_at"])
        recognize.enqueue(utterance.pk)
    elif utterance.recognizer is not None:
        _replay(utterance.session, utterance.recognizer, now)


def _replay(session: Session, recognizer: Recognizer, now: datetime) -> None:
    muted = privacy.was_withdrawn(session.client, Purpose.ALERTS)
    for changed in mood.replay_from_session(session, recognizer):
        alerts.evaluate(changed, recognizer, now=now, muted=muted)


@transaction.atomic
def end_session(
    session: Session,
    *,
    by: Actor,
    now: datetime,
    reason: EndReason = EndReason.EXPLICIT,
    ended_at: datetime | None = None,
) -> Session:
    """End a session; what fires ends with it, and rules on sessions run. Ending twice changes nothing."""
    session = Session.objects.select_for_update().select_related("client").get(pk=session.pk)
    if session.ended_at is not None:
        return session
    history.mark_ended(session, reason=reason, ended_at=ended_at or now)
    audit.record(
        "session.ended",
        by=by,
        now=now,
        subject=session.public_id,
        client=session.client.public_id,
        reason=reason,
    )
    muted = privacy.was_withdrawn(session.client, Purpose.ALERTS)
    for recognizer in Recognizer.objects.filter(sessionmood__session=session).distinct():
        alerts.evaluate(session, recognizer, now=now, muted=muted)
    stream.publish(session.client, "session")
    return session


# --- Again and again ----------------------------------------------------------------------------


def end_idle_sessions(*, now: datetime) -> int:
    """End the sessions in which nothing arrived for the idle time."""
    silent_since = now - timedelta(minutes=settings.SESSION_IDLE_MINUTES)
    idle = Session.objects.filter(ended_at__isnull=True, last_activity_at__lt=silent_since)
    for session in idle:
        last = session.utterances.in_order().last()
        at = last.occurred_at + timedelta(milliseconds=last.duration_ms) if last else session.started_at
        end_session(session, by=Actor.system("idle"), now=now, reason=EndReason.IDLE, ended_at=at)
    return len(idle)


def requeue_waiting(*, now: datetime, limit: int = 500) -> int:
    """Wake a worker again for whatever waits and nobody is at: a killed worker loses nothing."""
    waiting = Utterance.objects.filter(status=Status.QUEUED, received_at__lt=now - RETRY_AFTER)
    free = waiting.exclude(leased_until__gte=now).order_by("received_at", "id")
    ids = list(free.values_list("pk", flat=True)[:limit])
    for utterance_id in ids:
        recognize.enqueue(utterance_id)
    return len(ids)


def retry_failed() -> int:
    """Queue again what the recognizer could not read, once it has been mended."""
    failed = Utterance.objects.filter(status=Status.FAILED, failure="recognizer-failed")
    return failed.update(status=Status.QUEUED, failure="", leased_until=None)


JOBS = {
    "requeue waiting utterances": Recurring(requeue_waiting, every=timedelta(seconds=15)),
    "end idle sessions": Recurring(end_idle_sessions, every=timedelta(minutes=1)),
    "delete expired audio": Recurring(history.delete_expired_audio, every=timedelta(hours=1)),
    "seal the audit log": Recurring(audit.seal, every=timedelta(seconds=30)),
}


def tick(*, now: datetime) -> list[str]:
    """Run what is due; any worker may call it at any time."""
    return run_due(JOBS, now=now)


# --- Nothing stored -----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, eq=False)
class Prediction:
    """What ``predict`` answers: ``scores`` are calibrated, and missing without speech."""

    reading: Reading
    scores: np.ndarray | None
    quality: Quality
    warnings: tuple[str, ...]


def predict(audio: bytes) -> Prediction:
    """Read one sound and store nothing. Raises ``AudioRejected`` or ``RecognizerError``."""
    heard = _hear(audio)
    gate = quality_gate(heard.quality)
    if gate is Reading.NO_SPEECH:
        return Prediction(gate, None, heard.quality, heard.decoded.warnings)
    speech, _start_s = trim(heard.decoded.waveform, heard.quality)
    result = service().recognize(long_enough(speech))
    scores = calibrate(result.scores, service().card.temperature)
    return Prediction(decide_reading(scores, gate), scores, heard.quality, heard.decoded.warnings)
