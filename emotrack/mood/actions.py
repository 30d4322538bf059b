"""Turn readings into a mood series: one step for an utterance in order, a replay for any other.

Both ways feed the same tracker with the same stored values, so they end in the same numbers.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict
from datetime import datetime, timedelta

import numpy as np
from django.db import transaction
from django.db.models import Q, QuerySet

from analysis.affect import calibrate, project
from analysis.baseline import BASELINE_VALUES, SessionBaseline, Usual, session_baseline
from analysis.response import Policy, validate_policy
from analysis.series import Level, Levels, MoodValues, SessionTracker, Turn
from analysis.volatility import WINDOW, WINDOW_PAIRS
from emotrack.audit.actions import record
from emotrack.audit.models import Actor
from emotrack.history.models import Client, Embedding, ReadingState, Recognizer, Session, Utterance
from emotrack.mood.models import MoodPoint, ResponsePolicy, SessionMood

OrderKey = tuple[datetime, int]


@transaction.atomic
def refresh(utterance: Utterance) -> list[Session]:
    """Bring the utterance's series up to date; the sessions whose points changed, oldest first.

    The caller has stored the reading. Takes the client's lock, so that two utterances of one client
    never refresh at once.
    """
    Client.objects.select_for_update().get(pk=utterance.client_id)
    if utterance.recognizer_id is None:
        return []
    session, recognizer = utterance.session, utterance.recognizer
    if _comes_last(utterance):
        _append(utterance, _session_mood(session, recognizer))
        return [session]
    return replay(utterance.client, recognizer, since=_earliest_place(session, recognizer))


@transaction.atomic
def replay(client: Client, recognizer: Recognizer, *, since: OrderKey) -> list[Session]:
    """Make anew every point from the session at ``since`` (its start and id) through the last one."""
    Client.objects.select_for_update().get(pk=client.pk)
    MoodPoint.objects.filter(_from(since), client=client, recognizer=recognizer).delete()
    SessionMood.objects.filter(_from(since), client=client, recognizer=recognizer).delete()
    # A session that moved has left rows outside the range; they are found by their stale start.
    sessions = list(_sessions_of_series(client, recognizer).filter(_at_or_after(since)))
    MoodPoint.objects.filter(session__in=sessions, recognizer=recognizer).delete()
    SessionMood.objects.filter(session__in=sessions, recognizer=recognizer).delete()
    for session in sessions:
        _rebuild_session(session, recognizer)
    return sessions


def replay_from_session(session: Session, recognizer: Recognizer) -> list[Session]:
    """Make a session anew in one series, and all that stand after it."""
    return replay(session.client, recognizer, since=_earliest_place(session, recognizer))


def rebuild(client: Client) -> int:
    """Make anew all series of a client from the history alone; how many sessions were walked."""
    rows = Utterance.objects.filter(client=client).of_series().exclude(recognizer=None)
    walked = 0
    with transaction.atomic():
        Client.objects.select_for_update().get(pk=client.pk)
        MoodPoint.objects.filter(client=client).delete()
        SessionMood.objects.filter(client=client).delete()
        for recognizer in Recognizer.objects.filter(pk__in=rows.values("recognizer")):
            for session in _sessions_of_series(client, recognizer):
                _rebuild_session(session, recognizer)
                walked += 1
    return walked


# --- Order --------------------------------------------------------------------------------------


def _key(session: Session) -> OrderKey:
    return session.started_at, session.pk


def _at_or_after(key: OrderKey) -> Q:
    return Q(started_at__gt=key[0]) | Q(started_at=key[0], pk__gte=key[1])


def _from(key: OrderKey) -> Q:
    return Q(session__started_at__gt=key[0]) | Q(session__started_at=key[0], session_id__gte=key[1])


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


# --- One session --------------------------------------------------------------------------------


def _rebuild_session(session: Session, recognizer: Recognizer) -> None:
    mood = _session_mood(session, recognizer)
    tracker = SessionTracker(baseline_from(mood.baseline), recognizer.center, recognizer.typical_distance)
    spoken = _spoken(session, recognizer)
    points = [_point(u, recognizer, tracker.add(turn)) for u, turn in _turns(spoken, recognizer)]
    MoodPoint.objects.bulk_create(points, batch_size=500)
    _summarize(mood, recognizer)


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
        recent_turns=[turn for _u, turn in _turns(recent, recognizer)],
        levels=levels_from(last.level_sums) if last else Levels(),
    )
    for spoken, turn in _turns([utterance], recognizer):
        _point(spoken, recognizer, tracker.add(turn)).save(force_insert=True)
    _summarize(mood, recognizer)


def _spoken(session: Session, recognizer: Recognizer) -> QuerySet[Utterance]:
    rows = Utterance.objects.filter(session=session, recognizer=recognizer, status="analyzed")
    return rows.of_series().select_related("client").in_order()


def _turns(utterances: Iterable[Utterance], recognizer: Recognizer) -> list[tuple[Utterance, Turn]]:
    utterances = list(utterances)
    embeddings = _embeddings(utterances)
    return [(u, _turn(u, recognizer, embeddings.get(u.pk))) for u in utterances]


def _embeddings(utterances: list[Utterance]) -> dict[int, np.ndarray]:
    rows = Embedding.objects.filter(utterance__in=utterances).select_related("utterance__client")
    clients = {u.client_id: u.client for u in utterances}
    vectors = {}
    for row in rows:
        row.utterance.client = clients[row.utterance.client_id]  # one key unwrapped, not one per row
        vectors[row.pk] = row.vector.astype(np.float32)
    return vectors


def _turn(utterance: Utterance, recognizer: Recognizer, embedding: np.ndarray | None) -> Turn:
    start_s = utterance.occurred_at.timestamp()
    ok = utterance.reading == ReadingState.OK
    affect = project(calibrate(utterance.scores, recognizer.temperature)) if ok else None
    return Turn(
        start_s=start_s,
        end_s=start_s + utterance.duration_ms / 1000,
        embedding=embedding if ok else None,
        valence=affect.valence if affect else None,
        arousal=affect.arousal if affect else None,
        dominance=affect.dominance if affect else None,
        ok=ok,
    )


def _point(utterance: Utterance, recognizer: Recognizer, values: MoodValues) -> MoodPoint:
    turn = _turn(utterance, recognizer, None)
    return MoodPoint(
        client_id=utterance.client_id,
        recognizer=recognizer,
        session_id=utterance.session_id,
        utterance=utterance,
        occurred_at=utterance.occurred_at,
        ended_at=utterance.occurred_at + timedelta(milliseconds=utterance.duration_ms),
        reading=utterance.reading,
        valence=turn.valence,
        arousal=turn.arousal,
        dominance=turn.dominance,
        volatility=values.volatility,
        volatility_z=values.volatility_z,
        z_missing=values.z_missing or "",
        window_distance=values.window_distance,
        window_pairs=values.window_pairs,
        level=values.level,
        level_arousal=values.level_arousal,
        level_sums=asdict(values.levels) if turn.ok else None,
    )


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
        baseline=asdict(_baseline_before(session, recognizer)),
    )


def _baseline_before(session: Session, recognizer: Recognizer) -> SessionBaseline:
    earlier = MoodPoint.objects.filter(
        _before(_key(session)), client_id=session.client_id, recognizer=recognizer
    ).order_by("-session__started_at", "-session_id", "-occurred_at", "-utterance_id")
    full = earlier.filter(window_pairs=WINDOW_PAIRS)
    means = SessionMood.objects.filter(
        _before(_key(session)), client_id=session.client_id, recognizer=recognizer
    ).order_by("-session__started_at", "-session_id")
    return session_baseline(
        valence=_last(earlier, "valence"),
        arousal=_last(earlier, "arousal"),
        volatility=_last(full, "volatility"),
        window_distance=_last(full, "window_distance"),
        session_valence=_last(means, "mean_valence"),
    )


def _last(rows: QuerySet, column: str) -> list[float]:
    """The last 200 values of a column, oldest first."""
    values = rows.filter(**{f"{column}__isnull": False}).values_list(column, flat=True)
    return list(values[:BASELINE_VALUES])[::-1]


def _summarize(mood: SessionMood, recognizer: Recognizer) -> None:
    points = MoodPoint.objects.filter(session=mood.session, recognizer=recognizer).order_by(
        "occurred_at", "utterance_id"
    )
    rows = list(points.values_list("valence", "arousal", "volatility_z", "utterance__scores", "reading"))
    valid = [row for row in rows if row[4] == ReadingState.OK]
    mood.utterances, mood.valid = len(rows), len(valid)
    mood.mean_valence, mood.sd_valence = _mean_and_sd([row[0] for row in valid])
    mood.mean_arousal, mood.sd_arousal = _mean_and_sd([row[1] for row in valid])
    mood.peak_volatility_z = max((row[2] for row in valid if row[2] is not None), default=None)
    mood.mean_scores = _mean_scores([row[3] for row in valid], recognizer.temperature)
    mood.save()


def _mean_and_sd(values: list[float]) -> tuple[float | None, float | None]:
    mean = float(np.mean(values)) if values else None
    return mean, float(np.std(values, ddof=1)) if len(values) > 1 else None


def _mean_scores(rows: list[np.ndarray], temperature: float) -> list[float] | None:
    return calibrate(np.array(rows), temperature).mean(axis=0).tolist() if rows else None


# --- Stored form --------------------------------------------------------------------------------


def baseline_from(stored: dict | None) -> SessionBaseline | None:
    """What ``SessionMood.baseline`` holds, as the analysis knows it."""
    if stored is None:
        return None
    return SessionBaseline(
        **{name: Usual(**value) if isinstance(value, dict) else value for name, value in stored.items()}
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
