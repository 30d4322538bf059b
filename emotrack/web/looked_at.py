"""What waits for a person's eyes, and the record of what they looked at."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime, timedelta

from django.db.models import Q, QuerySet

from emotrack.accounts.models import User
from emotrack.alerts.models import Alert
from emotrack.audit.actions import record
from emotrack.audit.models import AuditEvent
from emotrack.history.models import Client

SEVERITY_ORDER = ("info", "warning", "critical")

SAME_LOOK = timedelta(minutes=5)
"""A page that refreshes itself is one look, not many."""


def unseen_alerts(user: User, *, now: datetime) -> QuerySet[Alert]:
    """Alerts nobody acknowledged yet, but for those that joined another, are snoozed or came long after."""
    return Alert.objects.visible_to(user).for_attention(now).unacknowledged()


def alerts_to_tell(user: User, last_sessions: Iterable[str], *, now: datetime) -> dict[int, list[Alert]]:
    """Primary key of the client to what a sentence about them must not leave out.

    That is what nobody has seen yet, and what fired in their last session even when somebody has. Unseen ones
    come first, among them the gravest, then the newest. last_sessions: public ids.
    """
    rows = Alert.objects.visible_to(user).for_attention(now)
    rows = rows.filter(Q(acknowledged_at=None) | Q(session__public_id__in=list(last_sessions)))
    found: dict[int, list[Alert]] = defaultdict(list)
    for alert in rows.select_related("rule").newest_first():
        found[alert.client_id].append(alert)
    for alerts in found.values():
        alerts.sort(key=lambda a: (a.acknowledged_at is not None, -SEVERITY_ORDER.index(a.severity)))
    return found


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
