"""What people say beside the machine: a name for a client, a note, the emotion that they heard themselves."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import transaction

from analysis.values import LABELS
from emotrack.accounts.models import User
from emotrack.audit.actions import record
from emotrack.audit.models import Actor
from emotrack.history.actions import Refused
from emotrack.history.locks import hold
from emotrack.history.models import Client, Session, Utterance
from emotrack.history.remark_models import NO_LABEL_FITS, Correction, Note, NoteKind

HEARD = (*LABELS, NO_LABEL_FITS)
"""What a person may say that they heard."""

RESTORABLE_FOR = timedelta(minutes=10)


class NotTheAuthor(Refused):
    """Notes are changed by who wrote them and by nobody else."""

    status = 403


@transaction.atomic
def rename_client(client: Client, *, name: str | None, by: Actor, now: datetime) -> Client:
    """Give a client a name, or take it away with ``None``."""
    client.name = name or None
    client.save(update_fields=["name"])
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
    kind: NoteKind = NoteKind.NOTE,
    public_id: str | None = None,
) -> Note:
    """Pin a note to a moment; without one to now. Empty words make a mark.

    public_id: chosen by who may have to send it twice; the second only rewrites. Raises ``Refused`` for a
    session of somebody else.
    """
    if session is not None and session.client_id != client.pk:
        raise Refused("session-of-another-client", "This session belongs to another client.", "/session")
    if public_id is not None:
        hold(client.pk)  # two at the same moment find each other
        known = Note.objects.filter(public_id=public_id, client=client, session=session).first()
        if known is not None:
            known.client = client
            return rewrite_note(known, text=text, by=by, now=now)
    note = Note(client=client, session=session, author=by, kind=kind, at=at or now, written_at=now)
    note.public_id = public_id or note.public_id
    note.text = text
    note.save(force_insert=True)
    _recorded("note.written", note, by=by, now=now)
    return note


@transaction.atomic
def rewrite_note(note: Note, *, text: str, by: User, now: datetime) -> Note:
    """Change the words of one's own note. Raises ``NotTheAuthor``."""
    _own(note, by)
    if note.text != text:
        note.text, note.changed_at = text, now
        note.save(update_fields=["text", "changed_at"])
        _recorded("note.changed", note, by=by, now=now)
    return note


@transaction.atomic
def delete_note(note: Note, *, by: User, now: datetime) -> Note:
    """Put one's own note away; ``restore_note`` brings it back until it is forgotten."""
    _own(note, by)
    if note.deleted_at is None:
        note.deleted_at = now
        note.save(update_fields=["deleted_at"])
        _recorded("note.deleted", note, by=by, now=now)
    return note


@transaction.atomic
def restore_note(note: Note, *, by: User, now: datetime) -> Note:
    """Bring back one's own note. Raises ``NotTheAuthor``, and ``Refused`` when its time is over."""
    _own(note, by)
    if note.deleted_at is None:
        return note
    if now - note.deleted_at > RESTORABLE_FOR:
        raise Refused("restore-too-late", "A deleted note can be brought back for ten minutes only.")
    note.deleted_at = None
    note.save(update_fields=["deleted_at"])
    _recorded("note.restored", note, by=by, now=now)
    return note


def forget_deleted_notes(*, now: datetime) -> int:
    """Delete for good the notes that nobody brought back in time."""
    return Note.with_deleted.filter(deleted_at__lt=now - RESTORABLE_FOR).delete()[0]


def _own(note: Note, by: User) -> None:
    if note.author_id != by.pk:
        raise NotTheAuthor("not-the-author", "Only who wrote a note may change it.")


def _recorded(action: str, note: Note, *, by: User, now: datetime) -> None:
    record(action, by=by.actor, now=now, subject=note.public_id, client=note.client.public_id)


@transaction.atomic
def correct(*, utterance: Utterance, label: str, by: User, now: datetime) -> Correction:
    """Keep what a person heard; hearing again replaces only their own word, never the machine's."""
    if label not in HEARD:
        raise Refused("not-a-choice", f"One of: {', '.join(HEARD)}.", "/emotion")
    correction, _new = Correction.objects.update_or_create(
        utterance=utterance, author=by, defaults={"label": label, "made_at": now}
    )
    _heard("utterance.corrected", utterance, by=by, now=now)
    return correction


@transaction.atomic
def withdraw_correction(*, utterance: Utterance, by: User, now: datetime) -> bool:
    """Take back one's own word; whether there was one."""
    gone, _rows = Correction.objects.filter(utterance=utterance, author=by).delete()
    if gone:
        _heard("utterance.correction_withdrawn", utterance, by=by, now=now)
    return bool(gone)


def _heard(action: str, utterance: Utterance, *, by: User, now: datetime) -> None:
    subject, client = utterance.public_id, utterance.client.public_id
    record(action, by=by.actor, now=now, subject=subject, client=client)
