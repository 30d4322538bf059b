"""What a rule would have done: the same judging as live, over sessions that are long over."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import groupby
from operator import itemgetter

from django.db.models import QuerySet

from analysis.measures import MEASURES
from emotrack.alerts.arming import Line, WhyNot, line_of
from emotrack.alerts.decide import Episode
from emotrack.alerts.decide import episodes as decide
from emotrack.alerts.kinds import KINDS
from emotrack.alerts.models import RuleVersion
from emotrack.alerts.points import COLUMNS, points_from
from emotrack.history.models import Client
from emotrack.mood.actions import baseline_from
from emotrack.mood.models import MoodPoint, SessionMood

WEEK = timedelta(weeks=1)


@dataclass(frozen=True, slots=True)
class WouldFire:
    """One episode that the terms would have fired. client, session: primary keys."""

    client: int
    session: int
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
        return len({episode.client for episode in self.episodes})

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
    clients: QuerySet[Client] | Iterable[Client] | None = None,
) -> Backtest:
    """Judge every session that began in the span by these terms, whichever stood then.

    terms: a version, saved or not. clients: ``None`` for all; the caller has checked who may see them.
    Raises ``ValueError`` when the span is empty.
    """
    if since >= until:
        raise ValueError("backtest-span: the span must begin before it ends")
    moods = SessionMood.objects.filter(started_at__gte=since, started_at__lt=until)
    moods = moods if clients is None else moods.filter(client__in=clients)
    lines, forming = _lines(terms, kind, moods)
    armed = frozenset(judged.client for judged in lines.values())
    found = [
        _would_fire(judged, episode)
        for key, rows in _rows_of_interest(terms, kind, moods, lines)
        for judged in [lines[key]]
        for episode in _fired(terms, judged, rows)
    ]
    found.sort(key=lambda episode: (episode.client, episode.fired_at))
    return Backtest(since, until, tuple(found), armed, frozenset(forming - armed))


@dataclass(frozen=True, slots=True)
class _Judged:
    client: int
    session: int
    ended_at: datetime | None
    line: Line


Key = tuple[int, int]
"""Primary keys of session and recognizer."""


def _lines(
    terms: RuleVersion, kind: str, moods: QuerySet[SessionMood]
) -> tuple[dict[Key, _Judged], set[int]]:
    lines, forming = {}, set()
    rows = moods.values_list(
        "session_id", "recognizer_id", "client_id", "recognizer__headline", "baseline", "session__ended_at"
    )
    for session, recognizer, client, headline, baseline, ended_at in rows:
        line = line_of(terms, kind, headline=headline, baseline=baseline_from(baseline))
        if isinstance(line, Line):
            lines[session, recognizer] = _Judged(client, session, ended_at, line)
        elif line is WhyNot.BASELINE_FORMING:
            forming.add(client)
    return lines, forming


def _rows_of_interest(
    terms: RuleVersion, kind: str, moods: QuerySet[SessionMood], lines: dict[Key, _Judged]
) -> Iterator[tuple[Key, list[tuple]]]:
    """Points of the sessions that hold any value beyond the absolute threshold: no other can fire."""
    column = MEASURES[terms.measure].field
    beyond = {f"{column}__{'gt' if KINDS[kind].above else 'lt'}": terms.threshold}
    crossed = set(
        MoodPoint.objects.filter(session__in=moods.values("session"), **beyond)
        .values_list("session_id", "recognizer_id")
        .distinct()
    ) & set(lines)
    rows = (
        MoodPoint.objects.filter(session__in={session for session, _recognizer in crossed})
        .order_by("session_id", "recognizer_id", "occurred_at", "utterance_id")
        .values_list("session_id", "recognizer_id", "utterance_id", "occurred_at", "window_pairs", *COLUMNS)
    )
    for key, group in groupby(rows.iterator(chunk_size=5000), key=itemgetter(0, 1)):
        if key in crossed:
            yield key, [row[2:] for row in group]


def _fired(terms: RuleVersion, judged: _Judged, rows: list[tuple]) -> list[Episode]:
    points = points_from(rows)
    ends_at = judged.ended_at.timestamp() if judged.ended_at else None
    found = decide(points.at, points.values(terms.measure), judged.line.terms, ends_at=ends_at)
    return [episode for episode in found if episode.fired]


def _would_fire(judged: _Judged, episode: Episode) -> WouldFire:
    ended = None if episode.ended_at is None else datetime.fromtimestamp(episode.ended_at, UTC)
    return WouldFire(
        client=judged.client,
        session=judged.session,
        fired_at=datetime.fromtimestamp(episode.fired_at, UTC),
        ended_at=ended,
        peak=episode.peak,
    )
