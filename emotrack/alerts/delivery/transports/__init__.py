"""Ways to tell the outside about an alert: each sends one message, once, in bounded time."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Message:
    """What a web address is sent.

    id: the same at every attempt, so that a receiver can drop what it already has.
    secrets: what the receiver checks the signature with, ``whsec_`` and base64; each of them signs.
    """

    id: str
    url: str
    secrets: tuple[str, ...]
    body: bytes
    sent_at: datetime


@dataclass(frozen=True, slots=True)
class Letter:
    """What a person is mailed. address: empty where they have none."""

    id: str
    address: str
    subject: str
    text: str
    html: str


@dataclass(frozen=True, slots=True)
class Answer:
    """That it was taken. status: the code it was taken with. first_line: plain ASCII, shortened."""

    status: int | None = None
    first_line: str = ""


class TransportError(Exception):
    """The message did not arrive, or nobody said that it did; the text is one sentence.

    permanent: trying again will not help. gone: the receiver asked never to be called again.
    retry_after_s: the receiver asked to be left alone for so long. answer: what it said, if it did.
    """

    def __init__(
        self,
        reason: str,
        *,
        permanent: bool = False,
        gone: bool = False,
        retry_after_s: float | None = None,
        answer: Answer | None = None,
    ) -> None:
        super().__init__(reason)
        self.permanent = permanent or gone
        self.gone = gone
        self.retry_after_s = retry_after_s
        self.answer = answer or Answer()


class Transport(Protocol):
    def send(self, message: Message | Letter) -> Answer:
        """Return when the receiver has taken it; raise ``TransportError`` otherwise."""
