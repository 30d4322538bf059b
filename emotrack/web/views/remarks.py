"""What a person writes beside the machine: what they heard, their notes, their own impression."""

from __future__ import annotations

import math
from datetime import timedelta

from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from emotrack.accounts.actions import set_listens_first
from emotrack.accounts.models import User
from emotrack.history import remarks
from emotrack.history.actions import Refused
from emotrack.history.models import Note, NoteKind, Session, Speaker, Utterance
from emotrack.history.queries import own_label
from emotrack.web import words

LATEST_S = 7 * 86400.0
"""A note lies within a week of its session's start."""


def _session_for(user: User, public_id: str) -> Session:
    found = Session.objects.content_visible_to(user).select_related("client")
    return get_object_or_404(found, public_id=public_id)


def _note_for(user: User, public_id: str) -> Note:
    """Also one that was just deleted."""
    found = Note.with_deleted.content_visible_to(user).select_related("client")
    return get_object_or_404(found, public_id=public_id)


def _refused(error: Refused) -> JsonResponse:
    said = {
        "not-the-author": _("Only who wrote a note may change it."),
        "restore-too-late": _("It is too late to bring this note back."),
        "not-a-choice": _("This is not one of the labels."),
    }
    return JsonResponse({"problem": said.get(error.slug, error.detail)}, status=error.status)


@login_required
@require_POST
def heard(request: HttpRequest, public_id: str, turn_id: str) -> JsonResponse:
    """Keep what the person heard in a turn; an empty label takes it back. Answers with what stood before."""
    session = _session_for(request.user, public_id)
    turns = Utterance.objects.filter(session=session, speaker=Speaker.CLIENT)
    turn = get_object_or_404(turns.defer("text"), public_id=turn_id)
    turn.client = session.client
    before, label, now = own_label(turn, request.user), request.POST.get("label", ""), timezone.now()
    try:
        if label:
            remarks.correct(utterance=turn, label=label, by=request.user, now=now)
        else:
            remarks.withdraw_correction(utterance=turn, by=request.user, now=now)
    except Refused as error:
        return _refused(error)
    said = words.you_heard(label) if label else _("Taken back.")
    return JsonResponse({"said": said, "before": before})


@login_required
@require_POST
def session_note(request: HttpRequest, public_id: str, note_id: str) -> JsonResponse:
    """Write or rewrite a note at ``at`` seconds; the writer chose its id, so sending twice keeps one."""
    session = _session_for(request.user, public_id)
    text = request.POST.get("text", "").strip()
    kind = NoteKind.IMPRESSION if request.POST.get("kind") == NoteKind.IMPRESSION else NoteKind.NOTE
    if len(text) > settings.TEXT_MAX_CHARACTERS:
        most = settings.TEXT_MAX_CHARACTERS
        return _problem(_("At most %(n)d characters; nothing was cut off.") % {"n": most})
    if kind == NoteKind.IMPRESSION and not text:
        return _problem(_("Write what you heard first."))
    at_s = _seconds(request.POST.get("at", "0"))
    if at_s is None:
        return _problem(_("This is not a moment of the session."))
    now, known = timezone.now(), Note.with_deleted.filter(public_id=note_id).first()
    try:
        if known is not None:
            own = get_object_or_404(Note.objects.filter(session=session), pk=known.pk)
            own.client = session.client
            remarks.rewrite_note(own, text=text, by=request.user, now=now)
        else:
            at = session.started_at + timedelta(seconds=at_s)
            where = {"client": session.client, "session": session, "at": at}
            remarks.write_note(**where, text=text, kind=kind, by=request.user, now=now, public_id=note_id)
    except Refused as error:
        return _refused(error)
    return JsonResponse({"id": note_id, "said": _("Marked.") if not text else _("Saved.")})


def _problem(said: str) -> JsonResponse:
    return JsonResponse({"problem": said}, status=422)


def _seconds(told: str) -> float | None:
    try:
        value = float(told)
    except ValueError:
        return None
    return value if math.isfinite(value) and 0 <= value <= LATEST_S else None


@login_required
@require_POST
def note_delete(request: HttpRequest, public_id: str) -> JsonResponse:
    try:
        remarks.delete_note(_note_for(request.user, public_id), by=request.user, now=timezone.now())
    except Refused as error:
        return _refused(error)
    return JsonResponse({"said": _("Note deleted.")})


@login_required
@require_POST
def note_restore(request: HttpRequest, public_id: str) -> JsonResponse:
    try:
        remarks.restore_note(_note_for(request.user, public_id), by=request.user, now=timezone.now())
    except Refused as error:
        return _refused(error)
    return JsonResponse({"said": _("Note brought back.")})


@login_required
@require_POST
def listen_first(request: HttpRequest) -> HttpResponse:
    """Switch for oneself whether readings wait for one's own impression; back to where one was."""
    set_listens_first(request.user, on=request.POST.get("to") == "on", now=timezone.now())
    back = request.POST.get("next", "/")
    safe = url_has_allowed_host_and_scheme(back, allowed_hosts=None)
    return redirect(back if safe else "web:caseload")
