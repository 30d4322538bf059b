"""Ways to tell the outside about an alert: each sends one message, once, in bounded time."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Message:
    """What is to be sent, and where.

    id: the same at every attempt, so that a receiver can drop what it already has.
    secret: what the receiver checks the signature with; ``whsec_`` and base64.
    """

    id: str
    url: str
    secret: str
    body: bytes
    sent_at: datetime


class TransportError(Exception):
    """The message did not arrive, or nobody said that it did; the text is one sentence.

    permanent: trying again will not help. gone: the receiver asked never to be called again.
    retry_after_s: the receiver asked to be left alone for so long.
    """

    def __init__(
        self, reason: str, *, permanent: bool = False, gone: bool = False, retry_after_s: float | None = None
    ) -> None:
        super().__init__(reason)
        self.permanent = permanent or gone
        self.gone = gone
        self.retry_after_s = retry_after_s


class Transport(Protocol):
    def send(self, message: Message) -> None:
        """Return when the receiver has taken it; raise ``TransportError`` otherwise."""
