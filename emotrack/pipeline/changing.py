"""Amend or delete what was said, and end a session; what follows from it is replayed."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from emotrack import stream
from emotrack.alerts import actions as alerts
from emotrack.audit import actions as audit
from emotrack.audit.models import Actor
from emotrack.history import actions as history
from emotrack.history.actions import Vanished
from emotrack.history.locks import hold
from emotrack.history.models import Audio, EndReason, Recognizer, Session, Speaker, Status, Utterance
from emotrack.pipeline.consequences import replay_from, touch
from emotrack.pipeline.reading import recognize
from emotrack.pipeline.words import read_words
from emotrack.privacy import actions as privacy
from emotrack.privacy.models import Purpose


@transaction.atomic
def remove_utterance(utterance: Utterance, *, by: Actor, now: datetime) -> None:
    """Delete an utterance and its sound; its series is replayed as if it had never been said.

    Raises ``Vanished``.
    """
    utterance = _held(utterance)
    client, session, recognizer = utterance.client, utterance.session, utterance.recognizer
    audio = Audio.objects.filter(utterance=utterance).first()
    audit.record("utterance.deleted", by=by, now=now, subject=utterance.public_id, client=client.public_id)
    utterance.delete()
    if audio is not None:
        transaction.on_commit(lambda: history.drop_file(audio.path))
    if recognizer is not None:
        replay_from(session, recognizer, now)
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
    """Change what was written down about an utterance; a changed time or speaker replays its series.

    So does another judgment of tone against words. Raises ``Refused`` for a time ahead and for words that
    may not be kept, ``Vanished``.
    """
    history.refuse_future(occurred_at, now, "/occurred_at")
    utterance = _held(utterance)
    if text:
        privacy.require_consent(utterance.client, {Purpose.TEXT})
    replays = (occurred_at or utterance.occurred_at) != utterance.occurred_at or (
        speaker or utterance.speaker
    ) != utterance.speaker
    changed = {"text": text, "occurred_at": occurred_at, "speaker": speaker}
    for name, value in changed.items():
        if value is not None:
            setattr(utterance, name, value)
    if text is not None or speaker is not None:
        before = utterance.incongruent
        read_words(utterance)
        replays = replays or utterance.incongruent != before
    utterance.save()
    touch(utterance.session, utterance, now)
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


def _held(utterance: Utterance) -> Utterance:
    """The utterance as it stands, with its client held: it may have been read since the caller looked.

    Raises ``Vanished``.
    """
    hold(utterance.client_id)
    rows = Utterance.objects.select_related("client", "session__client", "recognizer")
    found = rows.filter(pk=utterance.pk).first()
    if found is None:
        raise Vanished
    return found


def _after_amendment(utterance: Utterance, now: datetime) -> None:
    unread = utterance.speaker == Speaker.CLIENT and not utterance.reading
    if unread and Audio.objects.filter(utterance=utterance, deleted_at__isnull=True).exists():
        utterance.status, utterance.analyzed_at = Status.QUEUED, None
        utterance.save(update_fields=["status", "analyzed_at"])
        recognize.enqueue(utterance.pk)
    elif utterance.recognizer is not None:
        replay_from(utterance.session, utterance.recognizer, now)


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
    hold(session.client_id)
    session = Session.objects.select_related("client").get(pk=session.pk)
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
