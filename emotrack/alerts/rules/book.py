"""The rules that are on, read once per change and kept by each process."""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from threading import Lock

from django.db.models import Prefetch

from emotrack.alerts.models import Rule, RuleBook, RuleVersion, Scope
from emotrack.alerts.rules.kinds import KINDS, Runs
from emotrack.history.models import CohortMembership

InForce = tuple[Rule, RuleVersion]
Audience = tuple[str, int | None]
"""A scope, and the client or cohort of it."""


@dataclass(frozen=True, slots=True)
class Watch:
    """Rules that look at one series from one side. rules: in the order in which they were made.

    in_a_row: so many values beyond its line each of them needs at least. mildest: unless that many lie beyond
    this line none of them fires, whatever is usual of the person.
    """

    measure: str
    label: str
    above: bool
    in_a_row: int
    mildest: float
    rules: tuple[InForce, ...]


@dataclass(frozen=True)
class Book:
    """mark: of the state that it was read from. rules: those that are on. versions: of each by its primary
    key, newest first."""

    mark: str
    rules: tuple[Rule, ...]
    versions: Mapping[int, Sequence[RuleVersion]]
    _watches: dict[tuple, tuple[Watch, ...]] = field(default_factory=dict)

    @cached_property
    def _saved_at(self) -> list[datetime]:
        return sorted({version.saved_at for versions in self.versions.values() for version in versions})

    @cached_property
    def _audiences(self) -> dict[Runs, frozenset[Audience]]:
        """Whom the rules that judge at each occasion are for."""
        found = defaultdict(set)
        for rule in self.rules:
            found[KINDS[rule.kind].runs].add(_audience(rule))
        return {runs: frozenset(found[runs]) for runs in Runs}

    def version_at(self, rule: Rule, began_at: datetime) -> RuleVersion:
        """As ``Rule.version_at``, without a query."""
        versions = self.versions[rule.pk]
        return next((v for v in versions if v.saved_at <= began_at), versions[-1])

    def for_client(self, client_id: int, runs: Runs) -> list[Rule]:
        """Those that judge this client at that occasion, in the order in which they were made."""
        audiences = self._audiences_with(client_id, runs)
        at_that = (rule for rule in self.rules if KINDS[rule.kind].runs is runs)
        return [rule for rule in at_that if _audience(rule) in audiences]

    def watches(self, client_id: int, runs: Runs, began_at: datetime) -> tuple[Watch, ...]:
        """The same, as they stood then and by what they look at; made once for all who share them."""
        key = runs, self._audiences_with(client_id, runs), bisect_right(self._saved_at, began_at)
        if key not in self._watches:
            rules = self.for_client(client_id, runs)
            self._watches[key] = _watches([(rule, self.version_at(rule, began_at)) for rule in rules])
        return self._watches[key]

    def _audiences_with(self, client_id: int, runs: Runs) -> frozenset[Audience]:
        """Of those that rules are for, the ones that this client belongs to."""
        audiences = self._audiences[runs]
        with_client = {(Scope.EVERYONE, None), (Scope.CLIENT, client_id)}
        if any(scope == Scope.COHORT for scope, _whom in audiences):
            cohorts = CohortMembership.objects.filter(client=client_id).values_list("cohort_id", flat=True)
            with_client |= {(Scope.COHORT, cohort) for cohort in cohorts}
        return audiences & with_client


def _audience(rule: Rule) -> Audience:
    return rule.scope, rule.client_id if rule.scope == Scope.CLIENT else rule.cohort_id


def _watches(rules: Sequence[InForce]) -> tuple[Watch, ...]:
    grouped: dict[tuple[str, str, bool, int], list[InForce]] = defaultdict(list)
    for rule, version in rules:
        key = version.measure, version.label, KINDS[rule.kind].above, version.least_in_a_row
        grouped[key].append((rule, version))
    return tuple(
        Watch(
            *key, (min if key[2] else max)(version.threshold for _rule, version in together), tuple(together)
        )
        for key, together in grouped.items()
    )


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
