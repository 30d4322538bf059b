"""How loud a session was, from the peaks that are kept beside its sound."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

import numpy as np

from emotrack.history.models import Audio, Speaker, Utterance

WAVE_BARS = 360

WaveBar = tuple[float, float, float, bool]
"""(start_s, width_s, loudness 0..1, is the client's)"""


def wave(
    started_at: datetime,
    utterances: Iterable[Utterance],
    sounds: Mapping[int, Audio],
    window: tuple[float, float],
) -> Sequence[WaveBar]:
    """Bars of loudness over the window, the loudest at 1; empty without any sound in it.

    window: (start_s, end_s) since ``started_at``.
    """
    first, last = window
    width = max((last - first) / WAVE_BARS, 0.1)
    bars: dict[tuple[int, bool], float] = {}
    for utterance in utterances:
        sound = sounds.get(utterance.pk)
        start = (utterance.occurred_at - started_at).total_seconds()
        seconds = utterance.duration_ms / 1000
        if sound is None or not sound.peaks or start > last or start + seconds < first:
            continue
        loud = loudness(sound)
        at = start + np.arange(len(loud)) * (seconds / max(len(loud), 1))
        for place, value in _loudest(((at - first) // width).astype(int), loud):
            key = (place, utterance.speaker == Speaker.CLIENT)
            bars[key] = max(bars.get(key, 0.0), value)
    top = max(bars.values(), default=1.0) or 1.0
    return [
        (first + k * width, width, round(v / top, 3), is_client)
        for (k, is_client), v in sorted(bars.items())
        if 0 <= k < WAVE_BARS
    ]


def _loudest(places: np.ndarray, loud: np.ndarray) -> Iterable[tuple[int, float]]:
    """The largest value of each place; ``places`` ascend."""
    starts = np.flatnonzero(np.diff(places, prepend=places[0] - 1)) if len(places) else []
    if len(starts):
        yield from zip(places[starts].tolist(), np.maximum.reduceat(loud, starts).tolist(), strict=True)


def loudness(sound: Audio | None) -> np.ndarray:
    """(n,) 0..1, 50 a second, from the stored peaks; empty without any."""
    if sound is None or not sound.peaks:
        return np.zeros(0)
    pairs = np.frombuffer(bytes(sound.peaks), dtype=np.int8).reshape(-1, 2).astype(np.float64)
    return np.abs(pairs).max(axis=1) / 128
