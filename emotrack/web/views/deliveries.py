"""The log of what was sent out: every notice, every attempt, and sending once more."""

from __future__ import annotations

from datetime import datetime, time

from django import forms
from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme, urlencode
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST, require_safe

from emotrack.accounts.models import User
from emotrack.alerts.delivery.channels import replay
from emotrack.alerts.delivery.queries import deliveries as found_deliveries
from emotrack.alerts.models import ChannelKind, Notification, NotificationChannel
from emotrack.history.actions import Conflict
from emotrack.web.administration import admins_only

PAGE = 50


class FilterForm(forms.Form):
    channel = forms.ChoiceField(label=gettext_lazy("To"), required=False)
    state = forms.ChoiceField(
        label=gettext_lazy("State"),
        required=False,
        choices=[
            ("", gettext_lazy("Any")),
            ("waiting", gettext_lazy("Waiting")),
            ("sent", gettext_lazy("Sent")),
            ("dead", gettext_lazy("Given up")),
            ("withdrawn", gettext_lazy("Withdrawn")),
        ],
    )
    since = forms.DateField(
        label=gettext_lazy("From"), required=False, widget=forms.DateInput(attrs={"type": "date"})
    )

    def __init__(self, *args: object) -> None:
        super().__init__(*args)
        there = NotificationChannel.objects.exclude(kind=ChannelKind.TRIAL).order_by("kind", "name")
        self.fields["channel"].choices = [("", _("Everyone")), *((c.public_id, c.name) for c in there)]

    def found(self, viewer: User) -> QuerySet[Notification]:
        chosen = self.cleaned_data
        day = chosen["since"]
        since = timezone.make_aware(datetime.combine(day, time.min)) if day else None
        return found_deliveries(
            viewer, channel=chosen["channel"] or None, state=chosen["state"] or None, since=since
        )


@admins_only
@require_safe
def deliveries(request: HttpRequest) -> HttpResponse:
    form = FilterForm(request.GET)
    valid = form.is_valid()
    rows = form.found(request.user) if valid else Notification.objects.none()
    page = Paginator(rows, PAGE).get_page(request.GET.get("page"))
    chosen = {name: request.GET[name] for name in form.fields if request.GET.get(name)}
    context = {
        "active": "channels",
        "form": form,
        "page": page,
        "query": urlencode(chosen),
        "filtered": bool(chosen),
    }
    return render(request, "web/deliveries.html", context, status=200 if valid else 422)


@require_POST
@admins_only
def delivery_replay(request: HttpRequest, public_id: str) -> HttpResponse:
    """Send one notice once more; back to the list that it was on."""
    found = get_object_or_404(found_deliveries(request.user), public_id=public_id)
    try:
        replay(found, by=request.user.actor, now=timezone.now())
    except Conflict as conflict:
        messages.error(request, _(conflict.detail))
    else:
        messages.success(request, _("It is sent once more."))
    back = request.POST.get("back", "")
    safe = url_has_allowed_host_and_scheme(back, allowed_hosts=None)
    return redirect(back if safe else "web:deliveries")
