"""Measures whether a recording is good enough to be read at all, and cuts the silence around the speech."""

from __future__ import annotations

import numpy as np

from analysis.speech import WINDOW, WINDOW_S, speech_probability
from analysis.values import SAMPLE_RATE_HZ, Quality, Reading, Waveform

SPEECH_STARTS, SPEECH_GOES_ON = 0.5, 0.35
"""Probabilities at which speech begins, and below which it ends (the values of Silero's own examples)."""

SHORTEST_SPEECH_S = 0.1
"""A shorter burst is a click, not speech (a guess)."""

TRIM_MARGIN_S = 0.2
"""Kept on each side when silence is cut: the detector notices soft onsets up to .15 s late."""

FULL_SCALE, CLIPPED_RUN = 0.999, 3
"""Clipping is a run of this many samples at full scale; single peaks mark 41 % of a clean corpus."""

MIN_RMS = 0.01
MAX_CLIPPED_SHARE = 0.001
MIN_VOICED_S = 1.0


def measure(waveform: Waveform, truncated: bool = False) -> Quality:
    """Duration, speech, level and clipping of a recording; deterministic, O(n)."""
    speech = speech_windows(waveform)
    spoken = np.repeat(speech, WINDOW)[: len(waveform.samples)]
    samples = waveform.samples
    voiced = samples[spoken]
    edges = np.flatnonzero(spoken)
    return Quality(
        duration_s=waveform.duration_s,
        voiced_s=len(voiced) / SAMPLE_RATE_HZ,
        speech_start_s=float(edges[0]) / SAMPLE_RATE_HZ if len(edges) else 0.0,
        speech_end_s=float(edges[-1] + 1) / SAMPLE_RATE_HZ if len(edges) else 0.0,
        rms=float(np.sqrt(np.mean(voiced**2, dtype=np.float64))) if len(voiced) else 0.0,
        peak=float(min(1.0, np.max(np.abs(samples), initial=0.0))),
        clipped_share=float(np.mean(clipped(samples)[spoken])) if len(voiced) else 0.0,
        truncated=truncated,
    )


def speech_windows(waveform: Waveform) -> np.ndarray:
    """(ceil(n / 512),) bool: whether each 32 ms is speech, with hysteresis and without clicks."""
    return speech_by_probability(speech_probability(waveform))


def speech_by_probability(probability: np.ndarray) -> np.ndarray:
    """(n,) bool: runs that reach ``SPEECH_STARTS``, stay above ``SPEECH_GOES_ON`` and are no click."""
    speech = np.zeros(len(probability), bool)
    for start, end in _runs(probability >= SPEECH_GOES_ON):
        loud_enough = probability[start:end].max() >= SPEECH_STARTS
        speech[start:end] = loud_enough and (end - start) * WINDOW_S >= SHORTEST_SPEECH_S
    return speech


def clipped(samples: np.ndarray) -> np.ndarray:
    """(n,) bool: samples inside a run of at least ``CLIPPED_RUN`` at full scale."""
    marks = np.zeros(len(samples), bool)
    for start, end in _runs(np.abs(samples) >= FULL_SCALE):
        marks[start:end] = end - start >= CLIPPED_RUN
    return marks


def trim(waveform: Waveform, quality: Quality) -> tuple[Waveform, float]:
    """The speech with a little margin, and where it starts in seconds; unchanged when nobody speaks."""
    if quality.voiced_s == 0:
        return waveform, 0.0
    first = max(0, round((quality.speech_start_s - TRIM_MARGIN_S) * SAMPLE_RATE_HZ))
    last = round((quality.speech_end_s + TRIM_MARGIN_S) * SAMPLE_RATE_HZ)
    return Waveform(waveform.samples[first:last]), first / SAMPLE_RATE_HZ


def quality_gate(quality: Quality) -> Reading | None:
    """``NO_SPEECH`` or ``LOW_QUALITY`` when the recording must not be read, else None."""
    if quality.voiced_s == 0:
        return Reading.NO_SPEECH
    return Reading.LOW_QUALITY if quality_reason(quality) else None


def quality_reason(quality: Quality) -> str | None:
    """Why the speech is not good enough: too_quiet, clipped, too_short or truncated; None when it is."""
    if quality.voiced_s == 0:
        return None
    reasons = {
        "too_quiet": quality.rms < MIN_RMS,
        "clipped": quality.clipped_share >= MAX_CLIPPED_SHARE,
        "too_short": quality.voiced_s < MIN_VOICED_S,
        "truncated": quality.truncated,
    }
    return next((reason for reason, holds in reasons.items() if holds), None)


def _runs(marks: np.ndarray) -> np.ndarray:
    """(k, 2) start and end (exclusive) of each run of True."""
    steps = np.diff(np.concatenate([[0], marks.astype(np.int8), [0]]))
    return np.stack([np.flatnonzero(steps == 1), np.flatnonzero(steps == -1)], axis=1)
