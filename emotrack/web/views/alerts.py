"""Alerts: what asks for a look, why one fired, and what people say to it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, timedelta

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from emotrack.accounts.models import User
from emotrack.alerts import actions
from emotrack.alerts.lifecycle.snoozing import MORNING, tomorrow_morning
from emotrack.alerts.models import Alert, Severity
from emotrack.history.actions import Refused
from emotrack.history.listening import waits
from emotrack.web.alert_list import (
    SHOWN,
    SHOWS,
    lines_of,
    loaded,
    narrowed,
    of_show,
    people_of,
    wanted_from,
)
from emotrack.web.alert_page import alert_page, without_series
from emotrack.web.looked_at import note_look, unseen_alerts


@login_required
@require_safe
def alerts(request: HttpRequest) -> HttpResponse:
    now, wanted = timezone.now(), wanted_from(request.GET)
    found = narrowed(of_show(request.user, wanted.show, now), wanted, request.user)
    total = found.count()
    lines = lines_of(request.user, loaded(found)[: wanted.shown], now)
    context = {
        "active": "alerts",
        "wanted": wanted,
        "people": people_of(lines, gravest_first=wanted.show == "open"),
        "total": total,
        "shown": len(lines),
        "older": wanted.address(shown=len(lines) + SHOWN) if total > len(lines) else "",
        "shows": [
            (name, said, of_show(request.user, name, now).count(), wanted.address(show=name))
            for name, said in SHOWS.items()
        ],
        "severities": Severity.choices,
        "person": next((line.alert.client for line in lines), None) if wanted.client else None,
        "everyone": wanted.address(client=""),
        "may_be_others": request.user.is_admin and request.user.is_counselor,
        "snooze_days": snooze_days(now),
    }
    return render(request, "web/alerts.html", context)


@login_required
@require_safe
def unseen(request: HttpRequest) -> JsonResponse:
    """How many alerts wait, for the count beside the menu."""
    return JsonResponse({"count": unseen_alerts(request.user, now=timezone.now()).count()})


def _alert_for(user: User, public_id: str) -> Alert:
    return get_object_or_404(loaded(Alert.objects.visible_to(user)), public_id=public_id)


@login_required
@require_safe
def alert(request: HttpRequest, public_id: str) -> HttpResponse:
    now, found = timezone.now(), _alert_for(request.user, public_id)
    may_read = found.client.content_visible_to(request.user)
    note_look(request.user, "alert.read", found.client, now=now, subject=found.public_id, words=may_read)
    page = alert_page(found, request.user, may_read=may_read, now=now)
    if waits(found.session, request.user):
        page = without_series(page)
    days = {"snooze_days": snooze_days(now)}
    return render(request, "web/alert.html", {"active": "alerts", "alert": found} | page | days)


# --- Deeds --------------------------------------------------------------------------------------


def _deed(
    request: HttpRequest, public_id: str, do: Callable[[Alert, datetime], object], done: str
) -> HttpResponse:
    """Do it, and lead back to the alert; a script is only told that it is done, or why it is not."""
    found = _alert_for(request.user, public_id)
    try:
        do(found, timezone.now())
    except Refused as refusal:
        if request.htmx:
            return HttpResponse(refusal.detail, status=refusal.status, content_type="text/plain")
        messages.error(request, refusal.detail)
        return redirect("web:alert", public_id=public_id)
    if request.htmx:
        return HttpResponse(status=204)
    messages.success(request, done)
    return redirect("web:alert", public_id=public_id)


@login_required
@require_POST
def acknowledge(request: HttpRequest, public_id: str) -> HttpResponse:
    def do(found: Alert, now: datetime) -> object:
        return actions.acknowledge(found, by=request.user, now=now)

    return _deed(request, public_id, do, _("Acknowledged."))


@login_required
@require_POST
def resolve(request: HttpRequest, public_id: str) -> HttpResponse:
    def do(found: Alert, now: datetime) -> object:
        return actions.resolve(found, by=request.user, now=now)

    return _deed(request, public_id, do, _("Resolved. You can reopen it."))


@login_required
@require_POST
def reopen(request: HttpRequest, public_id: str) -> HttpResponse:
    def do(found: Alert, now: datetime) -> object:
        return actions.reopen(found, by=request.user, now=now)

    return _deed(request, public_id, do, _("Open again."))


@login_required
@require_POST
def judge(request: HttpRequest, public_id: str) -> HttpResponse:
    """A verdict; an empty one takes one's own back."""
    judgment = request.POST.get("verdict", "")

    def do(found: Alert, now: datetime) -> object:
        if not judgment:
            return actions.withdraw_verdict(found, by=request.user, now=now)
        return actions.judge(found, judgment=judgment, by=request.user, now=now)

    return _deed(request, public_id, do, _("Thank you. You can change it."))


@login_required
@require_POST
def snooze(request: HttpRequest, public_id: str) -> HttpResponse:
    def do(found: Alert, now: datetime) -> object:
        until, next_session = _snooze_end(request.POST, now)
        return actions.snooze(found, by=request.user, now=now, until=until, until_next_session=next_session)

    return _deed(request, public_id, do, _("Snoozed. You can end it at any time."))


@login_required
@require_POST
def end_snooze(request: HttpRequest, public_id: str) -> HttpResponse:
    def do(found: Alert, now: datetime) -> object:
        return actions.end_snooze(found, by=request.user, now=now)

    return _deed(request, public_id, do, _("The snooze is over."))


def snooze_days(now: datetime) -> tuple[date, date]:
    """The first and the last day that a snooze may last until, on the reader's calendar."""
    today = timezone.localtime(now).date()
    return today + timedelta(days=1), today + timedelta(days=29)


def _snooze_end(asked: object, now: datetime) -> tuple[datetime | None, bool]:
    """The end, and whether the next session ends it. Raises ``Refused`` for a day that is none."""
    until, zone = asked.get("until", ""), timezone.get_current_timezone()
    if until == "hour":
        return now + timedelta(hours=1), False
    if until == "tomorrow":
        return tomorrow_morning(now, zone), False
    if until == "next_session":
        return None, True
    try:
        day = date.fromisoformat(asked.get("date", ""))
    except ValueError as error:
        raise Refused("snooze-end", _("Choose a day."), "/date") from error
    return datetime.combine(day, MORNING, zone), False
