"""Record what was done or read, and chain the records so that a change in the past shows."""

import hashlib
import json
from datetime import datetime, timedelta

from django.db import transaction

from emotrack.audit.models import Actor, AuditEvent


def record(
    action: str, *, by: Actor, now: datetime, subject: str = "", client: str = "", **detail: object
) -> AuditEvent:
    """Write one event, inside the caller's transaction."""
    return AuditEvent.objects.create(
        at=now,
        actor_kind=by.kind,
        actor=by.name,
        action=action,
        subject=subject,
        client=client,
        detail=detail,
    )


def digest_of(event: AuditEvent, previous: bytes) -> bytes:
    """SHA-256 over the digest before and this event's facts in a fixed order."""
    facts = [
        event.pk,
        event.at.isoformat(),
        event.actor_kind,
        event.actor,
        event.action,
        event.subject,
        event.client,
        event.detail,
    ]
    return hashlib.sha256(previous + json.dumps(facts, sort_keys=True).encode()).digest()


@transaction.atomic
def seal(*, now: datetime, limit: int = 5000) -> int:
    """Chain the events that are not chained yet, in id order; the caller holds the sealer's lease.

    An event that was numbered early and committed late comes behind what was sealed meanwhile.
    """
    last = AuditEvent.objects.in_chain().last()
    previous = bytes(last.digest) if last else b""
    if last is not None:
        now = max(now, last.sealed_at + timedelta(microseconds=1))  # the clock may have been set back
    fresh = list(AuditEvent.objects.filter(sealed_at__isnull=True).order_by("id")[:limit])
    for event in fresh:
        event.digest = previous = digest_of(event, previous)
        event.sealed_at = now
    AuditEvent.objects.bulk_update(fresh, ["digest", "sealed_at"], batch_size=500)
    return len(fresh)


def first_broken_event() -> AuditEvent | None:
    """The earliest sealed event that does not fit the chain, or ``None`` when all do."""
    previous = b""
    for event in AuditEvent.objects.in_chain().iterator():
        if bytes(event.digest) != digest_of(event, previous):
            return event
        previous = bytes(event.digest)
    return None
