"""An uploaded recording becomes turns: decoded block by block, cut where nobody speaks, each kept once.

A recording is a row with a lease. Whoever reads it may be killed at any moment: the next one reads the file
again from its beginning, finds the same turns, and keeps those that are missing.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import chain
from time import monotonic

import numpy as np
from django.conf import settings
from django.db import IntegrityError, OperationalError, close_old_connections
from django.utils import timezone

from analysis.audio import AudioLimits, AudioRejected
from analysis.audio_container import sniff
from analysis.audio_stream import LongAudio, decoded
from analysis.turns import Turn, TurnFinder, TurnStarted
from analysis.values import SAMPLE_RATE_HZ
from emotrack.accounts.models import App, User
from emotrack.audit.models import Actor
from emotrack.crypto import KeyDestroyed, SealBroken
from emotrack.history import actions as history
from emotrack.history.actions import Conflict, Refused, StorageFull
from emotrack.history.models import Client, EndReason, Session, Speaker
from emotrack.pipeline.changing import end_session
from emotrack.pipeline.streaming import SpokenTurn, keep_turn
from emotrack.privacy import actions as privacy
from emotrack.privacy.models import Purpose
from emotrack.recordings import actions as recordings
from emotrack.recordings.actions import NewFile
from emotrack.recordings.models import Part, Recording, State
from emotrack.recordings.queries import sessions_to_end

log = logging.getLogger("emotrack.pipeline")

SYSTEM = Actor.system("recordings")
LOOK_EVERY_S = 1.0
NOTE_EVERY_S = 1.0
RETRY_AFTER = timedelta(seconds=15)
MOST_ATTEMPTS = 5


def accept_recording(
    *,
    client: Client,
    admit: Callable[[], Session],
    file: NewFile,
    by: Actor,
    now: datetime,
    app: App | None = None,
    user: User | None = None,
) -> tuple[Recording, bool]:
    """Keep an uploaded recording, to be read soon; and whether its key was known.

    ``admit`` gives the session inside the transaction. Raises ``Refused`` with its kinds, and
    ``AudioRejected`` for what is no sound by its first bytes.
    """
    if known := _made_before(app, file):
        return known, True
    history.refuse_future(file.started_at, now, "/started_at")
    privacy.require_consent(client, {Purpose.VOICE_EMOTION})
    file = replace(file, chunks=_sniffed(file.chunks))
    try:
        return recordings.keep_file(
            client=client, admit=admit, file=file, by=by, now=now, app=app, user=user
        ), False
    except IntegrityError:
        # The same key came twice at once: the other request was first, and its row stands by now.
        if known := _made_before(app, file):
            return known, True
        raise


def _made_before(app: App | None, file: NewFile) -> Recording | None:
    if app is None or file.key is None:
        return None
    return recordings.file_with_key(app=app, key=file.key, fingerprint=file.fingerprint)


def _sniffed(chunks: Iterable[bytes]) -> Iterable[bytes]:
    """The same bytes; refuses before anything is kept what cannot be sound."""
    chunks = iter(chunks)
    head = next(chunks, b"")
    if not head:
        raise AudioRejected("audio-empty", "the file has no bytes")
    if sniff(head) is None:
        raise AudioRejected("unsupported-media-type", "not a WAV, MP3, M4A, FLAC, Ogg or WebM file")
    return chain([head], chunks)


def cancel_recording(recording: Recording, *, by: Actor, now: datetime) -> bool:
    """Stop reading it and forget its file; turns that were kept stay. ``False`` when it was closed."""
    return recordings.finish(recording, state=State.CANCELED, by=by, now=now)


def read_recordings(stopping: threading.Event) -> None:
    """Read one recording after another until told to stop; any number of processes may do so."""
    while not stopping.is_set():
        if not read_next_recording():
            stopping.wait(LOOK_EVERY_S)
        close_old_connections()


def read_next_recording() -> bool:
    """Take a recording that waits and read it; ``False`` when there is none."""
    now = timezone.now()
    recording = recordings.lease_next(now=now, until=_lease(now))
    if recording is None:
        return False
    if recording.attempts > MOST_ATTEMPTS:
        _fail(recording, "analysis-failed", "Reading it broke off several times.")
        return True
    try:
        _Reader(recording).run()
    except AudioRejected as error:
        _fail(recording, error.slug, error.detail)
    except (FileNotFoundError, SealBroken, KeyDestroyed) as error:
        log.error("recording %s: %s", recording, type(error).__name__)
        _fail(recording, "audio-lost", "Its file cannot be read any more.")
    except (StorageFull, OperationalError) as error:
        log.warning("recording %s waits: %s", recording, type(error).__name__)
        recordings.give_back(recording, free_at=timezone.now() + RETRY_AFTER)
    except privacy.ConsentRequired:
        _fail(recording, "consent-withdrawn", "The client's consent was withdrawn.")
    except Refused as error:
        if not _was_closed(error):
            _fail(recording, error.slug, error.detail)
    return True


def _was_closed(error: Refused) -> bool:
    """Somebody canceled it in the meantime: then there is nothing left to say."""
    return isinstance(error, Conflict) and error.slug == "recording-finished"


def _lease(now: datetime) -> datetime:
    return now + timedelta(seconds=settings.LEASE_SECONDS)


def _fail(recording: Recording, failure: str, detail: str) -> None:
    now = timezone.now()
    recordings.finish(recording, state=State.FAILED, by=SYSTEM, now=now, failure=failure, detail=detail)


class _Reader:
    """Reads one leased recording from its beginning."""

    def __init__(self, recording: Recording) -> None:
        self.recording = recording
        self.speakers = recording.speakers or [Speaker.CLIENT]
        self.finders = [TurnFinder(SAMPLE_RATE_HZ) for _ in self.speakers]
        known = Part.objects.filter(recording=recording)
        self.known = set(known.values_list("channel", "start_ms"))
        self.noted_at = monotonic()

    def run(self) -> None:
        limits = AudioLimits(
            max_bytes=settings.RECORDING_MAX_BYTES, max_seconds=settings.RECORDING_MAX_SECONDS
        )
        pieces = recordings.pieces_of(self.recording)
        apart = len(self.speakers) > 1
        with decoded(pieces, self.recording.size_bytes, limits, keep_channels=apart) as audio:
            for block in audio.blocks:
                self._hear(audio, block)
            for channel, finder in enumerate(self.finders):
                self._keep(channel, finder.flush())
        duration_ms = self.finders[0].received_ms
        recordings.finish(
            self.recording,
            state=State.DONE,
            by=SYSTEM,
            now=timezone.now(),
            warnings=audio.warnings,
            duration_ms=duration_ms,
        )

    def _hear(self, audio: LongAudio, block: np.ndarray) -> None:
        if block.shape[1] != len(self.finders):
            raise AudioRejected(
                "speakers-channels",
                f"The file has {block.shape[1]} channels, and {len(self.finders)} speakers are named.",
            )
        pcm = np.clip(np.rint(block * 32768.0), -32768, 32767).astype("<i2")
        for channel, finder in enumerate(self.finders):
            self._keep(channel, finder.feed(pcm[:, channel].tobytes()))
            finder.forget(finder.settled_ms)
        self._note(audio)

    def _keep(self, channel: int, events: list[TurnStarted | Turn]) -> None:
        finder = self.finders[channel]
        for turn in events:
            if isinstance(turn, Turn) and (channel, turn.start_ms) not in self.known:
                end_ms = min(turn.end_ms, finder.received_ms)
                spoken = SpokenTurn(
                    Turn(turn.start_ms, end_ms),
                    finder.wav(turn.start_ms, end_ms),
                    self.speakers[channel],
                    self.recording.language,
                    channel,
                )
                keep_turn(self.recording, spoken, by=SYSTEM, now=timezone.now())

    def _note(self, audio: LongAudio) -> None:
        """Now and then: keep the lease, say how far it is, and see whether it was canceled."""
        if monotonic() - self.noted_at < NOTE_EVERY_S:
            return
        self.noted_at = monotonic()
        estimated = None if audio.estimated_s is None else round(1000 * audio.estimated_s)
        done_ms = self.finders[0].received_ms
        if not recordings.renew(
            self.recording, until=_lease(timezone.now()), done_ms=done_ms, duration_ms=estimated
        ):
            raise Conflict("recording-finished", "It was canceled.")


def end_uploaded_sessions(*, now: datetime) -> int:
    """End the sessions that are uploaded recordings, once all of their turns are read."""
    ended = 0
    for session, recording in sessions_to_end():
        at = recording.started_at + timedelta(milliseconds=recording.duration_ms or 0)
        end_session(session, by=SYSTEM, now=now, reason=EndReason.EXPLICIT, ended_at=at)
        ended += 1
    return ended
