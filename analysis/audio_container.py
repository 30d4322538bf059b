"""Tells what kind of audio file some bytes are, and how much sound the file itself promises to hold."""

from __future__ import annotations

import struct
from dataclasses import dataclass

UNKNOWN_WAV_SIZES = frozenset({0, 0x7FFFF000, 0x7FFFFFFF, 0x80000000})
"""Lengths that streaming writers (ffmpeg, sox) put into a WAV header because they do not know it."""

_MP3_RATES_HZ = {3: (44100, 48000, 32000), 2: (22050, 24000, 16000), 0: (11025, 12000, 8000)}


@dataclass(frozen=True, slots=True)
class Promise:
    """What a file says of its own length, where it says anything.

    seconds: declared duration; share: bytes present / bytes declared, 0..1;
    cut: the file ends inside a structure, or without the mark that closes it.
    """

    seconds: float | None = None
    share: float | None = None
    cut: bool = False


def sniff(data: bytes) -> str | None:
    """The container of ``data`` by its first bytes: wav, mp3, m4a, flac, ogg, webm, or None."""
    if data[:4] in (b"RIFF", b"RF64", b"BW64") and data[8:12] == b"WAVE":
        return "wav"
    if data[4:8] == b"ftyp":
        return "m4a"
    for magic, kind in ((b"fLaC", "flac"), (b"OggS", "ogg"), (b"\x1a\x45\xdf\xa3", "webm"), (b"ID3", "mp3")):
        if data.startswith(magic):
            return kind
    return "mp3" if _is_mp3_frame(data[:4]) else None


def promise(data: bytes, kind: str) -> Promise:
    """What the file promises; an empty promise where its format has none."""
    readers = {"wav": _wav, "flac": _flac, "mp3": _mp3, "ogg": _ogg, "m4a": _m4a}
    return readers[kind](data) if kind in readers else Promise()


def wav_header(data: bytes) -> tuple[int, int] | None:
    """(offset, declared bytes) of the data chunk of a WAV file; None without such a chunk."""
    position, long_size = 12, None
    while position + 8 <= len(data):
        name, size = struct.unpack_from("<4sI", data, position)
        if name == b"ds64" and position + 24 <= len(data):
            long_size = struct.unpack_from("<Q", data, position + 16)[0]
        if name == b"data":
            return position + 8, long_size if size == 0xFFFFFFFF and long_size is not None else size
        position += 8 + size + (size & 1)
    return None


def _wav(data: bytes) -> Promise:
    header = wav_header(data)
    if header is None:
        return Promise(cut=True)
    offset, size = header
    if size in UNKNOWN_WAV_SIZES or 0xFFFFFF00 <= size <= 0xFFFFFFFF:
        return Promise()
    share = min(1.0, (len(data) - offset) / size)
    return Promise(share=share, cut=share < 1.0)


def _flac(data: bytes) -> Promise:
    if len(data) < 42 or data[4] & 0x7F != 0:
        return Promise(cut=len(data) < 42)
    packed = int.from_bytes(data[18:26], "big")
    rate, samples = packed >> 44, packed & ((1 << 36) - 1)
    return Promise(seconds=samples / rate if rate and samples else None)


def _is_mp3_frame(header: bytes) -> bool:
    """MPEG 1, 2 or 2.5, layer III, with a bit rate and a sample rate that exist."""
    if len(header) < 4 or header[0] != 0xFF or header[1] & 0xE6 != 0xE2:
        return False
    return (header[1] >> 3) & 3 != 1 and header[2] >> 4 not in (0, 15) and (header[2] >> 2) & 3 != 3


def _mp3(data: bytes) -> Promise:
    """The frame count of a Xing or Info header; without one an MP3 file promises nothing."""
    start = _after_id3(data)
    header = data[start : start + 4]
    if not _is_mp3_frame(header):
        return Promise(cut=start >= len(data))
    version = (header[1] >> 3) & 3
    window = data[start : start + 192]
    tag = max(window.find(b"Xing"), window.find(b"Info"))
    if tag < 0 or len(window) < tag + 12 or not window[tag + 7] & 1:
        return Promise()
    frames = int.from_bytes(window[tag + 8 : tag + 12], "big")
    samples = frames * (1152 if version == 3 else 576)
    return Promise(seconds=samples / _MP3_RATES_HZ[version][(header[2] >> 2) & 3])


def _after_id3(data: bytes) -> int:
    if data[:3] != b"ID3" or len(data) < 10:
        return 0
    size = 0
    for byte in data[6:10]:
        size = size << 7 | byte & 0x7F
    return 10 + size + (10 if data[5] & 0x10 else 0)


def _ogg(data: bytes) -> Promise:
    """Ogg declares no length, but its last page must be whole and carry the end mark (RFC 3533)."""
    last = data.rfind(b"OggS")
    if len(data) < last + 27:
        return Promise(cut=True)
    segments = data[last + 27 : last + 27 + data[last + 26]]
    whole = len(segments) == data[last + 26] and last + 27 + len(segments) + sum(segments) <= len(data)
    return Promise(cut=not (whole and data[last + 5] & 4))


def _m4a(data: bytes) -> Promise:
    """Walk the top-level boxes; the last must not reach beyond the end of the file."""
    position = 0
    while position + 8 <= len(data):
        size = struct.unpack_from(">I", data, position)[0]
        if size == 0:
            return Promise()
        if size == 1 and position + 16 <= len(data):
            size = struct.unpack_from(">Q", data, position + 8)[0]
        if size < 8:
            return Promise(cut=True)
        position += size
    return Promise(cut=position != len(data))
