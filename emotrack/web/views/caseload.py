"""The caseload: whom to look at first, each client against their own usual."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from emotrack.accounts.models import User
from emotrack.alerts.models import Alert
from emotrack.audit.actions import record
from emotrack.history.models import Client
from emotrack.mood import queries as mood
from emotrack.web import words
from emotrack.web.looked_at import SEVERITY_ORDER, alerts_to_tell
from emotrack.web.sparks import Spark, sparkline


@dataclass(frozen=True, slots=True)
class Line:
    """One client as the caseload shows them. name: empty where the viewer may not read it."""

    case: mood.CaseRow
    name: str
    group: str
    sentence: str
    spark: Spark
    alerts: int
    severity: str
    contact: str

    @property
    def headline(self) -> str:
        return self.case.recognizer.headline if self.case.recognizer else "valence"

    @property
    def tone(self) -> str:
        """Brown or teal only where the last session stands outside the usual range."""
        band, last = self.case.standing.band, self.case.last
        if band is None or last is None or not last.says_enough:
            return ""
        return "low" if last.mean < band[0] else "high" if last.mean > band[1] else ""


@login_required
@require_safe
def caseload(request: HttpRequest) -> HttpResponse:
    now = timezone.now()
    lines = _lines(request.user, now)
    if not request.headers.get("X-Refresh"):
        record("caseload.read", by=request.user.actor, now=now, count=len(lines))
    groups = [(slug, title, [x for x in lines if x.group == slug]) for slug, title in words.GROUPS]
    context = {
        "groups": [group for group in groups if group[2]],
        "active": "caseload",
        "total": len(lines),
        "today": timezone.localtime(now),
        "headlines": {line.headline for line in lines if line.case.recognizer},
        "recognizers": sorted({str(x.case.recognizer) for x in lines if x.case.recognizer}),
    }
    return render(request, "web/caseload.html", context)


def _lines(user: User, now: datetime) -> list[Line]:
    clients = list(Client.objects.visible_to(user).filter(erased_at__isnull=True).order_by("code"))
    readable = set(Client.objects.content_visible_to(user).values_list("pk", flat=True))
    rows = mood.caseload(clients, now=now)
    alerts = alerts_to_tell(user, [row.last.session for row in rows if row.last])
    lines = [_line(row, row.client.pk in readable, alerts.get(row.client.pk, []), now) for row in rows]
    return sorted(lines, key=_attention)


def _line(row: mood.CaseRow, readable: bool, alerts: Sequence[Alert], now: datetime) -> Line:
    headline = row.recognizer.headline if row.recognizer else "valence"
    contact = timezone.localtime(row.last_contact) if row.last_contact else None
    unseen = [alert for alert in alerts if alert.acknowledged_at is None]
    return Line(
        case=row,
        name=(row.client.name or "") if readable else "",
        group=words.group_of(row, alerts),
        sentence=words.told_sentence(row.standing, headline, alerts, now),
        spark=sparkline(row.points, row.standing, now),
        alerts=len(unseen),
        severity=unseen[0].severity if unseen else "",
        contact=words.how_long_ago(contact, timezone.localtime(now)) if contact else "",
    )


def _attention(line: Line) -> tuple:
    """Alerts first, the gravest before others; then those farthest from their usual."""
    distances = line.case.standing.distances
    far = abs(distances[-1]) if distances and distances[-1] is not None else 0.0
    grave = SEVERITY_ORDER.index(line.severity) if line.severity else -1
    return (-grave, -line.alerts, -far, line.name or line.case.client.code)
