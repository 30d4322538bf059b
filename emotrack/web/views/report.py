"""Reports: a page to print and a PDF, of one session or of a client over a time."""

from __future__ import annotations

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.translation import get_language
from django.views.decorators.http import require_http_methods

from emotrack.history.models import Client, Session
from emotrack.web.client_frame import visible_client
from emotrack.web.looked_at import note_look
from emotrack.web.report import Asked, client_context, session_context
from emotrack.web.report_pdf import NoPdf, pdf_of

MOST_WORDS = 5000

_page = require_http_methods(["GET", "HEAD", "POST"])


def _asked(request: HttpRequest) -> Asked:
    """Chosen by a form that is sent but never kept, so that words stay out of addresses and logs."""
    return Asked(request.POST.get("words", "").strip()[:MOST_WORDS], request.POST.get("notes") == "1")


def _session(request: HttpRequest, public_id: str) -> dict:
    found = get_object_or_404(
        Session.objects.visible_to(request.user).select_related("client"), public_id=public_id
    )
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
    return render(request, "web/report.html", _session(request, public_id))


@login_required
@_page
def session_report_pdf(request: HttpRequest, public_id: str) -> HttpResponse:
    return _pdf(request, _session(request, public_id))


@login_required
@_page
def client_report(request: HttpRequest, public_id: str) -> HttpResponse:
    return render(request, "web/report.html", _client(request, public_id))


@login_required
@_page
def client_report_pdf(request: HttpRequest, public_id: str) -> HttpResponse:
    return _pdf(request, _client(request, public_id))
