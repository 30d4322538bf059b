"""``/ws/listen?session=…``: sound comes in, turns are kept, readings go out; docs/api.md has the protocol."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any
from urllib.parse import parse_qs

from emotrack.api.errors import Problem
from emotrack.live import protocol, threads
from emotrack.live.callers import caller_of
from emotrack.live.connection import Connection


async def listen(
    scope: MutableMapping[str, Any],
    receive: Callable[[], Awaitable[MutableMapping[str, Any]]],
    send: Callable[[MutableMapping[str, Any]], Awaitable[None]],
) -> None:
    """The ASGI application of one connection; a stranger's handshake is refused."""
    await receive()  # websocket.connect
    caller = caller_of(scope)
    try:
        await threads.run(threads.keeping, caller.identity)
    except Problem:
        await send({"type": "websocket.close", "code": protocol.CLOSE_REVOKED})
        return
    await send({"type": "websocket.accept"})
    asked = parse_qs(scope.get("query_string", b"").decode("latin-1")).get("session", [""])
    await Connection(caller, asked[0], receive, send).run()
