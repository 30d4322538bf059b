"""A long file, sealed piece by piece with the client's key, so that neither end needs it whole in memory."""

from __future__ import annotations

import errno
import os
import struct
from collections.abc import Iterable, Iterator
from pathlib import Path

from django.conf import settings

from emotrack import crypto
from emotrack.history.actions import StorageFull

PIECE = 1 << 20
_LENGTH = struct.Struct("<I")


def write(path: str, key: bytes, place: str, chunks: Iterable[bytes]) -> int:
    """Write and sync; gives the number of plain bytes. Raises ``StorageFull``, and then leaves no file."""
    target = full_path(path)
    try:
        target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with target.open("wb") as file:
            size = _write(file, key, place, chunks)
            file.flush()
            os.fsync(file.fileno())
        folder = os.open(target.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
    except BaseException as error:
        target.unlink(missing_ok=True)
        if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise StorageFull("storage-full", "There is no room to keep this. Nothing was stored.") from error
        raise
    return size


def _write(file: object, key: bytes, place: str, chunks: Iterable[bytes]) -> int:
    size = 0
    for number, piece in enumerate(_pieces(chunks)):
        sealed = crypto.seal(key, piece, f"{place}:{number}")
        file.write(_LENGTH.pack(len(sealed)) + sealed)
        size += len(piece)
    return size


def _pieces(chunks: Iterable[bytes]) -> Iterator[bytes]:
    held = bytearray()
    for chunk in chunks:
        held += chunk
        while len(held) >= PIECE:
            yield bytes(held[:PIECE])
            del held[:PIECE]
    if held:
        yield bytes(held)


def read(path: str, key: bytes, place: str) -> Iterator[bytes]:
    """The plain pieces in order. Raises ``FileNotFoundError`` or ``crypto.SealBroken``.

    The reader knows the size of the whole: a file that lost pieces at its end is shorter than that.
    """
    with full_path(path).open("rb") as file:
        number = 0
        while head := file.read(_LENGTH.size):
            if len(head) < _LENGTH.size:
                raise crypto.SealBroken(place)
            sealed = file.read(_LENGTH.unpack(head)[0])
            yield crypto.unseal(key, sealed, f"{place}:{number}")
            number += 1


def drop(path: str) -> None:
    full_path(path).unlink(missing_ok=True)


def full_path(path: str) -> Path:
    return Path(settings.AUDIO_DIR) / path
