"""Notes on a client: written, changed, deleted, and brought back for some minutes."""

from __future__ import annotations

from datetime import datetime

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from emotrack.history import remarks
from emotrack.history.actions import Refused
from emotrack.history.models import Client
from emotrack.history.remark_models import Note


def _client(request: HttpRequest, public_id: str) -> Client:
    """Notes are content: whoever may not read the client's words may neither read nor write them."""
    return get_object_or_404(Client.objects.content_visible_to(request.user), public_id=public_id)


def _back(client: Client) -> HttpResponse:
    return redirect(reverse("web:client", args=[client.public_id]) + "#notes")


def _wrong(text: str) -> str:
    """Why these words cannot be kept; empty where they can."""
    if not text:
        return _("A note needs words.")
    if len(text) > settings.TEXT_MAX_CHARACTERS:
        return _("At most %(n)d characters; nothing was kept.") % {"n": settings.TEXT_MAX_CHARACTERS}
    return ""


@login_required
@require_POST
def write(request: HttpRequest, public_id: str) -> HttpResponse:
    client = _client(request, public_id)
    text = request.POST.get("text", "").strip()
    if wrong := _wrong(text):
        messages.error(request, wrong)
    else:
        remarks.write_note(client=client, text=text, by=request.user, now=timezone.now())
    return _back(client)


@login_required
@require_POST
def change(request: HttpRequest, public_id: str, note_id: str) -> HttpResponse:
    """do: rewrite, delete or restore."""
    client = _client(request, public_id)
    note = get_object_or_404(Note.with_deleted.filter(client=client), public_id=note_id)
    note.client = client
    now = timezone.now()
    try:
        _done(request, note, request.POST.get("do", ""), now)
    except Refused as error:
        said = {
            "not-the-author": _("Only who wrote a note may change it."),
            "restore-too-late": _("It is too late to bring this note back."),
        }
        messages.error(request, said.get(error.slug, error.detail))
    return _back(client)


def _done(request: HttpRequest, note: Note, what: str, now: datetime) -> None:
    if what == "rewrite":
        text = request.POST.get("text", "").strip()
        if wrong := _wrong(text):
            messages.error(request, wrong)
        elif note.deleted_at is not None:
            messages.error(request, _("This note was deleted: bring it back first."))
        else:
            remarks.rewrite_note(note, text=text, by=request.user, now=now)
    elif what == "delete":
        remarks.delete_note(note, by=request.user, now=now)
    elif what == "restore":
        remarks.restore_note(note, by=request.user, now=now)
        messages.success(request, _("Note brought back."))
    else:
        raise Http404
