"""Turn readings into a mood series: one step for an utterance in order, a replay for any other.

Both ways feed the same tracker with the same stored values, so they end in the same numbers.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from datetime import datetime

import numpy as np
from django.db import transaction
from django.db.models import Q, QuerySet

from analysis.baseline import SessionBaseline
from analysis.response import Policy, validate_policy
from analysis.series import Level, Levels, SessionTracker, window_z
from analysis.volatility import WINDOW
from emotrack.audit.actions import record
from emotrack.audit.models import Actor
from emotrack.history.locks import hold
from emotrack.history.models import Client, ReadingState, Recognizer, Session, Utterance
from emotrack.mood.baselines import OF_POINTS, Earlier, baseline_from, earlier_than
from emotrack.mood.models import MoodPoint, ResponsePolicy, SessionMood
from emotrack.mood.points import peak, point_of, spoken_in, summarize, turns_of

OrderKey = tuple[datetime, int]

SESSIONS_AT_ONCE = 20
"""A replay reads the points of so many sessions in one query."""


@transaction.atomic
def refresh(utterance: Utterance) -> list[Session]:
    """Bring the utterance's series up to date; the sessions whose points, or what is usual of them, changed.

    Oldest first. The caller has stored the reading. Takes the client's lock, so that two utterances of one
    client never refresh at once.
    """
    hold(utterance.client_id)
    if utterance.recognizer_id is None:
        return []
    session, recognizer = utterance.session, utterance.recognizer
    if _comes_last(utterance):
        _append(utterance, _session_mood(session, recognizer))
        return [session]
    return replay_from_session(session, recognizer)


@transaction.atomic
def replay_from_session(session: Session, recognizer: Recognizer) -> list[Session]:
    """Make a session anew in one series, and bring those that stand after it in line; those that changed.

    Oldest first. A later session keeps its points, for what was said in it is the same; only what is usual
    before it, and the z that is counted in it, may be others. Sessions that stay as they are cost no queries.
    """
    client = hold(session.client_id)
    return _Replay(client, recognizer, _earliest_place(session, recognizer), {session.pk}).run()


def rebuild(client: Client) -> int:
    """Make anew all series of a client from the history alone; how many sessions were walked."""
    rows = Utterance.objects.filter(client=client).of_series().exclude(recognizer=None)
    walked = 0
    with transaction.atomic():
        hold(client.pk)
        MoodPoint.objects.filter(client=client).delete()
        SessionMood.objects.filter(client=client).delete()
        for recognizer in Recognizer.objects.filter(pk__in=rows.values("recognizer")):
            walked += len(_Replay(client, recognizer, None, set()).run())
    return walked


# --- Order --------------------------------------------------------------------------------------


def _key(session: Session) -> OrderKey:
    return session.started_at, session.pk


def _at_or_after(key: OrderKey) -> Q:
    return Q(started_at__gt=key[0]) | Q(started_at=key[0], pk__gte=key[1])


def _before(key: OrderKey) -> Q:
    return Q(session__started_at__lt=key[0]) | Q(session__started_at=key[0], session_id__lt=key[1])


def _series(utterance: Utterance) -> QuerySet[MoodPoint]:
    return MoodPoint.objects.filter(client_id=utterance.client_id, recognizer_id=utterance.recognizer_id)


def _comes_last(utterance: Utterance) -> bool:
    """Whether nothing in the series stands after this utterance, and its session has not moved."""
    session, points = utterance.session, _series(utterance)
    later = Q(occurred_at__gt=utterance.occurred_at) | Q(
        occurred_at=utterance.occurred_at, utterance_id__gte=utterance.pk
    )
    moods = SessionMood.objects.filter(client_id=utterance.client_id, recognizer_id=utterance.recognizer_id)
    after = Q(session__started_at__gt=session.started_at) | Q(
        session__started_at=session.started_at, session_id__gt=session.pk
    )
    moved = Q(session=session) & ~Q(started_at=session.started_at)
    return not (
        points.filter(later, session=session).exists()
        or points.filter(utterance=utterance).exists()
        or moods.filter(after | moved).exists()
    )


def _earliest_place(session: Session, recognizer: Recognizer) -> OrderKey:
    """Where a replay must begin: the session's place now, or the one it had when it was last computed."""
    now = _key(session)
    stale = SessionMood.objects.filter(session=session, recognizer=recognizer).first()
    return min(now, (stale.started_at, session.pk)) if stale else now


def _sessions_of_series(client: Client, recognizer: Recognizer) -> QuerySet[Session]:
    spoken = Utterance.objects.filter(client=client, recognizer=recognizer, status="analyzed").of_series()
    return Session.objects.filter(pk__in=spoken.values("session")).order_by("started_at", "pk")


# --- Replay -------------------------------------------------------------------------------------


class _Replay:
    """One walk through the sessions of a series from a place on; those in ``anew`` are made from their turns.

    So is a session that has no row in the series yet.
    """

    def __init__(
        self, client: Client, recognizer: Recognizer, since: OrderKey | None, anew: set[int]
    ) -> None:
        self.client, self.recognizer = client, recognizer
        sessions = _sessions_of_series(client, recognizer)
        self.sessions = list(sessions if since is None else sessions.filter(_at_or_after(since)))
        ids = [session.pk for session in self.sessions]
        self._forget_others(anew - set(ids))
        rows = SessionMood.objects.filter(client=client, recognizer=recognizer, session__in=ids)
        self.moods = {mood.session_id: mood for mood in rows}
        self.anew = (anew & set(ids)) | (set(ids) - set(self.moods))
        self.earlier = Earlier() if since is None else earlier_than(client, recognizer, _before(since))
        self.changed: list[Session] = []
        self.moved_points: list[MoodPoint] = []
        self.moved_moods: list[SessionMood] = []

    def _forget_others(self, session_ids: set[int]) -> None:
        """Nothing of the series is left in these sessions."""
        if session_ids:
            for rows in (MoodPoint.objects, SessionMood.objects):
                rows.filter(session__in=session_ids, recognizer=self.recognizer).delete()

    def run(self) -> list[Session]:
        remaining = set(self.anew)
        for start in range(0, len(self.sessions), SESSIONS_AT_ONCE):
            sessions = self.sessions[start : start + SESSIONS_AT_ONCE]
            stored = None if self.earlier.settled and not remaining else self._stored(sessions)
            for session in sessions:
                if session.pk in self.anew:
                    self._make_anew(session)
                    remaining.discard(session.pk)
                elif stored is None:
                    self._bring_means_in_line(session)
                else:
                    self._bring_in_line(session, stored.get(session.pk, []))
        MoodPoint.objects.bulk_update(self.moved_points, ["volatility_z", "z_missing"], batch_size=500)
        SessionMood.objects.bulk_update(
            self.moved_moods, ["baseline", "peak_volatility_z", "started_at"], batch_size=200
        )
        return self.changed

    def _stored(self, sessions: list[Session]) -> dict[int, list[MoodPoint]]:
        kept = [session.pk for session in sessions if session.pk not in self.anew]
        rows = MoodPoint.objects.filter(session__in=kept, recognizer=self.recognizer)
        found: dict[int, list[MoodPoint]] = {}
        for point in rows.defer("level_sums").order_by("occurred_at", "utterance_id"):
            found.setdefault(point.session_id, []).append(point)
        return found

    def _make_anew(self, session: Session) -> None:
        baseline = self.earlier.baseline()
        mood = self.moods.get(session.pk) or SessionMood(
            client=self.client, session=session, recognizer=self.recognizer
        )
        mood.recognizer, mood.started_at, mood.baseline = (
            self.recognizer,
            session.started_at,
            asdict(baseline),
        )
        MoodPoint.objects.filter(session=session, recognizer=self.recognizer).delete()
        points, scores = _points_of_session(session, self.recognizer, baseline)
        MoodPoint.objects.bulk_create(points, batch_size=500)
        summarize(mood, points, scores)
        mood.save()
        self.earlier.pass_by(points, mood.mean_valence, changed=True)
        self.changed.append(session)

    def _bring_in_line(self, session: Session, points: list[MoodPoint]) -> None:
        mood, baseline = self.moods[session.pk], self.earlier.baseline()
        if self._rebased(session, mood, asdict(baseline)):
            self.changed.append(session)
            self.moved_points += list(self._with_another_z(points, baseline))
            mood.peak_volatility_z = peak(point.volatility_z for point in points)
        self.earlier.pass_by(points, mood.mean_valence, changed=False)

    def _with_another_z(self, points: list[MoodPoint], baseline: SessionBaseline) -> Iterator[MoodPoint]:
        for point in points:
            if point.window_distance is None:
                continue
            z, missing = window_z(point.window_distance, baseline, self.recognizer.typical_distance)
            if (z, missing or "") != (point.volatility_z, point.z_missing):
                point.volatility_z, point.z_missing = z, missing or ""
                yield point

    def _bring_means_in_line(self, session: Session) -> None:
        mood = self.moods[session.pk]
        usual = asdict(self.earlier.usual_sessions())
        self._rebased(session, mood, mood.baseline | {"sessions": usual["n"], "session_valence": usual})
        self.earlier.pass_mean(mood.mean_valence)

    def _rebased(self, session: Session, mood: SessionMood, baseline: dict) -> bool:
        """Keep the baseline where it is another; whether what is usual of points changed."""
        before = mood.baseline
        if (before, mood.started_at) == (baseline, session.started_at):
            return False
        mood.baseline, mood.started_at = baseline, session.started_at
        self.moved_moods.append(mood)
        return any(before.get(name) != baseline[name] for name in OF_POINTS)


def _points_of_session(
    session: Session, recognizer: Recognizer, baseline: SessionBaseline
) -> tuple[list[MoodPoint], list[np.ndarray]]:
    tracker = SessionTracker(baseline, recognizer.center, recognizer.typical_distance)
    turns = turns_of(spoken_in(session, recognizer), recognizer)
    points = [point_of(said, recognizer, tracker.add(turn)) for said, turn in turns]
    return points, [said.scores for said, turn in turns if turn.ok]


# --- One more utterance -------------------------------------------------------------------------


def _append(utterance: Utterance, mood: SessionMood) -> None:
    recognizer = mood.recognizer
    earlier = MoodPoint.objects.filter(session=mood.session, recognizer=recognizer, reading=ReadingState.OK)
    last = earlier.order_by("-occurred_at", "-utterance_id").first()
    heard = earlier.filter(utterance__embedding__isnull=False).order_by("-occurred_at", "-utterance_id")
    recent = Utterance.objects.filter(
        pk__in=list(heard.values_list("utterance_id", flat=True)[:WINDOW])
    ).in_order()
    tracker = SessionTracker.resume(
        baseline_from(mood.baseline),
        recognizer.center,
        recognizer.typical_distance,
        recent_turns=[turn for _u, turn in turns_of(recent, recognizer)],
        levels=levels_from(last.level_sums) if last else Levels(),
    )
    for spoken, turn in turns_of([utterance], recognizer):
        point_of(spoken, recognizer, tracker.add(turn)).save(force_insert=True)
    _summarize(mood)


def _summarize(mood: SessionMood) -> None:
    rows = MoodPoint.objects.filter(session=mood.session, recognizer=mood.recognizer)
    points = list(
        rows.select_related("utterance")
        .only("reading", "valence", "arousal", "dominance", "volatility_z", "utterance__scores")
        .order_by("occurred_at", "utterance_id")
    )
    summarize(mood, points, [p.utterance.scores for p in points if p.reading == ReadingState.OK])
    mood.save()


def _session_mood(session: Session, recognizer: Recognizer) -> SessionMood:
    """The session's row in this series; its baseline is taken once, when the row is made."""
    mood = SessionMood.objects.filter(session=session, recognizer=recognizer).first()
    if mood is not None:
        mood.session, mood.recognizer = session, recognizer
        return mood
    return SessionMood.objects.create(
        client_id=session.client_id,
        session=session,
        recognizer=recognizer,
        started_at=session.started_at,
        baseline=asdict(earlier_than(session.client, recognizer, _before(_key(session))).baseline()),
    )


def levels_from(stored: dict | None) -> Levels:
    return Levels(**{name: Level(**value) for name, value in stored.items()}) if stored else Levels()


@transaction.atomic
def save_response_policy(policy: dict, *, by: Actor, now: datetime) -> Policy:
    """Keep an admin's wording. Raises ``analysis.response.PolicyError`` when it does not fit."""
    checked = validate_policy(policy)
    ResponsePolicy.objects.create(policy=policy, saved_at=now, saved_by=by.name)
    record("response_policy.saved", by=by, now=now)
    return checked
