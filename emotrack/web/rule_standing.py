"""How a rule stands with those who receive its alerts, in sentences."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from emotrack.accounts.models import User
from emotrack.alerts.models import Rule
from emotrack.alerts.tuning.standing import IGNORED_OVER, RuleStanding, rule_standing, suggested_threshold
from emotrack.alerts.tuning.suggestion import LEAST_OF_EACH, LEAST_VERDICTS, NoSuggestion, Suggestion
from emotrack.web.terms import number
from emotrack.web.words import percent

NO_SUGGESTION: dict[NoSuggestion, Promise] = {
    NoSuggestion.TOO_FEW: gettext_lazy(
        "A threshold is suggested from %(n)d alerts on that were judged useful or not."
    ),
    NoSuggestion.TOO_FEW_OF_EACH: gettext_lazy(
        "A threshold is suggested once at least %(each)d alerts were useful and %(each)d were not."
    ),
    NoSuggestion.NOT_SEPARABLE: gettext_lazy(
        "No threshold would drop alerts that were not useful and keep those that were."
    ),
    NoSuggestion.NOT_FOR_KIND: gettext_lazy("For this kind of rule verdicts suggest no threshold."),
}


@dataclass(frozen=True, slots=True)
class RuleStandingWords:
    """What ``_rule_standing.html`` shows. ignored: empty unless nobody acts on the rule. preview: the
    suggested threshold as it goes into an address, empty without one."""

    verdicts: str
    seen: str
    ignored: str
    suggestion: str = ""
    preview: str = ""
    preview_number: str = ""


def standings(rules: Iterable[Rule], *, viewer: User, now: datetime) -> dict[int, RuleStandingWords]:
    """Primary key of each rule to its sentences, without a suggestion: for lists."""
    found = rule_standing(rules, viewer=viewer, now=now)
    return {pk: RuleStandingWords(*_sentences(standing)) for pk, standing in found.items()}


def standing_of(rule: Rule, *, viewer: User, now: datetime) -> RuleStandingWords:
    """One rule's sentences, with the threshold that the verdicts speak for: for its own page."""
    standing = rule_standing([rule], viewer=viewer, now=now)[rule.pk]
    suggested = suggested_threshold(rule, viewer=viewer)
    if isinstance(suggested, NoSuggestion):
        why = NO_SUGGESTION[suggested] % {"n": LEAST_VERDICTS, "each": LEAST_OF_EACH}
        return RuleStandingWords(*_sentences(standing), suggestion=why)
    return RuleStandingWords(
        *_sentences(standing),
        suggestion=_suggestion(suggested),
        preview=f"{suggested.threshold:g}",
        preview_number=number(suggested.threshold),
    )


def _sentences(standing: RuleStanding) -> tuple[str, str, str]:
    return verdict_sentence(standing), _seen(standing), _ignored(standing)


def verdict_sentence(standing: RuleStanding) -> str:
    """How many alerts were useful, with the interval, or that nobody has judged one yet."""
    known = ngettext(
        "%(n)d alert told what was already known.",
        "%(n)d alerts told what was already known.",
        standing.already_known,
    ) % {"n": standing.already_known}
    if not standing.judged:
        return known if standing.already_known else _("Nobody has judged its alerts yet.")
    low, high = standing.interval
    said = ngettext(
        "%(useful)d of %(n)d judged alert was useful (%(share)s, interval %(low)s – %(high)s).",
        "%(useful)d of %(n)d judged alerts were useful (%(share)s, interval %(low)s – %(high)s).",
        standing.judged,
    ) % {
        "useful": standing.useful,
        "n": standing.judged,
        "share": percent(standing.precision),
        "low": percent(low),
        "high": percent(high),
    }
    return f"{said} {known}" if standing.already_known else said


def _seen(standing: RuleStanding) -> str:
    if not standing.told:
        return ""
    counts = {"seen": standing.seen, "told": standing.told}
    if standing.median_ack_s is None:
        return _("%(seen)d of %(told)d alerts of the last 90 days were acknowledged.") % counts
    time = waiting_time(standing.median_ack_s)
    said = _("Half were acknowledged within %(time)s (%(seen)d of %(told)d in 90 days).")
    return said % (counts | {"time": time})


def waiting_time(seconds: float) -> str:
    """A stretch of time as coarse as people say it."""
    minutes = max(1, round(seconds / 60))
    if minutes < 90:
        return ngettext("%(n)d minute", "%(n)d minutes", minutes) % {"n": minutes}
    hours = round(minutes / 60)
    if hours < 36:
        return ngettext("%(n)d hour", "%(n)d hours", hours) % {"n": hours}
    days = round(hours / 24)
    return ngettext("%(n)d day", "%(n)d days", days) % {"n": days}


def _ignored(standing: RuleStanding) -> str:
    if not standing.nobody_acts:
        return ""
    return _(
        "Nobody acts on this rule: it fired %(n)d times in %(days)d days, and no alert was acknowledged or"
        " found useful."
    ) % {"n": standing.fired_lately, "days": IGNORED_OVER.days}


def _suggestion(found: Suggestion) -> str:
    return _(
        "The verdicts speak for %(threshold)s: of the judged alerts it keeps %(keeps)d of %(useful)d useful"
        " ones and drops %(drops)d of %(others)d others."
    ) % {
        "threshold": number(found.threshold),
        "keeps": found.keeps,
        "useful": found.useful,
        "drops": found.drops,
        "others": found.not_useful,
    }
