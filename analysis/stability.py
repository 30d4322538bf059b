"""Whether a recognizer hands out its labels as it used to."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import chdtri

from analysis.dynamics import Figure, figure

SHIFTED = 0.2
"""An index beyond this is commonly called a shift (Siddiqi 2006)."""

MIN_UTTERANCES_STABILITY = 200
"""Utterances on each side: with nine labels and fewer, chance alone comes near the line."""

CELL_PRIOR = 0.5


def population_stability_index(before: ArrayLike, after: ArrayLike) -> Figure:
    """How far the shares of labels have moved from one period to another; 0 for not at all, no upper bound.

    before, after: (k,) counts of each label. PSI = Σ (a − b)·ln(a/b) over the shares, half an utterance added
    to each count so that a label never heard is no infinity; it is the divergence of Kullback & Leibler
    (1951), both ways added. n: the smaller side, at least 200, else ``too_few_values``.
    """
    b, a = _counts(before), _counts(after)
    if len(a) != len(b):
        raise ValueError("stability-labels: both sides need a count for each label")
    n = int(min(a.sum(), b.sum()))
    p, q = ((x + CELL_PRIOR) / (x + CELL_PRIOR).sum() for x in (a, b))
    return figure(float(((p - q) * np.log(p / q)).sum()), n, MIN_UTTERANCES_STABILITY, "too_few_values")


def stability_by_chance(before: int, after: int, labels: int, quantile: float = 0.95) -> float:
    """The index that a steady recognizer stays below in this share of cases, utterances being independent.

    before, after: how many utterances. PSI is then about (1/before + 1/after)·χ² with labels − 1 degrees of
    freedom (Yurdakul 2018). Utterances of few people are not independent: it takes more than this.
    """
    if min(before, after) < 1 or labels < 2 or not 0 < quantile < 1:
        raise ValueError("stability-chance: needs utterances on both sides, two labels, a quantile in 0..1")
    return float(chdtri(labels - 1, 1 - quantile)) * (1 / before + 1 / after)


def _counts(counts: ArrayLike) -> np.ndarray:
    array = np.asarray(counts, dtype=np.float64)
    if array.ndim != 1 or len(array) < 2 or not (np.isfinite(array).all() and (array >= 0).all()):
        raise ValueError("stability-counts: needs finite counts of at least 0 for two labels or more")
    return array
