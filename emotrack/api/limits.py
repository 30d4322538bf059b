"""How large a body may be, decided while it arrives: the claim in its header first, then every byte."""

from __future__ import annotations

import json
import re
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from django.conf import settings

from emotrack.api.errors import MEDIA_TYPE, Problem

FORM_SLACK_BYTES = 1024 * 1024
"""What the fields around an audio part may take."""

_TAKES_RECORDINGS = re.compile(r"/api/v1/sessions/\w+/recording|/clients/\w+/recordings", re.ASCII)

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]


class TooLarge(Exception):
    """More bytes arrived than may."""


def limit_for(content_type: str, path: str) -> int:
    """Bytes that a body of this media type may have at this address."""
    if content_type.lower().startswith("multipart/form-data"):
        if _TAKES_RECORDINGS.fullmatch(path):
            return settings.RECORDING_MAX_BYTES + FORM_SLACK_BYTES
        return settings.AUDIO_MAX_BYTES + FORM_SLACK_BYTES
    return settings.JSON_MAX_BYTES


def too_large(limit: int) -> Problem:
    return Problem("body-too-large", f"At most {limit} bytes.", status=413)


class BodyLimit:
    """Around the whole site: without it the server would write any body to disk before a view sees it."""

    def __init__(self, app: Callable[[Message, Receive, Send], Awaitable[None]]) -> None:
        self.app = app

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        headers = dict(scope["headers"])
        limit = limit_for(headers.get(b"content-type", b"").decode("latin-1"), scope["path"])
        if _claims_more_than(limit, headers.get(b"content-length", b"0")):
            await _refuse(send, limit)
            return
        try:
            await self.app(scope, _counted(receive, limit), send)
        except TooLarge:
            await _refuse(send, limit)


def _claims_more_than(limit: int, claim: bytes) -> bool:
    return claim.isdigit() and int(claim[:20]) > limit


def _counted(receive: Receive, limit: int) -> Receive:
    arrived = 0

    async def counted() -> Message:
        nonlocal arrived
        message = await receive()
        arrived += len(message.get("body", b""))
        if arrived > limit:
            raise TooLarge
        return message

    return counted


async def _refuse(send: Send, limit: int) -> None:
    body = json.dumps(too_large(limit).body()).encode()
    headers = [
        (b"content-type", MEDIA_TYPE.encode()),
        (b"content-length", str(len(body)).encode()),
        (b"connection", b"close"),
    ]
    await send({"type": "http.response.start", "status": 413, "headers": headers})
    await send({"type": "http.response.body", "body": body})
