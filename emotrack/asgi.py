"""What a server runs: pages and REST over HTTP, live dashboards over WebSockets."""

import os
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from channels.routing import ProtocolTypeRouter
from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "emotrack.settings")
_site = get_asgi_application()

from emotrack import stream  # noqa: E402 - the apps must be loaded first
from emotrack.api.limits import BodyLimit  # noqa: E402
from emotrack.live.routing import sockets  # noqa: E402


async def _lifespan(
    scope: MutableMapping[str, Any],
    receive: Callable[[], Awaitable[MutableMapping[str, Any]]],
    send: Callable[[MutableMapping[str, Any]], Awaitable[None]],
) -> None:
    """Servers that announce their start and end get an answer, and the stream learns its event loop."""
    while True:
        message = await receive()
        if message["type"] == "lifespan.startup":
            stream.attach_loop()
            await send({"type": "lifespan.startup.complete"})
        elif message["type"] == "lifespan.shutdown":
            await send({"type": "lifespan.shutdown.complete"})
            return


application = ProtocolTypeRouter(
    {
        "http": BodyLimit(_site),
        "websocket": sockets,
        "lifespan": _lifespan,
    }
)
