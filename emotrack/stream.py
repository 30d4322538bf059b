"""Tells open dashboards that something changed; never what: they fetch it through their own permissions."""

from __future__ import annotations

import asyncio
import itertools
import logging
import threading
from concurrent.futures import Future
from typing import Protocol

from asgiref.sync import async_to_sync
from channels.layers import get_channel_layer
from django.db import transaction

from emotrack.identifiers import new_public_id

log = logging.getLogger("emotrack.stream")

GROUP = "watch"
PUBLISHER = new_public_id()
"""This process, so that a listener sees a gap in what one process sent."""

_count = itertools.count(1)
_order = threading.Lock()
_loop: asyncio.AbstractEventLoop | None = None


def attach_loop() -> None:
    """Called on the server's event loop: from then on threads hand their messages to it."""
    global _loop
    _loop = asyncio.get_running_loop()


class HasPublicId(Protocol):
    public_id: str


def publish(client: HasPublicId, what: str) -> None:
    """Say, once the transaction holds, that something of ``client`` changed: utterance, session or alert."""
    public_id = client.public_id
    transaction.on_commit(lambda: _send(public_id, what))


def _send(client: str, what: str) -> None:
    with _order:
        message = {
            "type": "changed",
            "publisher": PUBLISHER,
            "n": next(_count),
            "client": client,
            "what": what,
        }
        sending = get_channel_layer().group_send(GROUP, message)
        if _loop is not None and _loop.is_running():
            asyncio.run_coroutine_threadsafe(sending, _loop).add_done_callback(_report)
            return
    _send_alone(sending)


def _send_alone(sending: object) -> None:
    """From a process without a server, such as a worker: the message goes out over the shared layer."""

    async def send() -> None:
        await sending

    try:
        async_to_sync(send)()
    except (OSError, RuntimeError) as error:
        _lost(error)


def _report(done: Future) -> None:
    if error := done.exception():
        _lost(error)


def _lost(error: BaseException) -> None:
    """A lost message loses no data: dashboards fetch again when they see the gap or reconnect."""
    log.warning("dashboards were not told of a change: %s: %s", type(error).__name__, error)
