"""The terms of a rule in plain words."""

from __future__ import annotations

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from analysis.measures import measure
from emotrack.alerts.kinds import KINDS
from emotrack.alerts.models import Alert, RuleVersion


def number(value: float) -> str:
    """A number as people write it, with a real minus sign."""
    return f"{value:g}".replace("-", "−")


def minutes(seconds: int) -> str:
    if seconds >= 3600 and seconds % 3600 == 0:
        return ngettext("%(n)d hour", "%(n)d hours", seconds // 3600) % {"n": seconds // 3600}
    if seconds >= 60 and seconds % 60 == 0:
        return ngettext("%(n)d minute", "%(n)d minutes", seconds // 60) % {"n": seconds // 60}
    return ngettext("%(n)d second", "%(n)d seconds", seconds) % {"n": seconds}


def in_words(version: RuleVersion) -> list[tuple[str, str]]:
    """(name, sentence) of every term."""
    return [
        (_("Watches"), measure_name(version.measure)),
        (_("Fires"), _fires(version)),
        (_("Ends"), _ends(version)),
        (
            _("Then quiet"),
            minutes(version.cool_down_seconds) if version.cool_down_seconds else _("not at all"),
        ),
    ]


def _fires(version: RuleVersion) -> str:
    side = _("above %(x)s") if KINDS[version.rule.kind].above else _("below %(x)s")
    said = side % {"x": number(version.threshold)}
    if version.usual_spreads is not None:
        said += " " + _("and %(k)s × own spread off the own median") % {"k": number(version.usual_spreads)}
    return f"{said}, {for_words(version)}"


def for_words(version: RuleVersion) -> str:
    turns = _("at the first turn")
    if version.for_count:
        turns = ngettext("for %(n)d turn", "for %(n)d turns in a row", version.for_count) % {
            "n": version.for_count
        }
    if version.for_seconds:
        return _("%(turns)s or %(time)s") % {"turns": turns, "time": minutes(version.for_seconds)}
    return turns


def _ends(version: RuleVersion) -> str:
    side = _("below %(x)s") if KINDS[version.rule.kind].above else _("above %(x)s")
    said = side % {"x": number(version.recovery_threshold)}
    if version.keep_firing_seconds:
        said += ", " + _("after %(time)s more") % {"time": minutes(version.keep_firing_seconds)}
    return said


def measure_name(measure_id: str) -> str:
    """What a measure is called; the analysis names those that have no words of their own here."""
    names = {
        "volatility_z": _("Changeability against the person's own usual"),
        "volatility": _("Changeability, plain index"),
        "mood_level": _("Mood level over the last minutes"),
        "activation_level": _("Activation level over the last minutes"),
    }
    return names.get(measure_id) or measure(measure_id).label


def why_sentence(alert: Alert) -> str:
    """What was heard that made the rule fire, in one or two sentences."""
    version = alert.version
    if version.measure == "volatility_z":
        said = _("%(how_long)s the voice moved from turn to turn far more than usual for this person.")
        earlier = alert.baseline.get("n")
        usual = " " + _("“Usual” comes from %(n)d earlier readings.") % {"n": earlier} if earlier else ""
        return said % {"how_long": _capital(for_words(version))} + usual
    if version.measure == "mood_level":
        said = _("%(how_long)s the mood level stayed below %(line)s, lower than usual for this person.")
        line = alert.baseline.get("threshold", version.threshold)
        return said % {"how_long": _capital(for_words(version)), "line": number(round(line, 2))}
    return _("%(measure)s: %(terms)s.") % {"measure": measure_name(version.measure), "terms": _fires(version)}


def _capital(words: str) -> str:
    return words[:1].upper() + words[1:]
