"""Who read or changed what of one client, for their counselor and for admins."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from django import forms
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_safe

from emotrack.accounts.models import App
from emotrack.audit.models import ActorKind, AuditEvent
from emotrack.history.models import Client
from emotrack.web.access_words import LOOK, TRAFFIC, in_words
from emotrack.web.client_frame import frame, visible_client
from emotrack.web.looked_at import note_look

PER_PAGE = 50


class FilterForm(forms.Form):
    what = forms.ChoiceField(
        required=False,
        label=gettext_lazy("What"),
        choices=[
            ("", gettext_lazy("Looks and changes")),
            ("looks", gettext_lazy("Looks")),
            ("changes", gettext_lazy("Changes")),
        ],
    )
    who = forms.CharField(required=False, label=gettext_lazy("Who"), max_length=150)
    after = forms.DateField(
        required=False,
        label=gettext_lazy("From"),
        widget=forms.DateInput({"type": "date"}, format="%Y-%m-%d"),
        error_messages={"invalid": gettext_lazy("A day like 2026-03-31.")},
    )
    before = forms.DateField(
        required=False,
        label=gettext_lazy("To"),
        widget=forms.DateInput({"type": "date"}, format="%Y-%m-%d"),
        error_messages={"invalid": gettext_lazy("A day like 2026-03-31.")},
    )


@dataclass(frozen=True, slots=True)
class LogLine:
    """One fact of the log. who: as people know them. kind: user, app or system."""

    at: datetime
    who: str
    kind: str
    words: str
    session: str


@login_required
@require_safe
def access_log(request: HttpRequest, public_id: str) -> HttpResponse:
    client = visible_client(request, public_id)
    now = timezone.now()
    note_look(request.user, "access_log.read", client, now=now, subject=client.public_id)
    form = FilterForm(request.GET)
    rows = _filtered(client, form.cleaned_data) if form.is_valid() else AuditEvent.objects.none()
    page = Paginator(rows.order_by("-at", "-id"), PER_PAGE).get_page(request.GET.get("page"))
    query = request.GET.copy()
    query.pop("page", None)
    context = frame(request, client, "access_log", now=now) | {
        "form": form,
        "page": page,
        "lines": _lines(page.object_list),
        "query": query.urlencode(),
        "filtered": any(query.values()),
    }
    return render(request, "web/access_log.html", context, status=200 if form.is_valid() else 422)


def _filtered(client: Client, wanted: dict) -> QuerySet[AuditEvent]:
    rows = AuditEvent.objects.filter(client=client.public_id).exclude(action__in=TRAFFIC)
    if wanted["what"] == "looks":
        rows = rows.filter(LOOK)
    if wanted["what"] == "changes":
        rows = rows.exclude(LOOK)
    if wanted["who"]:
        apps = App.objects.filter(name__icontains=wanted["who"]).values_list("public_id", flat=True)
        rows = rows.filter(Q(actor__icontains=wanted["who"]) | Q(actor__in=list(apps)))
    if wanted["after"]:
        rows = rows.filter(at__gte=_midnight(wanted["after"]))
    if wanted["before"]:
        rows = rows.filter(at__lt=_midnight(wanted["before"] + timedelta(days=1)))
    return rows


def _midnight(day: date) -> datetime:
    """The start of the day where the reader is."""
    return timezone.make_aware(datetime.combine(day, time.min), timezone.get_current_timezone())


def _lines(rows: Iterable[AuditEvent]) -> list[LogLine]:
    rows = list(rows)
    apps = {row.actor for row in rows if row.actor_kind == ActorKind.APP}
    names = dict(App.objects.filter(public_id__in=apps).values_list("public_id", "name"))
    return [
        LogLine(
            row.at,
            names.get(row.actor, row.actor),
            row.actor_kind,
            in_words(row),
            row.subject if row.action.startswith("session.") else "",
        )
        for row in rows
    ]
