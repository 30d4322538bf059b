"""Hold a client's series against the rules that are on: each turn, each ended session, and as time passes.

The episodes follow from the series alone, so the order in which utterances arrived leaves no trace in them.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial

from django.conf import settings
from django.db import transaction

from emotrack.alerts.judging.arming import Line, line_of, session_line
from emotrack.alerts.judging.decide import Episode, episodes_in, valid_values
from emotrack.alerts.lifecycle.keeping import Changes, Found, Keeper, end_open
from emotrack.alerts.models import Alert, EndReason, Rule, RuleVersion
from emotrack.alerts.rules.book import Book, InForce, Watch, book
from emotrack.alerts.rules.kinds import Runs
from emotrack.alerts.series.points import Points, points_of
from emotrack.alerts.series.sessions import Sessions, sessions_of
from emotrack.alerts.series.silence import Absences, absences
from emotrack.history.locks import hold
from emotrack.history.models import Client, Recognizer, Session
from emotrack.mood.actions import baseline_from
from emotrack.mood.models import SessionMood

HISTORICAL_AFTER = timedelta(hours=1)
SILENCE_LATE = timedelta(days=2)
"""So long after it fired, a silence is still news."""


def evaluate(
    session: Session, recognizer: Recognizer, *, now: datetime, muted: bool = False, imported: bool = False
) -> Changes:
    """Judge one session's series by every rule that is on; call it after each change of the series.

    Once the session has ended, the series of the client's sessions is judged too. The caller holds the
    client's row lock. A rule is judged by the version that stood when the session began (the first one, for
    older sessions). imported: all that is found is historical. muted: the client withdrew consent to alerts;
    nothing is judged, and what is open ends.
    """
    return evaluate_all([session], recognizer, now=now, muted=muted, imported=imported)


@transaction.atomic(savepoint=False)
def evaluate_all(
    sessions: Iterable[Session],
    recognizer: Recognizer,
    *,
    now: datetime,
    muted: bool = False,
    imported: bool = False,
) -> Changes:
    """As ``evaluate``, for the sessions of one client that changed at once."""
    sessions, changes = list(sessions), Changes()
    if muted and sessions:
        return end_open(sessions[0].client, EndReason.CONSENT_WITHDRAWN, now=now)
    rules = book()
    for session in sessions:
        changes += _judge_turns(rules, session, recognizer, now, imported)
    if ended := [session for session in sessions if session.ended_at is not None]:
        changes += _judge_sessions(rules, ended, recognizer, now, imported)
    return changes


def rules_for(client_id: int) -> list[Rule]:
    """The rules on turns that are on and concern this client, with their versions."""
    return book().for_client(client_id, Runs.TURN)


# --- Turns --------------------------------------------------------------------------------------


def _judge_turns(
    known: Book, session: Session, recognizer: Recognizer, now: datetime, imported: bool
) -> Changes:
    watches = known.watches(session.client_id, Runs.TURN, session.started_at)
    if not watches:
        return Changes()
    told_by = Alert.rules_that_told(session.pk, recognizer.pk)
    points = points_of(session, recognizer)
    crossed = _crossed(watches, points, told_by)
    if not crossed:
        return Changes()
    own: dict[int, list[Alert]] = defaultdict(list)
    if told_by:
        for alert in Alert.objects.filter(session=session, recognizer=recognizer).order_by("id"):
            own[alert.rule_id].append(alert)
    keeper = Keeper(session.client, recognizer, now=now, imported=imported, historical_after=HISTORICAL_AFTER)
    mood = SessionMood.objects.filter(session=session, recognizer=recognizer).values_list("baseline").first()
    baseline = baseline_from(mood[0]) if mood else None
    for rule, version in crossed:
        line = line_of(version, rule.kind, headline=recognizer.headline, baseline=baseline)
        found = _in_session(session, points, version, line) if isinstance(line, Line) else []
        keeper.keep(rule, found, own[rule.pk])
    return keeper.finish()


def _crossed(watches: Iterable[Watch], points: Points, told_by: set[int]) -> list[InForce]:
    """Rules that may fire, for enough values in a row lie beyond the absolute threshold and no personal line
    is milder; and those that have told already. In the order in which they were made."""
    crossed = []
    for watch in watches:
        reaches = partial(
            points.reaches, watch.measure, watch.label, above=watch.above, in_a_row=watch.in_a_row
        )
        may_fire = reaches(watch.mildest)
        crossed += [
            (rule, version)
            for rule, version in watch.rules
            if rule.pk in told_by or (may_fire and reaches(version.threshold))
        ]
    return sorted(crossed, key=lambda in_force: in_force[0].pk)


def _in_session(session: Session, points: Points, version: RuleVersion, line: Line) -> list[Found]:
    ends_at = session.ended_at.timestamp() if session.ended_at else None
    found = episodes_in(points.series(version.measure, version.label), line.terms, ends_at=ends_at)
    return [
        Found(
            episode,
            version,
            line,
            session.pk,
            fired_utterance=points.utterances[episode.fired_index],
            peak_utterance=points.utterances[episode.peak_index],
        )
        for episode in found
        if episode.fired
    ]


# --- Sessions -----------------------------------------------------------------------------------


def _judge_sessions(
    known: Book, touched: Sequence[Session], recognizer: Recognizer, now: datetime, imported: bool
) -> Changes:
    """Judge the sessions of this series, and of any other in which an alert on sessions still goes on."""
    client = touched[0].client
    rules = known.for_client(client.pk, Runs.SESSION)
    if not rules:
        return Changes()
    since = min((session.started_at, session.pk) for session in touched)
    going_on = Alert.objects.standing().filter(client=client, resolved_at=None, rule__in=rules)
    others = Recognizer.objects.filter(pk__in=going_on.values("recognizer")).exclude(pk=recognizer.pk)
    changes = Changes()
    for each in (recognizer, *others):
        changes += _judge_series(client, each, rules, since, now, imported)
    return changes


def _judge_series(
    client: Client,
    recognizer: Recognizer,
    rules: Sequence[Rule],
    since: tuple[datetime, int],
    now: datetime,
    imported: bool,
) -> Changes:
    moods = SessionMood.objects.filter(client=client)
    series = next(sessions_of(moods.filter(recognizer=recognizer)), None)
    own: dict[int, list[Alert]] = defaultdict(list)
    for alert in Alert.objects.filter(client=client, recognizer=recognizer, rule__in=rules).order_by("id"):
        own[alert.rule_id].append(alert)
    if series is None and not own:
        return Changes()
    idle = timedelta(minutes=settings.SESSION_IDLE_MINUTES)
    keeper = Keeper(client, recognizer, now=now, imported=imported, historical_after=HISTORICAL_AFTER + idle)
    ends_at = _end_of_series(moods, recognizer)
    for rule in rules:
        found = _over_sessions(series, rule, since, ends_at) if series else []
        keeper.keep(rule, found, own[rule.pk])
    return keeper.finish()


def _end_of_series(moods: object, recognizer: Recognizer) -> float | None:
    """When another recognizer took over, after which this series says nothing any more."""
    rows = moods.order_by("-started_at", "-session_id").values_list("recognizer_id", "started_at")
    began = None
    for by, started_at in rows.iterator(chunk_size=50):
        if by == recognizer.pk:
            break
        began = started_at.timestamp()
    return began


def _over_sessions(
    series: Sessions, rule: Rule, since: tuple[datetime, int], ends_at: float | None
) -> list[Found]:
    """The episodes of a rule over a series of sessions, each session judged by the version of its own day.

    One that fired before ``since`` makes no new alert unless it still goes on.
    """
    versions = [rule.version_at(moment) for moment in series.started_at]
    lines = [session_line(version, rule.kind, headline=series.headline) for version in versions]
    values = {measure: series.values(measure) for measure in {v.measure for v in versions}}
    watched = [values[version.measure][i] for i, version in enumerate(versions)]
    terms = [line.terms if isinstance(line, Line) else None for line in lines]
    found = episodes_in(valid_values(series.at, watched), terms, ends_at=ends_at)
    return [
        Found(
            episode,
            versions[episode.fired_index],
            lines[episode.fired_index],
            series.ids[episode.fired_index],
            creates=episode.ended_at is None or _place(series, episode) >= since,
        )
        for episode in found
        if episode.fired
    ]


def _place(series: Sessions, episode: Episode) -> tuple[datetime, int]:
    return series.started_at[episode.fired_index], series.ids[episode.fired_index]


# --- Silence ------------------------------------------------------------------------------------


@transaction.atomic
def judge_silence(client: Client, *, now: datetime, muted: bool = False) -> Changes:
    """Judge how long a client has not been heard; call it now and then. Holds the client's row lock.

    A clock that was set back since an alert fired undoes nothing.
    """
    rules = book().for_client(client.pk, Runs.CLOCK)
    newest = SessionMood.objects.filter(client=client).order_by("-started_at", "-session_id").first()
    if muted or not rules or newest is None:
        return Changes()
    client = hold(client.pk)
    own: dict[int, list[Alert]] = defaultdict(list)
    for alert in Alert.objects.filter(client=client, rule__in=rules).order_by("id"):
        own[alert.rule_id].append(alert)
    told = [alert.fired_at for alerts in own.values() for alert in alerts]
    until = max([now, *told])
    heard = next(absences(Client.objects.filter(pk=client.pk), until), None)
    keeper = Keeper(client, newest.recognizer, now=now, imported=False, historical_after=SILENCE_LATE)
    for rule in rules:
        found = _in_silence(heard, rule, until.timestamp()) if heard else []
        keeper.keep(rule, found, own[rule.pk])
    return keeper.finish()


def _in_silence(heard: Absences, rule: Rule, until: float) -> list[Found]:
    """One that fired and ended before makes no new alert: nobody waits any more."""
    at, values, places = heard.series(until)
    versions = [rule.version_at(datetime.fromtimestamp(start, UTC)) for start in heard.starts]
    lines = [session_line(version, rule.kind, headline="") for version in versions]
    found = episodes_in(valid_values(at, values), [lines[place].terms for place in places])
    return [
        Found(
            episode,
            versions[places[episode.fired_index]],
            lines[places[episode.fired_index]],
            heard.ids[places[episode.fired_index]],
            creates=episode.ended_at is None,
        )
        for episode in found
        if episode.fired
    ]
