"""How far recordings are: what their turns have come to."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from django.db.models import Count, Q

from emotrack.history.models import Session, Status
from emotrack.recordings.models import Part, Recording, State


@dataclass(frozen=True, slots=True)
class Turns:
    """Of one recording: turns found, and how many of them are read, wait and failed."""

    found: int = 0
    read: int = 0
    waiting: int = 0
    failed: int = 0


def turns_of(recordings: Iterable[Recording]) -> dict[int, Turns]:
    """By primary key, in one query; a recording without turns is left out."""
    rows = (
        Part.objects.filter(recording__in=[r.pk for r in recordings])
        .values("recording")
        .annotate(
            found=Count("id"),
            read=Count("id", filter=Q(utterance__status=Status.ANALYZED)),
            waiting=Count("id", filter=Q(utterance__status=Status.QUEUED)),
            failed=Count("id", filter=Q(utterance__status=Status.FAILED)),
        )
    )
    return {row.pop("recording"): Turns(**row) for row in rows}


def sessions_to_end() -> Iterable[tuple[Session, Recording]]:
    """Sessions whose uploaded recording is complete and all of whose turns have been read."""
    done = Recording.objects.files().filter(
        state=State.DONE, ends_session=True, session__ended_at__isnull=True
    )
    for recording in done.select_related("session__client"):
        going_on = recording.session.recordings.filter(state__in=(State.WAITING, State.WORKING)).exists()
        if not going_on and not recording.session.utterances.filter(status=Status.QUEUED).exists():
            yield recording.session, recording
