"""The series that an alert's rule watched, as a page shows it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np

from emotrack.alerts.models import Alert
from emotrack.alerts.rules.kinds import KINDS, Runs
from emotrack.alerts.series.points import points_of
from emotrack.alerts.series.sessions import sessions_of
from emotrack.alerts.series.silence import absences
from emotrack.history.models import Client
from emotrack.mood.models import SessionMood


@dataclass(frozen=True, slots=True)
class Value:
    """One value. session: its primary key. utterance: of a rule on turns, else ``None``."""

    at: datetime
    value: float
    session: int
    utterance: int | None = None


def series_behind(alert: Alert) -> list[Value]:
    """Oldest first, only what could be judged: the turns of the alert's session, or the client's sessions, or
    the days without a word."""
    runs = KINDS[alert.rule.kind].runs
    if runs is Runs.TURN:
        return _turns(alert)
    return _silence(alert) if runs is Runs.CLOCK else _sessions(alert)


def _turns(alert: Alert) -> list[Value]:
    points = points_of(alert.session, alert.recognizer)
    series = points.series(alert.version.measure, alert.version.label)
    return [
        Value(points.occurred_at[i], value, alert.session_id, points.utterances[i])
        for i, value in zip(series.index, series.values, strict=True)
    ]


def _sessions(alert: Alert) -> list[Value]:
    moods = SessionMood.objects.filter(client=alert.client_id, recognizer=alert.recognizer_id)
    series = next(sessions_of(moods), None)
    if series is None:
        return []
    values = series.values(alert.version.measure)
    return [
        Value(datetime.fromtimestamp(series.at[i], UTC), float(values[i]), series.ids[i])
        for i in np.flatnonzero(~np.isnan(values))
    ]


def _silence(alert: Alert) -> list[Value]:
    until = alert.resolved_at or alert.fired_at
    heard = next(absences(Client.objects.filter(pk=alert.client_id), until), None)
    if heard is None:
        return []
    at, values, places = heard.series(until.timestamp())
    return [
        Value(datetime.fromtimestamp(moment, UTC), float(value), heard.ids[place])
        for moment, value, place in zip(at, values, places, strict=True)
    ]
