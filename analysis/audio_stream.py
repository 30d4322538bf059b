"""Decodes a long recording block by block, so that neither its file nor its samples are held here whole."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from itertools import chain

import numpy as np

from analysis.audio import TRUNCATED, TRUNCATION_SLACK_S, TRUNCATION_SLACK_SHARE, AudioLimits, AudioRejected
from analysis.audio_container import promise, sniff, wav_header
from analysis.audio_pool import Child, ChildDied, ChildTooSlow
from analysis.values import SAMPLE_RATE_HZ

CPU_S = 900.0


@dataclass(eq=False)
class LongAudio:
    """A recording that is being decoded.

    blocks: (n, kept channels) float32 at 16 kHz, to be taken once. estimated_s: duration as the file tells
    it, known with the first block. channels, seconds, warnings: known after the last block.
    """

    blocks: Iterator[np.ndarray]
    estimated_s: float | None = None
    channels: int = 0
    seconds: float = 0.0
    warnings: list[str] = field(default_factory=list)


@contextmanager
def decoded(
    pieces: Iterable[bytes], size: int, limits: AudioLimits, keep_channels: bool = False
) -> Iterator[LongAudio]:
    """Open a recording of ``size`` bytes that come in ``pieces``; the decoder ends with the block.

    Taking a block raises ``AudioRejected`` as ``analysis.audio.decode`` does.
    """
    pieces = iter(pieces)
    head = next(pieces, b"")
    if not head:
        raise AudioRejected("audio-empty", "the file has no bytes")
    kind = sniff(head)
    if kind is None:
        raise AudioRejected("unsupported-media-type", "not a WAV, MP3, M4A, FLAC, Ogg or WebM file")
    job = {"kind": kind, "keep_channels": keep_channels, "cpu_s": CPU_S, "announce": True, **asdict(limits)}
    child = Child(limits.memory_bytes)
    try:
        audio = LongAudio(iter(()))
        promised_s = promise(head, kind).seconds if kind == "flac" else None
        cut = kind == "wav" and _is_cut(head, size)
        messages = child.stream(job, chain([head], pieces), size, limits.silence_s)
        audio.blocks = _blocks(audio, messages, limits, keep_channels, promised_s, cut)
        yield audio
    finally:
        child.close()


def _is_cut(head: bytes, size: int) -> bool:
    """Whether a WAV file is shorter than its header says."""
    found = wav_header(head)
    return found is not None and found[1] < 0x7FFF0000 and found[0] + found[1] > size + 1


def _blocks(
    audio: LongAudio,
    messages: Iterator[tuple[str, bytes]],
    limits: AudioLimits,
    keep_channels: bool,
    promised_s: float | None,
    cut: bool,
) -> Iterator[np.ndarray]:
    heard = 0
    kept = limits.max_channels if keep_channels else 1
    most_bytes = int((limits.max_seconds + 60) * SAMPLE_RATE_HZ * 4 * kept)
    for kind, payload in _checked(messages):
        if kind == "H":
            head = json.loads(payload)
            audio.estimated_s, audio.channels = head["seconds"], head["channels"]
        elif kind == "P" and payload:
            heard += len(payload)
            if heard > most_bytes:
                raise AudioRejected("audio-too-long", f"over {limits.max_seconds:g} s")
            yield np.frombuffer(payload, np.float32).reshape(-1, audio.channels if keep_channels else 1)
        elif kind == "E":
            report = json.loads(payload)
            raise AudioRejected(report["slug"], report["detail"])
        elif kind == "D":
            _finish(audio, json.loads(payload), promised_s, cut)


def _checked(messages: Iterator[tuple[str, bytes]]) -> Iterator[tuple[str, bytes]]:
    try:
        yield from messages
    except ChildTooSlow as error:
        raise AudioRejected("audio-broken", "decoding took too long and was stopped") from error
    except ChildDied as error:
        raise AudioRejected("audio-broken", "the file makes its decoder crash") from error


def _finish(audio: LongAudio, report: dict, promised_s: float | None, cut: bool) -> None:
    audio.seconds, audio.channels = report["seconds"], report["channels"]
    if not report["seconds"]:
        raise AudioRejected("audio-empty", "the file holds no sound")
    declared_s = promised_s or report["declared_s"] or 0.0
    slack_s = max(TRUNCATION_SLACK_S, TRUNCATION_SLACK_SHARE * declared_s)
    if cut or declared_s - report["seconds"] > slack_s:
        audio.warnings.append(TRUNCATED)
