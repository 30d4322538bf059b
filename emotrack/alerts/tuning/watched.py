"""The series that a rule watched, and the strictest line for which each of its alerts would have fired."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from operator import itemgetter

import numpy as np

from emotrack.alerts.judging.decide import Terms
from emotrack.alerts.models import Alert, RuleVersion
from emotrack.alerts.rules.kinds import KINDS, Runs
from emotrack.alerts.series.points import POINT_COLUMNS, Key, Points, loaded_for, points_from
from emotrack.alerts.series.sessions import sessions_of
from emotrack.alerts.tuning.suggestion import reach
from emotrack.mood.models import MoodPoint, SessionMood


def points_of_alerts(alerts: Iterable[Alert]) -> dict[Key, Points]:
    """The points of the sessions in which they fired, in one query."""
    wanted = {(alert.session_id, alert.recognizer_id) for alert in alerts}
    rows = (
        MoodPoint.objects.filter(session__in={session for session, _recognizer in wanted})
        .order_by("session_id", "recognizer_id", "occurred_at", "utterance_id")
        .values_list("session_id", "recognizer_id", *POINT_COLUMNS)
    )
    grouped = groupby(rows.iterator(chunk_size=5000), key=itemgetter(0, 1))
    return {key: points_from([row[2:] for row in group]) for key, group in grouped if key in wanted}


@dataclass(frozen=True, slots=True)
class Series:
    """at: (n,) seconds since 1970, oldest first. values: (n,), NaN for none."""

    at: np.ndarray
    values: np.ndarray


def reaches(alerts: Sequence[Alert], version: RuleVersion, *, above: bool) -> dict[int, float]:
    """Primary key of each alert to its reach under the *for* of that version; those without one, and all
    of a rule that judges neither turns nor sessions, are left out.

    What happened between the beginning and the end of the alert is judged anew, by the rule's state machine.
    """
    terms = Terms(
        threshold=0.0,
        recovery=0.0,
        above=above,
        for_count=version.for_count,
        for_seconds=version.for_seconds,
    )
    found = {}
    for alert, series in _series_of(alerts, version):
        value = None if series is None else _reach(alert, series, terms)
        if value is not None:
            found[alert.pk] = value
    return found


def _series_of(alerts: Sequence[Alert], version: RuleVersion) -> Iterator[tuple[Alert, Series | None]]:
    runs = KINDS[version.rule.kind].runs
    if runs is Runs.TURN:
        points = points_of_alerts(alerts)
        points = loaded_for(version, points)
        turns = {
            key: Series(each.at, each.values(version.measure, version.label)) for key, each in points.items()
        }
        yield from ((alert, turns.get((alert.session_id, alert.recognizer_id))) for alert in alerts)
    elif runs is Runs.SESSION:
        moods = SessionMood.objects.filter(client__in={alert.client_id for alert in alerts})
        sessions = {
            (each.client, each.recognizer): Series(each.at, each.values(version.measure))
            for each in sessions_of(moods)
        }
        yield from ((alert, sessions.get((alert.client_id, alert.recognizer_id))) for alert in alerts)


def _reach(alert: Alert, series: Series, terms: Terms) -> float | None:
    until = alert.resolved_at.timestamp() if alert.resolved_at else np.inf
    during = (series.at >= alert.pending_at.timestamp()) & (series.at <= until)
    return reach(series.at[during], series.values[during], terms)
