"""Write down recordings: begin one, lease it, note how far it is, finish it; and forget its file."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from django.conf import settings
from django.db import transaction
from django.db.models import F, Q

from emotrack.accounts.models import App, User
from emotrack.audit.actions import record
from emotrack.audit.models import Actor
from emotrack.history.actions import Conflict, Refused
from emotrack.history.locks import hold
from emotrack.history.models import Client, Session, Utterance
from emotrack.identifiers import new_public_id
from emotrack.recordings import sealed_file
from emotrack.recordings.models import Kind, Part, Recording, State

FOLDER = "recordings"
STRAY_AFTER = timedelta(days=1)
OPEN = (State.WAITING, State.WORKING)


class Superseded(Conflict):
    """Another connection streams into this session now."""

    def __init__(self) -> None:
        super().__init__("stream-superseded", "Another connection streams into this session now.")


class PartKnown(Exception):
    """This moment of the recording was taken over before."""

    def __init__(self, utterance: Utterance | None) -> None:
        super().__init__()
        self.utterance = utterance


# --- Streams --------------------------------------------------------------------------------------


@transaction.atomic
def hold_stream(
    *, session: Session, by: Actor, now: datetime, app: App | None = None, user: User | None = None
) -> Recording:
    """The session's stream, held by a new connection: whoever held it before may write no more."""
    hold(session.client_id)
    holder = new_public_id()
    stream = Recording.objects.filter(session=session, kind=Kind.STREAM).first()
    if stream is None:
        stream = Recording.objects.create(
            kind=Kind.STREAM,
            client=session.client,
            session=session,
            app=app,
            user=user,
            created_at=now,
            state=State.WORKING,
            holder=holder,
        )
        record("stream.started", by=by, now=now, subject=session.public_id, client=session.client.public_id)
    else:
        stream.holder = holder
        stream.save(update_fields=["holder"])
    return stream


def begin_stream(stream: Recording, *, started_at: datetime) -> None:
    """Say when the first sample of a stream was spoken; the first word on that stands."""
    Recording.objects.filter(pk=stream.pk, started_at__isnull=True).update(started_at=started_at)
    stream.refresh_from_db(fields=["started_at"])


def lock_for_part(recording: Recording, *, channel: int, start_ms: int) -> Recording:
    """Inside a transaction: the row as it stands, locked. Raises ``PartKnown`` or ``Superseded``."""
    holder = recording.holder
    hold(recording.client_id)
    locked = Recording.objects.select_for_update(of=("self",), no_key=True)
    recording = locked.select_related("session__client").get(pk=recording.pk)
    if recording.holder != holder:
        raise Superseded
    if recording.kind == Kind.FILE and recording.state not in OPEN:
        raise Conflict("recording-finished", "The recording was finished or canceled.")
    known = Part.objects.filter(recording=recording, channel=channel, start_ms=start_ms)
    if part := known.select_related("utterance").first():
        raise PartKnown(part.utterance)
    if recording.kind == Kind.STREAM and start_ms < recording.done_ms:
        raise PartKnown(None)
    return recording


def keep_part(
    recording: Recording, *, channel: int, start_ms: int, end_ms: int, utterance: Utterance
) -> None:
    """Note, in the transaction that keeps the utterance, which moment of the recording it is."""
    Part.objects.create(
        recording=recording, channel=channel, start_ms=start_ms, end_ms=end_ms, utterance=utterance
    )
    # A reading that gets on is no hopeless one, however often its process was stopped.
    got_on = {"done_ms": end_ms} if recording.kind == Kind.STREAM else {"attempts": 1}
    Recording.objects.filter(pk=recording.pk).update(**got_on)


# --- Files ----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, eq=False)
class NewFile:
    """What is told of a recording that is uploaded. speakers: who speaks on each channel; empty: mixed."""

    chunks: Iterable[bytes]
    name: str = ""
    started_at: datetime | None = None
    speakers: tuple[str, ...] = ()
    language: str = ""
    ends_session: bool = False
    key: str | None = None
    fingerprint: bytes | None = None


def keep_file(
    *,
    client: Client,
    admit: Callable[[], Session],
    file: NewFile,
    by: Actor,
    now: datetime,
    app: App | None = None,
    user: User | None = None,
) -> Recording:
    """Seal the file to the disk, then write its row; ``admit`` gives its session inside that transaction.

    Raises ``StorageFull`` and what ``admit`` raises; then nothing is kept.
    """
    recording = Recording(
        kind=Kind.FILE,
        client=client,
        app=app,
        user=user,
        created_at=now,
        language=file.language,
        speakers=list(file.speakers),
        ends_session=file.ends_session,
        state=State.WAITING,
        key=file.key,
        fingerprint=file.fingerprint,
    )
    recording.name = file.name[:255] or None
    recording.path = f"{FOLDER}/{recording.public_id}"
    place = place_of(recording)
    recording.size_bytes = sealed_file.write(recording.path, client.data_key, place, file.chunks)
    try:
        with transaction.atomic():
            recording.session = admit()
            recording.started_at = file.started_at or recording.session.started_at
            recording.save(force_insert=True)
            record(
                "recording.accepted",
                by=by,
                now=now,
                subject=recording.public_id,
                client=client.public_id,
                session=recording.session.public_id,
            )
    except BaseException:
        sealed_file.drop(recording.path)
        raise
    return recording


def file_with_key(*, app: App, key: str, fingerprint: bytes) -> Recording | None:
    """The recording that this key made. Raises ``Refused`` when it came with another request."""
    made = Recording.objects.select_related("session", "client").filter(app=app, key=key).first()
    if made is not None and bytes(made.fingerprint) != fingerprint:
        raise Refused("idempotency-key-reused", "This Idempotency-Key came with another request before.")
    return made


def place_of(recording: Recording) -> str:
    return f"recording:{recording.public_id}"


def pieces_of(recording: Recording) -> Iterable[bytes]:
    return sealed_file.read(recording.path, recording.client.data_key, place_of(recording))


def lease_next(*, now: datetime, until: datetime) -> Recording | None:
    """Take the oldest recording that nobody reads; a killed worker's comes back when its lease ends."""
    free = Q(leased_until__isnull=True) | Q(leased_until__lt=now)
    waiting = Recording.objects.files().filter(free, state__in=OPEN)
    for pk in waiting.order_by("created_at", "id").values_list("pk", flat=True)[:5]:
        taken = Recording.objects.filter(free, pk=pk, state__in=OPEN)
        if taken.update(leased_until=until, attempts=F("attempts") + 1, state=State.WORKING):
            return Recording.objects.select_related("session__client", "client", "app", "user").get(pk=pk)
    return None


def give_back(recording: Recording, *, free_at: datetime) -> None:
    """Let it be read later, untried: the storage could not take its turns now."""
    held = Recording.objects.filter(pk=recording.pk, state=State.WORKING)
    held.update(leased_until=free_at, attempts=F("attempts") - 1)


def renew(recording: Recording, *, until: datetime, done_ms: int, duration_ms: int | None) -> bool:
    """Keep the lease and note the progress; ``False`` when it was canceled in the meantime."""
    held = Recording.objects.filter(pk=recording.pk, state=State.WORKING)
    return bool(held.update(leased_until=until, done_ms=done_ms, duration_ms=duration_ms))


@transaction.atomic
def finish(
    recording: Recording,
    *,
    state: State,
    by: Actor,
    now: datetime,
    failure: str = "",
    detail: str = "",
    warnings: Iterable[str] = (),
    duration_ms: int | None = None,
) -> bool:
    """Close a recording and forget its file: its turns are what is kept. ``False`` when it was closed."""
    open_rows = Recording.objects.filter(pk=recording.pk, state__in=OPEN)
    changed = open_rows.update(
        state=state,
        failure=failure,
        detail=detail[:300],
        warnings=list(warnings),
        finished_at=now,
        leased_until=None,
        path="",
        **({} if duration_ms is None else {"duration_ms": duration_ms, "done_ms": duration_ms}),
    )
    if not changed:
        return False
    record(
        f"recording.{state}",
        by=by,
        now=now,
        subject=recording.public_id,
        client=recording.client.public_id,
        failure=failure,
    )
    path = recording.path
    transaction.on_commit(lambda: sealed_file.drop(path))
    recording.refresh_from_db()
    return True


def delete_stray_recordings(*, now: datetime) -> int:
    """Delete the files that no open recording needs: a kill, or an erased client, leaves one."""
    folder = Path(settings.AUDIO_DIR) / FOLDER
    before = (now - STRAY_AFTER).timestamp()
    old = (
        [f"{FOLDER}/{f.name}" for f in folder.iterdir() if f.stat().st_mtime < before]
        if folder.is_dir()
        else []
    )
    kept = set(Recording.objects.filter(path__in=old).values_list("path", flat=True))
    strays = sorted(set(old) - kept)
    for path in strays:
        sealed_file.drop(path)
    if strays:
        record("recording.strays_deleted", by=Actor.system("retention"), now=now, count=len(strays))
    return len(strays)
