"""What people do with rules: each change is a version with its reason, and rules are never deleted."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from emotrack.alerts.lifecycle.keeping import end_open
from emotrack.alerts.models import Alert, EndReason, Rule, RuleBook, RuleVersion, Scope
from emotrack.alerts.rules.kinds import KINDS, Runs
from emotrack.alerts.rules.terms import FIELDS, checked
from emotrack.audit.actions import record
from emotrack.audit.models import Actor
from emotrack.history.locks import hold
from emotrack.history.models import Client, Cohort

SETUP = Actor.system("setup")
SHIPPED = "Shipped with EmoTrack."


@transaction.atomic
def ensure_default_rules(*, now: datetime) -> list[Rule]:
    """Make the rules that every installation starts with, once; what an admin did with them since stays."""
    made = []
    for kind, shipped in KINDS.items():
        rule, new = Rule.objects.get_or_create(
            shipped_as=kind,
            defaults={"kind": kind, "created_at": now, "enabled_at": now if shipped.ships_on else None},
        )
        if new:
            _save_version(rule, 1, checked(kind, shipped.defaults, SHIPPED), SHIPPED, SETUP, now)
            made.append(rule)
    return made


@transaction.atomic
def create_rule(
    *,
    kind: str,
    reason: str,
    by: Actor,
    now: datetime,
    client: Client | None = None,
    cohort: Cohort | None = None,
    name: str = "",
    enabled: bool = True,
    **terms: object,
) -> Rule:
    """A new rule for one client, for the clients of a cohort or for everyone. Raises ``InvalidTerms``."""
    complete = checked(kind, terms, reason, _wrong_scope(kind, client, cohort) | _wrong_name(name))
    rule = Rule.objects.create(
        kind=kind,
        name=name.strip(),
        scope=Scope.CLIENT if client else Scope.COHORT if cohort else Scope.EVERYONE,
        client=client,
        cohort=cohort,
        created_at=now,
        enabled_at=now if enabled else None,
    )
    _save_version(rule, 1, complete, reason, by, now)
    return rule


def _wrong_scope(kind: str, client: Client | None, cohort: Cohort | None) -> dict[str, str]:
    if client is not None and cohort is not None:
        return {"scope": _("Choose one client or one cohort, not both.")}
    if (client or cohort) and KINDS[kind].runs is Runs.MONTH:
        return {"scope": _("This kind of rule watches the recognizer as a whole.")}
    if client is not None and client.erased_at is not None:
        return {"client": _("What is held about this client was erased.")}
    return {}


def _wrong_name(name: str) -> dict[str, str]:
    longest = Rule._meta.get_field("name").max_length
    return {"name": _("At most %(n)d characters.") % {"n": longest}} if len(name.strip()) > longest else {}


@transaction.atomic
def save_rule(rule: Rule, *, reason: str, by: Actor, now: datetime, **terms: object) -> RuleVersion:
    """A new version with the given terms changed; terms that are not given stay as they are.

    It takes effect with each client's next session; alerts keep the version under which they fired. Nothing
    is saved when nothing changes. Raises ``InvalidTerms``.
    """
    rule = Rule.objects.select_for_update(of=("self",), no_key=True).get(pk=rule.pk)
    current = rule.current
    before = {name: getattr(current, name) for name in FIELDS}
    complete = checked(rule.kind, before | terms, reason)
    if complete == before:
        return current
    return _save_version(rule, current.number + 1, complete, reason, by, now)


def _save_version(
    rule: Rule, number: int, terms: dict[str, object], reason: str, by: Actor, now: datetime
) -> RuleVersion:
    version = RuleVersion.objects.create(
        rule=rule, number=number, reason=reason.strip(), saved_by=by.name, saved_at=now, **terms
    )
    RuleBook.turn()
    record("rule.saved", by=by, now=now, subject=rule.public_id, version=number)
    return version


@transaction.atomic
def enable_rule(rule: Rule, *, by: Actor, now: datetime) -> None:
    if Rule.objects.filter(pk=rule.pk, enabled_at__isnull=True).update(enabled_at=now):
        RuleBook.turn()
        record("rule.enabled", by=by, now=now, subject=rule.public_id)


@transaction.atomic
def disable_rule(rule: Rule, *, by: Actor, now: datetime) -> None:
    """Switch it off; what it holds open ends, because nobody watches any more."""
    if not Rule.objects.filter(pk=rule.pk, enabled_at__isnull=False).update(enabled_at=None):
        return
    RuleBook.turn()
    record("rule.disabled", by=by, now=now, subject=rule.public_id)
    open_alerts = Alert.objects.standing().filter(rule=rule, resolved_at=None)
    for client_id in sorted(set(open_alerts.values_list("client", flat=True))):
        end_open(hold(client_id), EndReason.RULE_OFF, now=now, rule=rule)
