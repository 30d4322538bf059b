"""The stretch of time and the resolution that a reader chose for a client's page, as in its address."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from django import forms
from django.http import QueryDict
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy

from emotrack.mood.movement import Span

RANGES: dict[str, tuple[Promise, timedelta | None]] = {
    "30d": (pgettext_lazy("stretch of time", "30 d"), timedelta(days=30)),
    "90d": (pgettext_lazy("stretch of time", "90 d"), timedelta(days=90)),
    "1y": (pgettext_lazy("stretch of time", "1 y"), timedelta(days=365)),
    "all": (pgettext_lazy("stretch of time", "All"), None),
}
CUSTOM = "days"
STEPS: dict[str, Promise] = {
    "session": gettext_lazy("Each session"),
    "week": gettext_lazy("Weeks"),
    "month": gettext_lazy("Months"),
}
AGAINST: dict[str, Promise] = {
    "own": gettext_lazy("Own usual"),
    "before": gettext_lazy("The period before"),
}


class PeriodForm(forms.Form):
    """What the address may hold; everything is optional."""

    range = forms.ChoiceField(required=False, choices=[*((name, "") for name in RANGES), (CUSTOM, "")])
    by = forms.ChoiceField(required=False, choices=list(STEPS.items()), label=gettext_lazy("Resolution"))
    against = forms.ChoiceField(
        required=False, choices=list(AGAINST.items()), label=gettext_lazy("Compare with")
    )
    first = forms.DateField(required=False, label=gettext_lazy("From"))
    last = forms.DateField(required=False, label=gettext_lazy("To"))

    def __init__(self, *args: object, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)
        for name in ("first", "last"):
            self.fields[name].widget = forms.DateInput({"type": "date"}, format="%Y-%m-%d")
            self.fields[name].error_messages["invalid"] = _("A day like 2026-03-31.")

    def clean(self) -> dict:
        found = super().clean()
        if found.get("range") == CUSTOM:
            for name in ("first", "last"):
                if name not in self.errors and not found.get(name):
                    self.add_error(name, _("Choose a day."))
            if not self.errors and found["first"] > found["last"]:
                self.add_error("last", _("This day lies before the first."))
        return found


@dataclass(frozen=True, slots=True)
class Period:
    """name: of ``RANGES``, or ``days`` for chosen ones. span: what is shown.

    by: session, week or month. against: own or before.
    """

    name: str
    span: Span
    by: str = "session"
    against: str = "own"

    @property
    def before(self) -> Span | None:
        """As long, right before it; ``None`` for a stretch without ends."""
        if self.span.after is None or self.span.before is None:
            return None
        return Span(self.span.after - (self.span.before - self.span.after), self.span.after)

    def days(self) -> tuple[date, date] | None:
        """First and last day, where the reader is."""
        if self.span.after is None or self.span.before is None:
            return None
        last = timezone.localtime(self.span.before - timedelta(microseconds=1)).date()
        return timezone.localtime(self.span.after).date(), last


def period_of(query: QueryDict, sessions: Sequence[datetime], now: datetime) -> tuple[Period, PeriodForm]:
    """What the address asks for. Without a wish the last year, or everything where the last year is empty.

    sessions: when they began. An address that makes no sense shows what there is without it, and the form
    says what was wrong.
    """
    form = PeriodForm(query)
    found = form.cleaned_data if form.is_valid() else {}
    by = found.get("by") or "session"
    against = found.get("against") or "own"
    if found.get("range") == CUSTOM:
        span = Span(_midnight(found["first"]), _midnight(found["last"] + timedelta(days=1)))
        return Period(CUSTOM, span, by, against), form
    name = found.get("range") or _usual_range(sessions, now)
    length = RANGES[name][1]
    span = Span() if length is None else Span(now - length, now + timedelta(minutes=5))
    return Period(name, span, by, against), form


def _usual_range(sessions: Sequence[datetime], now: datetime) -> str:
    return "1y" if any(at >= now - RANGES["1y"][1] for at in sessions) else "all"


def _midnight(day: date) -> datetime:
    return timezone.make_aware(datetime.combine(day, time.min), timezone.get_current_timezone())
