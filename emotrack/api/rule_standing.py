"""What those who receive a rule's alerts think of them."""

from __future__ import annotations

from dataclasses import asdict

from django.db.models import Q
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from emotrack.accounts.models import Scope
from emotrack.alerts.models import Rule
from emotrack.alerts.tuning.standing import rule_standing, suggested_threshold
from emotrack.alerts.tuning.suggestion import Suggestion
from emotrack.api import bodies
from emotrack.api.alert_shapes import RuleStandingAnswer
from emotrack.api.door import Door
from emotrack.api.errors import Problem
from emotrack.history.models import Client


class RuleStandingDoor(Door):
    scopes = {"GET": Scope.RULES}
    people = frozenset({"GET"})

    @extend_schema(operation_id="get_rule_standing", responses=RuleStandingAnswer)
    def get(self, request: Request, rule: str) -> Response:
        """Verdicts, time to acknowledge, whether anybody acts on it, and the threshold verdicts speak for."""
        self.query(bodies.Nothing)
        found = self._rule(rule)
        standing = rule_standing([found], viewer=self.viewer, now=self.now)[found.pk]
        suggested = suggested_threshold(found, viewer=self.viewer)
        low, high = standing.interval or (None, None)
        is_suggested = isinstance(suggested, Suggestion)
        return Response(
            {
                "rule": found.public_id,
                "useful": standing.useful,
                "not_useful": standing.not_useful,
                "already_known": standing.already_known,
                "precision": standing.precision,
                "precision_low": low,
                "precision_high": high,
                "told": standing.told,
                "acknowledged": standing.seen,
                "median_seconds_to_acknowledge": standing.median_ack_s,
                "fired_in_30_days": standing.fired_lately,
                "nobody_acts": standing.nobody_acts,
                "suggested": asdict(suggested) if is_suggested else None,
                "why_not_suggested": None if is_suggested else str(suggested),
            }
        )

    def _rule(self, public_id: str) -> Rule:
        theirs = Q(client__isnull=True) | Q(client__in=Client.objects.visible_to(self.viewer))
        found = Rule.objects.filter(theirs, public_id=public_id).first()
        if found is None:
            raise Problem("not-found", status=404)
        return found
