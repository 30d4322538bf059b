"""Serves scripts and style sheets whole, because an asynchronous server waits for iterators, and packed."""

from __future__ import annotations

import gzip
from functools import lru_cache

from django.http import HttpRequest, HttpResponse
from whitenoise.middleware import WhiteNoiseMiddleware
from whitenoise.responders import StaticFile

TEXTS = ("text/", "image/svg+xml", "application/json")

WORTH_PACKING = 1_000
"""Bytes; what is smaller travels in one packet anyway."""


@lru_cache(maxsize=256)
def _packed(body: bytes) -> bytes:
    return gzip.compress(body, 6, mtime=0)


def _takes_packed(request: HttpRequest) -> bool:
    """Whether the browser unpacks, and asks for the file rather than a part of it."""
    return "gzip" in request.headers.get("Accept-Encoding", "") and "Range" not in request.headers


class StaticFilesMiddleware(WhiteNoiseMiddleware):
    """WhiteNoise, but for its streams: under ASGI Django warns of each and reads it in another thread.

    Texts are packed here, where nothing in them is secret; pages are not, whose length could tell.
    """

    @staticmethod
    def serve(static_file: StaticFile, request: HttpRequest) -> HttpResponse:
        found = static_file.get_response(request.method, request.META)
        body = b""
        if found.file is not None:
            with found.file:
                body = found.file.read()
        answer = HttpResponse(body, status=int(found.status))
        del answer["content-type"]
        for name, value in found.headers:
            answer[name] = value
        if body and answer.headers.get("Content-Type", "").startswith(TEXTS) and len(body) >= WORTH_PACKING:
            answer.headers["Vary"] = "Accept-Encoding"
            if _takes_packed(request):
                body = answer.content = _packed(body)
                answer.headers["Content-Encoding"] = "gzip"
        if body:  # the file may have been exchanged since its size was noted
            answer["Content-Length"] = len(body)
        return answer
