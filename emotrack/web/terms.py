"""The terms of a rule in plain words."""

from __future__ import annotations

from django.utils.dates import WEEKDAYS_ABBR
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from analysis.measures import measure
from emotrack.alerts.models import Alert, Rule, RuleVersion, Severity, Told
from emotrack.alerts.rules.kinds import KINDS, Runs
from emotrack.web.words import EMOTIONS


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
        (_("Watches"), watched_words(version)),
        (_("Fires"), _fires(version)),
        (_("Ends"), _ends(version)),
        (
            _("Then quiet"),
            minutes(version.cool_down_seconds) if version.cool_down_seconds else _("not at all"),
        ),
        (_("Tells"), told_words(version)),
        (_("At"), hours_words(version)),
    ]


def changes_in_words(before: RuleVersion, version: RuleVersion) -> list[tuple[str, str]]:
    """(name, "old → new") of the terms that a version changed."""
    pairs = zip(in_words(before), in_words(version), strict=True)
    changed = [(name, f"{old} → {new}") for (name, old), (_name, new) in pairs if old != new]
    if before.severity != version.severity:
        old, new = (Severity(one.severity).label for one in (before, version))
        changed.append((_("Severity"), f"{old} → {new}"))
    if before.also_off_headline != version.also_off_headline:
        changed.append((_("Off the headline"), _("yes") if version.also_off_headline else _("no")))
    return changed


def scope_words(rule: Rule) -> str:
    """Whom a rule watches."""
    if rule.watches_nobody:
        return _("Nobody: its cohort was deleted")
    if rule.client is not None:
        return rule.client.code
    return rule.cohort.name if rule.cohort is not None else _("Everyone in the practice")


def watched_words(version: RuleVersion) -> str:
    if not version.label:
        return measure_name(version.measure)
    return _("%(measure)s: %(emotion)s") % {
        "measure": measure_name(version.measure),
        "emotion": EMOTIONS[version.label],
    }


def told_words(version: RuleVersion) -> str:
    return ", ".join(str(Told(one).label) for one in version.tells)


def hours_words(version: RuleVersion) -> str:
    """When a rule tells anybody, as in "Mon–Fri 08:00–19:00; outside, it waits"."""
    if version.active_from is None and len(version.active_days) == 7:
        return _("any time")
    said = _days_words(version.active_days)
    if version.active_from is not None:
        said += f" {clock_of(version.active_from)}–{clock_of(version.active_until)}"
    waits = _("outside, it waits")
    if version.critical_any_time:
        waits = _("outside, it waits unless it is critical")
    return f"{said}; {waits}"


def clock_of(minute: int) -> str:
    return f"{minute // 60:02d}:{minute % 60:02d}"


def _days_words(days: list[int]) -> str:
    """Days in runs: "Mon–Fri, Sun"."""
    runs: list[list[int]] = []
    for day in sorted(days):
        if runs and day == runs[-1][-1] + 1:
            runs[-1].append(day)
        else:
            runs.append([day])
    names = [str(WEEKDAYS_ABBR[day]) for day in range(7)]
    return ", ".join(names[run[0]] if len(run) == 1 else f"{names[run[0]]}–{names[run[-1]]}" for run in runs)


def _fires(version: RuleVersion) -> str:
    side = _("above %(x)s") if KINDS[version.rule.kind].above else _("below %(x)s")
    said = side % {"x": number(version.threshold)}
    if version.usual_spreads is not None:
        said += " " + _("and %(k)s × own spread off the own median") % {"k": number(version.usual_spreads)}
    return f"{said}, {for_words(version)}"


def for_words(version: RuleVersion) -> str:
    if KINDS[version.rule.kind].runs is not Runs.TURN:
        return _for_words_beyond_turns(version)
    turns = _("at the first turn")
    if version.for_count:
        turns = ngettext("for %(n)d turn", "for %(n)d turns in a row", version.for_count) % {
            "n": version.for_count
        }
    if version.for_seconds:
        return _("%(turns)s or %(time)s") % {"turns": turns, "time": minutes(version.for_seconds)}
    return turns


def _for_words_beyond_turns(version: RuleVersion) -> str:
    runs, n = KINDS[version.rule.kind].runs, version.for_count or 1
    if n == 1:
        once = {
            Runs.SESSION: _("at the first session"),
            Runs.CLOCK: _("at once"),
            Runs.MONTH: _("at the first month"),
        }
        return once[runs]
    said = {
        Runs.SESSION: ngettext("for %(n)d session", "for %(n)d sessions in a row", n),
        Runs.CLOCK: ngettext("for %(n)d day", "for %(n)d days in a row", n),
        Runs.MONTH: ngettext("for %(n)d month", "for %(n)d months in a row", n),
    }
    return said[runs] % {"n": n}


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
        "emotion_share": _("Share of one emotion in the last 20 turns, the least that chance allows"),
        "abstained_share": _("Share of the last 20 turns without a reading"),
        "incongruence_share": _(
            "Share of the last 20 turns whose tone and words differ, the least that chance allows"
        ),
        "session_level": _("Level of the sessions against the person’s own usual"),
        "session_drop": _("Sum of how far sessions fell below the own usual"),
        "usual_day": _("A session against the person’s usual sessions"),
        "trend_per_week": _("Trend of the sessions, a week, where it is beyond chance"),
        "session_flattening": _("Movement in a session against the person’s own least"),
        "silence": _("Time without a word, in the person’s usual gaps"),
        "label_shift": _("Shift of all readings from month to month"),
    }
    return names.get(measure_id) or _(measure(measure_id).label)


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
    if version.measure in _WHY:
        return str(_WHY[version.measure])
    return _("%(measure)s: %(terms)s.") % {"measure": measure_name(version.measure), "terms": _fires(version)}


_WHY = {
    "session_level": gettext_lazy("Over the last sessions the voice may sound lower than usual."),
    "session_drop": gettext_lazy("The last sessions may sound lower than usual, one after the other."),
    "usual_day": gettext_lazy("This session lay below the usual ones by more than days differ anyway."),
    "trend_per_week": gettext_lazy("Over the last weeks the sessions went down further than chance would."),
    "session_flattening": gettext_lazy("The voice moved less from turn to turn than it mostly does."),
    "silence": gettext_lazy("Nothing was heard for far longer than usual between this person’s sessions."),
    "incongruence_share": gettext_lazy(
        "In many of the last turns one of tone and words was pleasant and the other not. Irony, quotations "
        "and misheard words look the same."
    ),
    "abstained_share": gettext_lazy("Many of the last turns gave no reading: look at the microphone."),
}
"""What was heard that made a rule fire whose terms need more words than a number."""


def _capital(words: str) -> str:
    return words[:1].upper() + words[1:]
