"""Check the terms that a person gives a rule, and say beside each field what is wrong with it."""

from __future__ import annotations

import math
from collections.abc import Mapping

from django.utils.translation import gettext as _

from analysis.affect import AFFECT_LABELS
from analysis.measures import MEASURES
from emotrack.alerts.models import ADMIN_KINDS, Severity, Told
from emotrack.alerts.rules.kinds import KINDS, MAY_BE_PERSONAL, Runs
from emotrack.history.actions import Refused

DEFAULTS: dict[str, object] = {
    "label": "",
    "for_count": None,
    "for_seconds": None,
    "keep_firing_seconds": 0,
    "cool_down_seconds": 0,
    "usual_spreads": None,
    "also_off_headline": False,
    "severity": Severity.WARNING,
    "tells": [Told.COUNSELORS.value],
    "active_days": list(range(7)),
    "active_from": None,
    "active_until": None,
    "critical_any_time": True,
}
"""Of the terms that need not be given; ``measure``, ``threshold`` and ``recovery_threshold`` must be."""

FIELDS = ("measure", "threshold", "recovery_threshold", *DEFAULTS)

_DAY_S = 24 * 3600
_DAY_MINUTES = 24 * 60
_WHOLE = {
    "for_count": (1, 1000, True),
    "for_seconds": (1, _DAY_S, True),
    "keep_firing_seconds": (0, _DAY_S, False),
    "cool_down_seconds": (0, 30 * _DAY_S, False),
}
"""Least, most, and whether it may be left empty."""

MOST_SPREADS = 20.0
LONGEST_REASON = 500


class InvalidTerms(Refused):
    """errors: field to a sentence for people; the first of them is the detail."""

    def __init__(self, errors: Mapping[str, str]) -> None:
        field, sentence = next(iter(errors.items()))
        super().__init__("invalid-terms", sentence, f"/{field}")
        self.errors = dict(errors)


def checked(
    kind: str, terms: Mapping[str, object], reason: str, other_errors: Mapping[str, str] | None = None
) -> dict[str, object]:
    """All terms, complete and of the right types. Raises ``InvalidTerms`` with everything that is wrong.

    other_errors: what the caller found wrong beside the terms, to be told with the rest.
    """
    if kind not in KINDS:
        raise InvalidTerms({"kind": _("There is no such kind of rule.")})
    if unknown := sorted(set(terms) - set(FIELDS)):
        raise InvalidTerms({name: _("There is no such term.") for name in unknown})
    full = {"measure": KINDS[kind].measures[0]} | DEFAULTS | _of_kind(kind) | dict(terms)
    if isinstance(full["active_days"], list):
        full["active_days"] = sorted(full["active_days"], key=str)
    errors = dict(other_errors or {}) | (
        _of_measure(kind, full)
        | _of_label(full)
        | _of_lines(kind, full)
        | _of_times(kind, full)
        | _of_choices(full)
        | _of_tells(kind, full)
        | _of_hours(full)
    )
    if not reason.strip():
        errors["reason"] = _("Say why, so that others understand it later.")
    elif len(reason) > LONGEST_REASON:
        errors["reason"] = _("At most %(n)d characters.") % {"n": LONGEST_REASON}
    if errors:
        raise InvalidTerms(errors)
    return full


def _of_kind(kind: str) -> dict[str, object]:
    """Who is told and which emotion is watched unless the terms say otherwise."""
    return {name: value for name, value in KINDS[kind].defaults.items() if name in ("tells", "label")}


def _of_measure(kind: str, terms: Mapping[str, object]) -> dict[str, str]:
    if terms["measure"] not in KINDS[kind].measures:
        return {"measure": _("This kind of rule cannot watch that.")}
    if terms["usual_spreads"] is None:
        return {}
    if terms["measure"] not in MAY_BE_PERSONAL:
        return {"usual_spreads": _("This measure is already counted in the person's own spreads.")}
    if not _is_number(terms["usual_spreads"]) or not 0 <= terms["usual_spreads"] <= MOST_SPREADS:
        return {"usual_spreads": _("Give a number from 0 to %(n)g.") % {"n": MOST_SPREADS}}
    return {}


def _of_label(terms: Mapping[str, object]) -> dict[str, str]:
    if terms["measure"] != "emotion_share":
        return {"label": _("Only a rule on one emotion names one.")} if terms["label"] else {}
    return {} if terms["label"] in AFFECT_LABELS else {"label": _("Choose one of the seven emotions.")}


def _of_lines(kind: str, terms: Mapping[str, object]) -> dict[str, str]:
    lines = {name: terms.get(name) for name in ("threshold", "recovery_threshold")}
    errors = {name: _("Give a number.") for name, value in lines.items() if not _is_number(value)}
    if errors or terms["measure"] not in KINDS[kind].measures:
        return errors
    measure = MEASURES[terms["measure"]]
    for name, value in lines.items():
        if (measure.low is not None and value < measure.low) or (
            measure.high is not None and value > measure.high
        ):
            errors[name] = _out_of_range(measure.low, measure.high)
    return errors or _of_order(kind, **lines)


def _of_order(kind: str, threshold: float, recovery_threshold: float) -> dict[str, str]:
    if KINDS[kind].above and recovery_threshold > threshold:
        return {"recovery_threshold": _("It must not lie above the line at which the rule fires.")}
    if not KINDS[kind].above and recovery_threshold < threshold:
        return {"recovery_threshold": _("It must not lie below the line at which the rule fires.")}
    return {}


def _out_of_range(low: float | None, high: float | None) -> str:
    if high is None:
        return _("Give a number of at least %(low)g.") % {"low": low}
    return _("Give a number from %(low)g to %(high)g.") % {"low": low, "high": high}


def _of_times(kind: str, terms: Mapping[str, object]) -> dict[str, str]:
    errors = {}
    for name, (least, most, may_be_empty) in _WHOLE.items():
        value = terms[name]
        if value is None and may_be_empty:
            continue
        if type(value) is not int or not least <= value <= most:
            errors[name] = _("Give a whole number from %(least)d to %(most)d.") % {
                "least": least,
                "most": most,
            }
    if KINDS[kind].runs is not Runs.TURN and terms["for_seconds"] is not None:
        errors["for_seconds"] = _("This kind of rule counts sessions, not time.")
    return errors


def _of_choices(terms: Mapping[str, object]) -> dict[str, str]:
    errors = {}
    if terms["severity"] not in Severity.values:
        errors["severity"] = _("Choose info, warning or critical.")
    if type(terms["also_off_headline"]) is not bool:
        errors["also_off_headline"] = _("Say yes or no.")
    return errors


def _of_tells(kind: str, terms: Mapping[str, object]) -> dict[str, str]:
    tells = terms["tells"]
    if not isinstance(tells, list) or not all(one in Told.values for one in tells):
        return {"tells": _("Choose the client’s counselors, admins, or both.")}
    if not tells:
        return {"tells": _("An alert that nobody is told of helps nobody: choose who.")}
    if kind in ADMIN_KINDS and tells != [Told.ADMINS.value]:
        return {"tells": _("This kind of rule speaks of the sound and the recognizer: it tells admins only.")}
    return {}


def _of_hours(terms: Mapping[str, object]) -> dict[str, str]:
    errors, days = {}, terms["active_days"]
    if not (isinstance(days, list) and days and all(type(day) is int and 0 <= day <= 6 for day in days)):
        errors["active_days"] = _("Choose at least one day.")
    hours = {name: terms[name] for name in ("active_from", "active_until")}
    if (hours["active_from"] is None) != (hours["active_until"] is None):
        missing = next(name for name, value in hours.items() if value is None)
        errors[missing] = _("Give both a beginning and an end, or neither.")
    for name, value in hours.items():
        if value is not None and (type(value) is not int or not 0 <= value < _DAY_MINUTES):
            errors[name] = _("Give a time of day.")
    if not errors and hours["active_from"] is not None and hours["active_from"] == hours["active_until"]:
        errors["active_until"] = _("It must not end when it begins; leave both empty for the whole day.")
    if type(terms["critical_any_time"]) is not bool:
        errors["critical_any_time"] = _("Say yes or no.")
    return errors


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
