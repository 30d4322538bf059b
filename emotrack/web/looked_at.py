"""What waits for a person's eyes, and the record of what they looked at."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db.models import QuerySet

from emotrack.accounts.models import User
from emotrack.alerts.models import Alert
from emotrack.audit.actions import record
from emotrack.audit.models import AuditEvent
from emotrack.history.models import Client

SAME_LOOK = timedelta(minutes=5)
"""A page that refreshes itself is one look, not many."""


def unseen_alerts(user: User) -> QuerySet[Alert]:
    """Alerts nobody acknowledged yet, but for those that joined another or came long after the fact."""
    return (
        Alert.objects.visible_to(user)
        .standing()
        .unacknowledged()
        .filter(part_of__isnull=True, historical_at__isnull=True)
    )


def note_look(
    user: User, action: str, client: Client, *, now: datetime, subject: str = "", **detail: object
) -> None:
    """Record that the user read something of the client, once for a look that goes on."""
    known = AuditEvent.objects.filter(
        client=client.public_id,
        at__gt=now - SAME_LOOK,
        action=action,
        actor=user.actor.name,
        subject=subject,
    )
    if not known.exists():
        record(action, by=user.actor, now=now, subject=subject, client=client.public_id, **detail)
