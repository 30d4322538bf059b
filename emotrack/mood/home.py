"""Where a client's mood dwells: the band of the beginning of their whole history, whatever is shown."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import numpy as np
from django.db.models import QuerySet

from analysis.home_base import BASE_VALUES, HomeBase, home_base, rolling_means
from emotrack.history.models import Client, ReadingState, Recognizer
from emotrack.mood.models import MoodPoint
from emotrack.mood.movement import Span

FIRST_LOOK = 500
"""Readings of the beginning that nearly always hold 60 rolling values; where they do not, all are read."""


@dataclass(frozen=True, slots=True)
class Beginning:
    """What a home base rests on. valence, arousal: bands, ``None`` while n rolling values are below 60.

    since, until: of the readings that it rests on, ``None`` while it is forming.
    """

    n: int
    valence: HomeBase | None = None
    arousal: HomeBase | None = None
    since: datetime | None = None
    until: datetime | None = None


def beginning_of(client: Client, recognizer: Recognizer) -> Beginning:
    """The home base of the series, from its first 60 rolling values on."""
    rows = _readings(client, recognizer, Span())
    found = list(rows[:FIRST_LOOK])
    smoothed, last = _smoothed(found, "valence")
    if len(smoothed) < BASE_VALUES and len(found) == FIRST_LOOK:
        found = list(rows)
        smoothed, last = _smoothed(found, "valence")
    if len(smoothed) < BASE_VALUES:
        return Beginning(len(smoothed))
    return Beginning(
        len(smoothed),
        home_base(smoothed),
        home_base(_smoothed(found, "arousal")[0]),
        found[0]["occurred_at"],
        found[last[BASE_VALUES - 1]]["occurred_at"],
    )


def share_at_home(
    client: Client, recognizer: Recognizer, span: Span, base: HomeBase, dimension: str
) -> float | None:
    """The share of the span's rolling values that lie within the band, 0..1; ``None`` without any."""
    smoothed, _last = _smoothed(list(_readings(client, recognizer, span)), dimension)
    return float((base.side(smoothed) == 0).mean()) if len(smoothed) else None


def _readings(client: Client, recognizer: Recognizer, span: Span) -> QuerySet:
    points = MoodPoint.objects.filter(client=client, recognizer=recognizer, reading=ReadingState.OK)
    rows = span.of(points, "occurred_at").order_by("occurred_at", "utterance_id")
    return rows.values("occurred_at", "session_id", "valence", "arousal")


def _smoothed(rows: list[dict], dimension: str) -> tuple[np.ndarray, np.ndarray]:
    return rolling_means(
        np.array([row[dimension] for row in rows], dtype=np.float64),
        np.array([row["session_id"] for row in rows], dtype=np.int64),
    )
