"""What people were told, and what they said to it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

from django.db.models import Q, QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from emotrack.accounts.models import App, Scope, User
from emotrack.alerts import actions
from emotrack.alerts.lifecycle.snoozing import active_snoozes
from emotrack.alerts.models import Alert, Judgment, Snooze, Verdict
from emotrack.api import bodies, shapes
from emotrack.api.alert_shapes import AlertStateAnswer
from emotrack.api.answers import Answer, alert_answer
from emotrack.api.door import Door
from emotrack.api.paging import Order, page

_RELATED = (
    "rule",
    "version",
    "client",
    "session",
    "fired_utterance",
    "recognizer",
    "acknowledged_by",
    "closed_by",
)


def _complete(alerts: QuerySet[Alert]) -> QuerySet[Alert]:
    return alerts.select_related(*_RELATED)


class _AlertDoor(Door):
    """Answers with alerts as they stand, each with what people said to it."""

    def answers(self, alerts: Sequence[Alert]) -> list[Answer]:
        snoozes = active_snoozes(alerts, self.now)
        verdicts = list(Verdict.objects.filter(alert__in=alerts))
        return [
            alert_answer(alert)
            | {
                "snooze": _snooze_answer(snoozes.get((alert.rule_id, alert.client_id))),
                **_verdicts([v for v in verdicts if v.alert_id == alert.pk], self.viewer),
            }
            for alert in alerts
        ]

    def alert(self, public_id: str) -> Alert:
        return self.find(_complete(Alert.objects.all()), public_id)

    def as_it_stands(self, alert: Alert) -> Response:
        return Response(self.answers([self.alert(alert.public_id)])[0])


def _snooze_answer(snooze: Snooze | None) -> Answer | None:
    return snooze and {
        "since": snooze.since,
        "until": snooze.until,
        "until_event": "next_session" if snooze.until_next_session else None,
        "by": snooze.set_by.username if snooze.set_by else None,
    }


def _verdicts(verdicts: Sequence[Verdict], viewer: User | App) -> Answer:
    counts = Counter(verdict.judgment for verdict in verdicts)
    own = None if isinstance(viewer, App) else viewer.pk
    return {
        "verdicts": {str(judgment): counts[judgment] for judgment in Judgment},
        "verdict": next((v.judgment for v in verdicts if v.person_id == own), None),
    }


class Alerts(_AlertDoor):
    scopes = {"GET": Scope.READ}
    people = frozenset({"GET"})

    @extend_schema(
        operation_id="list_alerts",
        parameters=[bodies.AlertsQuery],
        responses=shapes.listed(AlertStateAnswer),
    )
    def get(self, request: Request) -> Response:
        """The alerts on clients that you may see, newest first; those that late data undid are left out."""
        asked = self.query(bodies.AlertsQuery)
        alerts = self._in_state(_complete(Alert.objects.visible_to(self.viewer).standing()), asked)
        for name in ("client", "session", "rule"):
            if name in asked:
                alerts = alerts.filter(**{f"{name}__public_id": asked[name]})
        if "severity" in asked:
            alerts = alerts.filter(severity=asked["severity"])
        rows = page(alerts, Order("fired_at", newest_first=True), asked)
        answers = {answer["id"]: answer for answer in self.answers(rows.rows)}
        return Response(rows.answer(lambda alert: answers[alert.public_id]))

    def _in_state(self, alerts: QuerySet[Alert], asked: dict[str, Any]) -> QuerySet[Alert]:
        state = asked.get("state")
        if state == "open":
            return alerts.open()
        if state == "unseen":
            return alerts.for_attention(self.now).unacknowledged()
        if state == "snoozed":
            return alerts.snoozed(self.now)
        if state == "past":
            return alerts.filter(Q(resolved_at__isnull=False) | Q(closed_at__isnull=False))
        return alerts


class OneAlert(_AlertDoor):
    scopes = {"GET": Scope.READ}
    people = frozenset({"GET"})

    @extend_schema(operation_id="get_alert", responses=AlertStateAnswer)
    def get(self, request: Request, alert: str) -> Response:
        """An alert with the baseline that its rule held the voice against."""
        self.query(bodies.Nothing)
        return self.as_it_stands(self.alert(alert))


class AlertAcknowledgment(_AlertDoor):
    people = frozenset({"POST"})

    @extend_schema(operation_id="acknowledge_alert", request=None, responses=AlertStateAnswer)
    def post(self, request: Request, alert: str) -> Response:
        """Say that you have seen it. The first who does stands in the record."""
        found = self.alert(alert)
        self.body(bodies.Nothing)
        return self.as_it_stands(actions.acknowledge(found, by=self.viewer, now=self.now))


class AlertResolution(_AlertDoor):
    people = frozenset({"POST", "DELETE"})

    @extend_schema(operation_id="resolve_alert", request=None, responses=AlertStateAnswer)
    def post(self, request: Request, alert: str) -> Response:
        """Say that it is dealt with, whatever the voice does; again changes nothing. 409 where it is over and
        was seen, or where later data has undone it."""
        found = self.alert(alert)
        self.body(bodies.Nothing)
        return self.as_it_stands(actions.resolve(found, by=self.viewer, now=self.now))

    @extend_schema(operation_id="reopen_alert", responses=AlertStateAnswer)
    def delete(self, request: Request, alert: str) -> Response:
        """Take the resolution back; without one this changes nothing."""
        return self.as_it_stands(actions.reopen(self.alert(alert), by=self.viewer, now=self.now))


class AlertSnooze(_AlertDoor):
    people = frozenset({"POST", "DELETE"})

    @extend_schema(operation_id="snooze_alert", request=bodies.SnoozeBody, responses=AlertStateAnswer)
    def post(self, request: Request, alert: str) -> Response:
        """Keep the alert's rule still about this client until a time or the next session, 30 days at most.

        What fires meanwhile is kept and nobody is notified. Another end replaces the first.
        """
        found, asked = self.alert(alert), self.body(bodies.SnoozeBody)
        actions.snooze(
            found,
            by=self.viewer,
            now=self.now,
            until=asked.get("until"),
            until_next_session="until_event" in asked,
        )
        return self.as_it_stands(found)

    @extend_schema(operation_id="end_snooze", responses=AlertStateAnswer)
    def delete(self, request: Request, alert: str) -> Response:
        """Listen again at once; without a snooze this changes nothing."""
        return self.as_it_stands(actions.end_snooze(self.alert(alert), by=self.viewer, now=self.now))


class AlertVerdict(_AlertDoor):
    people = frozenset({"POST", "DELETE"})

    @extend_schema(operation_id="judge_alert", request=bodies.VerdictBody, responses=AlertStateAnswer)
    def post(self, request: Request, alert: str) -> Response:
        """Say whether it was of use. It tunes the rule, not the client's record. Another replaces it."""
        found = self.alert(alert)
        asked = self.body(bodies.VerdictBody)
        actions.judge(found, judgment=asked["verdict"], by=self.viewer, now=self.now)
        return self.as_it_stands(found)

    @extend_schema(operation_id="withdraw_verdict", responses=AlertStateAnswer)
    def delete(self, request: Request, alert: str) -> Response:
        """Take your own verdict back; without one this changes nothing."""
        found = self.alert(alert)
        actions.withdraw_verdict(found, by=self.viewer, now=self.now)
        return self.as_it_stands(found)
