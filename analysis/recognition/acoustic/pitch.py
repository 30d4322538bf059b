"""Follows the pitch of a voice and says how periodic it is, from the autocorrelation of short frames."""

from __future__ import annotations

import numpy as np
from scipy.fft import irfft, rfft
from scipy.signal import resample_poly

from analysis.values import SAMPLE_RATE_HZ

RATE_HZ = SAMPLE_RATE_HZ // 2
HOP = RATE_HZ // 100
FRAME = RATE_HZ // 20
FFT = 1024
LOWEST_HZ, HIGHEST_HZ = 60.0, 600.0
VOICED_ABOVE = 0.45
CONFIDENT_ABOVE = 0.7
HIGH_PITCH_BONUS = 0.02
"""Added to the correlation per octave, so that a multiple of the period never wins by a hair."""


def track(samples: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Pitch and periodicity of each 10 ms of (n,) samples at 16 kHz.

    Gives pitch_hz (n // 160,) and periodicity (n // 160,) in 0..1, the normalized autocorrelation at the
    pitch period (Boersma 1993). Every frame has a pitch; only a periodicity of about .45 makes it one.

    Two passes (after De Looze & Hirst 2008): the speaker's quartiles bound the search of the second.
    """
    correlation = _autocorrelation(samples)
    low, high = int(RATE_HZ / HIGHEST_HZ), int(RATE_HZ / LOWEST_HZ)
    lags = np.arange(low, high + 1)
    score = correlation[:, low : high + 1] - HIGH_PITCH_BONUS * np.log2(lags / low, dtype=np.float32)
    best = np.argmax(score, axis=1)
    sure = np.take_along_axis(correlation[:, low:], best[:, None], 1)[:, 0] > CONFIDENT_ABOVE
    if sure.sum() >= 5:
        first, third = np.percentile(RATE_HZ / lags[best[sure]], [25, 75])
        outside = (RATE_HZ / lags < 0.6 * first) | (RATE_HZ / lags > 1.9 * third)
        best = np.argmax(np.where(outside, np.float32(-1), score), axis=1)
    return _refine(correlation, best + low)


def _autocorrelation(samples: np.ndarray) -> np.ndarray:
    """(frames, FRAME) float32, 1 at lag 0, corrected for the window's own autocorrelation."""
    half_rate = resample_poly(samples, 1, 2).astype(np.float32)
    count = len(samples) // (2 * HOP)
    padded = np.pad(half_rate, (FRAME // 2, FRAME))
    frames = np.lib.stride_tricks.sliding_window_view(padded, FRAME)[::HOP][:count]
    window = np.hanning(FRAME).astype(np.float32)
    centered = (frames - frames.mean(axis=1, keepdims=True)) * window
    power = np.abs(rfft(centered, FFT, axis=1)) ** 2
    correlation = irfft(power, FFT, axis=1)[:, :FRAME]
    own = irfft(np.abs(rfft(window, FFT)) ** 2, FFT)[:FRAME]
    longest = int(RATE_HZ / LOWEST_HZ) + 2
    trusted = correlation[:, :longest] / (own[:longest] / own[0])
    return trusted / np.maximum(correlation[:, :1], np.float32(1e-7))


def _refine(correlation: np.ndarray, lag: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Pitch and periodicity at the top of the parabola through each peak and its neighbors."""
    rows = np.arange(len(lag))
    before, here, after = (correlation[rows, lag + step] for step in (-1, 0, 1))
    curvature = np.minimum(before - 2 * here + after, -1e-6)
    shift = np.clip(0.5 * (before - after) / curvature, -0.5, 0.5)
    height = here - 0.25 * (before - after) * shift
    return RATE_HZ / (lag + shift), np.clip(height, 0.0, 1.0)
