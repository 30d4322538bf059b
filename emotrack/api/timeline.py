"""How the mood moved: utterance by utterance in a session, session by session for a client."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from analysis.thinning import thin
from analysis.volatility import WINDOW, WINDOW_PAIRS
from emotrack.accounts.models import Scope
from emotrack.alerts.models import Alert
from emotrack.api import bodies, shapes
from emotrack.api.answers import alert_answer, reading_answer, words_answer
from emotrack.api.door import Door
from emotrack.history.models import Client, Recognizer, Session, Utterance
from emotrack.mood.models import MoodPoint, SessionMood
from emotrack.mood.queries import (
    SessionPoint,
    calibrated_shares,
    latest_recognizer,
    main_recognizer,
    session_levels,
    session_points,
)

Answer = dict[str, Any]


def chosen(series: QuerySet[Recognizer], asked: Answer, otherwise: Recognizer | None) -> Recognizer | None:
    """The series that is asked for by name and version, else ``otherwise``."""
    if "recognizer" not in asked and "version" not in asked:
        return otherwise
    names = {"recognizer": "name", "version": "version"}
    wanted = {names[key]: asked[key] for key in names if key in asked}
    return series.filter(**wanted).order_by("-pk").first()


def series_answer(recognizer: Recognizer | None) -> Answer | None:
    if recognizer is None:
        return None
    return {
        "id": recognizer.name,
        "version": recognizer.version,
        "headline": recognizer.headline,
        "accuracy": recognizer.accuracy,
    }


class SessionTimeline(Door):
    scopes = {"GET": Scope.READ}
    people = frozenset({"GET"})

    @extend_schema(
        operation_id="get_session_timeline",
        parameters=[bodies.TimelineQuery],
        responses=shapes.SessionTimelineAnswer,
    )
    def get(self, request: Request, session: str) -> Response:
        """The session's curve in one series: mood, volatility and alerts; no words."""
        found = self.find(Session.objects.select_related("client"), session)
        asked = self.query(bodies.TimelineQuery)
        series = Recognizer.objects.filter(moodpoint__session=found).distinct()
        recognizer = chosen(series, asked, main_recognizer(found))
        return Response(session_timeline(found, recognizer, asked["max_points"]))


def session_timeline(session: Session, recognizer: Recognizer | None, max_points: int) -> Answer:
    points = _points(session, recognizer)
    kept = thinned([p.occurred_at for p in points], [p.level for p in points], max_points)
    mood = SessionMood.objects.filter(session=session, recognizer=recognizer).first()
    alerts = Alert.objects.standing().filter(session=session, recognizer=recognizer)
    related = (
        "rule",
        "version",
        "client",
        "session",
        "fired_utterance",
        "recognizer",
        "acknowledged_by",
        "closed_by",
    )
    return {
        "session": session.public_id,
        "client": session.client.public_id,
        "started_at": session.started_at,
        "ended_at": session.ended_at,
        "series": series_answer(recognizer),
        "window": WINDOW,
        "resolution": "utterance",
        "points_total": len(points),
        "coverage": None if mood is None else mood.coverage,
        "baseline": None if mood is None else mood.baseline,
        "points": [_point_answer(points[i], recognizer) for i in kept],
        "words": _words_lane(session, max_points),
        "alerts": [
            alert_answer(alert) for alert in alerts.select_related(*related).order_by("fired_at", "id")
        ],
    }


def _points(session: Session, recognizer: Recognizer | None) -> list[MoodPoint]:
    if recognizer is None:
        return []
    rows = MoodPoint.objects.filter(session=session, recognizer=recognizer)
    return list(rows.select_related("utterance").order_by("occurred_at", "utterance_id"))


def thinned(at: Sequence[datetime], values: Sequence[float | None], most: int) -> Sequence[int]:
    """At most ``most`` positions that keep the shape of the curve, its gaps as gaps."""
    curve = [float("nan") if value is None else value for value in values]
    return thin([moment.timestamp() for moment in at], curve, most).tolist()


def _words_lane(session: Session, most: int) -> list[Answer]:
    """What the words say in order; of more than ``most`` those that keep the shape of their valence."""
    read = Utterance.objects.filter(session=session, words_recognizer__isnull=False)
    rows = [(u, words_answer(u, content=False)) for u in read.select_related("words_recognizer").in_order()]
    kept = thinned([u.occurred_at for u, _said in rows], [said["valence"] for _u, said in rows], most)
    return [
        {
            "utterance": rows[i][0].public_id,
            "occurred_at": rows[i][0].occurred_at,
            **{name: rows[i][1][name] for name in ("reading", "emotion", "confidence", "valence")},
            "incongruent": rows[i][0].incongruent,
        }
        for i in kept
    ]


def _point_answer(point: MoodPoint, recognizer: Recognizer) -> Answer:
    shares = calibrated_shares(point.utterance.scores, recognizer.temperature)
    return {
        "utterance": point.utterance.public_id,
        "occurred_at": point.occurred_at,
        "ended_at": point.ended_at,
        **reading_answer(point.reading, None if point.reading == "no_speech" else shares),
        "valence": point.valence,
        "arousal": point.arousal,
        "level": point.level,
        "level_arousal": point.level_arousal,
        "volatility": point.volatility,
        "volatility_z": point.volatility_z,
        "partial": point.window_pairs < WINDOW_PAIRS,
    }


class ClientTimeline(Door):
    scopes = {"GET": Scope.READ}
    people = frozenset({"GET"})

    @extend_schema(
        operation_id="get_client_timeline",
        parameters=[bodies.TimelineQuery],
        responses=shapes.ClientTimelineAnswer,
    )
    def get(self, request: Request, client: str) -> Response:
        """The client's sessions in one series, oldest first: means of its headline dimension."""
        found = self.find(Client.objects, client)
        asked = self.query(bodies.TimelineQuery)
        series = Recognizer.objects.filter(sessionmood__client=found).distinct()
        recognizer = chosen(series, asked, latest_recognizer(found))
        points = [] if recognizer is None else session_points(found, recognizer)
        levels = session_levels(points)
        kept = thinned([p.started_at for p in points], [p.mean for p in points], asked["max_points"])
        return Response(
            {
                "client": found.public_id,
                "series": series_answer(recognizer),
                "resolution": "session",
                "points_total": len(points),
                "points": [_session_point(points[i], levels[i]) for i in kept],
            }
        )


def _session_point(point: SessionPoint, level: float | None) -> Answer:
    return {
        "session": point.session,
        "started_at": point.started_at,
        "mean": point.mean,
        "sd": point.sd,
        "level": level,
        "valid": point.valid,
        "utterances": point.utterances,
        "coverage": point.coverage,
        "peak_volatility_z": point.peak_z,
    }
