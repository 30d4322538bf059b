"""Whether this process lives, and whether it can accept utterances now."""

from __future__ import annotations

from django.conf import settings
from django.db import DatabaseError, connection
from django.http import HttpRequest, JsonResponse

from emotrack.recognition import service

_FRESH = {"Cache-Control": "no-store"}


def livez(request: HttpRequest) -> JsonResponse:
    """200 as long as the process answers at all."""
    return JsonResponse({"status": "alive"}, headers=_FRESH)


def readyz(request: HttpRequest) -> JsonResponse:
    """200 when utterances can be accepted durably; a recognizer that is away only delays their reading."""
    storage = _storage_answers()
    body = {"status": "ready" if storage else "not ready", "storage": storage}
    if settings.RECOGNIZE_IN_WEB:
        body["recognizer_ready"] = service().status().ready
    return JsonResponse(body, status=200 if storage else 503, headers=_FRESH)


def _storage_answers() -> bool:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except DatabaseError:
        return False
    return True
