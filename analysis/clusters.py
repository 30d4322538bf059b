"""Recurring ways in which a person sounds: shown only where they are distinct and found again each time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum

import numpy as np
from numpy.typing import ArrayLike
from scipy.optimize import linear_sum_assignment

from analysis.affect import checked_scores
from analysis.partitions import (
    SEED,
    best_partition,
    bootstrap_agreement,
    k_means,
    nearest_centers,
    silhouette_by_chance,
)
from analysis.projection import Basis, embedding_rows, fit_basis, row_blocks, unit_rows
from analysis.values import LABELS, UNINFORMATIVE

FEWEST_UTTERANCES = 40
LEAST_SILHOUETTE = 0.25
LEAST_AGREEMENT = 0.6
LEAST_EXCESS = 0.15
"""How far the silhouette must lie above that of a featureless cloud of the same shape.

A cloud that is long in one direction is cut in two at a silhouette of .6, and again and again in the same
place: separation and stability alone call it two patterns. The figures behind the choice stand in
docs/decisions/0301-patterns-against-a-cloud.md.
"""

LEAST_MEMBERS = 5
LEAST_SHARE = 0.05


MOST_FITTED = 20_000
"""Utterances that k-means looks at; of a longer history a random part, and the rest is assigned."""

FOLDS = 5
HELD_OUT_QUANTILE = 0.95
"""An utterance farther from every pattern than this share of those that its fit had not seen is novel."""

NOVEL_SHARE, GROWTH = 0.10, 0.20
FEWEST_ASSIGNED = 20
"""Utterances since the fit before their share of novel ones is judged; a choice."""

SAME_PATTERN = 0.5
"""Cosine of two centers from which on a pattern found again keeps its identity; a choice."""

LEAST_LABEL_SHARE = 0.05
"""A label with less of a pattern's mean scores does not name it, however rare it is otherwise; a choice."""


class Reason(StrEnum):
    """Why no patterns are shown."""

    TOO_FEW = "too_few_utterances"
    NO_SPREAD = "no_spread"
    NOT_SEPARATED = "not_separated"
    LIKE_A_CLOUD = "like_a_cloud"
    NOT_STABLE = "not_stable"
    TOO_SMALL = "too_small"


@dataclass(frozen=True, slots=True)
class Lift:
    """A label that is heard more in a pattern than otherwise.

    lift: its mean score in the pattern over that in all utterances, > 1. share: the former, 0..1.
    """

    label: str
    lift: float
    share: float


@dataclass(frozen=True, slots=True, eq=False)
class Pattern:
    """One recurring way of sounding.

    center: (D,) float32 unit offset from the basis' mean, comparable across fits. members: how many
    utterances. share: of all, 0..1. medoid: the row most like the others; typical: it and its three nearest.
    lifts: at most two labels, strongest first; empty where none stands out or no scores were given.
    """

    center: np.ndarray
    members: int
    share: float
    medoid: int
    typical: tuple[int, ...]
    lifts: tuple[Lift, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class Patterns:
    """What was found. ``reason`` is ``None`` when there are distinct patterns, else why there are none.

    n: utterances looked at. silhouette: mean cosine silhouette of the best partition, -1..1. agreement:
    mean adjusted Rand index over bootstrap resamples. chance: silhouette of a featureless cloud of the same
    shape. Each is ``None`` where an earlier gate has decided.
    patterns: most members first, empty with a reason. labels: (n,) place in ``patterns`` or -1.
    radius: cosine distance to the nearest center beyond which an utterance is novel.
    """

    n: int
    reason: Reason | None
    silhouette: float | None = None
    chance: float | None = None
    agreement: float | None = None
    patterns: tuple[Pattern, ...] = ()
    labels: np.ndarray = field(default_factory=lambda: np.empty(0, dtype=int))
    basis: Basis | None = None
    radius: float | None = None

    @property
    def assigner(self) -> Assigner | None:
        """Assigns further utterances; ``None`` without patterns."""
        if self.reason is not None:
            return None
        return Assigner(self.basis, np.array([p.center for p in self.patterns]), self.radius)


@dataclass(frozen=True, slots=True)
class Assignment:
    """pattern: place of the nearest center. distance: its cosine distance, 0..2. novel: beyond the radius."""

    pattern: int
    distance: float
    novel: bool


@dataclass(frozen=True, slots=True, eq=False)
class Assigner:
    """All that is kept to tell the pattern of one more utterance. centers: (k, D), as in ``Pattern``."""

    basis: Basis
    centers: np.ndarray
    radius: float

    def assign(self, embedding: ArrayLike) -> Assignment:
        """The pattern of a (D,) embedding. Raises ``ValueError`` for another dimension, NaN or infinity."""
        point = unit_rows(self.basis.project(np.asarray(embedding)[None]))
        distances = 1 - unit_rows(self.centers @ self.basis.axes.T) @ point[0]
        nearest = int(distances.argmin())
        distance = float(distances[nearest])
        return Assignment(nearest, distance, distance > self.radius)


def find_patterns(
    embeddings: ArrayLike,
    scores: ArrayLike | None = None,
    *,
    basis: Basis | None = None,
    seed: int = SEED,
) -> Patterns:
    """Recurring expressions among (n, D) embeddings of one series, oldest first, or why there are none.

    scores: (n, 9) calibrated, for the labels. basis: of the population; else the person's own. The gate:
    n ≥ 40, mean cosine silhouette ≥ .25, mean bootstrap agreement ≥ .6, each pattern ≥ max(5, 5 %).
    Raises ``ValueError`` for NaN, infinity, or scores that do not fit.
    """
    rows = embedding_rows(embeddings)
    scores = None if scores is None else _scores_of(scores, len(rows))
    if len(rows) < FEWEST_UTTERANCES:
        return Patterns(len(rows), Reason.TOO_FEW)
    return _judged(rows, scores, basis, seed)


def own_basis(rows: np.ndarray, given: Basis | None) -> Basis:
    """The person's own directions, or the given ones about the person's own mean.

    About the population's mean all of a person's utterances would lie on one side, that of their voice. The
    shares of variance are the person's.
    """
    if given is None:
        return fit_basis(rows)
    mean = sum(block.sum(axis=0, dtype=np.float64) for block in row_blocks(rows)) / len(rows)
    about = Basis(mean.astype(np.float32), given.axes, given.explained)
    total = sum(float(((block - about.mean) ** 2).sum(dtype=np.float64)) for block in row_blocks(rows))
    along = (about.project(rows).astype(np.float64) ** 2).sum(axis=0)
    return Basis(about.mean, about.axes, along / total if total > 0 else np.zeros(len(along)))


def _scores_of(scores: ArrayLike, n: int) -> np.ndarray:
    scores = checked_scores(scores)
    if scores.shape != (n, len(LABELS)) or np.isnan(scores).any():
        raise ValueError("pattern-scores: needs nine scores for each embedding")
    return scores


def _judged(rows: np.ndarray, scores: np.ndarray | None, given: Basis | None, seed: int) -> Patterns:
    basis = own_basis(rows, given)
    positions = basis.project(rows)
    if not positions.any():
        return Patterns(len(rows), Reason.NO_SPREAD)
    n, points, rng = len(rows), unit_rows(positions), np.random.default_rng(seed)
    sample = points if n <= MOST_FITTED else points[np.sort(rng.choice(n, MOST_FITTED, replace=False))]
    centers, silhouette = best_partition(sample, seed, _fewest(len(sample)))
    labels = nearest_centers(points, centers)
    sizes = np.bincount(labels, minlength=len(centers))
    if silhouette < LEAST_SILHOUETTE:
        return Patterns(n, Reason.NOT_SEPARATED, silhouette)
    if sizes.min() < _fewest(n):
        return Patterns(n, Reason.TOO_SMALL, silhouette)
    chance = silhouette_by_chance(positions, len(centers), rng)
    if silhouette < chance + LEAST_EXCESS:
        return Patterns(n, Reason.LIKE_A_CLOUD, silhouette, chance)
    agreement = bootstrap_agreement(sample, centers, rng)
    if agreement < LEAST_AGREEMENT:
        return Patterns(n, Reason.NOT_STABLE, silhouette, chance, agreement)
    order = np.argsort(-sizes, kind="stable")
    labels = np.argsort(order)[labels]
    found = tuple(_pattern(points, labels, i, basis, scores) for i in range(len(order)))
    radius = _held_out_radius(rows, len(order), given, seed)
    return Patterns(n, None, silhouette, chance, agreement, found, labels, basis, radius)


def _fewest(n: int) -> float:
    return max(LEAST_MEMBERS, LEAST_SHARE * n)


# --- What a pattern is ------------------------------------------------------------------------------------


def _pattern(
    points: np.ndarray, labels: np.ndarray, place: int, basis: Basis, scores: np.ndarray | None
) -> Pattern:
    members = np.flatnonzero(labels == place)
    center = points[members].mean(axis=0)
    typical = typical_members(points, members)
    return Pattern(
        center=unit_rows(basis.lift(center[None]))[0],
        members=len(members),
        share=len(members) / len(points),
        medoid=typical[0],
        typical=typical,
        lifts=() if scores is None else lifts(scores[members], scores),
    )


def typical_members(points: np.ndarray, members: np.ndarray, count: int = 4) -> tuple[int, ...]:
    """The medoid among ``members`` (smallest summed cosine distance), then those nearest to it."""
    own = points[members].astype(np.float64)
    medoid = int((own @ own.sum(axis=0)).argmax())
    closeness = own @ own[medoid]
    closeness[medoid] = np.inf
    return tuple(int(members[i]) for i in np.argsort(-closeness, kind="stable")[:count])


def lifts(inside: np.ndarray, all_scores: np.ndarray) -> tuple[Lift, ...]:
    """The two labels whose mean share rises most from all utterances (n, 9) to a pattern's (m, 9)."""
    here, usual = inside.mean(axis=0), all_scores.mean(axis=0)
    found = [
        Lift(label, float(here[i] / usual[i]), float(here[i]))
        for i, label in enumerate(LABELS)
        if label not in UNINFORMATIVE and here[i] >= LEAST_LABEL_SHARE and here[i] > usual[i]
    ]
    return tuple(sorted(found, key=lambda lift: -lift.lift)[:2])


def _held_out_radius(rows: np.ndarray, k: int, given: Basis | None, seed: int) -> float:
    """How far from its center an utterance lies that the fit has not seen: each fifth judged by the others.

    Distances of members to their own center are too small, for center and basis were chosen by them.
    """
    drawn = np.random.default_rng(seed).permutation(len(rows))[:MOST_FITTED]
    parts = [np.sort(drawn[i::FOLDS]) for i in range(FOLDS)]
    distances = []
    for part in parts:
        seen = rows[np.sort(np.setdiff1d(drawn, part))]
        distances.append(_unseen_distances(seen, rows[part], k, given, seed))
    return float(np.quantile(np.concatenate(distances), HELD_OUT_QUANTILE))


def _unseen_distances(
    seen: np.ndarray, unseen: np.ndarray, k: int, given: Basis | None, seed: int
) -> np.ndarray:
    basis = own_basis(seen, given)
    centers = unit_rows(k_means(unit_rows(basis.project(seen)), k, seed))
    return 1 - (unit_rows(basis.project(unseen)) @ centers.T).max(axis=1)


# --- Over time --------------------------------------------------------------------------------------------


def refit_due(*, fitted: int, assigned: int, novel: int) -> bool:
    """Whether patterns are to be looked for again: a fifth more utterances, or over a tenth of them novel.

    fitted: utterances of the last fit. assigned: since then; novel: of these.
    """
    if assigned >= GROWTH * fitted:
        return assigned > 0
    return assigned >= FEWEST_ASSIGNED and novel > NOVEL_SHARE * assigned


def match_patterns(
    before: Sequence[np.ndarray], after: Sequence[np.ndarray], shared: ArrayLike | None = None
) -> list[int | None]:
    """For each center found now, the earlier one that it continues, or ``None`` for a new pattern.

    shared: (after, before) share of an earlier pattern's utterances, as far as they are still there, that the
    new one holds, 0..1. Centers are offsets from the person's mean, and that moves when another pattern comes
    or goes; whoever keeps its utterances is the same. The pairing with the largest summed likeness (Hungarian
    method), the larger of cosine and share, of which pairs below .5 are no pairs.
    Raises ``ValueError`` when the embeddings' dimension has changed: another series.
    """
    found: list[int | None] = [None] * len(after)
    if not len(before) or not len(after):
        return found
    similar = unit_rows(np.array(after)) @ unit_rows(np.array(before)).T
    if shared is not None:
        similar = np.maximum(similar, np.asarray(shared))
    for new, old in zip(*linear_sum_assignment(-similar), strict=True):
        found[new] = int(old) if similar[new, old] >= SAME_PATTERN else None
    return found


# --- Many people ------------------------------------------------------------------------------------------


def without_person(embeddings: ArrayLike, people: ArrayLike) -> np.ndarray:
    """(n, D) float32 embeddings less each person's own mean: else clusters are speakers, not moods.

    people: (n,) who speaks. A person's mean over one utterance leaves nothing of it, so pass people with
    many.
    """
    rows = embedding_rows(embeddings).astype(np.float32)
    _names, person = np.unique(np.asarray(people), return_inverse=True)
    if person.shape != (len(rows),):
        raise ValueError("population-people: needs one person for each embedding")
    sums = np.zeros((person.max(initial=-1) + 1, rows.shape[1]))
    np.add.at(sums, person, rows)
    means = sums / np.bincount(person)[:, None]
    return rows - means.astype(np.float32)[person]


def find_population_patterns(
    embeddings: ArrayLike, people: ArrayLike, scores: ArrayLike | None = None, *, seed: int = SEED
) -> Patterns:
    """Like ``find_patterns`` across people, each person's mean removed first."""
    return find_patterns(without_person(embeddings, people), scores, seed=seed)
