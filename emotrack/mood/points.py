"""From what was said to the points of a series: turns as the tracker wants them, rows as storage does."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict
from datetime import timedelta

import numpy as np
from django.db.models import QuerySet

from analysis.affect import calibrate, project
from analysis.series import MoodValues, Turn
from emotrack.history.models import Embedding, ReadingState, Recognizer, Session, Utterance
from emotrack.mood.models import MoodPoint, SessionMood


def spoken_in(session: Session, recognizer: Recognizer) -> QuerySet[Utterance]:
    rows = Utterance.objects.filter(session=session, recognizer=recognizer, status="analyzed")
    return rows.of_series().select_related("client").in_order()


def turns_of(utterances: Iterable[Utterance], recognizer: Recognizer) -> list[tuple[Utterance, Turn]]:
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


def point_of(utterance: Utterance, recognizer: Recognizer, values: MoodValues) -> MoodPoint:
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
        level_dominance=values.level_dominance,
        level_sums=asdict(values.levels) if turn.ok else None,
    )


def summarize(mood: SessionMood, points: Sequence[MoodPoint], scores: Sequence[np.ndarray]) -> None:
    """Fill in how the session went. points: all of it, oldest first; scores: raw, of those with a reading."""
    valid = [point for point in points if point.reading == ReadingState.OK]
    mood.utterances, mood.valid = len(points), len(valid)
    for dimension in ("valence", "arousal", "dominance"):
        mean, sd = _mean_and_sd([getattr(point, dimension) for point in valid])
        setattr(mood, f"mean_{dimension}", mean)
        setattr(mood, f"sd_{dimension}", sd)
    mood.peak_volatility_z = peak(point.volatility_z for point in points)
    mood.mean_scores = _mean_scores(scores, mood.recognizer.temperature)


def peak(values: Iterable[float | None]) -> float | None:
    return max((value for value in values if value is not None), default=None)


def _mean_and_sd(values: Sequence[float]) -> tuple[float | None, float | None]:
    mean = float(np.mean(values)) if values else None
    return mean, float(np.std(values, ddof=1)) if len(values) > 1 else None


def _mean_scores(rows: Sequence[np.ndarray], temperature: float) -> list[float] | None:
    return calibrate(np.array(rows), temperature).mean(axis=0).tolist() if rows else None
