"""Where a mood usually dwells, how far it is displaced from there, and how fast it rises and recovers."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import ArrayLike

from analysis.dynamics import checked_ids, series

ROLLING = 5
"""Valid utterances in a rolling mean."""

BASE_VALUES = 60
"""Rolling values that a home base rests on; before there are so many there is none."""


@dataclass(frozen=True, slots=True)
class HomeBase:
    """The band where a mood dwells: center ± radius, edges included."""

    center: float
    radius: float

    @property
    def low(self) -> float:
        return self.center - self.radius

    @property
    def high(self) -> float:
        return self.center + self.radius

    def side(self, smoothed: ArrayLike) -> np.ndarray:
        """(n,) 1 above the band, -1 below, 0 at home."""
        x = np.asarray(smoothed, dtype=np.float64)
        return (x > self.high).astype(np.int64) - (x < self.low)

    def distance(self, smoothed: ArrayLike) -> np.ndarray:
        """(n,) how far outside the band, 0 at home."""
        x = np.asarray(smoothed, dtype=np.float64)
        return np.where(x > self.high, x - self.high, np.where(x < self.low, self.low - x, 0.0))


@dataclass(frozen=True, slots=True)
class Displacement:
    """A stay outside the home base. start, stop: positions in the rolling values, half-open.

    side: 1 above, -1 below (of its first point). peak: largest distance from the band; peak_at: its
    position, the first of equals. rise_rate, recovery_rate: the peak over the points before and after it;
    ``None`` where there are none. closed: whether it ended before its session did.
    """

    start: int
    stop: int
    side: int
    peak: float
    peak_at: int
    rise_rate: float | None
    recovery_rate: float | None
    closed: bool

    @property
    def length(self) -> int:
        return self.stop - self.start


@dataclass(frozen=True, slots=True)
class Dwelling:
    """How a mood dwells and is displaced. base, displacements: ``None`` and empty before 60 rolling values.

    n: rolling values. home_share: of them at home, 0..1. coverage: valid / all utterances.
    mean_peak, mean_length (points), rise_rate, recovery_rate: means over displacements (rates over those that
    have one). low, high: displacements below and above. reason: ``home_base_forming`` or ``None``.
    """

    base: HomeBase | None
    displacements: tuple[Displacement, ...]
    n: int
    coverage: float | None
    home_share: float | None = None
    mean_peak: float | None = None
    mean_length: float | None = None
    rise_rate: float | None = None
    recovery_rate: float | None = None
    low: int = 0
    high: int = 0
    reason: str | None = None


def rolling_means(values: ArrayLike, sessions: ArrayLike | None = None) -> tuple[np.ndarray, np.ndarray]:
    """The means of 5 valid utterances in a row, (m,), and the position of each one's last utterance, (m,).

    values: (n,), oldest first, NaN for an abstention, which is stepped over. No mean spans two sessions.
    """
    x = series(values)
    rows = np.flatnonzero(~np.isnan(x))
    ids = checked_ids(sessions, len(x))[rows]
    if len(rows) < ROLLING:
        return np.empty(0), np.empty(0, dtype=np.int64)
    windows = np.lib.stride_tricks.sliding_window_view(x[rows], ROLLING)
    whole = ids[ROLLING - 1 :] == ids[: len(windows)]
    return windows.mean(axis=1)[whole], rows[ROLLING - 1 :][whole]


def home_base(smoothed: ArrayLike, first: int | None = BASE_VALUES) -> HomeBase | None:
    """The band of the first rolling values: mean ± population SD (Hipson & Mohammad 2021).

    smoothed: (n,) without gaps. first: how many of them, 60 in the product; ``None`` for all. ``None`` where
    there are fewer.
    """
    x = _smoothed(smoothed)
    if len(x) < max(1 if first is None else first, 1):
        return None
    x = x[:first]
    if np.ptp(x) == 0:  # a mean of equals may differ from them in its last digit
        return HomeBase(float(x[0]), 0.0)
    return HomeBase(float(x.mean()), float(x.std()))


def _smoothed(values: ArrayLike) -> np.ndarray:
    x = series(values)
    if np.isnan(x).any():
        raise ValueError("home-base-gaps: rolling values have no gaps")
    return x


def displacements(
    smoothed: ArrayLike,
    base: HomeBase,
    sessions: ArrayLike | None = None,
    *,
    compat_emotiondynamics: bool = False,
) -> list[Displacement]:
    """The stays outside the home base, oldest first; none spans two sessions.

    A leap from above to below without a point at home ends one displacement and begins another. With
    ``compat_emotiondynamics`` it is one, as in the published code.
    """
    x = _smoothed(smoothed)
    side, distance, ids = base.side(x), base.distance(x), checked_ids(sessions, len(x))
    state = np.abs(side) if compat_emotiondynamics else side
    cuts = np.flatnonzero((state[1:] != state[:-1]) | (ids[1:] != ids[:-1])) + 1
    edges = [0, *cuts.tolist(), len(x)]
    return [
        _displacement(a, b, side, distance, closed=b < len(x) and bool(ids[b] == ids[a]))
        for a, b in pairwise(edges)
        if a < len(x) and side[a] != 0
    ]


def _displacement(
    start: int, stop: int, side: np.ndarray, distance: np.ndarray, closed: bool
) -> Displacement:
    at = start + int(distance[start:stop].argmax())
    peak, before, after = float(distance[at]), at - start, stop - 1 - at
    rise, recovery = peak / before if before else None, peak / after if after else None
    return Displacement(start, stop, int(side[start]), peak, at, rise, recovery, closed)


def dwelling(values: ArrayLike, sessions: ArrayLike | None = None) -> Dwelling:
    """Home base and displacements of a series, from 60 rolling values on.

    values: (n,), oldest first, NaN for an abstention. sessions: (n,) ids. The base rests on the first 60
    rolling values and stays; everything since the first is held against it.
    """
    x = series(values)
    smoothed, last = rolling_means(x, sessions)
    coverage = float((~np.isnan(x)).mean()) if len(x) else None
    base = home_base(smoothed)
    if base is None:
        return Dwelling(None, (), len(smoothed), coverage, reason="home_base_forming")
    found = displacements(smoothed, base, checked_ids(sessions, len(x))[last])
    return Dwelling(
        base,
        tuple(found),
        len(smoothed),
        coverage,
        home_share=float((base.side(smoothed) == 0).mean()),
        mean_peak=_mean([d.peak for d in found]),
        mean_length=_mean([d.length for d in found]),
        rise_rate=_mean([d.rise_rate for d in found]),
        recovery_rate=_mean([d.recovery_rate for d in found]),
        low=sum(d.side < 0 for d in found),
        high=sum(d.side > 0 for d in found),
    )


def _mean(values: list) -> float | None:
    there = [value for value in values if value is not None]
    return float(np.mean(there)) if there else None


def emotiondynamics_summary(smoothed: ArrayLike, min_length: int = 1) -> dict[str, float | None]:
    """The averages that the published code gives for a series of rolling values, its habits included.

    smoothed: (n,), n >= 2; the base is the whole series. min_length: shorter displacements have no length and
    no rates. Its habits: averages are over *points*, so long displacements weigh more; distance and peak
    count points at home as 0; a leap from above to below is one displacement, whose points lend their own
    side to its rates; ``disp_count`` starts at 1 and grows when a displacement ends at home.
    """
    x = _smoothed(smoothed)
    base = home_base(x, None)
    if base is None or len(x) < 2:
        raise ValueError("home-base-values: needs at least two rolling values")
    found, side = displacements(x, base, compat_emotiondynamics=True), base.side(x)
    columns = _point_columns(found, len(x), min_length)
    ended = [side[d.stop - 1] for d in found if d.closed]
    return {
        "emo_std": float(x.std(ddof=1)),
        "emo_mean": float(x.mean()),
        "in_home_base": float((side == 0).mean()),
        "dist_home_base": float(base.distance(x).mean()),
        "peak_dist": float(columns["peak_dist"].mean()),
        "disp_length": _point_mean(columns["disp_length"]),
        **_rates(columns, side),
        "disp_count": float(len(ended) + 1),
        "low_disp_count": float(sum(s < 0 for s in ended) + 1),
        "high_disp_count": float(sum(s > 0 for s in ended) + 1),
    }


def _point_columns(found: list[Displacement], n: int, min_length: int) -> dict[str, np.ndarray]:
    """(n,) each: what every point is given of its displacement; NaN where it has none."""
    peaks = np.zeros(n)
    lengths, rises, recoveries = (np.full(n, np.nan) for _ in range(3))
    for d in found:
        peaks[d.start : d.stop] = d.peak
        if d.length >= min_length:
            lengths[d.start : d.stop] = d.length
            rises[d.start : d.peak_at] = d.rise_rate
            recoveries[d.peak_at + 1 : d.stop] = d.recovery_rate
    return {"peak_dist": peaks, "disp_length": lengths, "rise_rate": rises, "recovery_rate": recoveries}


def _rates(columns: dict[str, np.ndarray], side: np.ndarray) -> dict[str, float | None]:
    found = {}
    for name in ("rise_rate", "recovery_rate"):
        found[name] = _point_mean(columns[name])
        found[f"low_{name}"] = _point_mean(columns[name][side < 0])
        found[f"high_{name}"] = _point_mean(columns[name][side > 0])
    return found


def _point_mean(values: np.ndarray) -> float | None:
    there = values[~np.isnan(values)]
    return float(there.mean()) if len(there) else None
