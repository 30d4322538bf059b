"""A person's sessions as one series for rules on sessions: what each held, set against the earlier ones."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from itertools import groupby
from operator import itemgetter

import numpy as np
from django.db.models import QuerySet

from analysis.baseline import ARM_FLATTENING_SESSIONS, ARM_SESSIONS, own_quantile_margin
from analysis.control_charts import cusum, ewma_chart, self_starting_scores
from analysis.dynamics import MIN_PAIRS, pair_differences
from analysis.trend import mann_kendall, session_trend
from emotrack.mood.models import MoodPoint, SessionMood

TREND_SESSIONS = 26
"""A trend looks back over this many sessions: half a year of weekly ones."""

DAY_S = 86_400.0


@dataclass(frozen=True)
class Sessions:
    """The ended sessions of one client in one series, oldest first, n of them.

    at: (n,) seconds, when each was known whole; never falling. days: (n,) of their starts. means: (n,) of
    valence, NaN for none. load_movement: gives the typical step of valence in each, when a rule asks.
    """

    client: int
    recognizer: int
    headline: str
    ids: Sequence[int]
    started_at: Sequence[datetime]
    at: np.ndarray
    means: np.ndarray
    load_movement: Callable[[], np.ndarray]

    @cached_property
    def movement(self) -> np.ndarray:
        return self.load_movement()

    @cached_property
    def scores(self) -> np.ndarray:
        return self_starting_scores(self.means)

    @cached_property
    def slopes(self) -> np.ndarray:
        """(n,) a week, over the sessions up to then; 0 where chance makes such a trend too often."""
        days = np.array([moment.timestamp() / DAY_S for moment in self.started_at])
        heard, slopes = ~np.isnan(self.means), np.full(len(days), np.nan)
        for i in np.flatnonzero(heard)[ARM_SESSIONS - 1 :]:
            window = slice(max(0, i + 1 - TREND_SESSIONS), i + 1)
            if heard[window].sum() >= ARM_SESSIONS:
                slopes[i] = _sure_slope(days[window][heard[window]], self.means[window][heard[window]])
        return slopes

    def values(self, measure_id: str) -> np.ndarray:
        """(n,) of a measure; NaN where the person's earlier sessions are too few or it has no reading."""
        return _VALUES[measure_id](self)

    @property
    def enough(self) -> np.ndarray:
        """(n,) earlier sessions with a mean."""
        valid = ~np.isnan(self.means)
        return np.cumsum(valid) - valid


SURE = 0.05
"""A slope counts only where chance makes such a trend less often than this."""


def _sure_slope(days: np.ndarray, means: np.ndarray) -> float:
    """As ``session_trend`` has it, 0 where it is within chance, NaN where no time passed.

    Carry-over only adds to what chance explains, so the plain test, a tenth of the work, settles most.
    """
    if days[0] == days[-1]:
        return np.nan
    if mann_kendall(days, means, carry_over=False).p >= SURE:
        return 0.0
    found = session_trend(days, means)
    return found.slope_per_week if found.p < SURE else 0.0


_VALUES: dict[str, Callable[[Sessions], np.ndarray]] = {
    "session_level": lambda s: ewma_chart(s.scores),
    "session_drop": lambda s: cusum(s.scores),
    "usual_day": lambda s: s.scores,
    "trend_per_week": lambda s: s.slopes,
    "session_flattening": lambda s: own_quantile_margin(s.movement),
}

_ARMED_AT = {"session_flattening": ARM_FLATTENING_SESSIONS, "trend_per_week": ARM_SESSIONS - 1}
"""Earlier sessions before a measure is judged, where it is not ``ARM_SESSIONS``."""


def armed_at(measure_id: str) -> int:
    return _ARMED_AT.get(measure_id, ARM_SESSIONS)


def sessions_of(moods: QuerySet[SessionMood]) -> Iterator[Sessions]:
    """One series after the other, of the clients and recognizers whose rows are given: one query, and one
    more for all of them when a rule asks for movement."""
    rows = list(
        moods.filter(session__ended_at__isnull=False)
        .order_by("client_id", "recognizer_id", "started_at", "session_id")
        .values_list(
            "client_id", "recognizer_id", "recognizer__headline", "session_id", "started_at",
            "session__ended_at", "mean_valence",
        )
    )  # fmt: skip
    movements = _Movements(moods)
    for (client, recognizer), group in groupby(rows, key=itemgetter(0, 1)):
        of_series = list(group)
        ids = [row[3] for row in of_series]
        yield Sessions(
            client=client,
            recognizer=recognizer,
            headline=of_series[0][2],
            ids=ids,
            started_at=[row[4] for row in of_series],
            at=np.maximum.accumulate([row[5].timestamp() for row in of_series]),
            means=np.array([row[6] for row in of_series], dtype=np.float64),
            load_movement=lambda r=recognizer, ids=ids: movements.of(r, ids),
        )


class _Movements:
    """The typical step of valence in many sessions, read at once when the first is asked for."""

    def __init__(self, moods: QuerySet[SessionMood]) -> None:
        self._sessions = moods.order_by().values("session")

    def of(self, recognizer: int, sessions: Sequence[int]) -> np.ndarray:
        return np.array([self._read.get((session, recognizer), np.nan) for session in sessions])

    @cached_property
    def _read(self) -> dict[tuple[int, int], float]:
        rows = MoodPoint.objects.filter(session__in=self._sessions).order_by("occurred_at", "utterance_id")
        values: dict[tuple[int, int], list[float | None]] = defaultdict(list)
        for session, recognizer, valence in rows.values_list("session_id", "recognizer_id", "valence"):
            values[session, recognizer].append(valence)
        return {key: _typical_step(found) for key, found in values.items()}


def _typical_step(valence: list[float | None]) -> float:
    """RMSSD; NaN below 10 pairs of neighbors that both have a reading."""
    steps = pair_differences(np.array(valence, dtype=np.float64))
    return float(np.sqrt(np.mean(steps**2))) if len(steps) >= MIN_PAIRS else np.nan
