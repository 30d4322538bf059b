"""What a voice and its words say together, and whether they contradict each other."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from analysis.affect import AFFECTIVE, checked_scores, project
from analysis.values import LABELS

CLIP = 1e-6
"""No label is ever ruled out by one source alone."""

AUDIO_WEIGHT = 0.5
"""Both sources count alike until a weight was fitted."""

CONFLICT_DISTANCE = 0.5
"""Tone and words further apart than this are kept apart (Jensen–Shannon distance, base 2, 0..1)."""

CONFLICT_VALENCE = 0.6
"""So are valences of different sign that lie further apart than this."""


@dataclass(frozen=True, slots=True, eq=False)
class Fusion:
    """What voice and words say together.

    scores: (9,) float64, sum 1, in the order of ``LABELS``: the pool of both, or the voice's own where they
    conflict (tone and words are two lanes then). distance: between their affective shares, 0..1; ``None``
    where one of them says too little about affect. valence_audio, valence_text: -1..1 or ``None``.
    incongruent: whether they conflict.
    """

    scores: np.ndarray
    distance: float | None
    valence_audio: float | None
    valence_text: float | None
    incongruent: bool


def _probabilities(rows: ArrayLike) -> np.ndarray:
    p = np.asarray(rows, dtype=np.float64)
    if p.ndim not in (1, 2) or p.shape[-1] < 2:
        raise ValueError(f"fusion-shape: expected (k,) or (n, k) with k >= 2, got {p.shape}")
    if not np.isfinite(p).all() or (p < 0).any() or (np.abs(p.sum(axis=-1) - 1) > 1e-3).any():
        raise ValueError("fusion-probabilities: need finite numbers of at least 0 that add up to 1")
    return p


def _both(audio: ArrayLike, text: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
    p, q = _probabilities(audio), _probabilities(text)
    if p.shape != q.shape:
        raise ValueError(f"fusion-shape: {p.shape} and {q.shape} are not the same labels")
    return p, q


def _checked_weight(weight: float) -> float:
    if not 0 <= weight <= 1:
        raise ValueError("fusion-weight: must lie within 0..1")
    return weight


def log_pool(audio: ArrayLike, text: ArrayLike, weight: float = AUDIO_WEIGHT) -> np.ndarray:
    """``p ∝ p_audio^w · p_text^(1−w)``, in the shape given; both clipped to 1e-6 first (Genest & Zidek 1986).

    audio, text: (k,) or (n, k) probabilities over the same labels. A label that one of them rules out stays
    unlikely, whatever the other says.
    """
    p, q = _both(audio, text)
    w = _checked_weight(weight)
    logs = w * np.log(np.maximum(p, CLIP)) + (1 - w) * np.log(np.maximum(q, CLIP))
    raised = np.exp(logs - logs.max(axis=-1, keepdims=True))
    return raised / raised.sum(axis=-1, keepdims=True)


def linear_pool(audio: ArrayLike, text: ArrayLike, weight: float = AUDIO_WEIGHT) -> np.ndarray:
    """``w · p_audio + (1 − w) · p_text``: either source alone can keep a label in play."""
    p, q = _both(audio, text)
    w = _checked_weight(weight)
    return w * p + (1 - w) * q


def conflict(audio: ArrayLike, text: ArrayLike) -> np.ndarray:
    """Jensen–Shannon distance to base 2, 0 (the same) to 1 (nothing in common): () or (n,).

    √((KL(p‖m) + KL(q‖m)) / 2) with m = (p + q) / 2 (Endres & Schindelin 2003).
    """
    p, q = _both(audio, text)
    p, q = p / p.sum(axis=-1, keepdims=True), q / q.sum(axis=-1, keepdims=True)
    middle = (p + q) / 2
    divergence = (_divergence(p, middle) + _divergence(q, middle)) / 2
    return np.sqrt(np.clip(divergence, 0.0, 1.0))


def _divergence(p: np.ndarray, middle: np.ndarray) -> np.ndarray:
    """KL(p‖middle) in bits; 0 log 0 = 0."""
    there = (p > 0) & (middle > 0)
    ratio = np.where(there, p, 1.0) / np.where(there, middle, 1.0)
    return (p * np.log2(ratio)).sum(axis=-1)


def precision_weighted(audio: float, text: float, audio_precision: float, text_precision: float) -> float:
    """Two estimates of one number, each weighing as much as it is precise (1 / variance).

    >>> round(precision_weighted(-0.4, 0.3, 4.0, 1.0), 2)
    -0.26
    """
    precisions = (audio_precision, text_precision)
    if not all(math.isfinite(x) and x >= 0 for x in precisions) or sum(precisions) == 0:
        raise ValueError("fusion-precision: need finite precisions of at least 0, one of them above")
    return (audio * audio_precision + text * text_precision) / sum(precisions)


def opposed(valence_audio: float | None, valence_text: float | None) -> bool:
    """Whether two valences have different signs and lie more than .6 apart; never where one is missing."""
    if valence_audio is None or valence_text is None or valence_audio * valence_text >= 0:
        return False
    return abs(valence_audio - valence_text) > CONFLICT_VALENCE


def fuse(audio: ArrayLike, text: ArrayLike, weight: float = AUDIO_WEIGHT) -> Fusion:
    """What the calibrated scores of a voice and of its words say together.

    audio, text: (9,) scores in the order of ``LABELS``. They are compared on their shares among the seven
    affective labels, where both have the mass for it.
    """
    p, q = checked_scores(audio), checked_scores(text)
    if p.shape != (len(LABELS),) or q.shape != p.shape or np.isnan([p, q]).any():
        raise ValueError("fusion-shape: a fusion is of two vectors of nine scores")
    voice, words = project(p).valence, project(q).valence
    distance = None if voice is None or words is None else float(conflict(_affective(p), _affective(q)))
    incongruent = (distance is not None and distance > CONFLICT_DISTANCE) or opposed(voice, words)
    scores = p / p.sum() if incongruent else log_pool(p, q, weight)
    return Fusion(scores, distance, voice, words, incongruent)


def _affective(scores: np.ndarray) -> np.ndarray:
    shares = scores[AFFECTIVE]
    return shares / shares.sum()
