"""The caseload: whom to look at first, each client against their own usual."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_safe

from emotrack.accounts.models import User
from emotrack.alerts.models import Alert
from emotrack.audit.actions import record
from emotrack.history.cohort_models import Cohort
from emotrack.history.listening import waiting
from emotrack.history.models import Client
from emotrack.mood import queries as mood
from emotrack.privacy.actions import admit_client
from emotrack.privacy.models import Purpose
from emotrack.web import words
from emotrack.web.looked_at import SEVERITY_ORDER, alerts_to_tell
from emotrack.web.sparks import Spark, sparkline

NAME_LENGTH = 200
FIRST_LINES = 25
"""Of each part; the others come when somebody asks for them, searches or filters."""


@dataclass(frozen=True)
class Line:
    """One client as the caseload shows them. name: empty where the viewer may not read it."""

    case: mood.CaseRow
    name: str
    group: str
    sentence: str
    alerts: int
    severity: str
    contact: str
    now: datetime

    @cached_property
    def spark(self) -> Spark:
        """Drawn only where it is shown."""
        return sparkline(self.case.points, self.case.standing, self.now)

    @property
    def headline(self) -> str:
        return self.case.recognizer.headline if self.case.recognizer else "valence"

    @property
    def tone(self) -> str:
        """Brown or teal only where the last session stands outside the usual range."""
        band, last = self.case.standing.band, self.case.last
        if self.case.waits or band is None or last is None or not last.says_enough:
            return ""
        return "low" if last.mean < band[0] else "high" if last.mean > band[1] else ""


SORTS: dict[str, Promise] = {
    "attention": gettext_lazy("Attention"),
    "name": gettext_lazy("Name"),
    "contact": gettext_lazy("Longest not heard"),
    "coverage": gettext_lazy("Lowest coverage"),
}


class ChoiceForm(forms.Form):
    """Which clients and in which order; what is typed and the part of the caseload stay with the browser."""

    sort = forms.ChoiceField(required=False, choices=list(SORTS.items()), label=gettext_lazy("Sort"))
    cohort = forms.ChoiceField(required=False, label=gettext_lazy("Cohort"))
    whose = forms.ChoiceField(
        required=False,
        choices=[("", gettext_lazy("Everyone’s")), ("mine", gettext_lazy("Mine"))],
        label=gettext_lazy("Whose clients"),
    )

    def __init__(self, user: User, *args: object, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)
        cohorts = list(Cohort.objects.visible_to(user).values_list("public_id", "name"))
        self.fields["cohort"].choices = [("", _("All cohorts")), *cohorts]
        if not cohorts:
            del self.fields["cohort"]
        if not (user.is_admin and user.is_counselor):
            del self.fields["whose"]


@login_required
@require_safe
def caseload(request: HttpRequest) -> HttpResponse:
    now = timezone.now()
    form = ChoiceForm(request.user, request.GET)
    chosen = form.cleaned_data if form.is_valid() else {}
    sort = chosen.get("sort") or "attention"
    clients = _clients(request.user, chosen)
    lines = sorted(_lines(clients, request.user, now), key=_ORDERS[sort])
    if not request.headers.get("X-Refresh"):
        record("caseload.read", by=request.user.actor, now=now, count=len(lines))
    parts = [(slug, title, [x for x in lines if x.group == slug]) for slug, title in words.GROUPS]
    parts = [part for part in parts if part[2]]
    shown = parts if sort == "attention" else [("", SORTS[sort], lines)] if lines else []
    whole = bool(request.GET.get("all"))
    context = {
        "groups": [_part(*part, whole=whole) for part in shown],
        "parts": [(slug, title, len(found)) for slug, title, found in parts],
        "whole": whole,
        "form": form,
        "alerting": sum(1 for line in lines if line.alerts),
        "chosen": any(chosen.get(name) for name in ("cohort", "whose")),
        "active": "caseload",
        "total": len(lines),
        "today": timezone.localtime(now),
        "headlines": {line.headline for line in lines if line.case.recognizer},
        "recognizers": sorted({str(x.case.recognizer) for x in lines if x.case.recognizer}),
    }
    return render(request, "web/caseload.html", context)


@dataclass(frozen=True, slots=True)
class Part:
    """A part of the caseload: its first lines, or all of them. count: of all. more: how many are not here."""

    slug: str
    title: str
    lines: Sequence[Line]
    count: int

    @property
    def more(self) -> int:
        return self.count - len(self.lines)


def _part(slug: str, title: str, lines: Sequence[Line], *, whole: bool) -> Part:
    return Part(slug, str(title), lines if whole else lines[:FIRST_LINES], len(lines))


def _clients(user: User, chosen: dict) -> list[Client]:
    clients = Client.objects.visible_to(user).filter(erased_at__isnull=True)
    if chosen.get("whose"):
        clients = clients.filter(assignments__counselor=user)
    if chosen.get("cohort"):
        clients = clients.filter(cohorts__public_id=chosen["cohort"])
    return list(clients.order_by("code").distinct())


def _lines(clients: Sequence[Client], user: User, now: datetime) -> list[Line]:
    readable = set(Client.objects.content_visible_to(user).values_list("pk", flat=True))
    rows = mood.caseload(clients, now=now)
    newest = [row.last.session for row in rows if row.last]
    alerts, unheard = alerts_to_tell(user, newest, now=now), waiting(user, newest)
    rows = [mood.without_newest(row) if row.last and row.last.session in unheard else row for row in rows]
    return [_line(row, row.client.pk in readable, alerts.get(row.client.pk, []), now) for row in rows]


def _line(row: mood.CaseRow, readable: bool, alerts: Sequence[Alert], now: datetime) -> Line:
    headline = row.recognizer.headline if row.recognizer else "valence"
    contact = timezone.localtime(row.last_contact) if row.last_contact else None
    unseen = [alert for alert in alerts if alert.acknowledged_at is None]
    return Line(
        case=row,
        name=(row.client.name or "") if readable else "",
        group=words.group_of(row, alerts),
        sentence=_("The newest session waits for your own impression.")
        if row.waits and not alerts
        else words.told_sentence(row.standing, headline, alerts, now),
        alerts=len(unseen),
        severity=unseen[0].severity if unseen else "",
        contact=words.how_long_ago(contact, timezone.localtime(now)) if contact else "",
        now=now,
    )


def _attention(line: Line) -> tuple:
    """Alerts first, the gravest before others; then those farthest from their usual."""
    distances = line.case.standing.distances
    far = abs(distances[-1]) if distances and distances[-1] is not None else 0.0
    grave = SEVERITY_ORDER.index(line.severity) if line.severity else -1
    return (-grave, -line.alerts, -far, line.name or line.case.client.code)


def _name(line: Line) -> tuple:
    """Those with a name first, without regard to capitals; then by code."""
    return (not line.name, line.name.casefold(), line.case.client.code)


def _longest_not_heard(line: Line) -> tuple:
    """Who was never heard first, then the longest ago."""
    contact = line.case.last_contact
    return (contact is not None, contact.timestamp() if contact else 0.0, *_name(line))


def _lowest_coverage(line: Line) -> tuple:
    """Of the last session; those without any last."""
    coverage = line.case.last.coverage if line.case.last else None
    return (coverage is None, coverage or 0.0, *_name(line))


_ORDERS = {
    "attention": _attention,
    "name": _name,
    "contact": _longest_not_heard,
    "coverage": _lowest_coverage,
}


class NewClientForm(forms.Form):
    name = forms.CharField(
        required=False,
        max_length=NAME_LENGTH,
        label=gettext_lazy("Name"),
        help_text=gettext_lazy("Sealed with the client’s own key; without a name the code stands for them."),
        widget=forms.TextInput({"autocomplete": "off"}),
    )
    purposes = forms.MultipleChoiceField(
        required=False,
        choices=Purpose.choices,
        widget=forms.CheckboxSelectMultiple,
        label=gettext_lazy("What the client agreed to"),
    )
    version = forms.CharField(
        required=False,
        max_length=64,
        label=gettext_lazy("Version of the text that was agreed to"),
        widget=forms.TextInput({"autocomplete": "off"}),
    )

    def clean(self) -> dict:
        found = super().clean()
        if found.get("purposes") and not found.get("version"):
            self.add_error("version", _("Write which text the client agreed to."))
        return found


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def new_client(request: HttpRequest) -> HttpResponse:
    """A counselor adds a client of their own; an admin one whom somebody is still to be assigned to."""
    if not (request.user.is_counselor or request.user.is_admin):
        raise PermissionDenied(_("Counselors and admins add clients."))
    form = NewClientForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        client = admit_client(
            name=form.cleaned_data["name"],
            purposes=[Purpose(name) for name in form.cleaned_data["purposes"]],
            version=form.cleaned_data["version"],
            by=request.user,
            now=timezone.now(),
        )
        messages.success(request, _("Added. Their code is %(code)s.") % {"code": client.code})
        return redirect("web:client", public_id=client.public_id)
    context = {"form": form, "active": "caseload"}
    return render(request, "web/client_new.html", context, status=422 if form.errors else 200)
