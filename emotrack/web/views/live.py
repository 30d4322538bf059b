"""A session that is recorded as it happens: consent first, then a quiet page that says where it stands."""

from __future__ import annotations

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from emotrack.accounts.models import User
from emotrack.history import retention
from emotrack.history.models import Client, Session
from emotrack.pipeline import admit_session
from emotrack.privacy.actions import give_consent
from emotrack.privacy.models import Consent, Purpose
from emotrack.web import session_page, words
from emotrack.web.blinded import is_hidden, without_readings
from emotrack.web.client_frame import frame
from emotrack.web.live_page import elapsed, live_view, live_words
from emotrack.web.looked_at import note_look, unseen_alerts
from emotrack.web.views.consents import ALLOWS

LONGEST_VERSION = 64


def counseled(user: User, public_id: str) -> Client:
    """A client whose words the user may hear; 404 for any other."""
    return get_object_or_404(Client.objects.content_visible_to(user), public_id=public_id)


def standing_consents(client: Client) -> dict[str, Consent]:
    rows = Consent.objects.filter(client=client, withdrawn_at__isnull=True)
    return {row.purpose: row for row in rows}


@login_required
@require_safe
def start(request: HttpRequest, public_id: str) -> HttpResponse:
    return _start_page(request, counseled(request.user, public_id))


def _start_page(request: HttpRequest, client: Client, wrong: str = "") -> HttpResponse:
    consents = standing_consents(client)
    context = frame(request, client, "", now=timezone.now()) | {
        "consent": consents.get(Purpose.VOICE_EMOTION),
        "allows": [
            (Purpose(p).label, ALLOWS[p], p in consents) for p in (Purpose.VOICE_EMOTION, Purpose.ALERTS)
        ],
        "kept": retention.in_force(),
        "wrong": wrong,
        "going_on": Session.objects.filter(client=client, ended_at=None, recordings__kind="stream").first(),
    }
    return render(request, "web/live_start.html", context, status=422 if wrong else 200)


@login_required
@require_POST
def begin(request: HttpRequest, public_id: str) -> HttpResponse:
    """Write down a consent that was asked for now, where none stands; then open a session."""
    client = counseled(request.user, public_id)
    now = timezone.now()
    if Purpose.VOICE_EMOTION not in standing_consents(client):
        version = request.POST.get("version", "").strip()[:LONGEST_VERSION]
        if not request.POST.get("agreed"):
            return _start_page(request, client, _("Ask the client first, and say here that they agreed."))
        if not version:
            return _start_page(request, client, _("Write which text the client agreed to."))
        give_consent(client=client, purpose=Purpose.VOICE_EMOTION, version=version, by=request.user, now=now)
    session, _new = admit_session(client=client, by=request.user.actor, now=now)
    return redirect("web:live", public_id=session.public_id)


def _session(user: User, public_id: str) -> Session:
    rows = Session.objects.content_visible_to(user).select_related("client", "app")
    return get_object_or_404(rows, public_id=public_id)


@login_required
@require_safe
def live(request: HttpRequest, public_id: str) -> HttpResponse:
    found = _session(request.user, public_id)
    if found.ended_at is not None:
        return redirect("web:session", public_id=public_id)
    context = _context(request, found) | {
        "active": "caseload",
        "rail": True,
        "name": found.client.name or "",
        "consent": standing_consents(found.client).get(Purpose.VOICE_EMOTION),
        "live_words": live_words(),
    }
    return render(request, "web/live.html", context)


@login_required
@require_safe
def now(request: HttpRequest, public_id: str) -> HttpResponse:
    """The part of the page that changes while people speak."""
    found = _session(request.user, public_id)
    return render(request, "web/_live_now.html", _context(request, found))


def _context(request: HttpRequest, session: Session) -> dict:
    at = timezone.now()
    page = session_page.load(session, may_read=True, viewer=request.user)
    if is_hidden(page, request.user):
        page = without_readings(page)
    note_look(request.user, "session.read", session.client, now=at, subject=session.public_id, words=True)
    recognizer = page.recognizer
    at_s = (at - session.started_at).total_seconds()
    return {
        "session": session,
        "client": session.client,
        "page": page,
        "view": live_view(page, at_s),
        "elapsed": elapsed(at_s),
        "elapsed_s": f"{max(0.0, at_s):.1f}",
        "alerts": unseen_alerts(request.user, now=at).filter(session=session).select_related("rule"),
        "recognizer": recognizer,
        "recognizer_line": words.recognizer_line(recognizer.name, recognizer.version, recognizer.headline)
        if recognizer
        else "",
        "voice_line": words.HOW_A_VOICE_MAY_SOUND,
    }
