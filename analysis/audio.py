"""Turns the bytes of an audio file into speech at 16 kHz, safely: a hostile file gets a reason, no crash."""

from __future__ import annotations

import io
import wave
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from analysis import audio_pool
from analysis.audio_container import Promise, promise, sniff
from analysis.values import SAMPLE_RATE_HZ, Waveform

TRUNCATED = "audio-truncated"
READABLE_SHARE = 0.5
"""A file of which less than this share can be read is refused."""

TRUNCATION_SLACK_S, TRUNCATION_SLACK_SHARE = 0.15, 0.02
"""Encoders pad and trim by some tens of milliseconds, so a shorter loss is not a truncation (a guess)."""


@dataclass(frozen=True, slots=True)
class AudioLimits:
    """What is accepted, and what one decoding may cost.

    max_expansion: decoded bytes (16 bit, all channels) per byte of file, beyond the first 64 MB.
    loudest: largest absolute float sample, full scale = 1 (MP3 decoders overshoot to about 1.5).
    timeout_s: for the whole file; silence_s: without any sound coming out.
    """

    max_bytes: int = 50_000_000
    max_seconds: float = 7200.0
    max_channels: int = 8
    min_rate_hz: int = 4_000
    max_rate_hz: int = 192_000
    max_expansion: float = 1000.0
    loudest: float = 4.0
    memory_bytes: int = 1_500_000_000
    timeout_s: float = 120.0
    silence_s: float = 20.0


class AudioRejected(Exception):
    """The bytes are not acceptable audio: ``slug`` for programs, ``detail`` for people."""

    def __init__(self, slug: str, detail: str) -> None:
        super().__init__(slug, detail)
        self.slug, self.detail = slug, detail

    def __str__(self) -> str:
        return f"{self.slug}: {self.detail}"


@dataclass(frozen=True, slots=True, eq=False)
class DecodedAudio:
    """A decoded file.

    waveform: the mean of all channels; channel_waveforms: each channel, empty unless asked for.
    source_rate_hz, channels, container, codec: of the file. warnings: slugs, such as ``audio-truncated``.
    """

    waveform: Waveform
    channels: int
    source_rate_hz: int
    container: str
    codec: str
    truncated: bool = False
    warnings: tuple[str, ...] = ()
    channel_waveforms: tuple[Waveform, ...] = ()


def decode(data: bytes, limits: AudioLimits = AudioLimits(), keep_channels: bool = False) -> DecodedAudio:
    """Read a WAV, MP3, M4A, FLAC, Ogg or WebM file; the content decides, never a name.

    The work happens in a child process bounded in memory and time. Safe to call from many threads.
    Raises ``AudioRejected`` with one of the slugs audio-empty, audio-too-large, unsupported-media-type,
    audio-truncated, audio-broken, audio-non-finite, audio-out-of-range, audio-expansion-limit,
    audio-too-long.
    """
    data = bytes(data)
    if not data:
        raise AudioRejected("audio-empty", "the file has no bytes")
    if len(data) > limits.max_bytes:
        raise AudioRejected("audio-too-large", f"{len(data)} bytes; at most {limits.max_bytes}")
    kind = sniff(data)
    if kind is None:
        raise AudioRejected("unsupported-media-type", "not a WAV, MP3, M4A, FLAC, Ogg or WebM file")
    promised = promise(data, kind)
    _refuse_if_mostly_missing(promised.share)
    samples, report = _run(data, kind, limits, keep_channels, promised)
    if not len(samples):
        _refuse_silent_nothing(promised, report)
    truncated = _is_truncated(promised, report)
    return _package(samples, kind, report, truncated, keep_channels)


def _run(
    data: bytes, kind: str, limits: AudioLimits, keep_channels: bool, promised: Promise
) -> tuple[np.ndarray, dict[str, Any]]:
    """((n, kept channels) float32, what the child says of the file)."""
    job = {"kind": kind, "keep_channels": keep_channels, "cpu_s": limits.timeout_s, **asdict(limits)}
    raw, verdict, report = _ask_twice(job, data, limits)
    if verdict == "D":
        kept = report["channels"] if keep_channels and report["channels"] else 1
        return np.frombuffer(raw, np.float32).reshape(-1, kept), report
    if report["slug"] == "audio-broken" and promised.cut:
        raise AudioRejected(TRUNCATED, "the file ends before its sound begins")
    raise AudioRejected(report["slug"], report["detail"])


def _ask_twice(
    job: dict[str, Any], data: bytes, limits: AudioLimits
) -> tuple[bytearray, str, dict[str, Any]]:
    """A second try tells a file that kills its decoder from a decoder that something else killed."""
    channels = limits.max_channels if job["keep_channels"] else 1
    bounds = {
        "timeout_s": limits.timeout_s,
        "silence_s": limits.silence_s,
        "most_bytes": int((limits.max_seconds + 60) * SAMPLE_RATE_HZ * 4 * channels),
    }
    for last_try in (False, True):
        try:
            return audio_pool.shared.decode(job, data, limits.memory_bytes, **bounds)
        except audio_pool.ChildTooSlow as error:
            raise AudioRejected("audio-broken", "decoding took too long and was stopped") from error
        except audio_pool.ChildDied as error:
            if last_try:
                raise AudioRejected("audio-broken", "the file makes its decoder crash") from error
    raise AssertionError("unreachable")


def _refuse_if_mostly_missing(share: float | None) -> None:
    if share is not None and share < READABLE_SHARE:
        raise AudioRejected(TRUNCATED, f"only {share:.0%} of the sound that the file declares is there")


def _refuse_silent_nothing(promised: Promise, report: dict[str, Any]) -> None:
    if report["errors"] and promised.cut:
        raise AudioRejected(TRUNCATED, "the file ends before its sound begins")
    if report["errors"]:
        raise AudioRejected("audio-broken", "none of the sound in the file can be decoded")
    raise AudioRejected("audio-empty", "the file holds no sound")


def _is_truncated(promised: Promise, report: dict[str, Any]) -> bool:
    """Whether a part of the promised sound is missing; refuses the file when most of it is."""
    declared_s = promised.seconds or report["declared_s"]
    if not declared_s:
        return promised.cut
    missing_s = declared_s - report["seconds"]
    if missing_s <= max(TRUNCATION_SLACK_S, TRUNCATION_SLACK_SHARE * declared_s):
        return False
    _refuse_if_mostly_missing(report["seconds"] / declared_s)
    return True


def _package(
    samples: np.ndarray, kind: str, report: dict[str, Any], truncated: bool, keep_channels: bool
) -> DecodedAudio:
    mono = samples.mean(axis=1) if samples.shape[1] > 1 else np.ascontiguousarray(samples[:, 0])
    channels = tuple(Waveform(np.ascontiguousarray(column)) for column in samples.T) if keep_channels else ()
    return DecodedAudio(
        waveform=Waveform(mono),
        channels=report["channels"],
        source_rate_hz=report["rate_hz"],
        container=kind,
        codec=report["codec"],
        truncated=truncated,
        warnings=(TRUNCATED,) if truncated else (),
        channel_waveforms=channels,
    )


def encode_wav(waveform: Waveform) -> bytes:
    """The waveform as a 16-bit mono WAV file; samples beyond full scale are clipped."""
    pcm = np.clip(np.rint(waveform.samples * 32768.0), -32768, 32767).astype("<i2")
    target = io.BytesIO()
    with wave.open(target, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(SAMPLE_RATE_HZ)
        file.writeframes(pcm.tobytes())
    return target.getvalue()


def peaks(waveform: Waveform, n: int) -> np.ndarray:
    """(n, 2) int8: smallest and largest sample of each of ``n`` equal parts, full scale = 127.

    Fewer samples than parts repeat; an empty waveform gives zeros.
    """
    samples = waveform.samples
    if not len(samples):
        return np.zeros((n, 2), np.int8)
    starts = np.arange(n) * len(samples) // n
    low, high = np.minimum.reduceat(samples, starts), np.maximum.reduceat(samples, starts)
    return np.clip(np.rint(np.stack([low, high], axis=1) * 127), -127, 127).astype(np.int8)
