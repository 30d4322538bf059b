"""The points of a session's series as the state machine wants them: times and values, oldest first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

import numpy as np

from analysis.measures import MEASURES
from analysis.volatility import WINDOW_PAIRS
from emotrack.alerts.kinds import ONLY_FULL_WINDOWS, USUAL_OF_MEASURE
from emotrack.history.models import Recognizer, Session
from emotrack.mood.models import MoodPoint

COLUMNS = tuple(dict.fromkeys(MEASURES[measure].field for measure in USUAL_OF_MEASURE))


@dataclass(frozen=True)
class Points:
    """utterances: primary keys. columns: (n, c) float64 in the order of ``COLUMNS``, NaN for none.

    pairs: (n,) distances that each window holds.
    """

    utterances: Sequence[int]
    occurred_at: Sequence[datetime]
    pairs: np.ndarray
    columns: np.ndarray

    @cached_property
    def at(self) -> np.ndarray:
        """(n,) seconds since 1970."""
        return np.array([moment.timestamp() for moment in self.occurred_at], dtype=np.float64)

    def values(self, measure_id: str) -> np.ndarray:
        """(n,) of a measure; NaN where there is no reading, or no full window for one that needs it."""
        column = self.columns[:, COLUMNS.index(MEASURES[measure_id].field)]
        if measure_id in ONLY_FULL_WINDOWS:
            return np.where(self.pairs == WINDOW_PAIRS, column, np.nan)
        return column


def points_of(session: Session, recognizer: Recognizer) -> Points:
    rows = (
        MoodPoint.objects.filter(session=session, recognizer=recognizer)
        .order_by("occurred_at", "utterance_id")
        .values_list("utterance_id", "occurred_at", "window_pairs", *COLUMNS)
    )
    return points_from(list(rows))


def points_from(rows: Sequence[tuple]) -> Points:
    """rows: (utterance id, occurred_at, window pairs, *COLUMNS), oldest first."""
    return Points(
        utterances=[row[0] for row in rows],
        occurred_at=[row[1] for row in rows],
        pairs=np.array([row[2] for row in rows], dtype=np.int64),
        columns=np.array([row[3:] for row in rows], dtype=np.float64).reshape(len(rows), len(COLUMNS)),
    )
