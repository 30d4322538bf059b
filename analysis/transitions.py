"""Which emotion follows which, and how mixed the emotions are over time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from analysis.affect import AFFECT_LABELS, entropy
from analysis.dynamics import Figure, checked_ids, figure

MIN_EXITS = 10
"""Exits from a label before the shares of what follows it are shown."""

MIN_UTTERANCES_MIX = 20
"""Utterances before the mix over time is shown."""


@dataclass(frozen=True, slots=True, eq=False)
class Transitions:
    """What follows each label, within sessions; rows and columns in the order of ``AFFECT_LABELS``.

    counts: (7, 7) int64, from row to column, staying included. exits: (7,) sums of the rows.
    shares: (7, 7) rows adding up to 1; NaN in rows with fewer than 10 exits.
    reason: ``too_few_exits`` where no row has shares, else ``None``. coverage: labeled / all, ``None``
    without any utterance.
    """

    counts: np.ndarray
    exits: np.ndarray
    shares: np.ndarray
    coverage: float | None
    reason: str | None = None


def _codes(labels: Sequence[str | None]) -> np.ndarray:
    """(n,) positions in ``AFFECT_LABELS``, -1 for an abstention."""
    known = {label: i for i, label in enumerate(AFFECT_LABELS)} | {None: -1}
    unknown = sorted({str(label) for label in labels if label not in known})
    if unknown:
        raise ValueError(f"transitions-label: {unknown} are none of {', '.join(AFFECT_LABELS)}")
    return np.array([known[label] for label in labels], dtype=np.int64)


def transitions(labels: Sequence[str | None], sessions: ArrayLike | None = None) -> Transitions:
    """From dominant label to dominant label, oldest first.

    labels: n dominant affective labels, ``None`` for an abstention, which breaks the chain. sessions: (n,)
    ids; no chain spans two. Raises ``ValueError`` for a label that says nothing about affect, or is none.
    """
    codes, size = _codes(labels), len(AFFECT_LABELS)
    ids = checked_ids(sessions, len(codes))
    chained = (codes[1:] >= 0) & (codes[:-1] >= 0) & (ids[1:] == ids[:-1])
    pairs = codes[:-1][chained] * size + codes[1:][chained]
    counts = np.bincount(pairs, minlength=size * size).reshape(size, size)
    exits = counts.sum(axis=1)
    enough = np.where(exits >= MIN_EXITS, exits, np.nan)
    share = float((codes >= 0).mean()) if len(codes) else None
    reason = None if (exits >= MIN_EXITS).any() else "too_few_exits"
    return Transitions(counts, exits, counts / enough[:, None], share, reason)


def entropy_of_counts(counts: ArrayLike, labels: int) -> float:
    """How mixed a bag of labels is, 0..1: entropy with the Miller–Madow correction, over ln labels.

    counts: (k,) how often each label was seen; labels: how many there could be, at least 2.
    H = −Σ p ln p + (seen − 1) / 2n (Miller 1955), capped at ln labels; NaN without any observation.
    """
    seen = np.asarray(counts, dtype=np.float64)
    if (
        seen.ndim != 1
        or labels < 2
        or len(seen) > labels
        or not (np.isfinite(seen).all() and (seen >= 0).all())
    ):
        raise ValueError("entropy-counts: needs (k,) counts of at least 0, k <= labels and at least 2 labels")
    n = seen.sum()
    if n == 0:
        return float("nan")
    corrected = float(entropy(seen / n)) + (np.count_nonzero(seen) - 1) / (2 * n)
    return min(corrected / float(np.log(labels)), 1.0)


def mix(labels: Sequence[str | None]) -> Figure:
    """How mixed the dominant labels are over time, 0 (always one) to 1 (all seven alike); 20 utterances.

    labels: as in ``transitions``; order and sessions do not matter, abstentions are left out.
    """
    codes = _codes(labels)
    counts = np.bincount(codes[codes >= 0], minlength=len(AFFECT_LABELS))
    n = int(counts.sum())
    return figure(entropy_of_counts(counts, len(AFFECT_LABELS)), n, MIN_UTTERANCES_MIX, "too_few_values")
