"""The program that decodes audio in a process of its own, so that a broken file can only break this process.

It reads jobs from standard input and answers on standard output, both in the framing below, until its
input ends. It imports nothing of this project: it must stay small, and cheap to start again.

job:     uint32 length of JSON, uint32 length of audio, JSON, audio
message: one byte kind, uint32 length, payload; kinds are P (float32 samples, interleaved), D (done, JSON),
         E (rejected, JSON with slug and detail) and, for jobs that ask for it, first H (a head, JSON)
"""

from __future__ import annotations

import io
import json
import resource
import struct
import sys
from collections.abc import Iterator
from typing import Any, BinaryIO

import av
import numpy as np
import soxr

TARGET_RATE_HZ = 16_000
DEMUXERS = {"wav": "wav", "mp3": "mp3", "m4a": "mov", "flac": "flac", "ogg": "ogg", "webm": "matroska"}
BLOCK_S = 0.5
EXPANSION_FLOOR_BYTES = 64_000_000
INTEGER_SCALES = {"s16": 2.0**15, "s32": 2.0**31, "s64": 2.0**63}


class Rejected(Exception):
    """The file is not acceptable; args are (slug, detail)."""


def limit_resources(memory_bytes: int) -> None:
    """No more address space than ``memory_bytes``, no core dumps, no files written."""
    for kind, value in (
        (resource.RLIMIT_AS, memory_bytes),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_FSIZE, 0),
    ):
        hard = resource.getrlimit(kind)[1]
        value = value if hard == resource.RLIM_INFINITY else min(value, hard)
        resource.setrlimit(kind, (value, hard))


def limit_cpu(seconds: float) -> None:
    """From now on at most ``seconds`` more of processor time."""
    usage = resource.getrusage(resource.RUSAGE_SELF)
    hard = resource.getrlimit(resource.RLIMIT_CPU)[1]
    resource.setrlimit(resource.RLIMIT_CPU, (int(usage.ru_utime + usage.ru_stime + seconds) + 1, hard))


def samples_of(frame: av.AudioFrame, loudest: float) -> np.ndarray:
    """(channels, n) float32, full scale = 1, of one decoded frame; rejects what is not a sound."""
    raw = frame.to_ndarray()
    if not frame.format.is_planar:
        raw = raw.reshape(-1, frame.layout.nb_channels).T
    name = frame.format.name.removesuffix("p")
    if name == "u8":
        return (raw.astype(np.float32) - 128.0) / 128.0
    if name in INTEGER_SCALES:
        return (raw / INTEGER_SCALES[name]).astype(np.float32)
    peak = np.max(np.abs(raw), initial=0.0)
    if not np.isfinite(peak):
        raise Rejected("audio-non-finite", "the file holds samples that are not numbers")
    if peak > loudest:
        raise Rejected("audio-out-of-range", f"a sample of {peak:.3g} where full scale is 1")
    return raw.astype(np.float32)


class Decoding:
    """One file on its way from packets to 16 kHz float32 samples."""

    def __init__(self, data: bytes, job: dict[str, Any]) -> None:
        self.size, self.job = len(data), job
        self.seconds, self.source_bytes, self.errors = 0.0, 0, 0
        self.rate_hz, self.channels = 0, 0
        self.resampler: soxr.ResampleStream | None = None
        try:
            self.container = av.open(
                io.BytesIO(data),
                format=DEMUXERS[job["kind"]],
                metadata_errors="replace",
                options={"protocol_whitelist": "none"},
            )
        except (av.error.FFmpegError, ValueError) as error:
            raise Rejected(
                "audio-broken", f"not readable as {job['kind']} ({type(error).__name__})"
            ) from error
        if not self.container.streams.audio:
            raise Rejected("unsupported-media-type", "the file holds no sound")
        self.stream = self.container.streams.audio[0]
        self.check_shape(self.stream.codec_context.sample_rate, self.stream.codec_context.channels)

    def check_shape(self, rate_hz: int, channels: int) -> None:
        job = self.job
        if channels and channels > job["max_channels"]:
            raise Rejected("unsupported-media-type", f"{channels} channels; at most {job['max_channels']}")
        if rate_hz and not job["min_rate_hz"] <= rate_hz <= job["max_rate_hz"]:
            raise Rejected(
                "unsupported-media-type",
                f"{rate_hz} Hz; between {job['min_rate_hz']} and {job['max_rate_hz']} is accepted",
            )

    def frames(self) -> Iterator[av.AudioFrame]:
        """Decoded frames; a packet that cannot be decoded is skipped and counted."""
        packets = self.container.demux(self.stream)
        while True:
            try:
                packet = next(packets)
            except StopIteration:
                return
            except av.error.FFmpegError:
                self.errors += 1
                return
            try:
                yield from packet.decode()
            except av.error.FFmpegError:
                self.errors += 1

    def count(self, frame: av.AudioFrame) -> None:
        """Add the frame to the running totals and stop at the first limit that is passed."""
        channels = frame.layout.nb_channels
        self.check_shape(frame.sample_rate, channels)
        self.seconds += frame.samples / frame.sample_rate
        self.source_bytes += frame.samples * channels * 2
        if self.seconds > self.job["max_seconds"]:
            raise Rejected("audio-too-long", f"longer than {self.job['max_seconds']:g} s")
        if self.source_bytes > max(EXPANSION_FLOOR_BYTES, self.size * self.job["max_expansion"]):
            raise Rejected(
                "audio-expansion-limit", f"{self.size} bytes unpack to over {self.source_bytes} bytes"
            )

    def blocks(self) -> Iterator[tuple[int, np.ndarray]]:
        """(rate, (channels, n)) in runs of about half a second that share rate and channel count."""
        held: list[np.ndarray] = []
        shape, length = (0, 0), 0
        for frame in self.frames():
            self.count(frame)
            new_shape = (frame.sample_rate, frame.layout.nb_channels)
            if held and (new_shape != shape or length >= shape[0] * BLOCK_S):
                yield shape[0], np.concatenate(held, axis=1)
                held, length = [], 0
            shape = new_shape
            held.append(samples_of(frame, self.job["loudest"]))
            length += frame.samples
        if held:
            yield shape[0], np.concatenate(held, axis=1)

    def output(self) -> Iterator[np.ndarray]:
        """(n, kept channels) float32 at 16 kHz; channels are averaged unless they are to be kept."""
        for rate_hz, block in self.blocks():
            self.channels = self.channels or len(block)
            if self.job["keep_channels"] and len(block) != self.channels:
                raise Rejected("audio-broken", "the number of channels changes inside the file")
            # The mean, not a library's down-mix: that one is 3 dB louder on identical channels.
            mixed = block if self.job["keep_channels"] else block.mean(axis=0, keepdims=True)
            if rate_hz != self.rate_hz:
                yield from self.flush()
                self.start_resampling(rate_hz, len(mixed))
            yield self.resample(np.ascontiguousarray(mixed.T), last=False)
        yield from self.flush()

    def start_resampling(self, rate_hz: int, kept: int) -> None:
        self.rate_hz = rate_hz
        same = rate_hz == TARGET_RATE_HZ
        self.resampler = None if same else soxr.ResampleStream(rate_hz, TARGET_RATE_HZ, kept, dtype="float32")
        self.kept = kept

    def resample(self, block: np.ndarray, last: bool) -> np.ndarray:
        return block if self.resampler is None else self.resampler.resample_chunk(block, last=last)

    def flush(self) -> Iterator[np.ndarray]:
        if self.resampler is not None:
            yield self.resample(np.zeros((0, self.kept), np.float32), last=True)

    def declared_s(self) -> float | None:
        """Duration from the container's own index, for the formats where that is not an estimate."""
        if self.job["kind"] == "m4a" and self.stream.duration:
            return float(self.stream.duration * self.stream.time_base)
        if self.job["kind"] == "webm" and self.container.duration:
            return self.container.duration / av.time_base
        return None

    def head(self) -> dict[str, Any]:
        """Duration as the container tells it, which may be a guess, and the number of channels."""
        duration = self.container.duration
        seconds = duration / av.time_base if duration else None
        return {"seconds": seconds, "channels": self.stream.codec_context.channels}

    def report(self) -> dict[str, Any]:
        return {
            "codec": self.stream.codec_context.codec.canonical_name,
            "channels": self.channels,
            "rate_hz": self.rate_hz,
            "seconds": self.seconds,
            "declared_s": self.declared_s(),
            "errors": self.errors,
        }


def send(out: BinaryIO, kind: bytes, payload: bytes | memoryview) -> None:
    out.write(kind + struct.pack("<I", len(payload)))
    out.write(payload)


def answer(data: bytes, job: dict[str, Any], out: BinaryIO) -> None:
    """Decode one file and write its messages; every job ends with exactly one D or E."""
    try:
        limit_cpu(job["cpu_s"])
        decoding = Decoding(data, job)
        if job.get("announce"):
            send(out, b"H", json.dumps(decoding.head()).encode())
            out.flush()
        for block in decoding.output():
            send(out, b"P", memoryview(np.ascontiguousarray(block)).cast("B") if block.size else b"")
        send(out, b"D", json.dumps(decoding.report()).encode())
    except Rejected as rejected:
        slug, detail = rejected.args
        send(out, b"E", json.dumps({"slug": slug, "detail": detail}).encode())
    except MemoryError:
        detail = "decoding needs more memory than allowed"
        send(out, b"E", json.dumps({"slug": "audio-expansion-limit", "detail": detail}).encode())
    out.flush()


def serve(inp: BinaryIO, out: BinaryIO) -> None:
    av.logging.set_level(None)
    while header := inp.read(8):
        json_size, data_size = struct.unpack("<II", header)
        job = json.loads(inp.read(json_size))
        answer(inp.read(data_size), job, out)


if __name__ == "__main__":
    limit_resources(int(sys.argv[1]))
    serve(sys.stdin.buffer, sys.stdout.buffer)
