"""Which seconds of a turn pushed its label: the geometry of a small drawing and the seconds in words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from analysis.affect import contributions

WIDTH, WAVE_HEIGHT, CURVE_TOP, HEIGHT = 330.0, 36.0, 40.0, 62.0
BARS = 96
PUSH = 0.5
"""Own spreads above the turn's mean from which a moment counts as pushing; a drawing choice."""

LEAST_FRAMES = 4


@dataclass(frozen=True, slots=True)
class Bar:
    x: float
    y: float
    width: float
    height: float
    pushes: bool


@dataclass(frozen=True, slots=True)
class Why:
    """bars: the wave, marked where it pushed. curve: SVG points of the push. spans: (start_s, end_s)."""

    bars: Sequence[Bar]
    curve: str
    zero_y: float
    spans: Sequence[tuple[float, float]]


def why(
    logits: np.ndarray,
    rate_hz: float,
    first_frame_s: float,
    label: str,
    loudness: np.ndarray,
    duration_s: float,
) -> Why | None:
    """The seconds that pushed ``label``; ``None`` when the turn is too short to tell them apart.

    logits: (T, 9). loudness: (n,) 0..1 over the whole turn, empty without a sound.
    """
    if len(logits) < LEAST_FRAMES or duration_s <= 0:
        return None
    push = contributions(logits, label)
    deviation = push - push.mean()
    line = PUSH * deviation.std()
    marked = (deviation > line) & (deviation > 0)
    starts = first_frame_s + (np.arange(len(push)) - 0.5) / rate_hz
    spans = _spans(starts, marked, 1 / rate_hz, duration_s)
    centers = first_frame_s + np.arange(len(push)) / rate_hz
    return Why(_bars(loudness, spans, duration_s), _curve(centers, push, duration_s), _zero(push), spans)


def _spans(starts: np.ndarray, marked: np.ndarray, step_s: float, end_s: float) -> list[tuple[float, float]]:
    spans: list[tuple[float, float]] = []
    for start, is_marked in zip(starts, marked, strict=True):
        if not is_marked:
            continue
        stop = min(start + step_s, end_s)
        if spans and start - spans[-1][1] < step_s / 2:
            spans[-1] = (spans[-1][0], stop)
        else:
            spans.append((max(start, 0.0), stop))
    return spans


def _bars(loudness: np.ndarray, spans: Sequence[tuple[float, float]], duration_s: float) -> list[Bar]:
    heights = _binned(loudness)
    step = WIDTH / BARS
    bars = []
    for i, height in enumerate(heights):
        middle = (i + 0.5) / BARS * duration_s
        tall = max(1.8, float(height) * (WAVE_HEIGHT - 4))
        pushes = any(start <= middle < stop for start, stop in spans)
        bars.append(Bar(i * step, (WAVE_HEIGHT - tall) / 2, step * 0.62, tall, pushes))
    return bars


def _binned(loudness: np.ndarray) -> np.ndarray:
    """(BARS,) 0..1: the loudest of each bar's share, the loudest bar at 1."""
    if not len(loudness):
        return np.zeros(BARS)
    edges = np.linspace(0, len(loudness), BARS + 1).astype(int)
    heights = np.array([loudness[a : max(b, a + 1)].max(initial=0.0) for a, b in pairwise(edges)])
    return heights / max(heights.max(), 1e-9)


def _scale(push: np.ndarray) -> tuple[float, float]:
    low, high = min(float(push.min()), 0.0), max(float(push.max()), 0.0)
    return low, max(high - low, 1e-9)


def _zero(push: np.ndarray) -> float:
    low, spread = _scale(push)
    return HEIGHT - (0.0 - low) / spread * (HEIGHT - CURVE_TOP)


def _curve(centers: np.ndarray, push: np.ndarray, duration_s: float) -> str:
    low, spread = _scale(push)
    x = np.clip(centers / duration_s, 0, 1) * WIDTH
    y = HEIGHT - (push - low) / spread * (HEIGHT - CURVE_TOP)
    return " ".join(f"{a:.1f},{b:.1f}" for a, b in zip(x, y, strict=True))
