"""One client's series under given terms, with the episodes they would make: what the page of a rule draws."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

import numpy as np

from emotrack.alerts.judging.arming import Line, WhyNot, line_of, session_line, usual_range
from emotrack.alerts.judging.decide import Episode, episodes_in, valid_values
from emotrack.alerts.models import RuleVersion
from emotrack.alerts.rules.kinds import KINDS, Runs
from emotrack.alerts.series.points import points_of_sessions
from emotrack.alerts.series.sessions import sessions_of
from emotrack.alerts.series.silence import absences
from emotrack.history.models import Client, Recognizer
from emotrack.mood.actions import baseline_from
from emotrack.mood.models import SessionMood


@dataclass(frozen=True, slots=True)
class Shaded:
    """An episode that fired: places of its first and last value among the values, and its peak."""

    first: int
    last: int
    fired_at: datetime
    peak: float


@dataclass(frozen=True, slots=True)
class UsualBand:
    """What was usual of the person when a session began: places of its first and last value, and bounds."""

    first: int
    last: int
    low: float
    high: float


@dataclass(frozen=True)
class CloseLook:
    """n values, oldest first. session: the primary key of each one's. why_not: why nothing is judged. usual:
    of each session with one, for a rule on turns."""

    at: Sequence[datetime] = ()
    values: Sequence[float] = ()
    session: Sequence[int] = ()
    episodes: Sequence[Shaded] = field(default_factory=tuple)
    why_not: WhyNot | None = None
    usual: Sequence[UsualBand] = ()


def close_look(
    terms: RuleVersion, kind: str, client: Client, *, since: datetime, until: datetime
) -> CloseLook:
    """The client's newest series in the span. The caller has checked who may see the client."""
    runs = KINDS[kind].runs
    if runs is Runs.CLOCK:
        return _silence(terms, kind, client, since, until)
    newest = SessionMood.objects.filter(client=client, started_at__lt=until).select_related("recognizer")
    mood = newest.order_by("-started_at", "-session_id").first()
    if mood is None or runs is Runs.MONTH:
        return CloseLook()
    look = _turns if runs is Runs.TURN else _sessions
    return look(terms, kind, client, mood.recognizer, since, until)


def _turns(
    terms: RuleVersion, kind: str, client: Client, recognizer: Recognizer, since: datetime, until: datetime
) -> CloseLook:
    moods = SessionMood.objects.filter(
        client=client, recognizer=recognizer, started_at__gte=since, started_at__lt=until
    ).select_related("session")
    by_session = {mood.session_id: mood for mood in moods.order_by("started_at", "session_id")}
    at, values, sessions, shaded, usual, whys = [], [], [], [], [], set()
    for session, points in points_of_sessions(list(by_session), recognizer):
        mood, offset = by_session[session], len(values)
        series = points.series(terms.measure, terms.label)
        at += [points.occurred_at[i] for i in series.index]
        values += series.values
        sessions += [session] * len(series.values)
        baseline = baseline_from(mood.baseline)
        if series.values and (band := usual_range(terms, baseline)):
            usual.append(UsualBand(offset, len(values) - 1, *band))
        line = line_of(terms, kind, headline=recognizer.headline, baseline=baseline)
        if not isinstance(line, Line):
            whys.add(line)
            continue
        ends_at = mood.session.ended_at.timestamp() if mood.session.ended_at else None
        shaded += _shaded(episodes_in(series, line.terms, ends_at=ends_at), series.index, series.at, offset)
    why_not = next(iter(whys)) if len(whys) == 1 and not shaded else None
    return CloseLook(at, values, sessions, shaded, why_not, usual)


def _sessions(
    terms: RuleVersion, kind: str, client: Client, recognizer: Recognizer, since: datetime, until: datetime
) -> CloseLook:
    moods = SessionMood.objects.filter(client=client, recognizer=recognizer, started_at__lt=until)
    line = session_line(terms, kind, headline=recognizer.headline)
    series = next(sessions_of(moods), None)
    if series is None or not isinstance(line, Line):
        return CloseLook(why_not=line if isinstance(line, WhyNot) else None)
    found = valid_values(series.at, series.values(terms.measure))
    whole = _shaded(episodes_in(found, line.terms), found.index, found.at, 0)
    look = CloseLook(
        [datetime.fromtimestamp(moment, UTC) for moment in found.at],
        found.values,
        [series.ids[i] for i in found.index],
        whole,
        None if found.values else WhyNot.BASELINE_FORMING,
    )
    return _within(look, since)


def _silence(terms: RuleVersion, kind: str, client: Client, since: datetime, until: datetime) -> CloseLook:
    heard = next(absences(Client.objects.filter(pk=client.pk), until), None)
    line = session_line(terms, kind, headline="")
    if heard is None or not heard.armed:
        return CloseLook(why_not=WhyNot.BASELINE_FORMING)
    at, values, places = heard.series(until.timestamp())
    found = valid_values(at, values)
    look = CloseLook(
        [datetime.fromtimestamp(moment, UTC) for moment in at],
        values.tolist(),
        [heard.ids[place] for place in places],
        _shaded(episodes_in(found, line.terms), found.index, found.at, 0),
    )
    return _within(look, since)


def _shaded(
    episodes: Sequence[Episode], index: Sequence[int], at: Sequence[float], offset: int
) -> list[Shaded]:
    """index: of each valid value among all points; at: its time."""
    place = {i: n for n, i in enumerate(index)}
    shaded = []
    for episode in episodes:
        if episode.fired:
            until = np.inf if episode.ended_at is None else episode.ended_at
            last = int(np.searchsorted(at, until, side="right")) - 1
            fired_at = datetime.fromtimestamp(episode.fired_at, UTC)
            first = place[episode.pending_index]
            shaded.append(Shaded(offset + first, offset + max(last, first), fired_at, episode.peak))
    return shaded


def _within(look: CloseLook, since: datetime) -> CloseLook:
    first = next((n for n, moment in enumerate(look.at) if moment >= since), len(look.at))
    kept = [
        Shaded(max(one.first - first, 0), one.last - first, one.fired_at, one.peak)
        for one in look.episodes
        if one.last >= first
    ]
    return CloseLook(look.at[first:], look.values[first:], look.session[first:], kept, look.why_not)
