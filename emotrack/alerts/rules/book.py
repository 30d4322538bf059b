"""The rules that are on, read once per change and kept by each process."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from threading import Lock

from django.db.models import Prefetch

from emotrack.alerts.models import Rule, RuleBook, RuleVersion, Scope
from emotrack.alerts.rules.kinds import KINDS, Runs
from emotrack.history.models import CohortMembership


@dataclass(frozen=True, slots=True)
class Book:
    """mark: of the state that it was read from. rules: those that are on. versions: of each by its primary
    key, newest first."""

    mark: str
    rules: tuple[Rule, ...]
    versions: Mapping[int, Sequence[RuleVersion]]

    def version_at(self, rule: Rule, began_at: datetime) -> RuleVersion:
        """As ``Rule.version_at``, without a query."""
        versions = self.versions[rule.pk]
        return next((v for v in versions if v.saved_at <= began_at), versions[-1])

    def for_client(self, client_id: int, runs: Runs) -> list[Rule]:
        """Those that judge this client at that occasion, in the order in which they were made."""
        rules = [rule for rule in self.rules if KINDS[rule.kind].runs is runs]
        cohorts = self._cohorts_of(client_id, rules)
        return [rule for rule in rules if _concerns(rule, client_id, cohorts)]

    @staticmethod
    def _cohorts_of(client_id: int, rules: Iterable[Rule]) -> frozenset[int]:
        if not any(rule.cohort_id for rule in rules):
            return frozenset()
        rows = CohortMembership.objects.filter(client=client_id)
        return frozenset(rows.values_list("cohort_id", flat=True))


def _concerns(rule: Rule, client_id: int, cohorts: frozenset[int]) -> bool:
    if rule.scope == Scope.EVERYONE:
        return True
    return rule.client_id == client_id if rule.scope == Scope.CLIENT else rule.cohort_id in cohorts


_kept: Book | None = None
_lock = Lock()


def book() -> Book:
    """The rules as they stand for the caller's transaction: one small query unless something changed."""
    global _kept
    mark, kept = RuleBook.current_mark(), _kept
    if kept is not None and mark and kept.mark == mark:
        return kept
    versions = Prefetch("versions", RuleVersion.objects.order_by("number"))
    rules = Rule.objects.filter(enabled_at__isnull=False).prefetch_related(versions).order_by("id")
    read = Book(mark, tuple(rules), {rule.pk: tuple(rule.versions.all())[::-1] for rule in rules})
    with _lock:
        _kept = read
    return read
