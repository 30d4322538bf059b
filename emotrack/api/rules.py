"""Rules: read, made, changed in versions, and tried out on what was heard."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from functools import wraps
from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from emotrack.accounts.models import Scope
from emotrack.alerts import actions
from emotrack.alerts.models import Rule, RuleVersion
from emotrack.alerts.rules.kinds import KINDS
from emotrack.alerts.rules.queries import clients_of, rules_visible_to, with_versions
from emotrack.alerts.rules.terms import FIELDS, InvalidTerms, checked
from emotrack.alerts.tuning.backtest import Backtest, backtest
from emotrack.alerts.tuning.chance import by_chance_per_week
from emotrack.api import bodies, rule_shapes, shapes
from emotrack.api.door import Door
from emotrack.api.errors import Problem, wrong_fields
from emotrack.history.models import Client, Cohort, Session

_DRAFT = "draft"


def _every_error(answer: Callable[..., Response]) -> Callable[..., Response]:
    """Answer with all terms that are wrong, not only with the first."""

    @wraps(answer)
    def told(door: Door, *args: Any, **kwargs: Any) -> Response:
        try:
            return answer(door, *args, **kwargs)
        except InvalidTerms as error:
            places = [(f"/{name}", error.slug, sentence) for name, sentence in error.errors.items()]
            raise wrong_fields(places, malformed=False) from error

    return told


class _RuleDoor(Door):
    def rule(self, public_id: str) -> Rule:
        found = with_versions(rules_visible_to(self.viewer)).filter(public_id=public_id).first()
        if found is None:
            raise Problem("not-found", status=404)
        return found

    def require_may_change(self, *, for_one_client: bool) -> None:
        """Admins change all rules; an app those for single clients that are linked to it."""
        if self.app is None and not self.viewer.is_admin:
            raise Problem("forbidden", "Only admins change rules.", status=403)
        if self.app is not None and not for_one_client:
            raise Problem("forbidden", "An app changes rules for its own clients only.", status=403)


class Rules(_RuleDoor):
    scopes = {"GET": Scope.RULES, "POST": Scope.RULES}
    people = frozenset({"GET", "POST"})

    @extend_schema(operation_id="list_rules", responses=shapes.listed(rule_shapes.RuleAnswer))
    def get(self, request: Request) -> Response:
        """The rules for everyone and for cohorts, and those for single clients that you may see."""
        self.query(bodies.Nothing)
        shown = with_versions(rules_visible_to(self.viewer))
        return Response({"items": [rule_answer(rule) for rule in shown], "next_cursor": None})

    @extend_schema(
        operation_id="create_rule", request=rule_shapes.RuleBody, responses={201: rule_shapes.RuleAnswer}
    )
    @_every_error
    def post(self, request: Request) -> Response:
        """Make a rule. Terms that are left out are those with which the kind ships.

        An app may make rules for its own clients only.
        """
        body = self.body(rule_shapes.RuleBody)
        self.require_may_change(for_one_client="client" in body)
        body |= {
            name: self._named(rows, name, body[name])
            for name, rows in (("client", Client.objects.all()), ("cohort", Cohort.objects.all()))
            if name in body
        }
        made = actions.create_rule(by=self.actor, now=self.now, **(_as_shipped(body) | body))
        return Response(rule_answer(self.rule(made.public_id)), status=201)

    def _named(self, rows: Any, name: str, public_id: str) -> Any:
        found = rows.visible_to(self.viewer).filter(public_id=public_id).first()
        if found is None:
            place = (f"/{name}", "not-found", f"There is no such {name}.")
            raise wrong_fields([place], malformed=False)
        return found


class OneRule(_RuleDoor):
    scopes = {"GET": Scope.RULES, "PATCH": Scope.RULES}
    people = frozenset({"GET", "PATCH"})

    @extend_schema(operation_id="get_rule", responses=rule_shapes.RuleAnswer)
    def get(self, request: Request, rule: str) -> Response:
        """A rule with its present terms."""
        self.query(bodies.Nothing)
        return Response(rule_answer(self.rule(rule)))

    @extend_schema(
        operation_id="change_rule", request=rule_shapes.RuleChange, responses=rule_shapes.RuleAnswer
    )
    @_every_error
    def patch(self, request: Request, rule: str) -> Response:
        """Change terms: a new version with its `reason`, from each client's next session on; or switch it
        off and on. Alerts keep the version under which they fired.
        """
        found = self.rule(rule)
        body = self.body(rule_shapes.RuleChange)
        self.require_may_change(for_one_client=found.client_id is not None)
        enabled, reason = body.pop("enabled", None), body.pop("reason", "")
        if body:
            actions.save_rule(found, reason=reason, by=self.actor, now=self.now, **body)
        if enabled is not None:
            switch = actions.enable_rule if enabled else actions.disable_rule
            switch(found, by=self.actor, now=self.now)
        return Response(rule_answer(self.rule(rule)))


class RuleBacktest(_RuleDoor):
    scopes = {"GET": Scope.RULES, "POST": Scope.RULES}
    people = frozenset({"GET", "POST"})

    @extend_schema(
        operation_id="backtest_rule",
        parameters=[rule_shapes.BacktestQuery],
        responses=rule_shapes.BacktestAnswer,
    )
    def get(self, request: Request, rule: str) -> Response:
        """How often the present terms would have fired, found by the code that fires, over your clients."""
        found = self.rule(rule)
        asked = self.query(rule_shapes.BacktestQuery)
        return Response(self._tried(found, _present(found), asked["days"]))

    @extend_schema(
        operation_id="backtest_draft",
        request=rule_shapes.BacktestBody,
        responses=rule_shapes.BacktestAnswer,
    )
    @_every_error
    def post(self, request: Request, rule: str) -> Response:
        """The same for terms that are not saved: those sent, on top of the present ones. Nothing is kept."""
        found = self.rule(rule)
        body = self.body(rule_shapes.BacktestBody)
        days = body.pop("days")
        before = {name: getattr(_present(found), name) for name in FIELDS}
        draft = RuleVersion(rule=found, **checked(found.kind, before | body, _DRAFT))
        return Response(self._tried(found, draft, days))

    def _tried(self, rule: Rule, terms: RuleVersion, days: int) -> dict[str, Any]:
        clients = clients_of(rule, self.viewer)
        found = backtest(
            terms, rule.kind, since=self.now - timedelta(days=days), until=self.now, clients=clients
        )
        return backtest_answer(rule, terms, found)


def _as_shipped(body: dict[str, Any]) -> dict[str, Any]:
    """The kind's own terms, unless another measure is asked for, on which they would mean nothing."""
    shipped = KINDS[body["kind"]].defaults
    return dict(shipped) if body.get("measure", shipped["measure"]) == shipped["measure"] else {}


def _present(rule: Rule) -> RuleVersion:
    return list(rule.versions.all())[-1]


def rule_answer(rule: Rule) -> dict[str, Any]:
    version = _present(rule)
    return {
        "id": rule.public_id,
        "kind": rule.kind,
        "title": str(rule.title),
        "scope": rule.scope,
        "client": rule.client.public_id if rule.client else None,
        "cohort": rule.cohort.public_id if rule.cohort else None,
        "enabled_at": rule.enabled_at,
        "version": version.number,
        **{name: getattr(version, name) for name in FIELDS},
        "reason": version.reason,
        "saved_at": version.saved_at,
        "saved_by": version.saved_by,
    }


def backtest_answer(rule: Rule, terms: RuleVersion, found: Backtest) -> dict[str, Any]:
    clients = _public_ids(Client, {episode.client for episode in found.episodes})
    sessions = _public_ids(Session, {episode.session for episode in found.episodes})
    return {
        "rule": rule.public_id,
        "since": found.since,
        "until": found.until,
        "count": found.count,
        "people": found.people,
        "per_week": found.per_week,
        "by_chance_per_week": by_chance_per_week(terms, rule.kind, len(found.armed)),
        "clients_judged": len(found.armed),
        "clients_forming": len(found.forming),
        "episodes": [
            {
                "client": clients.get(episode.client),
                "session": sessions.get(episode.session),
                "fired_at": episode.fired_at,
                "ended_at": episode.ended_at,
                "peak": episode.peak,
            }
            for episode in found.episodes
        ],
    }


def _public_ids(model: type, keys: set[int | None]) -> dict[int, str]:
    return dict(model.objects.filter(pk__in=keys - {None}).values_list("pk", "public_id"))
