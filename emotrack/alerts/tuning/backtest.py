"""What a rule would have done: the same judging as live, over sessions that are long over."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import groupby
from operator import itemgetter

from django.db.models import Count, QuerySet

from analysis.baseline import ARM_UTTERANCE_VALUES
from analysis.measures import MEASURES
from analysis.shares import RECENT_MINIMUM
from emotrack.alerts.judging.arming import Line, line_of, needs_usual, session_line
from emotrack.alerts.judging.decide import Episode, episodes_in, valid_values
from emotrack.alerts.models import RuleVersion
from emotrack.alerts.rules.kinds import KINDS, USUAL_OF_MEASURE, Runs
from emotrack.alerts.series.drift import months
from emotrack.alerts.series.points import POINT_COLUMNS, Points, loaded_for, points_from
from emotrack.alerts.series.sessions import armed_at, sessions_of
from emotrack.alerts.series.silence import absences
from emotrack.history.models import Client, ReadingState
from emotrack.mood.actions import baseline_from
from emotrack.mood.models import MoodPoint, SessionMood

WEEK = timedelta(weeks=1)
AT_ONCE = 500
"""Sessions whose points are read in one query."""


@dataclass(frozen=True, slots=True)
class WouldFire:
    """One episode that the terms would have fired. client, session: primary keys; ``None`` for a rule on the
    recognizer, which speaks of nobody."""

    client: int | None
    session: int | None
    fired_at: datetime
    ended_at: datetime | None
    peak: float


@dataclass(frozen=True)
class Backtest:
    """since, until: half-open, of the sessions' starts. episodes: by client and time.

    armed, forming: clients with at least one session that was judged, and those with sessions but none that
    was, because their baseline is still forming.
    """

    since: datetime
    until: datetime
    episodes: tuple[WouldFire, ...] = ()
    armed: frozenset[int] = field(default_factory=frozenset)
    forming: frozenset[int] = field(default_factory=frozenset)

    @property
    def count(self) -> int:
        return len(self.episodes)

    @property
    def people(self) -> int:
        return len({episode.client for episode in self.episodes} - {None})

    @property
    def per_week(self) -> float:
        """For all clients together."""
        return self.count / ((self.until - self.since) / WEEK)


def backtest(
    terms: RuleVersion,
    kind: str,
    *,
    since: datetime,
    until: datetime,
    clients: QuerySet[Client] | None = None,
) -> Backtest:
    """Judge every session that began in the span by these terms, whichever stood then.

    terms: a version, saved or not. clients: ``None`` for all; the caller has checked who may see them.
    Raises ``ValueError`` when the span is empty.
    """
    if since >= until:
        raise ValueError("backtest-span: the span must begin before it ends")
    clients = Client.objects.all() if clients is None else clients
    episodes, armed, forming = _LOOK[KINDS[kind].runs](terms, kind, since, until, clients)
    found = sorted(episodes, key=lambda episode: (episode.client or 0, episode.fired_at))
    return Backtest(since, until, tuple(found), frozenset(armed), frozenset(forming - armed))


Outcome = tuple[list[WouldFire], set[int], set[int]]
"""Episodes, clients that could be judged, and clients with sessions."""


# --- Turns --------------------------------------------------------------------------------------


def _turns(
    terms: RuleVersion, kind: str, since: datetime, until: datetime, clients: QuerySet[Client]
) -> Outcome:
    moods = SessionMood.objects.filter(started_at__gte=since, started_at__lt=until, client__in=clients)
    judged = moods if terms.also_off_headline else _on_headline(terms, moods)
    ready = _armed(terms, judged)
    episodes = [
        _would_fire(mood.client_id, mood.session_id, episode)
        for mood, points in _of_interest(terms, kind, ready)
        for episode in _in_session(terms, kind, mood, points)
    ]
    return episodes, _clients(ready), _clients(judged)


def _clients(moods: QuerySet[SessionMood]) -> set[int]:
    return set(moods.order_by().values_list("client_id", flat=True).distinct())


def _on_headline(terms: RuleVersion, moods: QuerySet[SessionMood]) -> QuerySet[SessionMood]:
    dimension = MEASURES[terms.measure].dimension
    return moods if dimension is None else moods.filter(recognizer__headline=dimension)


def _armed(terms: RuleVersion, moods: QuerySet[SessionMood]) -> QuerySet[SessionMood]:
    if not needs_usual(terms):
        return moods
    return moods.filter(**{f"baseline__{USUAL_OF_MEASURE[terms.measure]}__n__gte": ARM_UTTERANCE_VALUES})


def _of_interest(
    terms: RuleVersion, kind: str, moods: QuerySet[SessionMood]
) -> Iterator[tuple[SessionMood, Points]]:
    """Sessions, with their points, with enough values beyond the absolute threshold: no other can fire."""
    keys = _crossed(terms, kind, moods)
    rows = moods.select_related("session", "recognizer").order_by("session_id", "recognizer_id")
    for first in range(0, len(keys), AT_ONCE):
        some = keys[first : first + AT_ONCE]
        ids = {session for session, _recognizer in some}
        found = {(m.session_id, m.recognizer_id): m for m in rows.filter(session__in=ids)}
        read = (
            MoodPoint.objects.filter(session__in=ids)
            .order_by("session_id", "recognizer_id", "occurred_at", "utterance_id")
            .values_list("session_id", "recognizer_id", *POINT_COLUMNS)
        )
        wanted = found.keys() & set(some)
        grouped = groupby(read, key=itemgetter(0, 1))
        points = {key: points_from([row[2:] for row in group]) for key, group in grouped if key in wanted}
        for key, each in loaded_for(terms, points).items():
            yield found[key], each


def _crossed(terms: RuleVersion, kind: str, moods: QuerySet[SessionMood]) -> list[tuple[int, int]]:
    """(session, recognizer) in order."""
    points = MoodPoint.objects.filter(session__in=moods.order_by().values("session"))
    least = terms.least_in_a_row
    if terms.measure == "abstained_share":
        points = points.exclude(reading=ReadingState.OK)
        least = max(int(terms.threshold * RECENT_MINIMUM), 1)
    elif terms.measure == "incongruence_share":
        points = points.filter(utterance__incongruent=True)
        least = max(int(terms.threshold * RECENT_MINIMUM), 1)
    elif terms.measure in USUAL_OF_MEASURE:
        beyond = "gt" if KINDS[kind].above else "lt"
        points = points.filter(**{f"{MEASURES[terms.measure].field}__{beyond}": terms.threshold})
    counted = points.order_by().values("session_id", "recognizer_id").annotate(n=Count("id"))
    return sorted(counted.filter(n__gte=least).values_list("session_id", "recognizer_id"))


def _in_session(terms: RuleVersion, kind: str, mood: SessionMood, points: Points) -> list[Episode]:
    line = line_of(terms, kind, headline=mood.recognizer.headline, baseline=baseline_from(mood.baseline))
    if not isinstance(line, Line):
        return []
    ended_at = mood.session.ended_at
    series = points.series(terms.measure, terms.label)
    found = episodes_in(series, line.terms, ends_at=ended_at.timestamp() if ended_at else None)
    return [episode for episode in found if episode.fired]


def _would_fire(client: int | None, session: int | None, episode: Episode) -> WouldFire:
    ended = None if episode.ended_at is None else datetime.fromtimestamp(episode.ended_at, UTC)
    return WouldFire(
        client=client,
        session=session,
        fired_at=datetime.fromtimestamp(episode.fired_at, UTC),
        ended_at=ended,
        peak=episode.peak,
    )


# --- Sessions and silence -----------------------------------------------------------------------


def _sessions(
    terms: RuleVersion, kind: str, since: datetime, until: datetime, clients: QuerySet[Client]
) -> Outcome:
    """Earlier sessions are walked too, to know what began before the span; only firings in it count."""
    heard = SessionMood.objects.filter(started_at__lt=until, client__in=clients)
    recent = heard.filter(started_at__gte=since).order_by()
    episodes, armed, with_sessions = [], set(), set()
    for series in sessions_of(heard.filter(client__in=recent.values("client"))):
        line = session_line(terms, kind, headline=series.headline)
        inside = [since <= moment < until for moment in series.started_at]
        if not (isinstance(line, Line) and any(inside)):
            continue
        with_sessions.add(series.client)
        enough = series.enough >= armed_at(terms.measure)
        if not (enough & inside).any():
            continue
        armed.add(series.client)
        found = episodes_in(valid_values(series.at, series.values(terms.measure)), line.terms)
        episodes += [
            _would_fire(series.client, series.ids[episode.fired_index], episode)
            for episode in found
            if episode.fired and inside[episode.fired_index]
        ]
    return episodes, armed, with_sessions


def _silence(
    terms: RuleVersion, kind: str, since: datetime, until: datetime, clients: QuerySet[Client]
) -> Outcome:
    line = session_line(terms, kind, headline="")
    episodes, armed, with_sessions = [], set(), set()
    for heard in absences(clients, until):
        with_sessions.add(heard.client)
        if not heard.armed:
            continue
        armed.add(heard.client)
        at, values, places = heard.series(until.timestamp())
        episodes += [
            _would_fire(heard.client, heard.ids[places[episode.fired_index]], episode)
            for episode in episodes_in(valid_values(at, values), line.terms)
            if episode.fired and since.timestamp() <= episode.fired_at < until.timestamp()
        ]
    return episodes, armed, with_sessions


def _drift(
    terms: RuleVersion, kind: str, since: datetime, until: datetime, clients: QuerySet[Client]
) -> Outcome:
    """Of the recognizers as a whole, whichever clients are asked about."""
    line = session_line(terms, kind, headline="")
    episodes = [
        _would_fire(None, None, episode)
        for series in months(since, until)
        for episode in episodes_in(valid_values(series.at, series.values), line.terms)
        if episode.fired
    ]
    return episodes, set(), set()


_LOOK = {Runs.TURN: _turns, Runs.SESSION: _sessions, Runs.CLOCK: _silence, Runs.MONTH: _drift}
