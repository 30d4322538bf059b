"""Make an utterance durable: consent, checks, then row, sound and audit in one transaction."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
from django.conf import settings
from django.db import IntegrityError, transaction

from analysis.affect import calibrate, checked_scores, decide_reading
from emotrack import stream
from emotrack.accounts.models import App
from emotrack.audit import actions as audit
from emotrack.audit.models import Actor
from emotrack.history import actions as history
from emotrack.history.actions import Conflict, Refused
from emotrack.history.locks import hold
from emotrack.history.models import (
    Client,
    Embedding,
    IdempotencyKey,
    Session,
    Source,
    Speaker,
    Status,
    Utterance,
)
from emotrack.pipeline.consequences import carry_on, touch
from emotrack.pipeline.reading import LARGEST_FLOAT16, handover, recognize
from emotrack.pipeline.sound import Heard, described, hear, keep_sound
from emotrack.pipeline.words import compare, read_words
from emotrack.privacy import actions as privacy
from emotrack.privacy.models import Purpose


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
    """Find or create an app's client; a new one gets the consents that its terms obtain."""
    client, new = history.find_or_create_client(app=app, external_id=external_id, by=by, now=now, name=name)
    claim = consent or (privacy.claim_by_terms(app, now=now) if new else None)
    if claim is not None:
        privacy.assert_consent(client=client, claim=claim, app=app, by=by, now=now)
    return client, new


admit_session = history.find_or_create_session


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
    request = _Request(posted, by, now, app, key, fingerprint)
    return _accept(request, lambda: session)


def accept_first_seen(
    *,
    app: App,
    client: str,
    session: str,
    posted: Posted,
    by: Actor,
    now: datetime,
    name: str | None = None,
    consent: privacy.ConsentClaim | None = None,
    key: str | None = None,
    fingerprint: bytes = b"",
) -> Accepted:
    """As ``accept``, making the app's client and session when they are first seen; all of it or nothing."""

    def admit() -> Session:
        person, _new = admit_client(app=app, external_id=client, by=by, now=now, name=name, consent=consent)
        return admit_session(client=person, by=by, now=now, app=app, external_id=session)[0]

    return _accept(_Request(posted, by, now, app, key, fingerprint), admit)


def accept_part(
    *,
    admit: Callable[[], Session],
    keep: Callable[[Utterance], None],
    posted: Posted,
    by: Actor,
    now: datetime,
) -> Utterance:
    """As ``accept``, for a turn of a longer sound: ``admit`` and ``keep`` run inside its transaction.

    What ``admit`` raises goes through, and then nothing was kept.
    """
    return _accept(_Request(posted, by, now, keep=keep), admit).utterance


@dataclass(frozen=True, slots=True, eq=False)
class _Request:
    posted: Posted
    by: Actor
    now: datetime
    app: App | None = None
    key: str | None = None
    fingerprint: bytes = b""
    keep: Callable[[Utterance], None] | None = None

    @property
    def made_before(self) -> Utterance | None:
        return _made_before(self.app, self.key, self.fingerprint)


def _accept(request: _Request, admit: Callable[[], Session]) -> Accepted:
    if known := request.made_before:
        return Accepted(known, replayed=True)
    _check(request.posted, request.now)
    heard = None if request.posted.audio is None else hear(request.posted.audio)
    try:
        with transaction.atomic():
            session = admit()
            session.client = hold(session.client_id)
            privacy.require_consent(session.client, request.posted.purposes)
            utterance = _store(session, request, heard)
    except IntegrityError:
        # The same key came twice at once: the other request was first, and its row stands by now.
        if known := request.made_before:
            return Accepted(known, replayed=True)
        raise
    if utterance.status == Status.QUEUED and settings.RECOGNIZE_IN_WEB:
        handover.put(utterance.public_id, heard)
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
    if posted.embedding is not None and posted.scores is None:
        raise Refused("embedding-without-scores", "An embedding comes with its scores.", "/scores")
    if posted.audio is None and posted.text is None and posted.scores is None:
        raise Refused("nothing-said", "Send audio, text or scores.")
    if posted.scores is not None and posted.recognizer is None:
        raise Refused("recognizer-required", "Scores and embeddings name their recognizer.", "/recognizer")
    if posted.scores is not None:
        _check_scores(posted)
    if posted.embedding is not None:
        _check_embedding(posted.embedding)


def _check_scores(posted: Posted) -> None:
    if posted.speaker != Speaker.CLIENT:
        raise Refused("only-the-client-is-scored", "Only the client's own speech is scored.", "/speaker")
    try:
        checked_scores(posted.scores)
    except ValueError as error:
        slug, _colon, sentence = str(error).partition(": ")
        raise Refused(slug, sentence, "/scores") from error


def _check_embedding(embedding: np.ndarray) -> None:
    if embedding.ndim != 1 or not len(embedding):
        raise Refused("embedding-shape", "An embedding is one list of numbers.", "/embedding")
    if not np.isfinite(embedding).all() or np.abs(embedding).max() > LARGEST_FLOAT16:
        raise Refused("embedding-out-of-range", "Each number lies within ±60000.", "/embedding")


def _store(session: Session, request: _Request, heard: Heard | None) -> Utterance:
    now = request.now
    utterance = _new_utterance(session, request.posted, heard, now)
    written: list[str] = []
    try:
        with transaction.atomic():
            session.refresh_from_db(fields=["started_at", "last_activity_at"])
            read_words(utterance)
            utterance.save(force_insert=True)
            _remember_key(request, utterance)
            if request.keep is not None:
                request.keep(utterance)
            if heard is not None:
                written.append(keep_sound(utterance, request.posted.audio, heard, now).path)
            touch(session, utterance, now)
            audit.record(
                "utterance.accepted",
                by=request.by,
                now=now,
                subject=utterance.public_id,
                client=session.client.public_id,
            )
            _set_going(utterance, request.posted, request.app, now)
    except BaseException:
        for path in written:
            history.drop_file(path)
        raise
    return utterance


def _remember_key(request: _Request, utterance: Utterance) -> None:
    if request.app is not None and request.key is not None:
        IdempotencyKey.objects.create(
            app=request.app,
            key=request.key,
            fingerprint=request.fingerprint,
            utterance=utterance,
            created_at=request.now,
        )


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
    utterance.reading = decide_reading(calibrate(utterance.scores, utterance.recognizer.temperature))
    compare(utterance)
    utterance.save()
    if posted.embedding is not None:
        Embedding(utterance=utterance, vector=posted.embedding.astype("<f2")).save(force_insert=True)
    carry_on(utterance, now)
