"""The small curve of a client's year, in own spreads, so that all usual ranges are equally high."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from emotrack.mood.queries import CASELOAD_DAYS, SessionPoint, Standing

WIDTH, HEIGHT, INSET = 244.0, 44.0, 4.0
UNIT_PX = 5.6
"""Height of one own spread."""

GAP = timedelta(days=35)
"""A longer time without a session breaks the line."""


@dataclass(frozen=True, slots=True)
class Spark:
    """lines: SVG points of each unbroken stretch. dots: (x, y) of lone sessions.

    last: place of the last session, or ``None``. usual: whether there is a usual range to draw.
    """

    lines: Sequence[str]
    dots: Sequence[tuple[float, float]]
    last: tuple[float, float] | None
    usual: bool


def sparkline(points: Sequence[SessionPoint], standing: Standing, now: datetime) -> Spark:
    """Sessions of the last year left to right; without a usual range, dots on a level line."""
    placed: list[list[tuple[float, float]]] = []
    before: datetime | None = None
    distances = standing.distances or [None] * len(points)
    for point, distance in zip(points, distances, strict=True):
        if not point.says_enough:
            before = None
            continue
        place = (_x(point.started_at, now), _y(distance or 0.0))
        joined = standing.distances and before is not None and point.started_at - before <= GAP
        placed[-1].append(place) if joined else placed.append([place])
        before = point.started_at
    lines = [" ".join(f"{x:.1f},{y:.1f}" for x, y in run) for run in placed if len(run) > 1]
    dots = [run[0] for run in placed if len(run) == 1]
    return Spark(lines, dots, placed[-1][-1] if placed else None, standing.band is not None)


def _x(at: datetime, now: datetime) -> float:
    age = (now - at) / timedelta(days=CASELOAD_DAYS)
    return round(INSET + (1 - min(max(age, 0.0), 1.0)) * (WIDTH - 2 * INSET), 1)


def _y(distance: float) -> float:
    y = HEIGHT / 2 - distance * UNIT_PX
    return round(min(max(y, INSET), HEIGHT - INSET), 1)
