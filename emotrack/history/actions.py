"""Write down what was said: clients, sessions, utterances, and the sound itself."""

from __future__ import annotations

import errno
import hashlib
import os
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
from django.conf import settings
from django.db import transaction
from django.db.models import F, Q

from analysis.values import RecognizerCard
from emotrack import crypto
from emotrack.accounts.models import App, User
from emotrack.audit.actions import record
from emotrack.audit.models import Actor
from emotrack.history.models import (
    Assignment,
    Audio,
    Client,
    ClientLink,
    EndReason,
    Recognizer,
    Session,
    Utterance,
)

FUTURE_SLACK = timedelta(minutes=5)
STRAY_AFTER = timedelta(days=1)
"""A sound file without a row is no longer on its way into one after this long."""


class Refused(Exception):
    """Well-formed, but not allowed: ``slug`` for programs, ``detail`` for people, ``pointer`` to it."""

    status = 422

    def __init__(self, slug: str, detail: str, pointer: str | None = None) -> None:
        super().__init__(slug, detail)
        self.slug, self.detail, self.pointer = slug, detail, pointer


class Conflict(Refused):
    """It contradicts something that stands already."""

    status = 409


class Vanished(Refused):
    """Somebody deleted it since the caller looked."""

    status = 404

    def __init__(self) -> None:
        super().__init__("not-found", "It was deleted in the meantime.")


class StorageFull(Refused):
    """The disk has no room; nothing was kept of the request."""

    status = 507


@transaction.atomic
def find_or_create_client(
    *, app: App, external_id: str, by: Actor, now: datetime, name: str | None = None
) -> tuple[Client, bool]:
    """The client whom ``app`` calls ``external_id``, and whether they are new."""
    App.objects.select_for_update(no_key=True).get(pk=app.pk)  # two first calls at once make one client
    link = ClientLink.objects.select_related("client").filter(app=app, external_id=external_id).first()
    if link is not None:
        return link.client, False
    client = Client(created_at=now)
    client.name = name or None
    client.save()
    ClientLink.objects.create(app=app, client=client, external_id=external_id, created_at=now)
    for counselor in app.default_counselors.all():
        assign(client=client, counselor=counselor, by=by, now=now)
    record("client.created", by=by, now=now, subject=client.public_id, client=client.public_id)
    return client, True


@transaction.atomic
def add_client(*, name: str, by: User, now: datetime) -> Client:
    """A client whom no app has spoken of yet; a counselor who adds one counsels them."""
    client = Client(created_at=now)
    client.name = name or None
    client.save()
    record("client.created", by=by.actor, now=now, subject=client.public_id, client=client.public_id)
    if by.is_counselor:
        assign(client=client, counselor=by, by=by.actor, now=now)
    return client


@transaction.atomic
def assign(*, client: Client, counselor: User, by: Actor, now: datetime) -> Assignment:
    assignment, new = Assignment.objects.get_or_create(
        client=client, counselor=counselor, defaults={"assigned_at": now}
    )
    if new:
        record(
            "client.assigned",
            by=by,
            now=now,
            subject=client.public_id,
            client=client.public_id,
            counselor=counselor.username,
        )
    return assignment


@transaction.atomic
def unassign(*, client: Client, counselor: User, by: Actor, now: datetime) -> bool:
    """Close the client to this counselor at once; whether it was open. What they wrote stays."""
    gone, _rows = Assignment.objects.filter(client=client, counselor=counselor).delete()
    if gone:
        record(
            "client.unassigned",
            by=by,
            now=now,
            subject=client.public_id,
            client=client.public_id,
            counselor=counselor.username,
        )
    return bool(gone)


@transaction.atomic
def find_or_create_session(
    *,
    client: Client,
    by: Actor,
    now: datetime,
    app: App | None = None,
    external_id: str | None = None,
    started_at: datetime | None = None,
) -> tuple[Session, bool]:
    """Raises ``Conflict`` when the app has given that external id to another client's session."""
    refuse_future(started_at, now, "/started_at")
    if app is not None:
        App.objects.select_for_update(no_key=True).get(pk=app.pk)
    if external_id is not None:
        session = Session.objects.filter(app=app, external_id=external_id).first()
        if session is not None and session.client_id != client.pk:
            raise Conflict(
                "session-of-another-client", "This session id belongs to another client.", "/session"
            )
        if session is not None:
            return session, False
    session = Session.objects.create(
        client=client,
        app=app,
        external_id=external_id,
        started_at=started_at or now,
        last_activity_at=now,
    )
    record("session.started", by=by, now=now, subject=session.public_id, client=client.public_id)
    return session, True


def refuse_future(at: datetime | None, now: datetime, pointer: str) -> None:
    if at is not None and at > now + FUTURE_SLACK:
        raise Refused("timestamp-in-future", "This lies more than five minutes in the future.", pointer)


def mark_ended(session: Session, *, reason: EndReason, ended_at: datetime) -> None:
    session.ended_at, session.end_reason = ended_at, reason
    session.save(update_fields=["ended_at", "end_reason"])


def our_recognizer(card: RecognizerCard) -> Recognizer:
    """The row of a recognizer that EmoTrack runs itself, made when it is first used."""
    row, _new = Recognizer.objects.get_or_create(
        app=None,
        name=card.id,
        version=card.version,
        defaults={
            "dimension": card.dimension,
            "headline": card.headline,
            "decomposition": card.decomposition,
            "temperature": card.temperature,
            "typical_distance": card.typical_distance,
            "center": card.center,
            "accuracy": card.accuracy,
        },
    )
    return row


def recognizer_of_app(
    *, app: App | None, name: str, version: str, embedding: np.ndarray | None
) -> Recognizer:
    """The row of a recognizer whose results an app posts; the first embedding fixes its dimension."""
    row, _new = Recognizer.objects.get_or_create(app=app, name=name, version=version)
    if embedding is None:
        return row
    Recognizer.objects.filter(pk=row.pk, dimension__isnull=True).update(dimension=len(embedding))
    row.refresh_from_db(fields=["dimension"])
    if row.dimension != len(embedding):
        raise Refused(
            "embedding-dimension",
            f"{name} {version} gives {row.dimension} numbers, this embedding holds {len(embedding)}.",
            "/embedding",
        )
    return row


# --- The sound ----------------------------------------------------------------------------------


def keep_audio(
    utterance: Utterance, data: bytes, *, media_type: str, peaks: bytes, days: int, now: datetime
) -> Audio:
    """Seal the sound into a file that is on the disk before the row is; ``days`` below 0 keep it for good.

    Raises ``StorageFull``. The caller removes the file when its transaction fails (``drop_file``).
    """
    path = f"{utterance.public_id[:2]}/{utterance.public_id}"
    sealed = crypto.seal(utterance.client.data_key, data, f"audio:{utterance.public_id}")
    _write_durably(Path(settings.AUDIO_DIR) / path, sealed)
    return Audio.objects.create(
        utterance=utterance,
        path=path,
        media_type=media_type,
        size_bytes=len(data),
        sha256=hashlib.sha256(data).digest(),
        delete_at=None if days < 0 else now + timedelta(days=days),
        peaks=peaks,
    )


def _write_durably(path: Path, data: bytes) -> None:
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with path.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        directory = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(directory)
        finally:
            os.close(directory)
    except OSError as error:
        path.unlink(missing_ok=True)
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise StorageFull("storage-full", "There is no room to keep this. Nothing was stored.") from error
        raise


def drop_file(path: str) -> None:
    (Path(settings.AUDIO_DIR) / path).unlink(missing_ok=True)


def read_audio(audio: Audio) -> bytes:
    """The sound as it was posted. Raises ``FileNotFoundError`` when it is not there any more."""
    sealed = (Path(settings.AUDIO_DIR) / audio.path).read_bytes()
    return crypto.unseal(audio.sealing_client.data_key, sealed, f"audio:{audio.sealed_under}")


def delete_audio(audio: Audio, *, now: datetime) -> None:
    """Forget the sound; its peaks, frames and reading stay."""
    audio.deleted_at = now
    audio.save(update_fields=["deleted_at"])
    path = audio.path
    transaction.on_commit(lambda: drop_file(path))


def delete_expired_audio(*, now: datetime) -> int:
    """Delete the sound whose time has come, but never one that still waits to be read."""
    due = Audio.objects.filter(deleted_at__isnull=True, delete_at__lte=now).exclude(
        utterance__status="queued"
    )
    gone = 0
    for audio in due.select_related("utterance").iterator():
        with transaction.atomic():
            delete_audio(audio, now=now)
        gone += 1
    if gone:
        record("audio.expired", by=Actor.system("retention"), now=now, count=gone)
    return gone


def delete_stray_sound(*, now: datetime) -> int:
    """Delete the files that no row keeps: a kill between file and row, or row and file, leaves one."""
    gone = 0
    for folder in sorted(Path(settings.AUDIO_DIR).glob("??")):
        paths = _old_sound_in(folder, now - STRAY_AFTER)
        kept = Audio.objects.filter(path__in=paths, deleted_at__isnull=True)
        for path in set(paths) - set(kept.values_list("path", flat=True)):
            drop_file(path)
            gone += 1
    if gone:
        record("audio.strays_deleted", by=Actor.system("retention"), now=now, count=gone)
    return gone


def _old_sound_in(folder: Path, before: datetime) -> list[str]:
    files = [file for file in folder.iterdir() if file.name.startswith(folder.name)]
    return [f"{folder.name}/{f.name}" for f in files if f.stat().st_mtime < before.timestamp()]


# --- Leases -------------------------------------------------------------------------------------


def lease(utterance_id: int, *, now: datetime, until: datetime) -> bool:
    """Take an utterance to work on; ``False`` when somebody else has it or it is done."""
    free = Q(leased_until__isnull=True) | Q(leased_until__lt=now)
    waiting = Utterance.objects.filter(free, pk=utterance_id, status="queued")
    return waiting.update(leased_until=until, attempts=F("attempts") + 1) == 1


def release(utterance_id: int, *, free_at: datetime) -> None:
    """Give it back untried: nobody was there to recognize it."""
    Utterance.objects.filter(pk=utterance_id).update(leased_until=free_at, attempts=F("attempts") - 1)
