"""Who did and read what, when: looked through, checked for tampering, and taken along."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from datetime import datetime, time, timedelta
from typing import Any

from django import forms
from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import Max, Q, QuerySet
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST, require_safe

from emotrack.audit.actions import first_broken_event, record
from emotrack.audit.models import AuditEvent
from emotrack.exports.tables import plain_cell
from emotrack.history.models import Client
from emotrack.web.administration import admins_only

PAGE = 100
COLUMNS = ("at", "actor_kind", "actor", "action", "subject", "client", "detail", "sealed_at")


class FilterForm(forms.Form):
    actor = forms.CharField(label=gettext_lazy("Who"), required=False)
    action = forms.CharField(
        label=gettext_lazy("What"),
        required=False,
        widget=forms.TextInput(attrs={"list": "actions", "autocomplete": "off"}),
    )
    client = forms.CharField(label=gettext_lazy("Client’s code or id"), required=False)
    since = forms.DateField(
        label=gettext_lazy("From"), required=False, widget=forms.DateInput(attrs={"type": "date"})
    )
    until = forms.DateField(
        label=gettext_lazy("To"), required=False, widget=forms.DateInput(attrs={"type": "date"})
    )

    def found(self) -> QuerySet[AuditEvent]:
        """The events that match, newest first; days are those of the reader's zone, the last one included."""
        chosen, events = self.cleaned_data, AuditEvent.objects.order_by("-at", "-id")
        if chosen["actor"]:
            events = events.filter(actor__icontains=chosen["actor"].strip())
        if chosen["action"]:
            events = events.filter(action__startswith=chosen["action"].strip())
        if chosen["client"]:
            named = chosen["client"].strip()
            ids = Client.objects.filter(Q(code__iexact=named) | Q(public_id=named))
            events = events.filter(client__in=list(ids.values_list("public_id", flat=True)))
        if chosen["since"]:
            events = events.filter(at__gte=_midnight(chosen["since"]))
        if chosen["until"]:
            events = events.filter(at__lt=_midnight(chosen["until"] + timedelta(days=1)))
        return events


def _midnight(day: Any) -> datetime:
    return timezone.make_aware(datetime.combine(day, time.min))


@admins_only
@require_safe
def audit(request: HttpRequest) -> HttpResponse:
    form = FilterForm(request.GET)
    valid = form.is_valid()
    events = form.found() if valid else AuditEvent.objects.none()
    page = Paginator(events, PAGE).get_page(request.GET.get("page"))
    codes = dict(
        Client.objects.filter(public_id__in={event.client for event in page}).values_list("public_id", "code")
    )
    chosen = {name: request.GET[name] for name in form.fields if request.GET.get(name)}
    context = {
        "active": "audit",
        "form": form,
        "page": page,
        "query": urlencode(chosen),
        "filtered": bool(chosen),
        "lines": [(event, codes.get(event.client, "")) for event in page],
        "actions": AuditEvent.objects.order_by("action").values_list("action", flat=True).distinct(),
        "sealed_to": AuditEvent.objects.aggregate(last=Max("sealed_at"))["last"],
        "unsealed": AuditEvent.objects.filter(sealed_at__isnull=True).count(),
    }
    return render(request, "web/audit.html", context, status=200 if valid else 422)


@require_POST
@admins_only
def check(request: HttpRequest) -> HttpResponse:
    """Compute the whole chain anew and say whether it is the one that stands."""
    now = timezone.now()
    broken = first_broken_event()
    record("audit.checked", by=request.user.actor, now=now, broken=broken.pk if broken else None)
    if broken is None:
        messages.success(request, _("The chain is unbroken: no sealed event was changed or removed."))
    else:
        said = _("The chain breaks at event %(id)s of %(at)s: it or one before it was changed or removed.")
        at = timezone.localtime(broken.at).strftime("%Y-%m-%d %H:%M")
        messages.error(request, said % {"id": broken.pk, "at": at})
    return redirect("web:audit")


@admins_only
@require_safe
def export(request: HttpRequest) -> HttpResponse:
    """All events that match, as CSV or as one JSON object a line (``format=jsonl``); itself on record."""
    form = FilterForm(request.GET)
    if not form.is_valid():
        return redirect(f"{request.path.removesuffix('/export')}?{request.GET.urlencode()}")
    events, kind = form.found(), "jsonl" if request.GET.get("format") == "jsonl" else "csv"
    record(
        "audit.exported", by=request.user.actor, now=timezone.now(), count=events.count(), format=kind,
        filters=sorted(name for name, value in form.cleaned_data.items() if value),
    )  # fmt: skip
    lines, media = (_json_lines, "application/jsonl") if kind == "jsonl" else (_csv_lines, "text/csv")
    response = StreamingHttpResponse(lines(events), content_type=f"{media}; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="audit.{kind}"'
    return response


class _Echo:
    """A file for ``csv`` that hands each line back."""

    def write(self, line: str) -> str:
        return line


def _csv_lines(events: QuerySet[AuditEvent]) -> Iterator[str]:
    writer = csv.writer(_Echo())
    yield writer.writerow(COLUMNS)
    for event in events.iterator():
        yield writer.writerow([plain_cell(str(_plain(value))) for value in _values(event)])


def _json_lines(events: QuerySet[AuditEvent]) -> Iterator[str]:
    for event in events.iterator():
        told = dict(zip(COLUMNS, _values(event), strict=True))
        yield json.dumps(told, ensure_ascii=False, default=_plain) + "\n"


def _values(event: AuditEvent) -> list[Any]:
    return [getattr(event, column) for column in COLUMNS]


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, dict):
        return json.dumps(value, ensure_ascii=False)
    return "" if value is None else value
