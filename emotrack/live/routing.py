"""Addresses of the WebSockets, and who must show what: browsers an Origin of this site, apps their key."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from channels.auth import AuthMiddlewareStack
from channels.routing import URLRouter
from channels.security.websocket import AllowedHostsOriginValidator
from django.urls import path, re_path

from emotrack.live.callers import bearer_of
from emotrack.live.listen import listen
from emotrack.live.watch import Watch

LISTEN = "ws/listen"


async def nothing_here(scope: Any, receive: Any, send: Callable[[dict[str, str]], Awaitable[None]]) -> None:
    """Refuse the handshake of an address that leads nowhere."""
    await send({"type": "websocket.close"})


_pages = AllowedHostsOriginValidator(
    AuthMiddlewareStack(
        URLRouter(
            [path("ws/watch", Watch.as_asgi()), path(LISTEN, listen), re_path(r"", nothing_here)],
        )
    )
)


async def sockets(scope: Any, receive: Any, send: Any) -> None:
    """A caller with a key is no page: it has neither Origin nor cookie."""
    if scope["path"] == f"/{LISTEN}" and bearer_of(scope) is not None:
        await listen(scope, receive, send)
    else:
        await _pages(scope, receive, send)
