"""Rules as pages and doors read them, each within what the viewer may see."""

from __future__ import annotations

from django.db.models import Prefetch, Q, QuerySet

from emotrack.accounts.models import App, User
from emotrack.alerts.models import Rule, RuleVersion, Scope
from emotrack.history.models import Client, CohortMembership


def rules_visible_to(viewer: User | App) -> QuerySet[Rule]:
    """Those for everyone and for cohorts, and those for single clients that the viewer may see."""
    theirs = Q(client__isnull=True) | Q(client__in=Client.objects.visible_to(viewer).values("pk"))
    return Rule.objects.filter(theirs).select_related("client", "cohort").order_by("id")


def with_versions(rules: QuerySet[Rule]) -> QuerySet[Rule]:
    """With ``versions`` loaded, oldest first."""
    return rules.prefetch_related(Prefetch("versions", RuleVersion.objects.order_by("number")))


def clients_of(rule: Rule, viewer: User | App) -> QuerySet[Client]:
    """Whom the rule watches, of those whom the viewer may see; free of joins."""
    visible = Client.objects.visible_to(viewer).values("pk")
    watched = Client.objects.filter(pk__in=visible, erased_at__isnull=True)
    if rule.scope == Scope.CLIENT:
        return watched.filter(pk=rule.client_id)
    if rule.scope == Scope.COHORT:
        members = CohortMembership.objects.filter(cohort=rule.cohort_id).values("client")
        return watched.filter(pk__in=members)
    return watched
