"""Where a webhook may go: public addresses only, unless the installation allows its own network."""

from __future__ import annotations

import ipaddress
import socket
import threading
from dataclasses import dataclass
from urllib.parse import urlsplit

from django.utils.translation import gettext_noop

from emotrack.alerts.delivery.transports import TransportError

IPAddress = ipaddress.IPv4Address | ipaddress.IPv6Address

_OWN_NETWORK = tuple(
    ipaddress.ip_network(block)
    for block in (
        "127.0.0.0/8", "::1/128",  # loopback
        "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7",  # private
        "100.64.0.0/10",  # shared by a carrier's customers (RFC 6598)
    )
)  # fmt: skip

_NEVER = tuple(
    ipaddress.ip_network(block)
    for block in (
        "64:ff9b::/96", "64:ff9b:1::/48",  # NAT64: an IPv4 address in disguise (RFC 6052, RFC 8215)
        "2002::/16", "192.88.99.0/24",  # 6to4 and its relays
        "2001::/32",  # Teredo
        "::/96",  # IPv4-compatible
        "fec0::/10",  # site-local, retired
        "169.254.0.0/16", "fe80::/10",  # link-local, where clouds keep their credentials
    )
)  # fmt: skip

_LOOKUP_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class Place:
    """A checked URL in its parts. target: path and query, as the request line wants them."""

    secure: bool
    host: str
    port: int
    target: str

    @property
    def host_header(self) -> str:
        name = f"[{self.host}]" if ":" in self.host else self.host
        return name if self.port == (443 if self.secure else 80) else f"{name}:{self.port}"


def place_of(url: str, *, allow_http: bool) -> Place:
    """Raises ``TransportError`` (permanent) for a URL that a webhook may not have."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
        host = host if ":" in host else host.encode("idna").decode()
    except (ValueError, UnicodeError) as error:
        raise _refused(gettext_noop("The address is not a valid URL.")) from error
    if parts.scheme not in ({"https", "http"} if allow_http else {"https"}):
        raise _refused(gettext_noop("The address must begin with https://."))
    if not host or parts.username is not None or parts.password is not None or not _plain(url):
        raise _refused(
            gettext_noop(
                "The address must name a host, and hold no user name, password, space or control character."
            )
        )
    secure = parts.scheme == "https"
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return Place(secure, host, port or (443 if secure else 80), target)


def _plain(url: str) -> bool:
    return url.isascii() and url.isprintable() and " " not in url


def addresses_of(place: Place, *, allow_private: bool) -> list[str]:
    """The addresses that the host stands for now, all of them permitted.

    One that is not permitted refuses the host as a whole: a name that stands for a public and a private
    address is a trick. Raises ``TransportError``: permanent when refused, else the name was not found now.
    """
    found = list(dict.fromkeys(_looked_up(place)))
    if not all(permitted(ipaddress.ip_address(address), allow_private=allow_private) for address in found):
        raise _refused(gettext_noop("The address leads into a private or reserved network."))
    return found


def permitted(address: IPAddress, *, allow_private: bool) -> bool:
    """Whether a webhook may connect to this address; an IPv4 address inside IPv6 counts as what it is."""
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped:
        address = address.ipv4_mapped
    if any(address in block for block in _OWN_NETWORK if block.version == address.version):
        return allow_private
    if any(address in block for block in _NEVER if block.version == address.version):
        return False
    return address.is_global and not (address.is_multicast or address.is_reserved or address.is_unspecified)


def _looked_up(place: Place) -> list[str]:
    """Name lookup in bounded time: the system's own has no limit of ours."""
    answer: list[list[str] | OSError] = []

    def look_up() -> None:
        try:
            rows = socket.getaddrinfo(place.host, place.port, type=socket.SOCK_STREAM)
            answer.append([row[4][0].split("%")[0] for row in rows])
        except (OSError, UnicodeError) as error:
            answer.append(OSError(str(error)))

    asking = threading.Thread(target=look_up, daemon=True, name="webhook-lookup")
    asking.start()
    asking.join(_LOOKUP_SECONDS)
    if not answer or isinstance(answer[0], OSError):
        raise TransportError(gettext_noop("The name of the host could not be looked up."))
    return answer[0]


def _refused(reason: str) -> TransportError:
    return TransportError(reason, permanent=True)
