"""Addresses of the WebSockets."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from django.urls import path, re_path

from emotrack.live.watch import Watch


async def nothing_here(scope: Any, receive: Any, send: Callable[[dict[str, str]], Awaitable[None]]) -> None:
    """Refuse the handshake of an address that leads nowhere."""
    await send({"type": "websocket.close"})


routes = [
    path("ws/watch", Watch.as_asgi()),
    re_path(r"", nothing_here),
]
