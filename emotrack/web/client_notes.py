"""The notes on a client as the page lists them: whose, of which session, and what their reader may do."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from emotrack.accounts.models import User
from emotrack.history.models import Client
from emotrack.history.remark_models import Note
from emotrack.history.remarks import RESTORABLE_FOR
from emotrack.web.timeline import clock

SHOWN = 50


@dataclass(frozen=True, slots=True)
class NoteLine:
    """One note. clock: place in its session, empty for one on the client. own: written by the reader."""

    note: Note
    clock: str
    own: bool


@dataclass(frozen=True, slots=True)
class Notes:
    """lines: the newest first. more: how many older ones there are. gone: just deleted by the reader."""

    lines: list[NoteLine]
    more: int
    gone: list[Note]


def note_lines(client: Client, viewer: User, *, now: datetime) -> Notes:
    """For a reader who may see content: notes are private to those."""
    rows = Note.objects.filter(client=client).select_related("session", "author").order_by("-at", "-id")
    deleted = Note.with_deleted.filter(
        client=client, author=viewer, deleted_at__gt=now - RESTORABLE_FOR
    ).order_by("-deleted_at")
    lines = [_line(note, client, viewer) for note in rows[:SHOWN]]
    return Notes(lines, max(rows.count() - SHOWN, 0), [_of(note, client) for note in deleted])


def _of(note: Note, client: Client) -> Note:
    """With the client at hand, whose key opens the words: no query for each."""
    note.client = client
    return note


def _line(note: Note, client: Client, viewer: User) -> NoteLine:
    place = clock((note.at - note.session.started_at).total_seconds()) if note.session else ""
    return NoteLine(_of(note, client), place, note.author_id == viewer.pk)
