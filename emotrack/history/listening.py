"""Listening first: whose readings wait until who listens has written an impression of their own."""

from __future__ import annotations

from collections.abc import Iterable

from emotrack.accounts.models import User
from emotrack.history.models import Note, NoteKind, Session


def waiting(viewer: User, sessions: Iterable[str]) -> set[str]:
    """Of which sessions the viewer, who listens first, has written no impression. sessions: public ids.

    Where somebody may not read the words of a client they cannot write one: nothing waits for them.
    """
    if not viewer.listens_first:
        return set()
    written = Note.objects.filter(author=viewer, kind=NoteKind.IMPRESSION, session__isnull=False)
    found = Session.objects.content_visible_to(viewer).filter(public_id__in=list(sessions))
    return set(found.exclude(pk__in=written.values("session")).values_list("public_id", flat=True))


def waits(session: Session, viewer: User) -> bool:
    """``waiting`` for one session."""
    return session.public_id in waiting(viewer, [session.public_id])
