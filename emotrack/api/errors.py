"""One shape for every error: RFC 9457 problem+json with a pointer to the place, and no content echoed."""

from __future__ import annotations

import errno
import logging
from collections.abc import Iterable, Mapping
from typing import Any

from django.core.exceptions import (
    BadRequest,
    PermissionDenied,
    RequestDataTooBig,
    SuspiciousOperation,
)
from django.db import OperationalError
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.views import defaults
from rest_framework import exceptions
from rest_framework.response import Response

from analysis.audio import AudioRejected
from analysis.values import RecognizerError
from emotrack.api.problems import TITLES, title_of
from emotrack.crypto import KeyDestroyed
from emotrack.history.actions import Refused

log = logging.getLogger("emotrack.api")

MEDIA_TYPE = "application/problem+json"
Place = tuple[str, str, str]
"""(JSON pointer, slug, sentence) of one thing that is wrong; a query parameter is written ``?name``."""

_AUDIO_STATUS = {"unsupported-media-type": 415, "audio-too-large": 413}
_FULL = (errno.ENOSPC, errno.EDQUOT)


class Problem(Exception):
    """An answer that is an error. ``slug`` is part of the contract; ``detail`` is for people."""

    def __init__(
        self,
        slug: str,
        detail: str = "",
        *,
        status: int,
        errors: Iterable[Place] = (),
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(slug, detail)
        self.slug, self.detail, self.status = slug, detail or title_of(slug), status
        self.errors, self.headers = list(errors), dict(headers or {})

    def body(self) -> dict[str, Any]:
        body: dict[str, Any] = {
            "type": f"/problems/{self.slug}",
            "title": title_of(self.slug),
            "status": self.status,
            "detail": self.detail,
        }
        if self.errors:
            body["errors"] = [_error(*place) for place in self.errors]
        return body


def _error(pointer: str, slug: str, detail: str) -> dict[str, str]:
    if pointer.startswith("?"):
        return {"parameter": pointer[1:], "type": f"/problems/{slug}", "detail": detail}
    return {"pointer": pointer, "type": f"/problems/{slug}", "detail": detail}


def wrong_fields(errors: list[Place], *, malformed: bool) -> Problem:
    """400 when any of the fields has the wrong form, 422 when the values are not allowed."""
    slugs = {slug for _pointer, slug, _detail in errors}
    slug = slugs.pop() if len(slugs) == 1 else "invalid-fields"
    detail = errors[0][2] if len(errors) == 1 else f"{len(errors)} fields cannot be accepted."
    return Problem(slug, detail, status=400 if malformed else 422, errors=errors)


def problem_of(error: Exception) -> Problem | None:
    """The answer for an exception, or ``None`` for one that nobody foresaw."""
    if isinstance(error, Problem):
        return error
    if isinstance(error, Refused):
        return _refused(error)
    if isinstance(error, AudioRejected):
        status = _AUDIO_STATUS.get(error.slug, 422)
        return Problem(error.slug, error.detail, status=status, errors=[("/audio", error.slug, error.detail)])
    if isinstance(error, RecognizerError):
        return Problem("recognizer-unavailable", status=503, headers={"Retry-After": "5"})
    if isinstance(error, KeyDestroyed):
        return Problem("client-erased", status=410)
    return _of_storage(error) or _of_framework(error)


def _refused(error: Refused) -> Problem:
    errors = [] if error.pointer is None else [(error.pointer, error.slug, error.detail)]
    headers = {"Retry-After": "1"} if error.slug == "idempotency-key-in-flight" else {}
    return Problem(error.slug, error.detail, status=error.status, errors=errors, headers=headers)


def _of_storage(error: Exception) -> Problem | None:
    if isinstance(error, OSError) and error.errno in _FULL:
        return Problem("storage-full", status=507)
    if not isinstance(error, OperationalError):
        return None
    said = str(error).lower()
    if "disk is full" in said or "no space left" in said:
        return Problem("storage-full", status=507)
    if any(word in said for word in ("locked", "deadlock", "timeout", "connection")):
        return Problem("storage-busy", status=503, headers={"Retry-After": "1"})
    return None


def _of_framework(error: Exception) -> Problem | None:
    if isinstance(error, exceptions.APIException):
        return _of_rest_framework(error)
    if isinstance(error, Http404):
        return Problem("not-found", status=404)
    if isinstance(error, PermissionDenied):
        return Problem("forbidden", status=403)
    if isinstance(error, RequestDataTooBig):
        return Problem("body-too-large", status=413)
    if isinstance(error, (SuspiciousOperation, BadRequest)):
        return Problem("bad-request", status=400)
    return None


_REST_FRAMEWORK: dict[type[exceptions.APIException], str] = {
    exceptions.NotAuthenticated: "not-authenticated",
    exceptions.AuthenticationFailed: "invalid-key",
    exceptions.PermissionDenied: "forbidden",
    exceptions.NotFound: "not-found",
    exceptions.MethodNotAllowed: "method-not-allowed",
    exceptions.UnsupportedMediaType: "unsupported-media-type",
    exceptions.Throttled: "too-many-requests",
    exceptions.ParseError: "bad-request",
}


def _of_rest_framework(error: exceptions.APIException) -> Problem:
    slug = _REST_FRAMEWORK.get(type(error), "bad-request")
    headers = {}
    if authenticate := getattr(error, "auth_header", None):
        headers["WWW-Authenticate"] = authenticate
    if isinstance(error, exceptions.Throttled):
        headers["Retry-After"] = str(max(1, round(error.wait or 1)))
    return Problem(slug, status=error.status_code, headers=headers)


def problem_response(error: Exception, context: Mapping[str, Any]) -> Response:
    """What the REST framework answers for an exception in one of our views."""
    problem = problem_of(error)
    if problem is None:
        log.exception("%s failed", type(context.get("view")).__name__, exc_info=error)
        problem = Problem("internal-error", status=500)
    return Response(problem.body(), status=problem.status, headers=problem.headers, content_type=MEDIA_TYPE)


# --- Errors outside our views: addresses that lead nowhere, broken middleware --------------------------


def is_for_programs(request: HttpRequest) -> bool:
    return request.path.startswith(("/api/", "/predict_emotion", "/livez", "/readyz", "/problems/"))


def _plain(problem: Problem) -> HttpResponse:
    return JsonResponse(
        problem.body(), status=problem.status, content_type=MEDIA_TYPE, headers=problem.headers
    )


def nothing_here(request: HttpRequest) -> HttpResponse:
    """Whatever else is asked for below ``/api/``."""
    return _plain(Problem("not-found", status=404))


def page_not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    if is_for_programs(request):
        return _plain(Problem("not-found", status=404))
    return defaults.page_not_found(request, exception, template_name="web/404.html")


def server_error(request: HttpRequest) -> HttpResponse:
    if is_for_programs(request):
        return _plain(Problem("internal-error", status=500))
    return defaults.server_error(request, template_name="web/500.html")


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    if is_for_programs(request):
        return _plain(problem_of(exception) or Problem("bad-request", status=400))
    return defaults.bad_request(request, exception, template_name="web/404.html")


def permission_denied(request: HttpRequest, exception: Exception) -> HttpResponse:
    if is_for_programs(request):
        return _plain(Problem("forbidden", status=403))
    return defaults.permission_denied(request, exception, template_name="web/403.html")


def explain(request: HttpRequest, slug: str) -> HttpResponse:
    """What ``type`` of a problem leads to."""
    if slug not in TITLES:
        return _plain(Problem("not-found", status=404))
    return JsonResponse({"type": f"/problems/{slug}", "title": title_of(slug)})
