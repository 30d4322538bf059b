"""Sounds made in code, and files of every accepted kind that hold them."""

from __future__ import annotations

import io
import struct

import av
import numpy as np
import soundfile

RATE_HZ = 16_000
FORMANTS_HZ = {"a": (730, 1090, 2440), "i": (270, 2290, 3010), "u": (300, 870, 2240), "e": (530, 1840, 2480)}


def times(seconds: float, rate_hz: int = RATE_HZ) -> np.ndarray:
    return np.arange(round(seconds * rate_hz)) / rate_hz


def sine(seconds: float, hz: float = 440.0, level: float = 0.3, rate_hz: int = RATE_HZ) -> np.ndarray:
    return (level * np.sin(2 * np.pi * hz * times(seconds, rate_hz))).astype(np.float32)


def silence(seconds: float) -> np.ndarray:
    return np.zeros(round(seconds * RATE_HZ), np.float32)


def noise(seconds: float, level: float = 0.1, seed: int = 0) -> np.ndarray:
    return (level * np.random.default_rng(seed).standard_normal(round(seconds * RATE_HZ))).astype(np.float32)


def pink_noise(seconds: float, level: float = 0.1) -> np.ndarray:
    spectrum = np.fft.rfft(noise(seconds, 1.0, seed=1))
    pink = np.fft.irfft(spectrum / np.sqrt(np.arange(len(spectrum)) + 1.0))
    return (level * pink / pink.std()).astype(np.float32)


def dtmf(seconds: float) -> np.ndarray:
    """Keys of a telephone, 75 ms each, 25 ms apart."""
    low, high = (697, 770, 852, 941), (1209, 1336, 1477, 1633)
    keys = [
        sine(0.075, low[i % 4], 0.35) + sine(0.075, high[(i * 3) % 4], 0.35)
        for i in range(round(seconds * 10))
    ]
    return np.concatenate([np.concatenate([key, silence(0.025)]) for key in keys])


def click(seconds: float = 1.0) -> np.ndarray:
    """A 50 ms knock in silence."""
    sound = silence(seconds)
    sound[4000:4800] = noise(0.05, 0.5)
    return sound


def spoken(
    seconds: float, hz: float = 120.0, level: float = 0.1, hurry: float = 1.0, seed: int = 0
) -> np.ndarray:
    """Something like speech: a glottal pulse train with gliding vowels, syllables and breath.

    hz: mean pitch; hurry: syllables per 0.25 s; level: root mean square.
    """
    rng = np.random.default_rng(seed)
    t = times(seconds)
    pitch = hz * (1 + 0.12 * np.sin(2 * np.pi * 0.7 * t) + 0.05 * np.sin(2 * np.pi * 2.3 * t))
    phase = np.cumsum(pitch) / RATE_HZ
    source = np.diff((phase % 1.0) ** 3, prepend=0.0) + 0.003 * rng.standard_normal(len(t))
    syllable = np.floor(t * 4 * hurry).astype(int)
    vowels = rng.choice(list(FORMANTS_HZ), syllable.max() + 1)
    sound = np.zeros(len(t))
    for formant, width in enumerate((80.0, 100.0, 140.0)):
        centers = np.array([FORMANTS_HZ[vowel][formant] for vowel in vowels], float)[syllable]
        sound += _resonate(source, np.convolve(centers, np.ones(800) / 800, "same").clip(200), width)
    loudness = 0.15 + np.abs(np.sin(np.pi * t * 4 * hurry))
    sound *= loudness
    return (level * sound / np.sqrt(np.mean(sound**2))).astype(np.float32)


def _resonate(source: np.ndarray, centers_hz: np.ndarray, width_hz: float) -> np.ndarray:
    """A two-pole resonator whose center moves with time."""
    radius = np.exp(-np.pi * width_hz / RATE_HZ)
    feedback = 2 * radius * np.cos(2 * np.pi * centers_hz / RATE_HZ)
    out = np.zeros(len(source))
    last, before = 0.0, 0.0
    for n, x in enumerate(source):
        last, before = x + feedback[n] * last - radius * radius * before, last
        out[n] = last
    return out


def wav(
    samples: np.ndarray, kind: str = "int16", rate_hz: int = RATE_HZ, claimed_bytes: int | None = None
) -> bytes:
    """A WAV file of (n,) or (n, channels) floats as uint8, int16, int24, int32, float32 or float64."""
    samples = np.atleast_2d(samples.T).T
    code, width = (3, int(kind[5:]) // 8) if kind.startswith("float") else (1, int(kind.lstrip("uint")) // 8)
    body = _pcm(samples, kind)
    channels = samples.shape[1]
    form = struct.pack(
        "<HHIIHH", code, channels, rate_hz, rate_hz * channels * width, channels * width, width * 8
    )
    size = len(body) if claimed_bytes is None else claimed_bytes
    head = (
        b"RIFF" + struct.pack("<I", min(36 + size, 0xFFFFFFFF)) + b"WAVEfmt " + struct.pack("<I", len(form))
    )
    return head + form + b"data" + struct.pack("<I", size) + body


def _pcm(samples: np.ndarray, kind: str) -> bytes:
    if kind.startswith("float"):
        return samples.astype(f"<f{int(kind[5:]) // 8}").tobytes()
    if kind == "uint8":
        return np.clip(np.rint(samples * 128 + 128), 0, 255).astype("u1").tobytes()
    bits = int(kind[3:])
    whole = np.clip(np.rint(samples * 2.0 ** (bits - 1)), -(2 ** (bits - 1)), 2 ** (bits - 1) - 1).astype(
        "<i4"
    )
    if bits == 24:
        return np.ascontiguousarray(whole).view("u1").reshape(-1, 4)[:, :3].tobytes()
    return whole.astype(f"<i{bits // 8}").tobytes()


ENCODERS = {
    "mp3": ("mp3", "libmp3lame", "fltp"),
    "m4a": ("mp4", "aac", "fltp"),
    "flac": ("flac", "flac", "s16"),
    "ogg": ("ogg", "libopus", "flt"),
    "webm": ("webm", "libopus", "flt"),
    "mulaw": ("wav", "pcm_mulaw", "s16"),
    "alaw": ("wav", "pcm_alaw", "s16"),
}
KINDS = (*ENCODERS, "vorbis")
LAYOUTS = {1: "mono", 2: "stereo"}


def encoded(samples: np.ndarray, kind: str, rate_hz: int = 48_000) -> bytes:
    """A file of (n,) or (n, channels) floats at ``rate_hz``, written by the encoder that ``kind`` names."""
    target = io.BytesIO()
    if kind == "vorbis":
        soundfile.write(target, samples, rate_hz, format="OGG", subtype="VORBIS")
        return target.getvalue()
    container_name, codec, sample_format = ENCODERS[kind]
    samples = np.atleast_2d(samples.T)
    with av.open(target, "w", format=container_name) as container:
        stream = container.add_stream(codec, rate=rate_hz, layout=LAYOUTS[len(samples)])
        stream.format = sample_format
        resampler = av.AudioResampler(
            sample_format, LAYOUTS[len(samples)], rate_hz, stream.frame_size or 4096
        )
        frame = av.AudioFrame.from_ndarray(
            np.ascontiguousarray(samples, np.float32), format="fltp", layout=LAYOUTS[len(samples)]
        )
        frame.sample_rate = rate_hz
        for piece in [*resampler.resample(frame), *resampler.resample(None)]:
            container.mux(stream.encode(piece))
        container.mux(stream.encode(None))
    return target.getvalue()
