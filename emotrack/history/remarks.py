"""What people say beside the machine: a name for a client, a note, the emotion that they heard themselves."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from analysis.values import LABELS
from emotrack.accounts.models import User
from emotrack.audit.actions import record
from emotrack.audit.models import Actor
from emotrack.history.actions import Refused
from emotrack.history.models import Client, Correction, Note, Session, Utterance


@transaction.atomic
def rename_client(client: Client, *, name: str | None, by: Actor, now: datetime) -> Client:
    """Give a client a name, or take it away with ``None``."""
    client.name = name or None
    client.save()
    record("client.renamed", by=by, now=now, subject=client.public_id, client=client.public_id)
    return client


@transaction.atomic
def write_note(
    *,
    client: Client,
    text: str,
    by: User,
    now: datetime,
    session: Session | None = None,
    at: datetime | None = None,
) -> Note:
    """Pin a note to a moment; without one to now. Raises ``Refused`` for a session of somebody else."""
    if session is not None and session.client_id != client.pk:
        raise Refused("session-of-another-client", "This session belongs to another client.", "/session")
    note = Note(client=client, session=session, author=by, at=at or now, written_at=now)
    note.text = text
    note.save(force_insert=True)
    record("note.written", by=by.actor, now=now, subject=note.public_id, client=client.public_id)
    return note


@transaction.atomic
def correct(*, utterance: Utterance, label: str, by: User, now: datetime) -> Correction:
    """Keep what a person heard; hearing again replaces only their own word, never the machine's."""
    if label not in LABELS:
        raise Refused("not-a-choice", f"One of: {', '.join(LABELS)}.", "/emotion")
    correction, _new = Correction.objects.update_or_create(
        utterance=utterance, author=by, defaults={"label": label, "made_at": now}
    )
    record(
        "utterance.corrected",
        by=by.actor,
        now=now,
        subject=utterance.public_id,
        client=utterance.client.public_id,
    )
    return correction
