"""The terms of a rule as a form: times in minutes and hours, everything else as it is stored."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from emotrack.alerts.kinds import ALREADY_PERSONAL, KINDS
from emotrack.alerts.models import Rule, RuleVersion, Severity
from emotrack.alerts.terms import InvalidTerms
from emotrack.web.terms import measure_name

SCALES = {"for_seconds": 60, "keep_firing_seconds": 60, "cool_down_seconds": 3600}
"""Seconds in the unit of each field that people see."""


class RuleForm(forms.Form):
    measure = forms.ChoiceField(label=gettext_lazy("Watch"))
    threshold = forms.FloatField()
    recovery_threshold = forms.FloatField()
    for_count = forms.IntegerField(required=False, label=gettext_lazy("For at least, turns"))
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
    reason = forms.CharField(
        required=False,
        widget=forms.Textarea(attrs={"rows": 3}),
        label=gettext_lazy("Why this change"),
        help_text=gettext_lazy("Kept with the version. Old alerts keep the terms they fired under."),
    )

    def __init__(self, rule: Rule, data: Any = None) -> None:
        super().__init__(data, initial=_shown(rule.current))
        kind = KINDS[rule.kind]
        self.fields["measure"].choices = [(m, measure_name(m)) for m in kind.measures]
        self.fields["threshold"].label = _("Fires above") if kind.above else _("Fires below")
        self.fields["recovery_threshold"].label = _("Ends below") if kind.above else _("Ends above")
        if all(m in ALREADY_PERSONAL or m == "volatility" for m in kind.measures):
            del self.fields["usual_spreads"], self.fields["also_off_headline"]

    def terms(self) -> dict[str, object]:
        """What was entered, in the columns and units of ``RuleVersion``."""
        cleaned = {k: v for k, v in self.cleaned_data.items() if k != "reason"}
        for name, seconds in SCALES.items():
            if cleaned[name] is not None:
                cleaned[name] = round(cleaned[name] * seconds)
        return cleaned

    def refuse(self, problem: InvalidTerms) -> None:
        """Put each sentence beside its field."""
        for name, sentence in problem.errors.items():
            self.add_error(name if name in self.fields else None, sentence)


def _shown(version: RuleVersion) -> dict[str, object]:
    shown = {
        name: getattr(version, name)
        for name in (
            "measure", "threshold", "recovery_threshold", "for_count", "for_seconds", "keep_firing_seconds",
            "cool_down_seconds", "usual_spreads", "also_off_headline", "severity",
        )
    }  # fmt: skip
    for name, seconds in SCALES.items():
        if shown[name] is not None:
            shown[name] = _short(shown[name] / seconds)
    return shown


def _short(value: float) -> float | int:
    return int(value) if value == int(value) else round(value, 3)
