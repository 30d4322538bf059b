"""The terms of a rule as a form: times in minutes, hours and on the clock, the rest as stored."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django import forms
from django.utils.dates import WEEKDAYS_ABBR
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from analysis.affect import AFFECT_LABELS
from analysis.measures import MEASURES
from emotrack.alerts.models import ADMIN_KINDS, Severity, Told
from emotrack.alerts.rules.kinds import KINDS, MAY_BE_PERSONAL, Runs
from emotrack.alerts.rules.terms import DEFAULTS, InvalidTerms
from emotrack.history.models import Client, Cohort
from emotrack.web.terms import clock_of, measure_name
from emotrack.web.words import EMOTIONS

SCALES = {"for_seconds": 60, "keep_firing_seconds": 60, "cool_down_seconds": 3600}
"""Seconds in the unit of each field that people see."""

FOR_LABELS = {
    Runs.TURN: gettext_lazy("For at least, turns"),
    Runs.SESSION: gettext_lazy("For at least, sessions"),
    Runs.CLOCK: gettext_lazy("For at least, days"),
    Runs.MONTH: gettext_lazy("For at least, months"),
}


class ClockField(forms.TimeField):
    """A time of day, in minutes after midnight."""

    widget = forms.TimeInput(attrs={"type": "time"}, format="%H:%M")

    def clean(self, value: Any) -> int | None:
        at = super().clean(value)
        return None if at is None else at.hour * 60 + at.minute


class RuleForm(forms.Form):
    """kind: of the rule. terms: as stored, to begin with."""

    measure = forms.ChoiceField(label=gettext_lazy("Watch"))
    label = forms.ChoiceField(label=gettext_lazy("Which emotion"))
    threshold = forms.FloatField(widget=forms.NumberInput(attrs={"step": "any"}))
    recovery_threshold = forms.FloatField(widget=forms.NumberInput(attrs={"step": "any"}))
    for_count = forms.IntegerField(required=False)
    for_seconds = forms.FloatField(required=False, label=gettext_lazy("or for, minutes"))
    keep_firing_seconds = forms.FloatField(label=gettext_lazy("Keep firing, minutes"))
    cool_down_seconds = forms.FloatField(label=gettext_lazy("Then stay quiet, hours"))
    usual_spreads = forms.FloatField(
        required=False,
        label=gettext_lazy("Own spreads off the own median"),
        help_text=gettext_lazy("Empty: the line above alone decides."),
    )
    also_off_headline = forms.BooleanField(
        required=False, label=gettext_lazy("Also where the recognizer does not read this dimension best")
    )
    severity = forms.ChoiceField(
        choices=Severity.choices, widget=forms.RadioSelect, label=gettext_lazy("Severity")
    )
    tells = forms.MultipleChoiceField(
        required=False, choices=Told.choices, widget=forms.CheckboxSelectMultiple, label=gettext_lazy("Tell")
    )
    active_days = forms.TypedMultipleChoiceField(
        required=False,
        coerce=int,
        choices=list(WEEKDAYS_ABBR.items()),
        widget=forms.CheckboxSelectMultiple,
        label=gettext_lazy("On these days"),
    )
    active_from = ClockField(required=False, label=gettext_lazy("From"))
    active_until = ClockField(required=False, label=gettext_lazy("Until"))
    critical_any_time = forms.BooleanField(
        required=False, label=gettext_lazy("Critical alerts do not wait for these hours")
    )
    reason = forms.CharField(
        required=False,
        widget=forms.Textarea(attrs={"rows": 3}),
        label=gettext_lazy("Why this change"),
        help_text=gettext_lazy("Kept with the version. Old alerts keep the terms they fired under."),
    )

    def __init__(self, kind: str, terms: Mapping[str, object], data: Any = None) -> None:
        super().__init__(data, initial=_shown(terms))
        self.above = KINDS[kind].above
        known = KINDS[kind]
        self.kind = kind
        self.fields["measure"].choices = [(m, measure_name(m)) for m in known.measures]
        self.fields["label"].choices = [(one, EMOTIONS[one]) for one in AFFECT_LABELS]
        self.fields["threshold"].label = _("Fires above") if known.above else _("Fires below")
        self.fields["recovery_threshold"].label = _("Ends below") if known.above else _("Ends above")
        self.fields["for_count"].label = FOR_LABELS[known.runs]
        for name in self._without():
            del self.fields[name]

    def _without(self) -> list[str]:
        """Fields that say nothing for this kind."""
        known, gone = KINDS[self.kind], []
        if not all(measure in MAY_BE_PERSONAL for measure in known.measures):
            gone.append("usual_spreads")
        if all(MEASURES[measure].dimension is None for measure in known.measures):
            gone.append("also_off_headline")
        if "emotion_share" not in known.measures:
            gone.append("label")
        if known.runs is not Runs.TURN:
            gone += ["for_seconds", "keep_firing_seconds"]
        return gone + (["tells"] if self.kind in ADMIN_KINDS else [])

    def terms(self) -> dict[str, object]:
        """What was entered, in the columns and units of ``RuleVersion``."""
        cleaned = {k: v for k, v in self.cleaned_data.items() if k in DEFAULTS or k in _LINES}
        for name, seconds in SCALES.items():
            if cleaned.get(name) is not None:
                cleaned[name] = round(cleaned[name] * seconds)
        return cleaned

    def refuse(self, problem: InvalidTerms) -> None:
        """Put each sentence beside its field."""
        for name, sentence in problem.errors.items():
            self.add_error(name if name in self.fields else None, sentence)


_LINES = ("measure", "threshold", "recovery_threshold")


class NewRuleForm(RuleForm):
    """With whom the rule is for, and a name."""

    watched = forms.ChoiceField(label=gettext_lazy("For"))
    name = forms.CharField(
        required=False,
        max_length=100,
        label=gettext_lazy("Name"),
        help_text=gettext_lazy("Empty: what the kind is called."),
    )

    def __init__(
        self, kind: str, terms: Mapping[str, object], people: list[tuple[str, str]], data: Any = None
    ):
        super().__init__(kind, terms, data)
        groups = [("everyone", _("Everyone in the practice"))]
        if KINDS[kind].runs is not Runs.MONTH:
            cohorts = [(f"cohort:{one.public_id}", one.name) for one in Cohort.objects.all()]
            groups += [(_("Cohorts"), cohorts)] if cohorts else []
            groups += [(_("Clients"), [(f"client:{key}", name) for key, name in people])] if people else []
        self.fields["watched"].choices = groups
        self.order_fields(["name", "watched"])

    def scope(self) -> dict[str, object]:
        """Of ``create_rule``. The choices are those that the person may see."""
        scope, _colon, public_id = self.cleaned_data["watched"].partition(":")
        if scope == "everyone":
            return {}
        model = Client if scope == "client" else Cohort
        return {scope: model.objects.get(public_id=public_id)}


def _shown(terms: Mapping[str, object]) -> dict[str, object]:
    shown = dict(DEFAULTS) | dict(terms)
    for name, seconds in SCALES.items():
        if shown[name] is not None:
            shown[name] = _short(shown[name] / seconds)
    for name in ("active_from", "active_until"):
        if shown[name] is not None:
            shown[name] = clock_of(shown[name])
    return shown


def _short(value: float) -> float | int:
    return int(value) if value == int(value) else round(value, 3)
