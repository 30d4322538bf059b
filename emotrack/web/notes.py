"""A session's notes as the page shows them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from emotrack.accounts.models import User
from emotrack.history.models import Note, NoteKind, Session
from emotrack.web.timeline import clock

MARK = "◂"
"""What stands on the clock for a note without words."""


@dataclass(frozen=True, slots=True)
class NoteLine:
    """One note. sign: its number on the clock, ``MARK`` without words. own: whether the viewer wrote it."""

    id: str
    at_s: float
    text: str
    who: str
    own: bool
    written_at: datetime
    changed_at: datetime | None
    impression: bool
    sign: str = ""

    @property
    def clock(self) -> str:
        return clock(self.at_s)


def note_lines(session: Session, viewer: User | None) -> list[NoteLine]:
    """Numbered by the moment they speak of; whoever sees the client's content sees them all."""
    rows = Note.objects.filter(session=session).select_related("author").order_by("at", "id")
    lines, number = [], 0
    for note in rows:
        note.client = session.client  # one key unwrapped for all rows
        impression = note.kind == NoteKind.IMPRESSION
        sign = "" if impression else MARK
        if note.text and not impression:
            number += 1
            sign = str(number)
        lines.append(
            NoteLine(
                id=note.public_id,
                at_s=max((note.at - session.started_at).total_seconds(), 0.0),
                text=note.text,
                who=note.author.username,
                own=viewer is not None and note.author_id == viewer.pk,
                written_at=note.written_at,
                changed_at=note.changed_at,
                impression=impression,
                sign=sign,
            )
        )
    return lines
