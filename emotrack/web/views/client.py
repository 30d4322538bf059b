"""One client across sessions: where they stand, what was heard, what was agreed, and who looked."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from emotrack.audit.models import AuditEvent
from emotrack.history.models import Client, Session
from emotrack.privacy.models import Consent
from emotrack.web import words
from emotrack.web.access_words import LOOK, in_words
from emotrack.web.client_frame import frame, series_of, visible_client
from emotrack.web.client_notes import note_lines
from emotrack.web.client_page import mood_of
from emotrack.web.looked_at import note_look

LOOKS_READ, LOOKS_SHOWN = 60, 8


@dataclass(frozen=True, slots=True)
class Look:
    """One person doing one thing, perhaps several times in a row; at: the last of them."""

    at: datetime
    actor: str
    words: str
    times: int = 1


@login_required
@require_safe
def client(request: HttpRequest, public_id: str) -> HttpResponse:
    found = visible_client(request, public_id)
    now = timezone.now()
    context = frame(request, found, "client", now=now)
    may_read = context["may_read"]
    note_look(request.user, "client.read", found, now=now, subject=found.public_id, words=may_read)
    recognizer, others = series_of(found, request.GET.get("series", ""))
    context |= {
        "sessions": Session.objects.filter(client=found).count(),
        "first": Session.objects.filter(client=found).order_by("started_at").first(),
        "consents": Consent.objects.filter(client=found).select_related("app").order_by("-given_at"),
        "looks": _looks(found),
        "notes": note_lines(found, request.user, now=now) if may_read else None,
        "recognizer": recognizer,
        "other_series": others,
        "voice_line": words.HOW_A_VOICE_MAY_SOUND,
    }
    if recognizer is not None:
        query = request.GET
        context |= mood_of(found, recognizer, request.user, query, now=now, may_read=may_read)
    form = context.get("period_form")
    return render(request, "web/client.html", context, status=422 if form and form.errors else 200)


def _looks(client: Client) -> list[Look]:
    """Who read what of this client, the newest first."""
    rows = AuditEvent.objects.filter(LOOK, client=client.public_id).order_by("-at")
    looks: list[Look] = []
    for row in rows[:LOOKS_READ]:
        said = in_words(row)
        if looks and (looks[-1].actor, looks[-1].words) == (row.actor, said):
            looks[-1] = replace(looks[-1], times=looks[-1].times + 1)
        else:
            looks.append(Look(row.at, row.actor, said))
    return looks[:LOOKS_SHOWN]
