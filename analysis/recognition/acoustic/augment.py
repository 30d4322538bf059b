"""Makes a clean recording sound as if another microphone, room or line had carried it, for training."""

from __future__ import annotations

import numpy as np
from scipy.signal import fftconvolve

from analysis.values import SAMPLE_RATE_HZ

EQUALIZER_HZ = np.array([0, 125, 250, 500, 1000, 2000, 4000, 8000.0])
EQUALIZER_DB, TILT_DB = 4.0, 1.0
"""Spread of each band of the equalizer, and of its slope per band."""

LINE_HZ = (3500.0, 8000.0)
ROOM_S, ROOM_LEVEL = (0.1, 0.4), (0.1, 0.5)
SIGNAL_TO_NOISE_DB = (12.0, 45.0)


def disturbed(samples: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """(n,) float32 of the same length: filtered, often reverberant, always a little noisy."""
    filtered = np.fft.irfft(np.fft.rfft(samples) * _filter(len(samples), rng), len(samples))
    heard = _in_a_room(filtered, rng) if rng.random() < 0.5 else filtered
    snr_db = rng.uniform(*SIGNAL_TO_NOISE_DB)
    noise = _colored_noise(len(samples), rng)
    return (heard + noise * heard.std() * 10 ** (-snr_db / 20)).astype(np.float32)


def _filter(n: int, rng: np.random.Generator) -> np.ndarray:
    hz = np.fft.rfftfreq(n, 1 / SAMPLE_RATE_HZ)
    bands = len(EQUALIZER_HZ)
    gains_db = rng.normal(0, EQUALIZER_DB, bands) + rng.normal(0, TILT_DB) * np.arange(bands)
    # Bands are equally far apart on a logarithmic scale that starts near the lowest voice.
    gain = 10 ** (np.interp(np.log2(hz + 60), np.log2(EQUALIZER_HZ + 60), gains_db) / 20)
    return gain / (1 + (hz / rng.uniform(*LINE_HZ)) ** 8) if rng.random() < 0.5 else gain


def _in_a_room(samples: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Direct sound and an exponential tail of noise that falls by 60 dB in the room's time."""
    n = int(rng.uniform(*ROOM_S) * SAMPLE_RATE_HZ)
    tail = rng.standard_normal(n) * np.exp(-6.9 * np.arange(n) / n)
    response = tail * rng.uniform(*ROOM_LEVEL) / np.sqrt(np.sum(tail**2))
    response[0] += 1
    return fftconvolve(samples, response)[: len(samples)]


def _colored_noise(n: int, rng: np.random.Generator) -> np.ndarray:
    """Unit-variance noise between white and brown."""
    hz = np.fft.rfftfreq(n, 1 / SAMPLE_RATE_HZ)
    noise = np.fft.irfft(np.fft.rfft(rng.standard_normal(n)) / np.sqrt(hz + 20) ** rng.uniform(0, 2), n)
    return noise / noise.std()
