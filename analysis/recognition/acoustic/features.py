"""Sums up the frames of an utterance, or of a part of it, into one fixed list of numbers."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from analysis.recognition.acoustic.descriptors import FRAMES_PER_S, SPECTRAL, Descriptors

MODULATION_FRAMES = (3, 6, 12, 25, 50)
"""Lengths of moving averages, 10 ms each; the difference of two keeps one band of modulation."""

FEWEST = 3


def functionals(frames: Descriptors) -> np.ndarray:
    """(D,) float32, always finite: the features of these frames, in the order of ``names()``."""
    found = [
        *_pitch(frames),
        *_level(frames),
        *_rhythm(frames),
        *_spectral(frames),
        *_cepstral(frames),
        *_bands(frames),
        *_modulation(frames),
    ]
    return np.concatenate([np.ravel(part) for part in found]).astype(np.float32)


def _moments(values: np.ndarray) -> tuple[np.ndarray, ...]:
    """Mean, standard deviation, skewness and excess kurtosis down the columns; zeros with too few rows."""
    if len(values) < FEWEST:
        nothing = np.zeros(values.shape[1:])
        return nothing, nothing, nothing, nothing
    mean = values.mean(axis=0)
    centered = values - mean
    square = centered * centered
    variance = np.mean(square, axis=0)
    safe = np.maximum(variance, 1e-8)
    return (
        mean,
        np.sqrt(variance),
        np.mean(square * centered, axis=0) / safe**1.5,
        np.mean(square * square, axis=0) / safe**2 - 3,
    )


def _quantiles(values: np.ndarray, at: tuple[int, ...]) -> np.ndarray:
    """(len(at), ...) percentiles down the columns; zeros with too few rows."""
    if len(values) < FEWEST:
        return np.zeros((len(at), *values.shape[1:]))
    ordered = np.sort(values, axis=0)
    place = np.array(at) / 100 * (len(values) - 1)
    below = place.astype(int)
    part = (place - below).reshape(-1, *[1] * (values.ndim - 1))
    above = np.minimum(below + 1, len(values) - 1)
    return ordered[below] * (1 - part) + ordered[above] * part


def _trend(values: np.ndarray) -> float:
    """Units per second of the straight line through equally spaced values."""
    if len(values) < FEWEST:
        return 0.0
    t = np.arange(len(values)) - (len(values) - 1) / 2
    return float(values @ t / (t @ t) * FRAMES_PER_S)


def _steps(values: np.ndarray, kept: np.ndarray) -> np.ndarray:
    """Mean and spread of rises and of falls per second, over neighboring frames that are both kept."""
    steps = np.diff(values)[kept[1:] & kept[:-1]] * FRAMES_PER_S
    rises, falls = steps[steps > 0], steps[steps < 0]
    return np.array([_mean(rises), _spread(rises), _mean(falls), _spread(falls)])


def _mean(values: np.ndarray) -> float:
    return float(values.mean()) if len(values) else 0.0


def _spread(values: np.ndarray) -> float:
    return float(values.std()) if len(values) else 0.0


def _pitch(frames: Descriptors) -> list[np.ndarray]:
    pitch = frames.pitch_st[frames.voiced]
    levels = _quantiles(pitch, (5, 20, 50, 80, 95))
    mean, spread, skew, kurtosis = _moments(pitch)
    return [
        levels,
        np.array([mean, spread, skew, kurtosis, levels[4] - levels[0], levels[3] - levels[1], _trend(pitch)]),
        _steps(_smooth(frames.pitch_st, 3), frames.voiced),
    ]


def _level(frames: Descriptors) -> list[np.ndarray]:
    """Levels are relative to the loud frames of the same part, so that only their shape counts."""
    level = frames.level_db
    ranks = _quantiles(level, (5, 20, 50, 80, 95))
    spoken = level[frames.loud]
    _, spread, skew, kurtosis = _moments(spoken)
    smooth = _smooth(level, 5)
    return [
        ranks[:4] - ranks[4],
        np.array([spread, skew, kurtosis, _trend(spoken)]),
        _steps(smooth, frames.loud),
    ]


def _rhythm(frames: Descriptors) -> list[np.ndarray]:
    """Rates and lengths (s) of voiced runs, of the gaps between them, and of loudness peaks."""
    seconds = max(len(frames.voiced), 1) / FRAMES_PER_S
    voiced, gaps = _lengths(frames.voiced), _lengths(~frames.voiced)
    smooth = _smooth(frames.level_db, 7)
    peaks = (smooth[1:-1] > smooth[:-2]) & (smooth[1:-1] >= smooth[2:]) & frames.loud[1:-1]
    return [
        np.array([
            len(voiced) / seconds, _mean(voiced), _spread(voiced), _mean(gaps), _spread(gaps),
            frames.voiced.mean(), frames.loud.mean(), peaks.sum() / seconds,
        ])
    ]  # fmt: skip


def _lengths(marks: np.ndarray) -> np.ndarray:
    steps = np.diff(np.concatenate([[0], marks.astype(np.int8), [0]]))
    return (np.flatnonzero(steps == -1) - np.flatnonzero(steps == 1)) / FRAMES_PER_S


def _spectral(frames: Descriptors) -> list[np.ndarray]:
    voiced, other = frames.spectral[frames.voiced], frames.spectral[frames.loud & ~frames.voiced]
    mean, spread, skew, _ = _moments(voiced)
    return [
        mean,
        spread,
        skew,
        _quantiles(voiced, (20, 50, 80)),
        _moments(other)[0][: SPECTRAL.index("jitter")],
    ]


def _cepstral(frames: Descriptors) -> list[np.ndarray]:
    """MFCC over voiced and over loud frames, and how fast they move."""
    voiced, loud = frames.cepstra[frames.voiced], frames.cepstra[frames.loud]
    moves = _delta(frames.cepstra)
    curves = _delta(moves)[frames.loud]
    return [
        *_moments(voiced)[:3],
        *_moments(loud),
        _moments(moves[frames.voiced])[1],
        _moments(moves[frames.loud])[1],
        _moments(curves)[1],
        _quantiles(voiced, (20, 80)),
    ]


def _bands(frames: Descriptors) -> list[np.ndarray]:
    """Spread and range of each mel band over the loud frames."""
    loud = frames.mel_db[frames.loud]
    low, high = _quantiles(loud, (10, 90))
    return [_moments(loud)[1], high - low]


def _modulation(frames: Descriptors) -> list[np.ndarray]:
    """How strongly each of 7 broad bands, and the whole, swings at about 20, 10, 5 and 2.5 Hz."""
    bands = frames.mel_db[:, : 4 * 6].reshape(len(frames.mel_db), 6, 4).mean(axis=2)
    tracks = np.column_stack([frames.level_db, bands])
    smooth = [_smooth(tracks, length) for length in MODULATION_FRAMES]
    return [(fine - coarse).std(axis=0) for fine, coarse in pairwise(smooth)]


def _smooth(values: np.ndarray, length: int) -> np.ndarray:
    """Centered moving average down the rows, shorter at the ends."""
    sums = np.concatenate([np.zeros((1, *values.shape[1:])), np.cumsum(values, axis=0, dtype=np.float64)])
    ends = np.arange(len(values))
    start = np.maximum(ends - length // 2, 0)
    end = np.minimum(ends + (length + 1) // 2, len(values))
    return (sums[end] - sums[start]) / (end - start).reshape(-1, *[1] * (values.ndim - 1))


def _delta(values: np.ndarray) -> np.ndarray:
    """Regression slope over five frames (Young et al., The HTK Book)."""
    padded = np.pad(values, ((2, 2), (0, 0)), mode="edge")
    return (2 * (padded[4:] - padded[:-4]) + padded[3:-1] - padded[1:-3]) / 10
