"""Bytes to and from a server, below what a well-behaved HTTP library would send."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from tests.faults.site import Site


@dataclass(frozen=True)
class Answer:
    status: int
    body: bytes

    @property
    def problem(self) -> str:
        """The slug of a problem+json, or nothing."""
        try:
            return json.loads(self.body)["type"].rpartition("/")[2]
        except (ValueError, KeyError):
            return ""


@contextmanager
def connected(site: Site, patience_s: float = 20) -> Iterator[socket.socket]:
    with socket.create_connection(("127.0.0.1", site.port), timeout=patience_s) as wire:
        yield wire


def head(site: Site, method: str, path: str, **headers: str) -> bytes:
    lines = [f"{method} {path} HTTP/1.1", f"Host: 127.0.0.1:{site.port}", f"Authorization: Bearer {site.key}"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")


def answer_on(wire: socket.socket) -> Answer:
    """The first answer; its body is read as far as its length says, or to the end."""
    seen = b""
    while b"\r\n\r\n" not in seen:
        if not (more := _received(wire)):
            return Answer(0, seen)
        seen += more
    top, _, body = seen.partition(b"\r\n\r\n")
    status = int(top.split()[1])
    length = [
        int(line.split(b":")[1]) for line in top.split(b"\r\n") if line.lower().startswith(b"content-length")
    ]
    while length and len(body) < length[0] and (more := wire.recv(65536)):
        body += more
    return Answer(status, body)


def _received(wire: socket.socket) -> bytes:
    try:
        return wire.recv(65536)
    except ConnectionResetError:  # it was cut off while we still sent
        return b""


def asked(site: Site, *pieces: bytes) -> Answer:
    """Send the pieces on a connection of their own and read the answer."""
    with connected(site) as wire:
        for piece in pieces:
            try:
                wire.sendall(piece)
            except (BrokenPipeError, ConnectionResetError):
                break  # it was refused before it was sent to the end
        return answer_on(wire)
