"""Session with session, period with period, or a session with the client's own past: words first."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from django import forms
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.shortcuts import render
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_safe

from emotrack.history.listening import waiting
from emotrack.history.models import Recognizer
from emotrack.mood import queries as mood
from emotrack.mood.queries import SessionPoint
from emotrack.web import comparison, words
from emotrack.web.client_frame import frame, series_of, visible_client
from emotrack.web.compare_page import (
    Comparison,
    before_and_after,
    compared,
    past_side,
    period_side,
    session_side,
)
from emotrack.web.looked_at import note_look
from emotrack.web.timeline import signed

MODES = {
    "sessions": gettext_lazy("Session with session"),
    "periods": gettext_lazy("Period with period"),
    "past": gettext_lazy("With own past"),
}
MOST_SESSIONS = 200
"""In the lists to choose from, the newest; an address may name any."""


class PeriodsForm(forms.Form):
    """Two stretches of days, both ends included."""

    a_from = forms.DateField()
    a_to = forms.DateField()
    b_from = forms.DateField()
    b_to = forms.DateField()

    def __init__(self, *args: object, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)
        labels = (_("A from"), _("A to"), _("B from"), _("B to"))
        for field, label in zip(self.fields.values(), labels, strict=True):
            field.label = label
            field.widget = forms.DateInput({"type": "date"}, format="%Y-%m-%d")
            field.error_messages["invalid"] = _("A day like 2026-03-31.")

    def clean(self) -> dict:
        found = super().clean()
        for side in ("a", "b"):
            first, last = found.get(f"{side}_from"), found.get(f"{side}_to")
            if first and last and first > last:
                self.add_error(f"{side}_to", _("This day lies before the first."))
        return found


@login_required
@require_safe
def compare(request: HttpRequest, public_id: str) -> HttpResponse:
    client, now = visible_client(request, public_id), timezone.now()
    mode = request.GET.get("mode", "sessions")
    if mode not in MODES:
        raise Http404
    note_look(request.user, "client.compared", client, now=now, subject=client.public_id)
    recognizer, others = series_of(client, request.GET.get("series", ""))
    context = frame(request, client, "compare", now=now) | {
        "mode": mode,
        "modes": MODES.items(),
        "recognizer": recognizer,
        "other_series": others,
        "voice_line": words.HOW_A_VOICE_MAY_SOUND,
    }
    if recognizer is not None:
        points = mood.session_points(client, recognizer)
        if waiting(request.user, [points[-1].session]):
            points, context["waits"] = points[:-1], points[-1]
        context |= _MODES[mode](points, recognizer, request.GET) | {
            "headline": recognizer.headline,
            "series": request.GET.get("series", ""),
            "recognizer_line": words.recognizer_line(
                recognizer.name, recognizer.version, recognizer.headline
            ),
        }
        context |= _said(context.get("found"), recognizer.headline)
    return render(request, "web/compare.html", context, status=422 if context.get("refused") else 200)


def _said(found: Comparison | None, headline: str) -> dict:
    if found is None:
        return {}
    return {
        "sentence": comparison.sentence(found.verdict, headline),
        "figures": comparison.figures(found.verdict, str(words.DIMENSIONS[headline])),
    }


def _chosen(points: Sequence[SessionPoint], wanted: str, otherwise: SessionPoint) -> SessionPoint:
    """The session of that public id. Raises ``Http404`` for one that this series does not have."""
    if not wanted:
        return otherwise
    found = next((p for p in points if p.session == wanted), None)
    if found is None:
        raise Http404
    return found


def _choices(points: Sequence[SessionPoint]) -> list[tuple[str, str]]:
    return [(p.session, _choice(p)) for p in reversed(points[-MOST_SESSIONS:])]


def _choice(point: SessionPoint) -> str:
    day = date_format(timezone.localtime(point.started_at), "j M Y, H:i")
    return f"{day} · {signed(point.mean) if point.says_enough else _('too little to say')}"


def _sessions(points: Sequence[SessionPoint], recognizer: Recognizer, query: QueryDict) -> dict:
    if len(points) < 2:
        return {"too_few": _("Two sessions are needed; there is %(n)d.") % {"n": len(points)}}
    last = [p for p in points if p.says_enough][-2:]
    a, b = last if len(last) == 2 else points[-2:]
    a, b = _chosen(points, query.get("a", ""), a), _chosen(points, query.get("b", ""), b)
    sides = session_side("A", a, recognizer), session_side("B", b, recognizer)
    verdict = comparison.sessions_compared((a, b), *(side.turns.values for side in sides))
    return {
        "choices": _choices(points),
        "chosen": (a.session, b.session),
        "found": compared(*sides, verdict, mood.standing(points).band, recognizer.headline),
    }


def _periods(points: Sequence[SessionPoint], recognizer: Recognizer, query: QueryDict) -> dict:
    if not points:
        return {"too_few": _("No session has been read yet.")}
    asked = any(name in query for name in ("a_from", "a_to", "b_from", "b_to"))
    form = PeriodsForm(query if asked else _newest_days(points))
    if not form.is_valid():
        return {"form": form, "refused": True}
    days: dict[str, date] = form.cleaned_data
    sides = (
        period_side("A", points, days["a_from"], days["a_to"]),
        period_side("B", points, days["b_from"], days["b_to"]),
    )
    verdict = comparison.periods_compared(sides[0].points, sides[1].points)
    band = mood.standing(points).band
    return {"form": form, "found": compared(*sides, verdict, band, recognizer.headline)}


def _newest_days(points: Sequence[SessionPoint]) -> dict:
    earlier, later = before_and_after(points)
    return {"a_from": earlier[0], "a_to": earlier[1], "b_from": later[0], "b_to": later[1]}


def _past(points: Sequence[SessionPoint], recognizer: Recognizer, query: QueryDict) -> dict:
    if not points:
        return {"too_few": _("No session has been read yet.")}
    b = _chosen(points, query.get("b", ""), points[-1])
    past = [p for p in points if p.started_at < b.started_at]
    side = session_side("B", b, recognizer)
    band = mood.standing([*past, b]).band
    return {
        "choices": _choices(points),
        "chosen": ("", b.session),
        "found": compared(
            past_side("A", past),
            side,
            comparison.held_against_past(past, b),
            band,
            recognizer.headline,
        ),
    }


_MODES = {"sessions": _sessions, "periods": _periods, "past": _past}
