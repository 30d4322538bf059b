"""What people were told, and the rules behind it."""

from __future__ import annotations

from typing import Any

from django.db.models import Prefetch, Q, QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from emotrack.accounts.models import Scope, User
from emotrack.alerts.actions import acknowledge
from emotrack.alerts.models import Alert, Rule, RuleVersion
from emotrack.api import bodies, shapes
from emotrack.api.answers import alert_answer
from emotrack.api.door import Door
from emotrack.api.paging import Order, page
from emotrack.history.models import Client

_RELATED = (
    "rule",
    "version",
    "client",
    "session",
    "fired_utterance",
    "recognizer",
    "acknowledged_by",
)


def _complete(alerts: QuerySet[Alert]) -> QuerySet[Alert]:
    return alerts.select_related(*_RELATED)


class Alerts(Door):
    scopes = {"GET": Scope.READ}
    people = frozenset({"GET"})

    @extend_schema(
        operation_id="list_alerts",
        parameters=[bodies.AlertsQuery],
        responses=shapes.listed(shapes.AlertAnswer),
    )
    def get(self, request: Request) -> Response:
        """The alerts on clients that you may see, newest first; those that late data undid are left out."""
        asked = self.query(bodies.AlertsQuery)
        alerts = _complete(Alert.objects.visible_to(self.viewer).standing())
        for name in ("client", "session"):
            if name in asked:
                alerts = alerts.filter(**{f"{name}__public_id": asked[name]})
        if asked.get("state") == "open":
            alerts = alerts.open()
        elif asked.get("state") == "past":
            alerts = alerts.filter(resolved_at__isnull=False)
        rows = page(alerts, Order("fired_at", newest_first=True), asked)
        return Response(rows.answer(alert_answer))


class OneAlert(Door):
    scopes = {"GET": Scope.READ}
    people = frozenset({"GET"})

    @extend_schema(operation_id="get_alert", responses=shapes.AlertAnswer)
    def get(self, request: Request, alert: str) -> Response:
        """An alert with the baseline that its rule held the voice against."""
        self.query(bodies.Nothing)
        return Response(alert_answer(self.find(_complete(Alert.objects.all()), alert)))


class AlertAcknowledgment(Door):
    people = frozenset({"POST"})

    @extend_schema(operation_id="acknowledge_alert", request=None, responses=shapes.AlertAnswer)
    def post(self, request: Request, alert: str) -> Response:
        """Say that you have seen it. The first who does stands in the record."""
        found = self.find(_complete(Alert.objects.all()), alert)
        self.body(bodies.Nothing)
        person: User = self.viewer
        acknowledge(found, by=person, now=self.now)
        return Response(alert_answer(self.find(_complete(Alert.objects.all()), alert)))


class Rules(Door):
    scopes = {"GET": Scope.RULES}
    people = frozenset({"GET"})

    @extend_schema(operation_id="list_rules", responses=shapes.listed(shapes.RuleAnswer))
    def get(self, request: Request) -> Response:
        """The rules for everyone, and those for single clients that you may see, with their present terms."""
        self.query(bodies.Nothing)
        versions = Prefetch("versions", RuleVersion.objects.order_by("number"))
        theirs = Q(client__in=Client.objects.visible_to(self.viewer))
        rules = Rule.objects.filter(Q(client__isnull=True) | theirs).select_related("client")
        shown = rules.prefetch_related(versions).order_by("id")
        return Response({"items": [rule_answer(rule) for rule in shown], "next_cursor": None})


def rule_answer(rule: Rule) -> dict[str, Any]:
    version = list(rule.versions.all())[-1]
    return {
        "id": rule.public_id,
        "kind": rule.kind,
        "title": str(rule.title),
        "scope": rule.scope,
        "client": rule.client.public_id if rule.client else None,
        "enabled_at": rule.enabled_at,
        "version": version.number,
        "measure": version.measure,
        "threshold": version.threshold,
        "recovery_threshold": version.recovery_threshold,
        "for_count": version.for_count,
        "for_seconds": version.for_seconds,
        "keep_firing_seconds": version.keep_firing_seconds,
        "cool_down_seconds": version.cool_down_seconds,
        "usual_spreads": version.usual_spreads,
        "also_off_headline": version.also_off_headline,
        "severity": version.severity,
        "reason": version.reason,
        "saved_at": version.saved_at,
    }
