"""How long a mood carries over: the time in which half of a deviation from the session's mean is gone."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import ArrayLike

from analysis.dynamics import checked_ids, series
from analysis.movement import checked_times

MIN_PAIRS = 20
"""Pairs of neighbors in a session before a half-life is looked for."""

GRID = 25
ROUNDS = 6
"""The likelihood is read on 25 half-lives, then again between the best one's neighbors, 6 times over."""

SHORTEST = 0.15
"""The shortest half-life looked for, as a share of the shortest gap: one percent is left after it."""

SECONDS_PER_MINUTE = 60.0


@dataclass(frozen=True, slots=True)
class Inertia:
    """How long a mood carries over.

    half_life_min: minutes until half of a deviation is gone. carry_over: what is left of it after the median
    gap between neighbors, 0..1. n: pairs it rests on.
    reason: why there is no half-life (``too_few_pairs``, ``no_variation``, ``no_carry_over``, where it is
    gone before the next utterance or swings back, ``longer_than_a_session``), else ``None``.
    """

    half_life_min: float | None
    carry_over: float | None
    n: int
    reason: str | None = None


@dataclass(frozen=True, slots=True, eq=False)
class _Chains:
    """Session-centered values: what each chain starts with, then every pair with its gap."""

    first: np.ndarray
    before: np.ndarray
    after: np.ndarray
    gap_s: np.ndarray
    longest_s: float

    def misfit(self, half_life_s: float) -> float:
        """−2 log likelihood, up to a constant, at the best variance for this half-life."""
        kept = 2.0 ** (-self.gap_s / half_life_s)
        share = -np.expm1(-2 * math.log(2) * self.gap_s / half_life_s)
        squares = (self.first**2).sum() + ((self.after - kept * self.before) ** 2 / share).sum()
        count = len(self.first) + len(self.gap_s)
        return float(count * math.log(squares / count) + np.log(share).sum())


def inertia(values: ArrayLike, times_s: ArrayLike, sessions: ArrayLike | None = None) -> Inertia:
    """The half-life of a mood, by maximum likelihood of a continuous-time AR(1) (Ornstein–Uhlenbeck).

    values: (n,), oldest first, NaN for an abstention, which is stepped over: true gaps count. times_s: (n,)
    seconds; values at one time are averaged. sessions: (n,) ids; each is centered at its own mean, nothing
    carries over between them. x(t+Δ) = φ·x(t) + noise, φ = 2^(−Δ/half-life), noise variance σ²(1 − φ²).
    (Form: Kuppens, Allen & Sheeber 2010 for inertia; de Haan-Rietdijk and others 2017 for continuous time.)
    Centering within short sessions shortens what is found: docs/measures.md has by how much.
    """
    x = series(values)
    largest = np.nanmax(np.abs(x), initial=0.0)
    chains = _chains(x / largest if largest > 0 else x, times_s, sessions)
    n = len(chains.gap_s)
    if n < MIN_PAIRS:
        return Inertia(None, None, n, "too_few_pairs")
    if not (chains.after != chains.before).any():
        return Inertia(None, None, n, "no_variation")
    low, high = SHORTEST * float(chains.gap_s.min()), chains.longest_s
    found = _least(chains, low, high)
    if found <= low * 1.01 or chains.misfit(found) >= chains.misfit(low):
        return Inertia(None, 0.0, n, "no_carry_over")
    carried = 2.0 ** (-float(np.median(chains.gap_s)) / found)
    if found >= high * 0.99:
        return Inertia(None, carried, n, "longer_than_a_session")
    return Inertia(found / SECONDS_PER_MINUTE, carried, n)


def _least(chains: _Chains, low: float, high: float) -> float:
    best = low
    for _ in range(ROUNDS):
        grid = np.geomspace(low, high, GRID)
        k = int(np.argmin([chains.misfit(float(h)) for h in grid]))
        low, best, high = (float(grid[min(max(i, 0), GRID - 1)]) for i in (k - 1, k, k + 1))
    return best


def _chains(x: np.ndarray, times_s: ArrayLike, sessions: ArrayLike | None) -> _Chains:
    t, ids = checked_times(times_s, len(x)), checked_ids(sessions, len(x))
    rows = np.flatnonzero(~np.isnan(x))
    cuts = [0, *(np.flatnonzero(ids[rows][1:] != ids[rows][:-1]) + 1), len(rows)]
    parts = [_centered(t[rows[a:b]], x[rows[a:b]]) for a, b in pairwise(cuts)]
    parts = [(at, value) for at, value in parts if len(at) > 1]
    return _Chains(
        np.array([value[0] for _, value in parts]),
        _joined([value[:-1] for _, value in parts]),
        _joined([value[1:] for _, value in parts]),
        _joined([np.diff(at) for at, _ in parts]),
        max((float(at[-1] - at[0]) for at, _ in parts), default=0.0),
    )


def _joined(parts: list[np.ndarray]) -> np.ndarray:
    return np.concatenate(parts) if parts else np.empty(0)


def _centered(times: np.ndarray, values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """One session: its distinct times, and the mean value at each less the session's mean."""
    at, where, counts = np.unique(times, return_inverse=True, return_counts=True)
    means = np.bincount(where, weights=values, minlength=len(at)) / counts if len(at) else values
    if len(values) and np.ptp(values) == 0:
        return at, np.zeros(len(at))
    return at, means - (means.mean() if len(at) else 0.0)
