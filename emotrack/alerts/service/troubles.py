"""Troubles with the service itself: raised when seen twice in a row, over when away twice in a row."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from emotrack.alerts.delivery.telling import tell_trouble
from emotrack.alerts.models import NotificationKind, SystemAlert, Trouble
from emotrack.audit.actions import record
from emotrack.audit.models import Actor

CHECKS = Actor.system("checks")


@transaction.atomic
def observe(kind: Trouble, detail: dict[str, object] | None, *, now: datetime) -> None:
    """What one check found: numbers for the sentence, or ``None`` when all is well.

    One look alone changes nothing that people see, so a service that stumbles once tells nobody.
    """
    row = _standing(kind)
    if detail is not None:
        if row is None:
            SystemAlert.objects.create(kind=kind, detail=detail, since=now)
        elif row.raised_at is None:
            _raise(row, detail, now)
        else:
            row.detail, row.well_at = detail, None
            row.save(update_fields=["detail", "well_at"])
    elif row is not None and row.raised_at is None:
        row.delete()
    elif row is not None and row.well_at is None:
        row.well_at = now
        row.save(update_fields=["well_at"])
    elif row is not None:
        _end(row, now)


def _standing(kind: Trouble) -> SystemAlert | None:
    return SystemAlert.objects.select_for_update(no_key=True).filter(kind=kind, until__isnull=True).first()


def _raise(row: SystemAlert, detail: dict[str, object], now: datetime) -> None:
    row.detail, row.raised_at = detail, now
    row.save(update_fields=["detail", "raised_at"])
    record("system.raised", by=CHECKS, now=now, subject=row.public_id, kind=row.kind)
    tell_trouble(row, NotificationKind.FIRED, now=now)


def _end(row: SystemAlert, now: datetime) -> None:
    row.until = now
    row.save(update_fields=["until"])
    record("system.ended", by=CHECKS, now=now, subject=row.public_id, kind=row.kind)
    tell_trouble(row, NotificationKind.RESOLVED, now=now)
