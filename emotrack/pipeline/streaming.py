"""A microphone's sound on its way into a session: each turn becomes an utterance like any other, once."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from analysis.turns import Turn
from emotrack.accounts.models import App, User
from emotrack.audit.models import Actor
from emotrack.history.actions import Conflict
from emotrack.history.models import Session, Utterance
from emotrack.pipeline.accepting import Posted, accept_part
from emotrack.privacy import actions as privacy
from emotrack.privacy.models import Purpose
from emotrack.recordings import actions as recordings
from emotrack.recordings.models import Recording


@dataclass(frozen=True, slots=True, eq=False)
class SpokenTurn:
    """A turn that has ended: its place on the recording's axis, its sound as a file, and who spoke."""

    turn: Turn
    sound: bytes
    speaker: str
    language: str = ""
    channel: int = 0


def open_stream(
    *, session: Session, by: Actor, now: datetime, app: App | None = None, user: User | None = None
) -> Recording:
    """Take over the session's stream; the connection that held it may write no more.

    Raises ``Conflict`` for a session that has ended, ``ConsentRequired``.
    """
    check_may_stream(session)
    return recordings.hold_stream(session=session, by=by, now=now, app=app, user=user)


def check_may_stream(session: Session) -> None:
    """Raises ``Conflict`` for a session that has ended, ``ConsentRequired``; holds again and again."""
    if session.ended_at is not None:
        raise Conflict("session-ended", "The session has ended; start another one.")
    privacy.require_consent(session.client, {Purpose.VOICE_EMOTION})


def keep_turn(recording: Recording, spoken: SpokenTurn, *, by: Actor, now: datetime) -> Utterance | None:
    """Accept a turn as an utterance, in one transaction with its place; ``None`` when it is gone again.

    A turn that was kept before is not kept twice. Raises ``Superseded`` for a stream that somebody else
    holds, and what ``accept`` raises.
    """
    place = {"channel": spoken.channel, "start_ms": spoken.turn.start_ms}

    def admit() -> Session:
        return recordings.lock_for_part(recording, **place).session

    def keep(utterance: Utterance) -> None:
        recordings.keep_part(recording, end_ms=spoken.turn.end_ms, utterance=utterance, **place)

    posted = Posted(
        speaker=spoken.speaker,
        occurred_at=recording.started_at + timedelta(milliseconds=spoken.turn.start_ms),
        language=spoken.language,
        audio=spoken.sound,
    )
    try:
        return accept_part(admit=admit, keep=keep, posted=posted, by=by, now=now)
    except recordings.PartKnown as known:
        return known.utterance
