"""Tells an open dashboard that something changed, never what: the page fetches it through its own door."""

from __future__ import annotations

import asyncio
import contextlib
import json
from importlib import import_module
from typing import Any

from channels.db import database_sync_to_async
from channels.generic.websocket import AsyncWebsocketConsumer
from django.conf import settings
from django.contrib.auth import get_user
from django.http import HttpRequest

from emotrack import stream
from emotrack.accounts.models import User
from emotrack.history.models import Client

SIGNED_OUT = 4401
"""Close code: whoever watched is signed out, or may not watch any more."""


def person_of(session_key: str | None) -> User | None:
    """Who is signed in with this session right now; ``None`` once it ended, was revoked or never was."""
    if not session_key:
        return None
    request = HttpRequest()
    request.session = import_module(settings.SESSION_ENGINE).SessionStore(session_key)
    user = get_user(request)
    return user if user.is_authenticated and user.is_active and user.roles else None


def may_see(session_key: str | None, client: str) -> bool | None:
    """Whether the person of the session may see the client; ``None`` when nobody is signed in any more."""
    person = person_of(session_key)
    if person is None:
        return None
    return Client.objects.visible_to(person).filter(public_id=client).exists()


class Watch(AsyncWebsocketConsumer):
    """``/ws/watch``: ``{seq, client, what}``, where ``seq`` counts the messages of this connection.

    ``what`` is ``utterance``, ``session`` or ``alert``; ``resync`` says that messages may have been missed;
    ``beat`` that there is nothing new. Who was signed out is let go within ``check_every_s``.
    """

    beat_every_s = 10.0
    check_every_s = 4.0

    async def connect(self) -> None:
        self.seq = 0
        self.heard: dict[str, int] = {}
        self.session_key = self.scope["session"].session_key
        self.tasks: list[asyncio.Task] = []
        if await database_sync_to_async(person_of)(self.session_key) is None:
            await self.close()
            return
        stream.attach_loop()
        await self.channel_layer.group_add(stream.GROUP, self.channel_name)
        await self.accept()
        self.tasks = [asyncio.create_task(self._beat()), asyncio.create_task(self._check())]

    async def disconnect(self, code: int) -> None:
        for task in self.tasks:
            task.cancel()
        await self.channel_layer.group_discard(stream.GROUP, self.channel_name)

    async def changed(self, event: dict[str, Any]) -> None:
        """A message of the stream: passed on to who may see the client."""
        if self._missed(event["publisher"], event["n"]):
            await self.tell(what="resync")
        seen = await database_sync_to_async(may_see)(self.session_key, event["client"])
        if seen is None:
            await self.close(SIGNED_OUT)
        elif seen:
            await self.tell(client=event["client"], what=event["what"])

    def _missed(self, publisher: str, n: int) -> bool:
        last = self.heard.get(publisher)
        self.heard[publisher] = max(n, last or n)
        return last is not None and n != last + 1

    async def tell(self, **message: str) -> None:
        self.seq += 1
        await self.send(json.dumps({"seq": self.seq, **message}))

    async def _beat(self) -> None:
        with contextlib.suppress(asyncio.CancelledError):
            while True:
                await asyncio.sleep(self.beat_every_s)
                await self.tell(what="beat")

    async def _check(self) -> None:
        with contextlib.suppress(asyncio.CancelledError):
            while True:
                await asyncio.sleep(self.check_every_s)
                if await database_sync_to_async(person_of)(self.session_key) is None:
                    await self.close(SIGNED_OUT)
                    return
