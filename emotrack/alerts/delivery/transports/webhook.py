"""Sends a signed message to a web address, as Standard Webhooks 1.0 says.

The name is looked up once and the connection pinned to that answer, so that it cannot change between the
check and the call. Redirects are not followed.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import http.client
import secrets
import socket
import ssl
import threading
from contextlib import closing, suppress

from django.utils.translation import gettext_noop

from emotrack.alerts.delivery.transports import Answer, Message, TransportError
from emotrack.alerts.delivery.transports.address import Place, addresses_of, place_of

SECRET_PREFIX = "whsec_"  # noqa: S105
_SECRET_BYTES = 24
CONNECT_SECONDS = 5.0
DEADLINE_SECONDS = 15.0
"""Of the whole call, however slowly the receiver drips its answer."""

_MOST_ADDRESSES = 3
_GONE = 410
_LONGEST_RETRY_AFTER_S = 24 * 3600.0
_ANSWER_BYTES = 1024
_LINE_CHARACTERS = 120


def new_secret() -> str:
    return SECRET_PREFIX + base64.b64encode(secrets.token_bytes(_SECRET_BYTES)).decode()


def signature(secret: str, message_id: str, timestamp: int, body: bytes) -> str:
    """``v1,`` and the base64 HMAC-SHA256 over ``id.timestamp.body`` with the secret's decoded bytes.

    Raises ``ValueError`` for a secret that is not ``whsec_`` and base64.
    """
    try:
        key = base64.b64decode(secret.removeprefix(SECRET_PREFIX), validate=True)
    except binascii.Error as error:
        raise ValueError("webhook-secret: not base64") from error
    signed = f"{message_id}.{timestamp}.".encode() + body
    return "v1," + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()


class _Pinned(http.client.HTTPConnection):
    """A connection to one address, under the name that was asked for."""

    def __init__(self, place: Place, address: str, tls: ssl.SSLContext) -> None:
        super().__init__(place.host, place.port, timeout=CONNECT_SECONDS)
        self.place, self.address, self.tls = place, address, tls

    def connect(self) -> None:
        self.sock = socket.create_connection((self.address, self.place.port), self.timeout)
        if self.place.secure:
            self.sock = self.tls.wrap_socket(
                self.sock, server_hostname=self.place.host, do_handshake_on_connect=False
            )
            self.sock.do_handshake()


class Webhook:
    """allow_http, allow_private: what the installation permits. tls: for tests with their own authority."""

    def __init__(
        self,
        *,
        allow_http: bool = False,
        allow_private: bool = False,
        tls: ssl.SSLContext | None = None,
        deadline_s: float = DEADLINE_SECONDS,
    ) -> None:
        self.allow_http, self.allow_private, self.deadline_s = allow_http, allow_private, deadline_s
        self.tls = tls or ssl.create_default_context()

    def check(self, url: str) -> None:
        """Raises ``TransportError`` when this URL may not or cannot be reached by name."""
        addresses_of(place_of(url, allow_http=self.allow_http), allow_private=self.allow_private)

    def send(self, message: Message) -> Answer:
        place = place_of(message.url, allow_http=self.allow_http)
        addresses = addresses_of(place, allow_private=self.allow_private)
        with closing(_Pinned(place, addresses[0], self.tls)) as connection:
            answer, retry_after = self._post(connection, addresses[:_MOST_ADDRESSES], message)
        _judge(answer, retry_after)
        return answer

    def _post(self, connection: _Pinned, addresses: list[str], message: Message) -> tuple[Answer, str | None]:
        overdue = threading.Event()
        watch = threading.Timer(self.deadline_s, _hang_up, [connection, overdue])
        watch.daemon = True
        watch.start()
        try:
            _connect_to_any(connection, addresses)
            connection.request(
                "POST", connection.place.target, message.body, _headers(connection.place, message)
            )
            response = connection.getresponse()
            if overdue.is_set():  # headers that were cut off look complete
                raise TimeoutError
            return Answer(response.status, _first_line(response)), response.getheader("retry-after")
        except ssl.SSLCertVerificationError as error:
            raise TransportError(f"The certificate does not hold: {error.verify_message}.") from error
        except (OSError, http.client.HTTPException) as error:
            raise TransportError(f"No answer: {type(error).__name__}.") from error
        finally:
            watch.cancel()


def _connect_to_any(connection: _Pinned, addresses: list[str]) -> None:
    for last, address in enumerate(addresses, 1 - len(addresses)):
        connection.address = address
        try:
            return connection.connect()
        except OSError:
            if last == 0:
                raise


def _hang_up(connection: _Pinned, overdue: threading.Event) -> None:
    """Wakes whoever waits on the socket; closing it would not."""
    overdue.set()
    if connection.sock is not None:
        with suppress(OSError):  # it has just hung up by itself
            socket.socket.shutdown(connection.sock, socket.SHUT_RDWR)


def _first_line(response: http.client.HTTPResponse) -> str:
    """What the receiver said, for whoever tests it; its status counts even where the rest does not come."""
    try:
        said = response.read(_ANSWER_BYTES)
    except (OSError, http.client.HTTPException):
        return ""
    line = said.decode("ascii", "replace").strip().partition("\n")[0].strip()
    return "".join(c if c.isascii() and c.isprintable() else "?" for c in line)[:_LINE_CHARACTERS]


def _headers(place: Place, message: Message) -> dict[str, str]:
    timestamp = int(message.sent_at.timestamp())
    signatures = [signature(secret, message.id, timestamp, message.body) for secret in message.secrets]
    return {
        "Host": place.host_header,
        "Content-Type": "application/json",
        "User-Agent": "EmoTrack",
        "Connection": "close",
        "webhook-id": message.id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": " ".join(signatures),
    }


def _judge(answer: Answer, retry_after: str | None) -> None:
    status = answer.status
    if 200 <= status < 300:
        return
    if status == _GONE:
        reason = gettext_noop("The receiver answered 410: it asks not to be called again.")
        raise TransportError(reason, gone=True, answer=answer)
    if 300 <= status < 400:
        reason = f"The receiver answered {status}; redirects are not followed."
        raise TransportError(reason, permanent=True, answer=answer)
    wait = _seconds(retry_after)
    raise TransportError(f"The receiver answered {status}.", retry_after_s=wait, answer=answer)


def _seconds(retry_after: str | None) -> float | None:
    if retry_after is None or not (retry_after.isascii() and retry_after.isdigit()) or len(retry_after) > 9:
        return None
    return min(float(retry_after), _LONGEST_RETRY_AFTER_S)
