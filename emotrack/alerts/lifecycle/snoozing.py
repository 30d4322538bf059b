"""How long a rule keeps still about a client because a person asked it to."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from django.db.models import OuterRef, Subquery

from emotrack.alerts.models import Alert, Snooze
from emotrack.history.models import Session

LONGEST_SNOOZE = timedelta(days=30)
MORNING = time(8)


def snoozed_until(rule_id: int, client_id: int, now: datetime) -> datetime | None:
    """When the snooze ends at the latest; ``None`` when there is none."""
    active = Snooze.objects.active(now).filter(rule_id=rule_id, client_id=client_id)
    return active.values_list("until", flat=True).first()


def active_snoozes(alerts: Iterable[Alert], now: datetime) -> dict[tuple[int, int], Snooze]:
    """(rule, client) to the snooze that holds it now."""
    alerts = list(alerts)
    found = Snooze.objects.active(now).filter(
        rule__in={alert.rule_id for alert in alerts}, client__in={alert.client_id for alert in alerts}
    )
    return {(snooze.rule_id, snooze.client_id): snooze for snooze in found.select_related("set_by")}


@dataclass(frozen=True, slots=True)
class SnoozeSpan:
    """snooze, rule, client: primary keys. until: when it ended, or will end."""

    snooze: int
    rule: int
    client: int
    since: datetime
    until: datetime


def snooze_spans(alerts: Iterable[Alert]) -> list[SnoozeSpan]:
    """All snoozes of the alerts' rules and clients with their true ends, past ones included."""
    alerts = list(alerts)
    later = Session.objects.filter(client=OuterRef("client"), started_at__gt=OuterRef("since"))
    rows = Snooze.objects.filter(
        rule__in={alert.rule_id for alert in alerts}, client__in={alert.client_id for alert in alerts}
    ).annotate(next_session_at=Subquery(later.order_by("started_at").values("started_at")[:1]))
    return [_span(row) for row in rows]


def _span(row: Snooze) -> SnoozeSpan:
    ends = [row.until, row.ended_at, row.next_session_at if row.until_next_session else None]
    return SnoozeSpan(
        row.pk, row.rule_id, row.client_id, row.since, min(end for end in ends if end is not None)
    )


def tomorrow_morning(now: datetime, zone: ZoneInfo) -> datetime:
    """Eight o'clock of the next day on the reader's wall."""
    day = now.astimezone(zone).date() + timedelta(days=1)
    return datetime.combine(day, MORNING, zone)
