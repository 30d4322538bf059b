"""The session timeline: a page, the figure that grows under it, and one turn closely."""

from __future__ import annotations

import numpy as np
from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, render
from django.template.loader import render_to_string
from django.utils import timezone
from django.views.decorators.http import require_safe

from emotrack.accounts.models import User
from emotrack.history import listening
from emotrack.history.models import Audio, FrameLogits, Recognizer, Session, Speaker, Utterance
from emotrack.history.queries import own_label
from emotrack.mood.models import MoodPoint
from emotrack.mood.queries import recognizer_before
from emotrack.web import session_page, words
from emotrack.web.blinded import is_hidden, without_readings
from emotrack.web.charts import STACK_ORDER, session_figure
from emotrack.web.looked_at import note_look
from emotrack.web.session_page import SessionPage
from emotrack.web.session_summary import facts, quarters
from emotrack.web.sound_wave import loudness
from emotrack.web.why import Why, why
from emotrack.web.words_lane import words_line

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
    shows at once; ``from``: where they begin. With ``only=figure`` the other parts are left out.
    """
    width = min(max(_number(request, "w", USUAL_PX), NARROW_PX), WIDE_PX)
    height = min(_number(request, "h", 0), TALL_PX)
    span = _number(request, "span", 0) or None
    window = _window(_number(request, "from", 0), span)
    page = _loaded(request, _session_for(request.user, public_id), window)
    answer = {
        "figure": session_figure(page.timeline, int(width), span, int(height), window),
        "ended": page.session.ended_at is not None,
    }
    if request.GET.get("only") != "figure":
        context = _context(page)
        for name in ("turns", "facts", "session_notes", "events", "session_table"):
            answer[name] = render_to_string(f"web/_{name}.html", context, request)
    return JsonResponse(answer)


def _window(start_s: float, span_s: float | None) -> tuple[float, float] | None:
    """What is on screen and as much again on either side, so that a short pan finds it drawn."""
    return None if span_s is None else (start_s - span_s, start_s + 2 * span_s)


def _number(request: HttpRequest, name: str, default: float) -> float:
    try:
        value = float(request.GET.get(name, default))
    except ValueError:
        return default
    return value if np.isfinite(value) and value > 0 else default


def _loaded(request: HttpRequest, found: Session, window: tuple[float, float] | None = None) -> SessionPage:
    may_read = found.client.content_visible_to(request.user)
    page = session_page.load(found, may_read=may_read, viewer=request.user, window=window)
    note_look(
        request.user, "session.read", found.client, now=timezone.now(),
        subject=found.public_id, words=may_read, count=len(page.rows),
    )  # fmt: skip
    return without_readings(page) if is_hidden(page, request.user) else page


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
        "quarters": quarters(page),
        "longest_note": settings.TEXT_MAX_CHARACTERS,
        "impressions": [note for note in page.notes if note.impression],
        "notes": [note for note in page.notes if not note.impression],
        "labels": STACK_ORDER,
        "state": words.baseline_state(page.baseline.n) if recognizer else "",
        "recognizer": recognizer,
        "recognizer_before": _another_before(page),
        "recognizer_line": words.recognizer_line(recognizer.name, recognizer.version, recognizer.headline)
        if recognizer
        else "",
        "voice_line": words.HOW_A_VOICE_MAY_SOUND,
        "by_words": page.by_words,
    }


def _another_before(page: SessionPage) -> Recognizer | None:
    """The recognizer of the session before, where it was another one: the usual starts anew."""
    before = recognizer_before(page.session) if page.recognizer else None
    return before if before is not None and before != page.recognizer else None


@login_required
@require_safe
def turn(request: HttpRequest, public_id: str, turn_id: str) -> HttpResponse:
    """One turn closely: its distribution, the seconds that pushed it, what its numbers mean."""
    found = _session_for(request.user, public_id)
    rows = Utterance.objects.filter(session=found, public_id=turn_id)
    may_read = found.client.content_visible_to(request.user)
    row = (rows if may_read else rows.defer("text")).select_related("recognizer", "words_recognizer").first()
    if row is None:
        raise Http404
    row.client = found.client
    heard = own_label(row, request.user) if may_read else ""
    context = {"turn": row, "may_hear": may_read and row.speaker == Speaker.CLIENT, "heard": heard}
    context |= {"labels": STACK_ORDER, "recognizer": row.recognizer}
    alone = may_read and listening.waits(found, request.user)
    if alone and not heard:
        return render(request, "web/_turn.html", context | {"hidden": True})
    return render(request, "web/_turn.html", context | _closely(row, may_read) | {"alone": alone})


def _closely(row: Utterance, may_read: bool) -> dict:
    """Distribution, place and why of a turn, and what its words say."""
    point = MoodPoint.objects.filter(utterance=row).first()
    sound = Audio.objects.filter(pk=row.pk).first()
    shares = session_page.shares_of(row)
    label = words.strongest(shares) if shares else ""
    frames = FrameLogits.objects.filter(pk=row.pk).first()
    return {
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
        "said": words_line(row, may_read=may_read),
        "accuracy_of_words": row.words_recognizer.accuracy if row.words_recognizer else "",
    }


def _why(utterance: Utterance, frames: FrameLogits, label: str, sound: Audio | None) -> Why | None:
    loud = loudness(sound)
    logits = frames.logits.astype(np.float64)
    return why(logits, frames.rate_hz, frames.first_frame_s, label, loud, utterance.duration_ms / 1000)
