"""A sender of sound, as an app or a page would be, before the real application."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import numpy as np
from channels.testing import WebsocketCommunicator

from emotrack.asgi import application
from tests.analysis import sounds

RATE_HZ = 16_000
ORIGIN = (b"origin", b"http://localhost")


def pcm_of(samples: np.ndarray) -> bytes:
    return np.clip(np.rint(samples * 32768), -32768, 32767).astype("<i2").tobytes()


SAID = pcm_of(
    np.concatenate(
        [
            sounds.silence(0.6), sounds.spoken(2.0, seed=1), sounds.silence(1.0),
            sounds.spoken(2.5, seed=2, level=0.2), sounds.silence(1.0),
        ]
    )
)  # fmt: skip
"""7.1 s with two turns."""


class Sender(WebsocketCommunicator):
    """``key`` for an app, ``cookie`` and ``origin`` for a page."""

    def __init__(
        self,
        session: str | None,
        key: str | None = None,
        cookie: bytes | None = None,
        origin: tuple[bytes, bytes] | None = None,
    ) -> None:
        headers = [origin] if origin else []
        headers += [(b"authorization", f"Bearer {key}".encode())] if key is not None else []
        headers += [(b"cookie", cookie)] if cookie else []
        super().__init__(application, "/ws/listen" + (f"?session={session}" if session else ""), headers)
        self.heard: list[dict[str, Any]] = []

    async def opened(self) -> Sender:
        assert (await self.connect(timeout=20))[0]
        assert (await self.next("session.created"))["committed_ms"] is not None
        return self

    async def sound(self, pcm: bytes, step_ms: int = 100, rate: int = RATE_HZ) -> None:
        step = 2 * rate * step_ms // 1000
        for start in range(0, len(pcm), step):
            await self.send_to(bytes_data=pcm[start : start + step])

    async def tell(self, **message: Any) -> None:
        await self.send_to(text_data=json.dumps(message))

    async def next(self, kind: str, within_s: float = 30) -> dict[str, Any]:
        """The next message of a kind; what comes before it is in ``heard``."""
        while True:
            message = json.loads(await self.receive_from(timeout=within_s))
            self.heard.append(message)
            if message["type"] == kind:
                return message

    async def closed(self, within_s: float = 30) -> int:
        """The code of the closing; messages before it are in ``heard``."""
        while True:
            output = await self.receive_output(timeout=within_s)
            if output["type"] == "websocket.close":
                await self.wait(timeout=within_s)
                return output["code"]
            self.heard.append(json.loads(output["text"]))

    async def finish(self) -> list[dict[str, Any]]:
        """Close in good order; everything that was heard."""
        await self.tell(type="session.close")
        assert await self.closed() == 1000
        return self.heard

    async def vanish(self) -> None:
        """The line breaks; what the server does about it is done when this returns."""
        await self.send_input({"type": "websocket.disconnect", "code": 1006})
        await asyncio.wait_for(self.future, 30)

    def of(self, kind: str) -> list[dict[str, Any]]:
        return [message for message in self.heard if message["type"] == kind]
