"""One client's series under a rule, and the strips of many, as plain shapes for an inline drawing."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

import numpy as np
from django.utils import timezone
from django.utils.formats import date_format

from analysis.thinning import thin
from emotrack.alerts.tuning.close_look import CloseLook, UsualBand
from emotrack.web.terms import number

WIDTH, LEAST_WIDTH, MOST_WIDTH = 760, 280, 2000
HEIGHT, LEFT, RIGHT, TOP, BOTTOM = 250, 40, 62, 22, 26
MOST_POINTS = 1500
APART = 2.5
"""Room between two sessions, in turns."""

TICK_ROOM = 64


@dataclass(frozen=True, slots=True)
class Tick:
    at: float
    words: str


@dataclass(frozen=True, slots=True)
class Shade:
    x: float
    width: float
    middle: float
    number: int


@dataclass(frozen=True, slots=True)
class Band:
    x: float
    width: float
    y: float
    height: float


@dataclass(frozen=True, slots=True)
class RuleChart:
    """Places in pixels. low, high: values at the foot and the head, so that a script can move the line."""

    width: int
    low: float
    high: float
    lines: Sequence[str]
    dots: Sequence[tuple[float, float]]
    shades: Sequence[Shade]
    threshold: float
    threshold_y: float
    recovery_y: float
    days: Sequence[Tick]
    values: Sequence[Tick]
    step: float
    bands: Sequence[Band] = ()

    height = HEIGHT
    left = LEFT
    top = TOP
    foot = HEIGHT - BOTTOM
    shade_height = HEIGHT - BOTTOM - TOP

    @property
    def right(self) -> float:
        return self.width - RIGHT


def rule_chart(
    look: CloseLook, threshold: float, recovery: float, *, by_turn: bool, width: int = WIDTH
) -> RuleChart | None:
    """by_turn: turns stand side by side, sessions a little apart; else days are to scale."""
    if not look.values:
        return None
    width = min(max(width, LEAST_WIDTH), MOST_WIDTH)
    places = _side_by_side(look.session) if by_turn else _to_scale(look.at)
    span = max(places[-1] - places[0], 1.0)
    x = LEFT + (np.array(places) - places[0]) * (width - LEFT - RIGHT) / span
    bounds = [bound for band in look.usual for bound in (band.low, band.high)]
    low, high = _range([*look.values, threshold, recovery, *bounds])

    def y(value: float) -> float:
        return round(TOP + (high - value) / (high - low) * (HEIGHT - TOP - BOTTOM), 1)

    runs = _runs(look, by_turn)
    points = [[(float(x[i]), y(look.values[i])) for i in run] for run in runs]
    return RuleChart(
        width=width,
        low=low,
        high=high,
        lines=[" ".join(f"{px:.1f},{py:.1f}" for px, py in run) for run in points if len(run) > 1],
        dots=[run[0] for run in points if len(run) == 1],
        shades=[_shade(n, float(x[one.first]), float(x[one.last])) for n, one in enumerate(look.episodes, 1)],
        threshold=threshold,
        threshold_y=y(threshold),
        recovery_y=y(recovery),
        days=_days(look.at, x, width),
        values=[Tick(y(value), number(value)) for value in _round_values(low, high)],
        step=10.0 ** math.floor(math.log10((high - low) / 20)),
        bands=[_band(one, x, y) for one in look.usual],
    )


def _band(usual: UsualBand, x: np.ndarray, y: Callable[[float], float]) -> Band:
    left, top = float(x[usual.first]) - 2, y(usual.high)
    return Band(round(left, 1), round(float(x[usual.last]) + 2 - left, 1), top, round(y(usual.low) - top, 1))


def _side_by_side(sessions: Sequence[int]) -> list[float]:
    places, at = [], 0.0
    for n, session in enumerate(sessions):
        at += 1.0 + (APART if n and session != sessions[n - 1] else 0.0)
        places.append(at)
    return places


def _to_scale(at: Sequence[datetime]) -> list[float]:
    return [moment.timestamp() / 86_400 for moment in at]


def _runs(look: CloseLook, by_turn: bool) -> list[list[int]]:
    """Positions of each unbroken stretch, thinned to what the eye can tell apart."""
    times = np.arange(len(look.values), dtype=np.float64)
    kept = thin(times, np.array(look.values), MOST_POINTS).tolist()
    runs: list[list[int]] = []
    for i in kept:
        if runs and not (by_turn and look.session[i] != look.session[runs[-1][-1]]):
            runs[-1].append(i)
        else:
            runs.append([i])
    return runs


def _range(values: Sequence[float]) -> tuple[float, float]:
    low, high = min(values), max(values)
    pad = (high - low) * 0.08 or 0.5
    return low - pad, high + pad


def _shade(n: int, first: float, last: float) -> Shade:
    left, right = first - 4, last + 4
    return Shade(round(left, 1), round(right - left, 1), round((left + right) / 2, 1), n)


def _round_values(low: float, high: float) -> list[float]:
    rough = (high - low) / 4
    scale = 10.0 ** math.floor(math.log10(rough))
    step = next(scale * k for k in (1, 2, 5, 10) if scale * k >= rough)
    first = math.ceil(low / step)
    return [round(step * k, 10) for k in range(first, math.floor(high / step) + 1)]


def _days(at: Sequence[datetime], x: np.ndarray, width: int) -> list[Tick]:
    ticks: list[Tick] = []
    for moment, place in zip(at, x, strict=True):
        if (not ticks or place - ticks[-1].at >= TICK_ROOM) and place <= width - RIGHT - TICK_ROOM / 2:
            ticks.append(Tick(round(float(place), 1), day_words(timezone.localdate(moment))))
    return ticks


def day_words(day: date) -> str:
    return date_format(day, "j M")


@dataclass(frozen=True, slots=True)
class Strip:
    """One client. sessions, fires, dropped: places in percent of the width; count: would-be alerts."""

    name: str
    sessions: Sequence[float]
    fires: Sequence[float]
    dropped: Sequence[float]
    count: int


def strip_place(at: datetime, since: datetime, span: timedelta) -> float:
    return round(1.5 + (at - since) / span * 97, 1)
