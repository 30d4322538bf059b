"""Open one client's content to an admin who has to see it: with a reason, for an hour, in sight of all."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import QuerySet

from emotrack.accounts.models import User
from emotrack.audit.actions import record
from emotrack.history.actions import Refused
from emotrack.history.locks import hold
from emotrack.history.models import BreakGlass, Client

OPEN_FOR = timedelta(minutes=60)
TOLD_FOR = timedelta(days=30)
REASON_LENGTH = (10, 500)


@transaction.atomic
def break_glass(*, client: Client, admin: User, reason: str, now: datetime) -> BreakGlass:
    """Raises ``Refused`` without a reason worth the name; what is open already stays as it is."""
    reason = reason.strip()
    least, most = REASON_LENGTH
    if not least <= len(reason) <= most:
        raise Refused("reason-required", f"Say why, in {least} to {most} characters.", "/reason")
    hold(client.pk)
    if (already := open_glass(client, admin, now)) is not None:
        return already
    glass = BreakGlass(client=client, admin=admin, opened_at=now, until=now + OPEN_FOR)
    glass.reason = reason
    glass.save(force_insert=True)
    record("glass.broken", by=admin.actor, now=now, subject=glass.public_id, client=client.public_id)
    return glass


@transaction.atomic
def close_glass(*, client: Client, admin: User, now: datetime) -> bool:
    """End it before its time; whether it was open."""
    glass = open_glass(client, admin, now)
    if glass is None:
        return False
    glass.until = max(now, glass.opened_at)
    glass.save(update_fields=["until"])
    record("glass.closed", by=admin.actor, now=now, subject=glass.public_id, client=client.public_id)
    return True


def open_glass(client: Client, admin: User, now: datetime) -> BreakGlass | None:
    return BreakGlass.objects.filter(client=client, admin=admin, until__gt=now).first()


def to_be_told(client: Client, now: datetime) -> QuerySet[BreakGlass]:
    """What the client's counselors are told of, the latest first."""
    told = BreakGlass.objects.filter(client=client, opened_at__gte=now - TOLD_FOR)
    return told.select_related("admin", "client")
