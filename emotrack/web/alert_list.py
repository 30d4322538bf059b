"""The list of alerts: one group per person, by what still asks for a look, searched and filtered."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import urlencode

from django.db.models import Q, QuerySet
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy

from emotrack.accounts.models import User
from emotrack.alerts.lifecycle.snoozing import active_snoozes
from emotrack.alerts.models import Alert, Judgment, Rule, Severity, Snooze, Verdict
from emotrack.alerts.rules.kinds import KINDS, Runs
from emotrack.history.models import Client
from emotrack.web import session_page
from emotrack.web.looked_at import SEVERITY_ORDER
from emotrack.web.timeline import clock

SHOWN = 100
MOST_SHOWN = 1000

JUST_SEEN = timedelta(minutes=15)
"""So long an alert stays among the open ones after its reader acknowledged it, for their verdict."""

VERDICT_SIGNS = {Judgment.USEFUL: "check", Judgment.NOT_USEFUL: "cross", Judgment.ALREADY_KNOWN: "eye"}

SHOWS: dict[str, Promise] = {
    "open": gettext_lazy("Open"),
    "snoozed": gettext_lazy("Snoozed"),
    "past": gettext_lazy("Past"),
}


@dataclass(frozen=True, slots=True)
class AlertLine:
    """One alert in a list. name: empty where the viewer may not read it. at: on the session's clock.

    verdict: the viewer's own, empty without one.
    """

    alert: Alert
    name: str
    at: str
    snooze: Snooze | None = None
    verdict: str = ""

    @property
    def verdicts(self) -> list[dict[str, object]]:
        """The three verdicts with their keys; the given one is pressed, and pressed again it goes."""
        return [
            {
                "value": "" if judgment == self.verdict else str(judgment),
                "id": str(judgment),
                "said": judgment.label,
                "sign": VERDICT_SIGNS[judgment],
                "key": key,
                "pressed": judgment == self.verdict,
            }
            for key, judgment in enumerate(Judgment, 1)
        ]

    @property
    def of_turns(self) -> bool:
        return KINDS[self.alert.rule.kind].runs is Runs.TURN

    @property
    def can_acknowledge(self) -> bool:
        alert = self.alert
        return not (alert.acknowledged_at or alert.superseded_at or alert.historical_at)

    @property
    def can_resolve(self) -> bool:
        alert = self.alert
        over_and_seen = alert.resolved_at and alert.acknowledged_at
        return not (alert.closed_at or alert.superseded_at or alert.part_of_id or over_and_seen)

    @property
    def can_snooze(self) -> bool:
        return not (self.alert.closed_at or self.alert.superseded_at)


@dataclass(frozen=True, slots=True)
class Person:
    """A client with their alerts in the list."""

    client: Client
    name: str
    lines: Sequence[AlertLine]


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the reader asked for; unknown words count as not asked."""

    show: str = "open"
    severity: str = ""
    client: str = ""
    mine: bool = False
    q: str = ""
    shown: int = SHOWN

    @property
    def narrowed(self) -> bool:
        return bool(self.severity or self.client or self.mine or self.q)

    def address(self, **other: object) -> str:
        """The query of the same list with some of it changed."""
        asked = {name: getattr(self, name) for name in ("show", "severity", "client", "mine", "q")} | other
        kept = {name: "1" if value is True else value for name, value in asked.items() if value}
        return "?" + urlencode(kept)


def wanted_from(asked: Mapping[str, str]) -> Wanted:
    show, severity, shown = asked.get("show", ""), asked.get("severity", ""), asked.get("shown", "")
    return Wanted(
        show=show if show in SHOWS else "open",
        severity=severity if severity in Severity.values else "",
        client=asked.get("client", "")[:20],
        mine=asked.get("mine") == "1",
        q=asked.get("q", "").strip()[:100],
        shown=min(int(shown), MOST_SHOWN) if shown.isascii() and shown.isdigit() else SHOWN,
    )


def loaded(alerts: QuerySet[Alert]) -> QuerySet[Alert]:
    related = ("rule", "version", "client", "session", "fired_utterance", "acknowledged_by", "closed_by")
    return alerts.select_related(*related).defer("fired_utterance__text").newest_first()


def of_show(user: User, show: str, now: datetime) -> QuerySet[Alert]:
    visible = Alert.objects.visible_to(user)
    if show == "open":
        asks = Q(acknowledged_at__isnull=True) | Q(resolved_at__isnull=True)
        just_seen = Q(acknowledged_by=user, acknowledged_at__gt=now - JUST_SEEN)
        return visible.for_attention(now).filter(asks | just_seen)
    if show == "snoozed":
        return visible.snoozed(now).waiting()
    over = Q(resolved_at__isnull=False, acknowledged_at__isnull=False)
    return visible.filter(
        over
        | Q(closed_at__isnull=False)
        | Q(superseded_at__isnull=False)
        | Q(historical_at__isnull=False)
        | Q(part_of__isnull=False, resolved_at__isnull=False)
    )


def narrowed(alerts: QuerySet[Alert], wanted: Wanted, user: User) -> QuerySet[Alert]:
    if wanted.severity:
        alerts = alerts.filter(severity=wanted.severity)
    if wanted.client:
        alerts = alerts.filter(client__public_id=wanted.client)
    if wanted.mine:
        alerts = alerts.filter(client__in=Client.objects.filter(assignments__counselor=user))
    if wanted.q:
        alerts = alerts.filter(
            Q(client__in=_people_called(wanted.q, user)) | Q(rule__in=_rules_called(wanted.q))
        )
    return alerts


def _people_called(q: str, user: User) -> list[int]:
    """Whose code or name holds the text; a sealed name is looked into only where its reader may read it."""
    q, readable = q.casefold(), readable_clients(user)
    clients = Client.objects.visible_to(user).filter(erased_at__isnull=True)
    return [
        c.pk for c in clients if q in c.code.casefold() or (c.pk in readable and q in _name(c).casefold())
    ]


def _rules_called(q: str) -> list[int]:
    return [rule.pk for rule in Rule.objects.all() if q.casefold() in str(rule.title).casefold()]


def _name(client: Client) -> str:
    return client.name or ""


def readable_clients(user: User, among: Iterable[int] | None = None) -> set[int]:
    clients = Client.objects.all() if among is None else Client.objects.filter(pk__in=among)
    return set(clients.content_visible_to(user).values_list("pk", flat=True))


def lines_of(user: User, alerts: Iterable[Alert], now: datetime) -> list[AlertLine]:
    """In as many queries for many alerts as for one."""
    alerts = list(alerts)
    readable = readable_clients(user, {alert.client_id for alert in alerts})
    names = {a.client_id: _name(a.client) for a in alerts if a.client_id in readable}
    snoozes = active_snoozes(alerts, now)
    own = Verdict.objects.filter(person=user, alert__in=alerts)
    verdicts = dict(own.values_list("alert_id", "judgment"))
    return [
        AlertLine(
            alert,
            names.get(alert.client_id, ""),
            clock(session_page.offset_s(alert.session, alert.fired_at)),
            snoozes.get((alert.rule_id, alert.client_id)),
            verdicts.get(alert.pk, ""),
        )
        for alert in alerts
    ]


def people_of(lines: Iterable[AlertLine], *, gravest_first: bool) -> list[Person]:
    """One group per client; the gravest unseen alert decides who comes first, then the latest."""
    found: dict[int, list[AlertLine]] = {}
    for line in lines:
        found.setdefault(line.alert.client_id, []).append(line)
    people = [Person(of[0].alert.client, of[0].name, of) for of in found.values()]
    if gravest_first:
        people.sort(key=lambda person: -max(_grave(line.alert) for line in person.lines))
    return people


def _grave(alert: Alert) -> int:
    unseen = alert.acknowledged_at is None
    return unseen * (
        1 + SEVERITY_ORDER.index(alert.severity) + len(SEVERITY_ORDER) * bool(alert.escalated_at)
    )
