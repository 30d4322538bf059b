"""How a client's mood moved, at the resolution asked for, and what is said about it."""

from __future__ import annotations

from dataclasses import asdict
from datetime import timedelta
from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from analysis.affect import AFFECT_LABELS
from analysis.dynamics import MIN_COVERAGE
from analysis.home_base import Dwelling
from analysis.profile import DimensionProfile
from analysis.thinning import thin
from analysis.transitions import Transitions
from emotrack.accounts.models import Scope
from emotrack.api import bodies, movement_shapes
from emotrack.api.door import Door
from emotrack.api.timeline import chosen, series_answer
from emotrack.history.models import Client, Recognizer
from emotrack.mood.leaps import leap_steps
from emotrack.mood.movement import Movement, Resolution, Span, mood_rows, movements, trend_within
from emotrack.mood.queries import latest_recognizer

Answer = dict[str, Any]


def series_of(client: Client, asked: Answer) -> Recognizer | None:
    """The client's series that is asked for, else the latest."""
    series = Recognizer.objects.filter(sessionmood__client=client).distinct()
    return chosen(series, asked, latest_recognizer(client))


class ClientMood(Door):
    scopes = {"GET": Scope.READ}
    people = frozenset({"GET"})

    @extend_schema(
        operation_id="get_client_mood",
        parameters=[bodies.MoodQuery],
        responses=movement_shapes.MoodAnswer,
    )
    def get(self, request: Request, client: str) -> Response:
        """The client's mood in one series, oldest first: by utterance, session or day; no words."""
        found = self.find(Client.objects, client)
        asked = self.query(bodies.MoodQuery)
        recognizer, span = series_of(found, asked), Span(asked.get("after"), asked.get("before"))
        rows = (
            [] if recognizer is None else mood_rows(found, recognizer, span, Resolution(asked["resolution"]))
        )
        said = sum(row["utterances"] for row in rows)
        return Response(
            {
                "client": found.public_id,
                "series": series_answer(recognizer),
                "resolution": asked["resolution"],
                "after": span.after,
                "before": span.before,
                "points_total": len(rows),
                "coverage": sum(row["valid"] for row in rows) / said if said else None,
                "points": _thinned(rows, recognizer, asked["max_points"]),
            }
        )


def _thinned(rows: list[Answer], recognizer: Recognizer | None, most: int) -> list[Answer]:
    if len(rows) > most:
        values = [row[recognizer.headline] for row in rows]
        at = [row["at"].timestamp() for row in rows]
        rows = [rows[i] for i in thin(at, [float("nan") if v is None else v for v in values], most)]
    return [row | {"coverage": row["valid"] / row["utterances"]} for row in rows]


class ClientDynamics(Door):
    scopes = {"GET": Scope.READ}
    people = frozenset({"GET"})

    @extend_schema(
        operation_id="get_client_dynamics",
        parameters=[bodies.DynamicsQuery],
        responses=movement_shapes.DynamicsAnswer,
    )
    def get(self, request: Request, client: str) -> Response:
        """What is said about how the mood lies and moves; every figure with what it rests on."""
        found = self.find(Client.objects, client)
        asked = self.query(bodies.DynamicsQuery)
        recognizer, span = series_of(found, asked), Span(asked.get("after"), asked.get("before"))
        days = asked.get("window_days")
        window = None if days is None else timedelta(days=days)
        windows = [] if recognizer is None else movements(found, recognizer, span, window=window)
        return Response(
            {
                "client": found.public_id,
                "series": series_answer(recognizer),
                "after": span.after,
                "before": span.before,
                "window_days": days,
                "trend": None if recognizer is None else asdict(trend_within(found, recognizer, span)),
                "windows": [_window_answer(one) for one in windows],
            }
        )


def _window_answer(window: Movement) -> Answer:
    coverage = window.valid / window.utterances if window.utterances else None
    profile, steps = window.profile, leap_steps(window.leaps)
    source = "fallback" if window.leaps is None else "population"
    return {
        "after": window.span.after,
        "before": window.span.before,
        "utterances": window.utterances,
        "valid": window.valid,
        "coverage": coverage,
        "sufficient": coverage is not None and coverage >= MIN_COVERAGE,
        "valence": _dimension_answer(profile.valence, steps[0], source),
        "arousal": _dimension_answer(profile.arousal, steps[1], source),
        "dominance": _dimension_answer(profile.dominance, steps[2], source),
        "mix": asdict(profile.mix),
        "transitions": _transitions_answer(profile.transitions),
    }


def _dimension_answer(dimension: DimensionProfile, step: float, source: str) -> Answer:
    headline = asdict(dimension.headline)
    del headline["coverage"]
    return headline | {
        "tmssd": asdict(dimension.tmssd),
        "acute_changes": asdict(dimension.acute) | {"step": step, "step_source": source},
        "inertia": asdict(dimension.inertia),
        "home": _home_answer(dimension.home),
    }


def _home_answer(home: Dwelling) -> Answer:
    base = None if home.base is None else {"low": home.base.low, "high": home.base.high}
    figures = ("home_share", "mean_peak", "mean_length", "rise_rate", "recovery_rate", "low", "high")
    kept = {name: getattr(home, name) for name in (*figures, "n", "reason")}
    return kept | {"base": base}


def _transitions_answer(transitions: Transitions) -> Answer:
    return {
        "labels": AFFECT_LABELS,
        "counts": transitions.counts,
        "shares": transitions.shares,
        "reason": transitions.reason,
    }
