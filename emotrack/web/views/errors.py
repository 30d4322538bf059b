"""Pages for what goes wrong: not allowed, not there, our fault."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.template.loader import get_template


def forbidden(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    return render(request, "web/403.html", {"exception_words": str(exception or "")}, status=403)


def not_found(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    return render(request, "web/404.html", status=404)


def broken(request: HttpRequest) -> HttpResponse:
    """Without the usual frame: what it needs may be what broke."""
    return HttpResponse(get_template("web/500.html").render({}), status=500)
