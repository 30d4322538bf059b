"""Reads of how a client's mood moved: by utterance, by session or by day, and all that is said about it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

import numpy as np
from django.db.models import Avg, Count, F, Max, Min, Q, QuerySet
from django.db.models.functions import TruncDate
from django.utils import timezone

from analysis.affect import AFFECT_LABELS, AFFECTIVE
from analysis.profile import DimensionProfile, MoodSeries, Profile, dimension_profile, profile
from analysis.transitions import Transitions, transitions
from analysis.trend import Trend
from emotrack.history.models import Client, ReadingState, Recognizer
from emotrack.mood.leaps import DIMENSIONS, leap_lines, leap_steps
from emotrack.mood.models import LeapLines, MoodPoint
from emotrack.mood.queries import calibrated_shares, session_points, trend_of

_OK = Q(reading=ReadingState.OK)


class Resolution(StrEnum):
    UTTERANCE = "utterance"
    SESSION = "session"
    DAY = "day"


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of time, ``after`` included, ``before`` not; ``None`` is open."""

    after: datetime | None = None
    before: datetime | None = None

    def of(self, rows: QuerySet, column: str) -> QuerySet:
        if self.after is not None:
            rows = rows.filter(**{f"{column}__gte": self.after})
        return rows if self.before is None else rows.filter(**{f"{column}__lt": self.before})

    def holds(self, at: datetime) -> bool:
        return (self.after is None or at >= self.after) and (self.before is None or at < self.before)


def _points(client: Client, recognizer: Recognizer, span: Span) -> QuerySet[MoodPoint]:
    return span.of(MoodPoint.objects.filter(client=client, recognizer=recognizer), "occurred_at")


def mood_rows(
    client: Client, recognizer: Recognizer, span: Span, resolution: Resolution
) -> list[dict[str, Any]]:
    """One row an utterance, a session or a day of the installation's zone, oldest first.

    Each: at, until, session and utterance (public ids or ``None``), utterances, valid, valence, arousal,
    dominance (means over valid ones), level and level_arousal (of an utterance only), volatility (mean),
    peak_volatility_z. A gap is ``None``.
    """
    points = _points(client, recognizer, span)
    if resolution is Resolution.UTTERANCE:
        return _utterance_rows(points)
    key = {"session_id": F("session__public_id")}
    if resolution is Resolution.DAY:
        key = {"day": TruncDate("occurred_at", tzinfo=timezone.get_default_timezone())}
    grouped = points.values(**{f"key_{name}": value for name, value in key.items()})
    figures = grouped.annotate(
        at=Min("occurred_at"), until=Max("ended_at"), utterances=Count("pk"), valid=Count("pk", filter=_OK),
        mean_valence=Avg("valence"), mean_arousal=Avg("arousal"), mean_dominance=Avg("dominance"),
        mean_volatility=Avg("volatility"), peak=Max("volatility_z"),
    )  # fmt: skip
    return [_group_row(row) for row in figures.order_by("at")]


def _group_row(row: dict[str, Any]) -> dict[str, Any]:
    kept = {name: row[name] for name in ("at", "until", "utterances", "valid")}
    means = {name: row[f"mean_{name}"] for name in ("valence", "arousal", "dominance", "volatility")}
    return kept | means | {
        "session": row.get("key_session_id"), "utterance": None, "level": None, "level_arousal": None,
        "peak_volatility_z": row["peak"],
    }  # fmt: skip


def _utterance_rows(points: QuerySet[MoodPoint]) -> list[dict[str, Any]]:
    rows = points.order_by("occurred_at", "utterance_id").values(
        "valence", "arousal", "dominance", "level", "level_arousal", "volatility",
        at=F("occurred_at"), until=F("ended_at"), of_session=F("session__public_id"),
        said=F("utterance__public_id"), peak_volatility_z=F("volatility_z"), state=F("reading"),
    )  # fmt: skip
    return [
        row
        | {
            "session": row.pop("of_session"),
            "utterance": row.pop("said"),
            "utterances": 1,
            "valid": int(row.pop("state") == ReadingState.OK),
        }
        for row in rows
    ]


# --- Dynamics ---------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, eq=False)
class Movement:
    """The dynamics of one stretch of time. utterances: all; valid: those with a reading.

    leaps: by which lines a step is a leap, ``None`` for the guess.
    """

    span: Span
    utterances: int
    valid: int
    profile: Profile
    leaps: LeapLines | None


def movements(
    client: Client, recognizer: Recognizer, span: Span, *, window: timedelta | None = None
) -> list[Movement]:
    """The dynamics of the span as a whole, or of consecutive windows from its first utterance on.

    Windows without any utterance are left out.
    """
    rows = _said(client, recognizer, span)
    leaps = leap_lines(recognizer)
    return [_movement(part, said, recognizer, leaps) for part, said in _windows(rows, span, window)]


def headline_movement(
    client: Client, recognizer: Recognizer, span: Span
) -> tuple[DimensionProfile, Transitions]:
    """Of ``movements`` over the span only the dimension that the recognizer reads best, and the labels."""
    rows = _said(client, recognizer, span)
    place = DIMENSIONS.index(recognizer.headline)
    mood = _series(rows, recognizer)
    dimension = dimension_profile(
        getattr(mood, recognizer.headline),
        mood.times_s,
        mood.sessions,
        leap_steps(leap_lines(recognizer))[place],
    )
    return dimension, transitions(mood.labels, mood.sessions)


def _said(client: Client, recognizer: Recognizer, span: Span) -> list[tuple]:
    return list(
        _points(client, recognizer, span)
        .order_by("occurred_at", "utterance_id")
        .values_list("occurred_at", "session_id", "reading", *DIMENSIONS, "utterance__scores")
    )


def _movement(span: Span, rows: list[tuple], recognizer: Recognizer, leaps: LeapLines | None) -> Movement:
    valid = sum(row[2] == ReadingState.OK for row in rows)
    return Movement(span, len(rows), valid, _profile(rows, recognizer, leap_steps(leaps)), leaps)


def _windows(rows: list[tuple], span: Span, window: timedelta | None) -> Iterator[tuple[Span, list[tuple]]]:
    if window is None:
        yield span, rows
        return
    parts: dict[int, list[tuple]] = {}
    start = span.after or (rows[0][0] if rows else None)
    for row in rows:
        parts.setdefault((row[0] - start) // window, []).append(row)
    for number, said in parts.items():
        stop = start + (number + 1) * window
        yield Span(start + number * window, min(stop, span.before) if span.before else stop), said


def _profile(rows: list[tuple], recognizer: Recognizer, acute_steps: tuple[float, float, float]) -> Profile:
    return profile(_series(rows, recognizer), acute_steps)


def _series(rows: list[tuple], recognizer: Recognizer) -> MoodSeries:
    at, sessions, readings, *dimensions, scores = zip(*rows, strict=True) if rows else [()] * 7
    return MoodSeries(
        np.array([moment.timestamp() for moment in at]),
        np.array(sessions, dtype=np.int64),
        *(np.array([np.nan if x is None else x for x in column]) for column in dimensions),
        labels=_dominant(readings, scores, recognizer),
    )


def _dominant(readings: tuple[str, ...], scores: tuple, recognizer: Recognizer) -> list[str | None]:
    """The strongest affective label of each reading, ``None`` for an abstention."""
    ok = [i for i, reading in enumerate(readings) if reading == ReadingState.OK]
    labels: list[str | None] = [None] * len(readings)
    if ok:
        shares = calibrated_shares(np.array([scores[i] for i in ok]), recognizer.temperature)
        for i, place in zip(ok, shares[:, AFFECTIVE].argmax(axis=1), strict=True):
            labels[i] = AFFECT_LABELS[place]
    return labels


def trend_within(client: Client, recognizer: Recognizer, span: Span) -> Trend:
    """Trend of the session means of the series' headline dimension."""
    return trend_of([p for p in session_points(client, recognizer) if span.holds(p.started_at)])
