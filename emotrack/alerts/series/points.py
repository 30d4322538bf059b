"""The points of a session's series as the state machine wants them: times and values, oldest first."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cached_property
from itertools import groupby
from operator import itemgetter

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from analysis.affect import AFFECT_LABELS, AFFECTIVE
from analysis.measures import MEASURES
from analysis.shares import abstained_share, emotion_share, incongruence_share
from analysis.volatility import WINDOW_PAIRS
from emotrack.alerts.judging.decide import Values, valid_values
from emotrack.alerts.models import RuleVersion
from emotrack.alerts.rules.kinds import ONLY_FULL_WINDOWS, USUAL_OF_MEASURE
from emotrack.history.models import ReadingState, Recognizer, Session, Utterance
from emotrack.mood.models import MoodPoint

COLUMNS = tuple(dict.fromkeys(MEASURES[measure].field for measure in USUAL_OF_MEASURE))

Key = tuple[int, int]
"""Primary keys of session and recognizer."""


@dataclass(frozen=True)
class Points:
    """utterances: primary keys. columns: (n, c) float64 in the order of ``COLUMNS``, NaN for none.

    pairs: (n,) distances that each window holds. ok: n, whether each gave a reading. load_labels: gives the
    strongest label of each, ``None`` without a reading, when a rule asks; load_differing whether its words
    differ from its tone, ``None`` where they were not compared.
    """

    utterances: Sequence[int]
    occurred_at: Sequence[datetime]
    pairs: np.ndarray
    ok: Sequence[bool]
    columns: np.ndarray
    load_labels: Callable[[], Sequence[str | None]]
    load_differing: Callable[[], Sequence[bool | None]]
    _series: dict[tuple[str, str], Values] = field(default_factory=dict)
    _farthest: dict[tuple[str, str, bool, int], float | None] = field(default_factory=dict)

    @cached_property
    def at(self) -> np.ndarray:
        """(n,) seconds since 1970."""
        return np.array([moment.timestamp() for moment in self.occurred_at], dtype=np.float64)

    @cached_property
    def labels(self) -> Sequence[str | None]:
        return self.load_labels()

    def values(self, measure_id: str, label: str = "") -> np.ndarray:
        """(n,) of a measure; NaN where there is no reading, or no full window for one that needs it.

        label: whose share, for ``emotion_share``.
        """
        if measure_id == "emotion_share":
            return emotion_share(self.labels, label).low
        if measure_id == "incongruence_share":
            return incongruence_share(self.load_differing()).low
        if measure_id == "abstained_share":
            return abstained_share(self.ok).value
        column = self.columns[:, COLUMNS.index(MEASURES[measure_id].field)]
        if measure_id in ONLY_FULL_WINDOWS:
            return np.where(self.pairs == WINDOW_PAIRS, column, np.nan)
        return column

    def series(self, measure_id: str, label: str = "") -> Values:
        """The valid values of a measure, made once for all rules that watch it."""
        key = (measure_id, label)
        if key not in self._series:
            self._series[key] = valid_values(self.at, self.values(measure_id, label))
        return self._series[key]

    def reaches(self, measure_id: str, label: str, line: float, *, above: bool, in_a_row: int) -> bool:
        """Whether so many valid values in a row lie beyond the line."""
        key = (measure_id, label, above, in_a_row)
        if key not in self._farthest:
            self._farthest[key] = _farthest(self.series(measure_id, label).values, above, in_a_row)
        farthest = self._farthest[key]
        return farthest is not None and (farthest > line if above else farthest < line)


def _farthest(values: Sequence[float], above: bool, in_a_row: int) -> float | None:
    """The line that so many in a row reach and none farther out; ``None`` where there are fewer."""
    if len(values) < in_a_row:
        return None
    if in_a_row == 1:
        return max(values) if above else min(values)
    windows = sliding_window_view(np.asarray(values), in_a_row)
    return float(windows.min(axis=1).max() if above else windows.max(axis=1).min())


POINT_COLUMNS = ("utterance_id", "occurred_at", "window_pairs", "reading", *COLUMNS)


def points_of(session: Session, recognizer: Recognizer) -> Points:
    rows = MoodPoint.objects.filter(session=session, recognizer=recognizer).values_list(*POINT_COLUMNS)
    return points_from(sorted(rows, key=itemgetter(1, 0)))  # few rows: cheaper than an ORDER BY put together


def points_of_sessions(sessions: Sequence[int], recognizer: Recognizer) -> Iterator[tuple[int, Points]]:
    """(primary key, points) of each, in the order given; those without any are left out. One query."""
    rows = MoodPoint.objects.filter(session__in=sessions, recognizer=recognizer)
    read = rows.order_by("session_id", "occurred_at", "utterance_id").values_list(
        "session_id", *POINT_COLUMNS
    )
    found = {key: [row[1:] for row in group] for key, group in groupby(read, key=itemgetter(0))}
    return ((session, points_from(found[session])) for session in sessions if session in found)


def points_from(rows: Sequence[tuple]) -> Points:
    """rows: ``POINT_COLUMNS`` of one session in one series, oldest first."""
    utterances = [row[0] for row in rows]
    return Points(
        utterances=utterances,
        occurred_at=[row[1] for row in rows],
        pairs=np.array([row[2] for row in rows], dtype=np.int64),
        ok=[row[3] == ReadingState.OK for row in rows],
        columns=np.array([row[4:] for row in rows], dtype=np.float64).reshape(len(rows), len(COLUMNS)),
        load_labels=lambda: strongest_labels(utterances),
        load_differing=lambda: differing(utterances),
    )


def loaded_for(terms: RuleVersion, points: dict[Key, Points]) -> dict[Key, Points]:
    """The same points; what the terms ask of their utterances is read in one query for all of them."""
    utterances = [pk for each in points.values() for pk in each.utterances]
    if terms.label:
        return _with(points, "load_labels", utterances, strongest_labels(utterances))
    if terms.measure == "incongruence_share":
        return _with(points, "load_differing", utterances, differing(utterances))
    return points


def _with(
    points: dict[Key, Points], name: str, utterances: Sequence[int], read: Sequence
) -> dict[Key, Points]:
    by_utterance = dict(zip(utterances, read, strict=True))
    return {
        key: replace(each, **{name: lambda each=each: [by_utterance[pk] for pk in each.utterances]})
        for key, each in points.items()
    }


def differing(utterances: Sequence[int]) -> list[bool | None]:
    """Whether tone and words differ in each, as it was judged when both were known."""
    judged = dict(Utterance.objects.filter(pk__in=utterances).values_list("pk", "incongruent"))
    return [judged.get(pk) for pk in utterances]


def strongest_labels(utterances: Sequence[int]) -> list[str | None]:
    """The affective label with the largest share in each reading; which is largest calibration leaves."""
    read = Utterance.objects.filter(pk__in=utterances, reading=ReadingState.OK)
    scores = dict(read.values_list("pk", "scores"))
    return [_strongest(scores.get(pk)) for pk in utterances]


def _strongest(scores: np.ndarray | None) -> str | None:
    return None if scores is None else AFFECT_LABELS[int(np.argmax(scores[AFFECTIVE]))]
