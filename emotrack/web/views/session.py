"""The session timeline: a page, the figure that grows under it, and one turn closely."""

from __future__ import annotations

import numpy as np
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, render
from django.template.loader import render_to_string
from django.utils import timezone
from django.views.decorators.http import require_safe

from emotrack.accounts.models import User
from emotrack.history.models import Audio, FrameLogits, Session, Utterance
from emotrack.mood.models import MoodPoint
from emotrack.web import session_page, words
from emotrack.web.charts import STACK_ORDER, session_figure
from emotrack.web.looked_at import note_look
from emotrack.web.session_page import SessionPage
from emotrack.web.session_summary import facts
from emotrack.web.why import Why, why

NARROW_PX, WIDE_PX, USUAL_PX, TALL_PX = 200, 2600, 960, 2000


def _session_for(user: User, public_id: str) -> Session:
    return get_object_or_404(
        Session.objects.visible_to(user).select_related("client", "app"), public_id=public_id
    )


@login_required
@require_safe
def session(request: HttpRequest, public_id: str) -> HttpResponse:
    found = _session_for(request.user, public_id)
    page = _loaded(request, found)
    number = Session.objects.filter(client=found.client, started_at__lte=found.started_at).count()
    return render(request, "web/session.html", _context(page) | {"number": number, "rail": True})


@login_required
@require_safe
def timeline(request: HttpRequest, public_id: str) -> JsonResponse:
    """The figure and the parts of the page that change while a session grows.

    ``w``: width of the plot area in pixels; ``h``: height that the chart may fill; ``span``: seconds that it
    shows at once.
    """
    page = _loaded(request, _session_for(request.user, public_id))
    width = min(max(_number(request, "w", USUAL_PX), NARROW_PX), WIDE_PX)
    height = min(_number(request, "h", 0), TALL_PX)
    span = _number(request, "span", 0) or None
    context = _context(page)
    return JsonResponse(
        {
            "figure": session_figure(page.timeline, int(width), span, int(height)),
            "rows": render_to_string("web/_turns.html", context, request),
            "facts": render_to_string("web/_facts.html", context, request),
            "table": render_to_string("web/_session_table.html", context, request),
            "ended": page.session.ended_at is not None,
        }
    )


def _number(request: HttpRequest, name: str, default: float) -> float:
    try:
        value = float(request.GET.get(name, default))
    except ValueError:
        return default
    return value if np.isfinite(value) and value > 0 else default


def _loaded(request: HttpRequest, found: Session) -> SessionPage:
    may_read = found.client.content_visible_to(request.user)
    page = session_page.load(found, may_read=may_read)
    note_look(
        request.user, "session.read", found.client, now=timezone.now(),
        subject=found.public_id, words=may_read, count=len(page.rows),
    )  # fmt: skip
    return page


def _context(page: SessionPage) -> dict:
    recognizer = page.recognizer
    return {
        "active": "caseload",
        "page": page,
        "legend": STACK_ORDER[:7],
        "session": page.session,
        "client": page.session.client,
        "name": (page.session.client.name or "") if page.may_read else "",
        "facts": facts(page),
        "state": words.baseline_state(page.baseline.n) if recognizer else "",
        "recognizer": recognizer,
        "recognizer_line": words.recognizer_line(recognizer.name, recognizer.version, recognizer.headline)
        if recognizer
        else "",
        "voice_line": words.HOW_A_VOICE_MAY_SOUND,
    }


@login_required
@require_safe
def turn(request: HttpRequest, public_id: str, turn_id: str) -> HttpResponse:
    """One turn closely: its distribution, the seconds that pushed it, what its numbers mean."""
    found = _session_for(request.user, public_id)
    utterance = Utterance.objects.filter(session=found).select_related("recognizer").filter(public_id=turn_id)
    row = utterance.defer("text").first()
    if row is None:
        raise Http404
    row.client = found.client
    point = MoodPoint.objects.filter(utterance=row).first()
    sound = Audio.objects.filter(pk=row.pk).first()
    shares = session_page.shares_of(row)
    label = words.strongest(shares) if shares else ""
    frames = FrameLogits.objects.filter(pk=row.pk).first()
    context = {
        "turn": row,
        "point": point,
        "shares": words.distribution(shares) if shares else [],
        "label": label,
        "headline": row.recognizer.headline if row.recognizer else "valence",
        "frames": frames is not None,
        "why": _why(row, frames, label, sound) if frames is not None and row.reading == "ok" else None,
        "windowed": bool(row.recognizer) and row.recognizer.decomposition == "windowed",
        "no_reading": words.NO_READING[words.reason_slug(row.reading, row.quality)]
        if row.reading not in ("", "ok")
        else "",
        "accuracy": row.recognizer.accuracy if row.recognizer else "",
    }
    return render(request, "web/_turn.html", context)


def _why(utterance: Utterance, frames: FrameLogits, label: str, sound: Audio | None) -> Why | None:
    loud = session_page.loudness(sound)
    logits = frames.logits.astype(np.float64)
    return why(logits, frames.rate_hz, frames.first_frame_s, label, loud, utterance.duration_ms / 1000)
