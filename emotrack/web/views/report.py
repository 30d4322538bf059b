"""Reports: a page to print and a PDF, of one session or of a client over a time."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from emotrack.history.listening import waits
from emotrack.history.models import Client, Session
from emotrack.web.client_frame import newest_waiting, visible_client
from emotrack.web.looked_at import note_look
from emotrack.web.report import Asked, client_context, session_context
from emotrack.web.report_pdf import NoPdf, pdf_of

MOST_WORDS = 5000

_page = require_http_methods(["GET", "HEAD", "POST"])


def _asked(request: HttpRequest) -> Asked:
    """Chosen by a form that is sent but never kept, so that words stay out of addresses and logs."""
    return Asked(request.POST.get("words", "").strip()[:MOST_WORDS], request.POST.get("notes") == "1")


def _found(request: HttpRequest, public_id: str) -> Session:
    rows = Session.objects.visible_to(request.user).select_related("client")
    return get_object_or_404(rows, public_id=public_id)


def _not_yet(request: HttpRequest, waiting: str) -> HttpResponse | None:
    """Leads who listens first to where their impression is written. waiting: its id, or empty."""
    if not waiting:
        return None
    said = _("You listen first: the report can be made once you have written your own impression.")
    messages.info(request, said)
    return redirect("web:session", public_id=waiting)


def _waits(request: HttpRequest, found: Session) -> str:
    return found.public_id if waits(found, request.user) else ""


def _session(request: HttpRequest, found: Session) -> dict:
    asked, may_read = _asked(request), found.client.content_visible_to(request.user)
    _note(request, found.client, found.public_id, asked, may_read=may_read)
    return session_context(found, asked, may_read=may_read) | _around(request)


def _client(request: HttpRequest, public_id: str) -> dict:
    found = visible_client(request, public_id)
    asked, may_read = _asked(request), found.content_visible_to(request.user)
    now = timezone.now()
    _note(request, found, found.public_id, asked, may_read=may_read)
    return client_context(found, request.user, request.GET, asked, now=now, may_read=may_read) | _around(
        request
    )


def _note(request: HttpRequest, client: Client, subject: str, asked: Asked, *, may_read: bool) -> None:
    note_look(
        request.user, "report.read", client, now=timezone.now(), subject=subject, words=may_read,
        notes=asked.notes,
    )  # fmt: skip


def _around(request: HttpRequest) -> dict:
    return {"printed_at": timezone.now(), "reader": request.user.username, "query": request.GET.urlencode()}


def _pdf(request: HttpRequest, context: dict) -> HttpResponse:
    page = render_to_string("web/report.html", context | {"pdf": True}, request)
    try:
        made = pdf_of(page, get_language())
    except NoPdf as missing:
        return render(request, "web/report_no_pdf.html", context | {"missing": missing.missing}, status=503)
    name = f"emotrack-report-{context['client'].code}-{context['printed_at']:%Y%m%d}.pdf"
    headers = {"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "private, no-store"}
    return HttpResponse(made, content_type="application/pdf", headers=headers)


@login_required
@_page
def session_report(request: HttpRequest, public_id: str) -> HttpResponse:
    found = _found(request, public_id)
    not_yet = _not_yet(request, _waits(request, found))
    return not_yet or render(request, "web/report.html", _session(request, found))


@login_required
@_page
def session_report_pdf(request: HttpRequest, public_id: str) -> HttpResponse:
    found = _found(request, public_id)
    return _not_yet(request, _waits(request, found)) or _pdf(request, _session(request, found))


@login_required
@_page
def client_report(request: HttpRequest, public_id: str) -> HttpResponse:
    not_yet = _not_yet(request, newest_waiting(visible_client(request, public_id), request.user))
    return not_yet or render(request, "web/report.html", _client(request, public_id))


@login_required
@_page
def client_report_pdf(request: HttpRequest, public_id: str) -> HttpResponse:
    not_yet = _not_yet(request, newest_waiting(visible_client(request, public_id), request.user))
    return not_yet or _pdf(request, _client(request, public_id))
