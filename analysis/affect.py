"""Nine emotion scores become a point of mood, a reading to trust or not, and the seconds that made it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from analysis.values import LABELS, UNINFORMATIVE, Reading

PAD: dict[str, tuple[float, float, float]] = {
    "angry": (-0.51, 0.59, 0.25),
    "disgusted": (-0.60, 0.35, 0.11),
    "fearful": (-0.64, 0.60, -0.43),
    "happy": (0.81, 0.51, 0.46),
    "neutral": (0.0, 0.0, 0.0),
    "sad": (-0.63, -0.27, -0.33),
    "surprised": (0.40, 0.67, -0.13),
}
"""Valence, arousal and dominance of the seven affective labels, each in -1..1.

Source: Russell & Mehrabian (1977), "Evidence for a three-factor theory of emotions", mean ratings of the
emotion terms; *neutral* is the origin. *other* and *unknown* say nothing about affect and have no place.
"""

AFFECTIVE = np.array([label not in UNINFORMATIVE for label in LABELS])
"""(9,) bool: which positions of a score vector speak about affect."""

AFFECT_LABELS: tuple[str, ...] = tuple(label for label in LABELS if label not in UNINFORMATIVE)

MIN_AFFECT_MASS = 0.5
"""Below this mass on the affective labels there is no point of mood and the reading is ``UNKNOWN``."""

MIN_TOP_SHARE = 0.4
"""Below this calibrated share of the strongest affective label the reading is ``AMBIGUOUS``."""

SUM_TOLERANCE = 1e-3

_COORDINATES = np.array([PAD[label] for label in AFFECT_LABELS])


@dataclass(frozen=True, slots=True, eq=False)
class Affect:
    """A point of mood, or a column of them.

    valence, arousal, dominance: -1..1; from one score vector a float or ``None`` where the affect mass is
    below .5; from (n, 9) scores (n,) float64 with NaN there.
    mass: probability on the seven affective labels, 0..1 (``None`` / NaN where the scores are missing).
    """

    valence: float | np.ndarray | None
    arousal: float | np.ndarray | None
    dominance: float | np.ndarray | None
    mass: float | np.ndarray | None


def checked_scores(scores: ArrayLike) -> np.ndarray:
    """The scores as float64, (9,) or (n, 9); a row of only NaN stands for "no scores" and is let through.

    Raises ``ValueError`` for another shape, a partly missing row, infinities, negative scores, or a sum
    further than .001 from 1.
    """
    array = np.asarray(scores, dtype=np.float64)
    if array.ndim not in (1, 2) or array.shape[-1] != len(LABELS):
        raise ValueError(f"scores-shape: expected (9,) or (n, 9), got {array.shape}")
    present = array[~np.isnan(array).all(axis=-1)]
    if not np.isfinite(present).all():
        raise ValueError("scores-non-finite: a score is NaN or infinite")
    if (present < 0).any():
        raise ValueError("scores-negative: a score is below 0")
    if (np.abs(present.sum(axis=-1) - 1.0) > SUM_TOLERANCE).any():
        raise ValueError("scores-sum: the nine scores do not add up to 1")
    return array


def _weights(scores: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Shares among the seven affective labels (NaN where their mass is below .5), and that mass."""
    affective = scores[..., AFFECTIVE]
    mass = affective.sum(axis=-1)
    enough = np.where(mass >= MIN_AFFECT_MASS, mass, np.nan)
    return affective / enough[..., None], mass


def _points(weights: np.ndarray) -> np.ndarray:
    """(n, 3) weighted means; summed label by label, so that a row has one result whatever its neighbors."""
    return (weights[..., None] * _COORDINATES).sum(axis=-2)


def project(scores: ArrayLike) -> Affect:
    """Valence, arousal and dominance: ``v = Σ p_k C_k / m`` over the affective labels, when ``m >= .5``.

    scores: (9,) or (n, 9), sum 1. Raises ``ValueError`` as ``checked_scores`` does.

    >>> project([0, 0, 0, 1, 0, 0, 0, 0, 0]).valence
    0.81
    >>> project([0, 0, 0, 0, 0, 0.3, 0, 0, 0.7]).valence is None
    True
    """
    array = checked_scores(scores)
    weights, mass = _weights(array)
    points = _points(weights)
    if array.ndim == 2:
        return Affect(points[:, 0], points[:, 1], points[:, 2], mass)
    return Affect(*(None if np.isnan(x) else float(x) for x in (*points, mass)))


def spread(scores: ArrayLike) -> np.ndarray:
    """How far apart the labels in play lie: (3,) or (n, 3) standard deviations of V, A and D.

    The square root of ``Σ q_k (C_k - v)²`` with q the shares among the affective labels; NaN where the
    mass is below .5.
    """
    weights, _mass = _weights(checked_scores(scores))
    deviations = _COORDINATES - _points(weights)[..., None, :]
    return np.sqrt((weights[..., None] * deviations**2).sum(axis=-2))


def entropy(probabilities: ArrayLike) -> np.ndarray:
    """Shannon entropy in nats along the last axis, 0 ln 0 = 0; NaN for a missing row."""
    p = np.asarray(probabilities, dtype=np.float64)
    return -(p * np.log(np.where(p == 0, 1.0, p))).sum(axis=-1) + 0.0


def normalized_entropy(probabilities: ArrayLike, labels: int | None = None) -> np.ndarray:
    """Entropy over ``ln labels``: 0 for one certain label, 1 for all alike.

    labels: how many labels there could be; by default as many as there are columns (at least 2).

    >>> float(normalized_entropy([0.5, 0.5]))
    1.0
    """
    count = np.shape(probabilities)[-1] if labels is None else labels
    if count < 2:
        raise ValueError("entropy-labels: entropy needs at least two labels")
    return entropy(probabilities) / np.log(count)


def calibrate(scores: ArrayLike, temperature: float) -> np.ndarray:
    """Calibrated scores ``p^(1/T) / Σ``, float64, in the shape given (Guo et al. 2017, on probabilities).

    T > 1 makes the recognizer less sure of itself, T = 1 leaves the scores alone; the order never changes.
    """
    if not (np.isfinite(temperature) and temperature > 0):
        raise ValueError(f"temperature: must be a positive number, got {temperature}")
    array = checked_scores(scores)
    if temperature == 1.0:
        return array
    with np.errstate(divide="ignore"):
        return softmax(np.log(array) / temperature)


def decide_reading(scores: ArrayLike | None, gate: Reading | None = None) -> Reading:
    """Whether a result may enter a series; the first that applies: gate, unknown, ambiguous, ok.

    scores: (9,) calibrated, or ``None`` when nothing could be scored (the gate must then say why).
    gate: what the sound itself allows, ``NO_SPEECH`` or ``LOW_QUALITY``; ``None`` or ``OK`` when it is fine
    or when there was no sound.

    ``UNKNOWN``: the strongest of the nine labels is *unknown* or *other*, or the affect mass is below .5.
    ``AMBIGUOUS``: the strongest affective label has a share below .4. So ``OK`` always has a point of mood.
    """
    if gate in (Reading.NO_SPEECH, Reading.LOW_QUALITY):
        return gate
    if gate not in (None, Reading.OK):
        raise ValueError(f"gate: a quality gate cannot say {gate}")
    if scores is None:
        raise ValueError("scores-missing: without scores the quality gate must say why")
    return _reading_of(_one_row(scores))


def _one_row(scores: ArrayLike) -> np.ndarray:
    array = checked_scores(scores)
    if array.ndim != 1 or np.isnan(array).any():
        raise ValueError("scores-shape: a reading is decided on one vector of nine scores")
    return array


def _reading_of(scores: np.ndarray) -> Reading:
    affective = scores[AFFECTIVE]
    if not AFFECTIVE[scores.argmax()] or affective.sum() < MIN_AFFECT_MASS:
        return Reading.UNKNOWN
    return Reading.OK if affective.max() >= MIN_TOP_SHARE else Reading.AMBIGUOUS


def top_label(scores: ArrayLike) -> str:
    """The strongest of the nine labels; of equals the first in the order of ``LABELS``."""
    return LABELS[int(_one_row(scores).argmax())]


def softmax(logits: ArrayLike) -> np.ndarray:
    """Probabilities along the last axis, float64; safe for large logits."""
    x = np.asarray(logits, dtype=np.float64)
    raised = np.exp(x - x.max(axis=-1, keepdims=True))
    return raised / raised.sum(axis=-1, keepdims=True)


def _checked_frames(frames: ArrayLike) -> np.ndarray:
    array = np.asarray(frames, dtype=np.float64)
    if array.ndim != 2 or array.shape[1] != len(LABELS) or len(array) == 0:
        raise ValueError(f"frames-shape: expected (T, 9) with T >= 1, got {array.shape}")
    if not np.isfinite(array).all():
        raise ValueError("frames-non-finite: a frame logit is NaN or infinite")
    return array


def window_scores(frames: ArrayLike, start: ArrayLike, stop: ArrayLike) -> np.ndarray:
    """The scores of windows of an utterance: ``softmax(mean of the window's frame logits)``.

    frames: (T, 9) logits. start, stop: rows, half-open, each 0 <= start < stop <= T; two numbers give (9,),
    two arrays of k give (k, 9), at a cost of O(T + k) by prefix sums. An average of per-frame softmaxes would
    be a different, wrong number.
    """
    array = _checked_frames(frames)
    first, last = np.asarray(start), np.asarray(stop)
    if (first < 0).any() or (last > len(array)).any() or (first >= last).any():
        raise ValueError(f"window: rows must satisfy 0 <= start < stop <= {len(array)}")
    sums = np.vstack([np.zeros(len(LABELS)), np.cumsum(array, axis=0)])
    return softmax((sums[last] - sums[first]) / (last - first)[..., None])


def frame_curve(frames: ArrayLike, width: int, hop: int) -> tuple[np.ndarray, np.ndarray]:
    """Scores of full windows along an utterance: first rows (k,) and scores (k, 9).

    width, hop: in rows. An utterance shorter than one window gives k = 0.
    """
    if width < 1 or hop < 1:
        raise ValueError("window: width and hop must be at least one row")
    starts = np.arange(0, len(_checked_frames(frames)) - width + 1, hop)
    return starts, window_scores(frames, starts, starts + width)


def contributions(frames: ArrayLike, label: str) -> np.ndarray:
    """Which frames pushed a label: (T,) logits, positive where a frame speaks for it.

    Frame t's push is its logit of ``label`` less the mean of its eight other logits. The pushes average
    exactly to the utterance's own margin, and adding a constant to a frame's nine logits, which changes no
    score, changes no push either.
    """
    array = _checked_frames(frames)
    k = LABELS.index(label)
    others = (array.sum(axis=1) - array[:, k]) / (len(LABELS) - 1)
    return array[:, k] - others
