"""What follows from a reading: mood is refreshed, rules are checked, dashboards are told."""

from __future__ import annotations

from datetime import datetime

from emotrack import stream
from emotrack.alerts import actions as alerts
from emotrack.history.models import Recognizer, Session, Speaker, Utterance
from emotrack.mood import actions as mood
from emotrack.privacy import actions as privacy
from emotrack.privacy.models import Purpose


def carry_on(utterance: Utterance, now: datetime) -> None:
    """Refresh mood and check rules, in the transaction that stored the reading."""
    if utterance.speaker == Speaker.CLIENT:
        muted = privacy.was_withdrawn(utterance.client, Purpose.ALERTS)
        changed = mood.refresh(utterance)
        alerts.evaluate_all(changed, utterance.recognizer, now=now, muted=muted)
    stream.publish(utterance.client, "utterance")


def replay_from(session: Session, recognizer: Recognizer, now: datetime) -> None:
    """Replay a series from a session on; also when nothing of the session is left in it."""
    muted = privacy.was_withdrawn(session.client, Purpose.ALERTS)
    changed = {session, *mood.replay_from_session(session, recognizer)}
    alerts.evaluate_all(changed, recognizer, now=now, muted=muted)


def touch(session: Session, utterance: Utterance, now: datetime) -> None:
    """Keep the session's times true; an utterance before its start moves the start."""
    moved = utterance.occurred_at < session.started_at
    session.started_at = min(session.started_at, utterance.occurred_at)
    session.last_activity_at = max(session.last_activity_at, now)
    session.save(update_fields=["started_at", "last_activity_at"])
    if moved:  # and with it the order of the client's sessions
        for recognizer in Recognizer.objects.filter(sessionmood__session=session):
            replay_from(session, recognizer, now)
