"""Alerts: those nobody has seen yet, those of the past, and why one fired."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from django.contrib.auth.decorators import login_required
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from analysis.baseline import Usual
from analysis.measures import measure
from emotrack.accounts.models import User
from emotrack.alerts import actions
from emotrack.alerts.kinds import KINDS
from emotrack.alerts.models import Alert, Notification
from emotrack.history.models import Client
from emotrack.mood.models import MoodPoint
from emotrack.web import session_page, words
from emotrack.web.alert_chart import Moments, Watched, alert_figure
from emotrack.web.looked_at import note_look, unseen_alerts
from emotrack.web.terms import in_words, measure_name, number, why_sentence
from emotrack.web.timeline import clock

PAST_SHOWN = 25
TURNS_SHOWN = 8


@dataclass(frozen=True, slots=True)
class AlertLine:
    """One alert in a list. name: empty where the viewer may not read it. at: on the session's clock."""

    alert: Alert
    name: str
    at: str


@login_required
@require_safe
def alerts(request: HttpRequest) -> HttpResponse:
    mine = Alert.objects.visible_to(request.user)
    unseen_ids = unseen_alerts(request.user).values("pk")
    past = mine.exclude(pk__in=unseen_ids)
    context = {
        "active": "alerts",
        "unseen": _lines(request.user, _loaded(mine.filter(pk__in=unseen_ids))),
        "past": _lines(request.user, _loaded(past)[:PAST_SHOWN]),
        "past_total": past.count(),
        "past_shown": PAST_SHOWN,
    }
    return render(request, "web/alerts.html", context)


def _loaded(alerts: QuerySet[Alert]) -> QuerySet[Alert]:
    rows = alerts.select_related("rule", "version", "client", "session", "fired_utterance", "acknowledged_by")
    return rows.defer("fired_utterance__text").newest_first()


def _lines(user: User, alerts: Iterable[Alert]) -> list[AlertLine]:
    alerts = list(alerts)
    ids = {a.client_id for a in alerts}
    readable = set(Client.objects.filter(pk__in=ids).content_visible_to(user).values_list("pk", flat=True))
    return [_line(a, (a.client.name or "") if a.client_id in readable else "") for a in alerts]


def _line(alert: Alert, name: str) -> AlertLine:
    return AlertLine(alert, name, clock(session_page.offset_s(alert.session, alert.fired_at)))


@login_required
@require_safe
def unseen(request: HttpRequest) -> JsonResponse:
    """How many alerts wait, for the count beside the menu."""
    return JsonResponse({"count": unseen_alerts(request.user).count()})


def _alert_for(user: User, public_id: str) -> Alert:
    return get_object_or_404(_loaded(Alert.objects.visible_to(user)), public_id=public_id)


@login_required
@require_safe
def alert(request: HttpRequest, public_id: str) -> HttpResponse:
    found = _alert_for(request.user, public_id)
    may_read = found.client.content_visible_to(request.user)
    note_look(
        request.user, "alert.read", found.client, now=timezone.now(), subject=found.public_id, words=may_read
    )
    watched = _watched(found)
    context = {
        "line": _line(found, (found.client.name or "") if may_read else ""),
        "active": "alerts",
        "alert": found,
        "measure": measure_name(found.version.measure),
        "figure": alert_figure(watched, _moments(found), _line_words(watched)) if watched.at_s else None,
        "table": [(clock(t), v) for t, v in zip(watched.at_s, watched.values, strict=True)],
        "terms": in_words(found.version),
        "why": why_sentence(found),
        "turns": _turns_behind(found, may_read),
        "notices": Notification.objects.filter(alert=found).select_related("channel").order_by("created_at"),
        "recognizer_line": words.recognizer_line(
            found.recognizer.name, found.recognizer.version, found.recognizer.headline
        ),
        "voice_line": words.HOW_A_VOICE_MAY_SOUND,
    }
    return render(request, "web/alert.html", context)


def _watched(alert: Alert) -> Watched:
    """The number that the rule watched, over the alert's session."""
    column = measure(alert.version.measure).field
    rows = (
        MoodPoint.objects.filter(session=alert.session, recognizer=alert.recognizer)
        .exclude(**{f"{column}__isnull": True})
        .order_by("occurred_at", "utterance_id")
        .values_list("occurred_at", column)
    )
    usual = (alert.baseline.get("median"), alert.baseline.get("mad"))
    personal = column == "level" and None not in usual
    return Watched(
        at_s=[session_page.offset_s(alert.session, at) for at, _value in rows],
        values=[value for _at, value in rows],
        threshold=alert.baseline.get("threshold", alert.version.threshold),
        recovery=alert.baseline.get("recovery", alert.version.recovery_threshold),
        above=KINDS[alert.rule.kind].above,
        usual=Usual(median=usual[0], mad=usual[1]).band() if personal else None,
    )


def _moments(alert: Alert) -> Moments:
    at = {
        name: session_page.offset_s(alert.session, moment) if moment else None
        for name, moment in (
            ("pending", alert.pending_at),
            ("fired", alert.fired_at),
            ("ended", alert.resolved_at),
        )
    }
    return Moments(
        at["pending"],
        at["fired"],
        at["ended"],
        pending=_("began %(at)s") % {"at": clock(at["pending"])},
        fired=_("fired %(at)s") % {"at": clock(at["fired"])},
        ended=_("ended %(at)s") % {"at": clock(at["ended"])} if at["ended"] is not None else "",
    )


def _line_words(watched: Watched) -> dict[str, str]:
    fires, ends = (_("fires<br>above %(x)s"), _("ends<br>below %(x)s"))
    if not watched.above:
        fires, ends = (_("fires<br>below %(x)s"), _("ends<br>above %(x)s"))
    return {
        "fires": fires % {"x": number(round(watched.threshold, 2))},
        "ends": ends % {"x": number(round(watched.recovery, 2))},
        "usual": _("usual"),
    }


def _turns_behind(alert: Alert, may_read: bool) -> list[session_page.Row]:
    """The client's turns from the alert's beginning until it fired."""
    page = session_page.load(alert.session, may_read=may_read)
    start, stop = (session_page.offset_s(alert.session, at) for at in (alert.pending_at, alert.fired_at))
    behind = [row for row in page.rows if row.kind == "turn" and start <= row.at_s <= stop]
    return behind[-TURNS_SHOWN:]


@login_required
@require_POST
def acknowledge(request: HttpRequest, public_id: str) -> HttpResponse:
    """One click: seen. From a list it answers with the line alone."""
    found = _alert_for(request.user, public_id)
    actions.acknowledge(found, by=request.user, now=timezone.now())
    if request.htmx:
        line = _lines(request.user, [_alert_for(request.user, public_id)])[0]
        return render(request, "web/_alert_line.html", {"line": line})
    return redirect("web:alert", public_id=public_id)
