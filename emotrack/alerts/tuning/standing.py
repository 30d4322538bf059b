"""How a rule stands with the people who receive its alerts: were they of use, how soon were they seen."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.db.models import Count, Q, QuerySet

from analysis.shares import wilson
from emotrack.accounts.models import App, User
from emotrack.alerts.models import Alert, Rule
from emotrack.alerts.rules.kinds import KINDS, Runs
from emotrack.alerts.tuning.suggestion import Judged, NoSuggestion, Suggestion, suggest
from emotrack.alerts.tuning.watched import reaches

SEEN_OVER = timedelta(days=90)
"""Time to acknowledge is of the alerts of so long."""

IGNORED_OVER = timedelta(days=30)
IGNORED_FROM = 10
"""From so many alerts on, none of them seen or of use, nobody acts on a rule."""

JUDGED_AT_MOST = 500
"""The latest judged alerts that a suggestion is drawn from."""


@dataclass(frozen=True, slots=True)
class RuleStanding:
    """Counts of alerts, each counted once: useful when anybody found it so, else not useful, else known.

    precision: share of the useful among those judged useful or not, with its 95 % Wilson interval.
    seen, told: of the last 90 days. median_ack_s: seconds until half of them were seen; ``None`` while more
    than half were not. fired_lately: in the last 30 days. nobody_acts: at least 10 then, none seen or of use.
    """

    useful: int = 0
    not_useful: int = 0
    already_known: int = 0
    seen: int = 0
    told: int = 0
    median_ack_s: float | None = None
    fired_lately: int = 0
    nobody_acts: bool = False

    @property
    def judged(self) -> int:
        return self.useful + self.not_useful

    @property
    def precision(self) -> float | None:
        return self.useful / self.judged if self.judged else None

    @property
    def interval(self) -> tuple[float, float] | None:
        return wilson(self.useful, self.judged) if self.judged else None


@dataclass(slots=True)
class _Lately:
    waits: list[float] = field(default_factory=list)
    told: int = 0
    fired: int = 0
    acted_on: bool = False


def rule_standing(rules: Iterable[Rule], *, viewer: User | App, now: datetime) -> dict[int, RuleStanding]:
    """Primary key of each rule to how it stands, over the clients that the viewer may see; two queries."""
    rules = list(rules)
    judged = {row["rule_id"]: row for row in _judged_counts(rules, viewer)}
    lately = _lately(rules, viewer, now)
    return {rule.pk: _standing(judged.get(rule.pk, {}), lately.get(rule.pk, _Lately())) for rule in rules}


def _of(rules: Sequence[Rule], viewer: User | App) -> QuerySet[Alert]:
    visible = Alert.objects.visible_to(viewer).values("pk")
    return Alert.objects.standing().filter(rule__in=rules, pk__in=visible).with_judgments()


def _judged_counts(rules: Sequence[Rule], viewer: User | App) -> QuerySet:
    return (
        _of(rules, viewer)
        .order_by()
        .values("rule_id")
        .annotate(
            useful=Count("pk", filter=Q(was_useful=True)),
            not_useful=Count("pk", filter=Q(was_useful=False, was_not_useful=True)),
            already_known=Count("pk", filter=Q(was_useful=False, was_not_useful=False, was_known=True)),
        )
    )


def _lately(rules: Sequence[Rule], viewer: User | App, now: datetime) -> dict[int, _Lately]:
    rows = (
        _of(rules, viewer)
        .filter(created_at__gt=now - SEEN_OVER, historical_at=None, part_of=None)
        .order_by()
        .values_list("rule_id", "created_at", "acknowledged_at", "was_useful", "muted")
    )
    found: dict[int, _Lately] = {}
    for rule_id, created_at, acknowledged_at, was_useful, muted in rows:
        of_rule = found.setdefault(rule_id, _Lately())
        if not muted:
            of_rule.told += 1
            if acknowledged_at is not None:
                of_rule.waits.append((acknowledged_at - created_at).total_seconds())
        if created_at > now - IGNORED_OVER:
            of_rule.fired += 1
            of_rule.acted_on |= acknowledged_at is not None or was_useful
    return found


def _standing(judged: Mapping[str, int], lately: _Lately) -> RuleStanding:
    return RuleStanding(
        useful=judged.get("useful", 0),
        not_useful=judged.get("not_useful", 0),
        already_known=judged.get("already_known", 0),
        seen=len(lately.waits),
        told=lately.told,
        median_ack_s=_median_wait(lately.waits, lately.told),
        fired_lately=lately.fired,
        nobody_acts=lately.fired >= IGNORED_FROM and not lately.acted_on,
    )


def _median_wait(waits: Sequence[float], told: int) -> float | None:
    """The lower median where those that nobody has seen yet wait for ever."""
    place = (told - 1) // 2
    return sorted(waits)[place] if told and place < len(waits) else None


# --- A threshold from verdicts ------------------------------------------------------------------


def suggested_threshold(rule: Rule, *, viewer: User | App) -> Suggestion | NoSuggestion:
    """What the verdicts on the rule's latest alerts speak for, under its present terms."""
    version, above = rule.current, KINDS[rule.kind].above
    if KINDS[rule.kind].runs not in (Runs.TURN, Runs.SESSION):
        return NoSuggestion.NOT_FOR_KIND
    rows = (
        _of([rule], viewer)
        .filter(version__measure=version.measure)
        .filter(Q(was_useful=True) | Q(was_not_useful=True))
        .select_related("version")
        .order_by("-fired_at", "-id")
    )
    judged = list(rows[:JUDGED_AT_MOST])
    found = reaches(judged, version, above=above)
    return suggest(
        [Judged(found[alert.pk], alert.was_useful) for alert in judged if alert.pk in found],
        current=version.threshold,
        above=above,
    )
