"""What a connection received and nobody has heard yet, in order and bounded."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Generic, TypeVar

Item = TypeVar("Item")


class Inbox(Generic[Item]):
    """``put`` never waits; ``room`` does, so that whoever receives can hold back."""

    def __init__(self, most_bytes: int) -> None:
        self._most, self._bytes = most_bytes, 0
        self._items: list[bytes | Item] = []
        self._closed = False
        self._something, self._room = asyncio.Event(), asyncio.Event()
        self._room.set()

    def put(self, item: bytes | Item) -> None:
        self._items.append(item)
        if isinstance(item, bytes):
            self._bytes += len(item)
            if self._bytes > self._most:
                self._room.clear()
        self._something.set()

    async def room(self) -> None:
        await self._room.wait()

    def close(self) -> None:
        """Nothing more comes."""
        self._closed = True
        self._something.set()

    async def take(self) -> Sequence[bytes | Item] | None:
        """Everything that waits, as soon as there is something; ``None`` once it is closed and empty."""
        await self._something.wait()
        items, self._items = self._items, []
        self._bytes = 0
        self._room.set()
        if not self._closed:
            self._something.clear()
        return items or (None if self._closed else items)
