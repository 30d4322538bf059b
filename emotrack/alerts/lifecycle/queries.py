"""Alerts as pages and doors read them, each within what the viewer may see."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.db.models import QuerySet

from emotrack.accounts.models import App, User
from emotrack.alerts.judging.arming import WhyNot, is_off_headline, line_of
from emotrack.alerts.models import Alert, Rule
from emotrack.alerts.rules.kinds import KINDS, Runs
from emotrack.alerts.series.sessions import armed_at
from emotrack.history.models import Client, Session
from emotrack.mood.actions import baseline_from
from emotrack.mood.models import SessionMood


def _with_rule(rows: QuerySet[Alert]) -> QuerySet[Alert]:
    return rows.select_related("rule", "version", "client", "session")


def open_alerts(viewer: User | App) -> QuerySet[Alert]:
    """Going on now, newest first; at most one per rule and client."""
    return _with_rule(Alert.objects.visible_to(viewer).open().newest_first())


def past_alerts(viewer: User | App) -> QuerySet[Alert]:
    """Ended, newest first; those that late data has undone are left out."""
    ended = Alert.objects.visible_to(viewer).standing().filter(resolved_at__isnull=False)
    return _with_rule(ended.newest_first())


def alerts_of(session: Session) -> QuerySet[Alert]:
    """Of one session, in the order in which they fired. The caller has checked who may see the session."""
    return _with_rule(
        Alert.objects.standing().about_people().filter(session=session).order_by("fired_at", "id")
    )


def alerts_of_clients(clients: Iterable[Client], *, since: datetime | None = None) -> dict[int, list[Alert]]:
    """Primary key of the client to their alerts, newest first. The caller has checked who may see them."""
    rows = Alert.objects.standing().about_people().filter(client__in=clients).newest_first()
    found: dict[int, list[Alert]] = {}
    for alert in _with_rule(rows if since is None else rows.filter(fired_at__gte=since)):
        found.setdefault(alert.client_id, []).append(alert)
    return found


@dataclass(frozen=True, slots=True)
class Span:
    """An alert as a chart draws it: dotted from ``pending_at``, solid from ``fired_at``, outlined while it
    recovers, until ``ended_at`` (``None``: it goes on)."""

    alert_id: str
    kind: str
    title: str
    severity: str
    state: str
    pending_at: datetime
    fired_at: datetime
    recovering_at: datetime | None
    ended_at: datetime | None
    threshold: float
    recovery: float
    peak: float


def episode_spans(session: Session) -> list[Span]:
    """Of the rules on turns: what a rule on sessions found began in other sessions."""
    of_turns = [kind for kind, known in KINDS.items() if known.runs is Runs.TURN]
    return [_span(alert) for alert in alerts_of(session).filter(rule__kind__in=of_turns)]


def _span(alert: Alert) -> Span:
    return Span(
        alert_id=alert.public_id,
        kind=alert.rule.kind,
        title=alert.title,
        severity=alert.severity,
        state=alert.state,
        pending_at=alert.pending_at,
        fired_at=alert.fired_at,
        recovering_at=alert.recovering_at,
        ended_at=alert.resolved_at,
        threshold=alert.baseline["threshold"],
        recovery=alert.baseline["recovery"],
        peak=alert.peak,
    )


def why_not_armed(rule: Rule, session_mood: SessionMood) -> WhyNot | None:
    """Why a rule does not judge this session, or ``None`` when it does."""
    if rule.enabled_at is None:
        return WhyNot.SWITCHED_OFF
    version = rule.version_at(session_mood.session.started_at)
    headline, baseline = session_mood.recognizer.headline, baseline_from(session_mood.baseline)
    if KINDS[rule.kind].runs is Runs.TURN:
        line = line_of(version, rule.kind, headline=headline, baseline=baseline)
        return line if isinstance(line, WhyNot) else None
    if is_off_headline(version, headline):
        return WhyNot.OFF_HEADLINE
    earlier = baseline.sessions if baseline else 0
    return WhyNot.BASELINE_FORMING if earlier < armed_at(version.measure) else None
