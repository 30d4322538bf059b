"""Rows become answers: the fields that apps rely on, with nothing that the viewer may not see."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from analysis.affect import project, top_label
from analysis.response import respond
from analysis.values import LABELS, Reading
from analysis.volatility import WINDOW, WINDOW_PAIRS
from emotrack.accounts.models import App
from emotrack.alerts.models import Alert
from emotrack.history.models import (
    Client,
    Correction,
    FrameLogits,
    Note,
    Recognizer,
    Session,
    Utterance,
    UtteranceQuerySet,
)
from emotrack.history.queries import corrections_of, embedding_of, frames_of
from emotrack.mood.models import MoodPoint
from emotrack.mood.queries import calibrated_shares, response_policy
from emotrack.pipeline.words import telling_words

Answer = dict[str, Any]


# --- Clients and sessions ---------------------------------------------------------------------------------


def client_answer(client: Client, *, viewer: object, content: bool) -> Answer:
    """Who it is; the name only where content may be seen, an external id only for the app that gave it."""
    answer: Answer = {"id": client.public_id, "code": client.code, "created_at": client.created_at}
    if content:
        answer["name"] = client.name
    if isinstance(viewer, App):
        links = [link.external_id for link in client.links.all() if link.app_id == viewer.pk]
        answer["external_id"] = links[0] if links else None
    answer["consent"] = [
        {
            "purpose": consent.purpose,
            "version": consent.version,
            "given_at": consent.given_at,
            "withdrawn_at": consent.withdrawn_at,
        }
        for consent in client.consents.all()
    ]
    return answer


def session_answer(session: Session, *, viewer: object) -> Answer:
    own = isinstance(viewer, App) and session.app_id == viewer.pk
    return {
        "id": session.public_id,
        "client": session.client.public_id,
        "external_id": session.external_id if own else None,
        "started_at": session.started_at,
        "last_activity_at": session.last_activity_at,
        "ended_at": session.ended_at,
        "end_reason": session.end_reason or None,
    }


def note_answer(note: Note) -> Answer:
    return {
        "id": note.public_id,
        "client": note.client.public_id,
        "session": note.session.public_id if note.session else None,
        "at": note.at,
        "written_at": note.written_at,
        "author": note.author.username,
        "text": note.text,
    }


# --- Utterances -------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Shown:
    """What of an utterance is answered. text: the transcript too. parts: ``embedding``, ``frames``."""

    text: bool = False
    parts: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class _Beside:
    """What is fetched once for many utterances."""

    policy: Mapping
    alerts: Mapping[int, Sequence[Alert]] = field(default_factory=dict)
    corrections: Mapping[int, Sequence[Correction]] = field(default_factory=dict)


def with_reading(utterances: UtteranceQuerySet) -> UtteranceQuerySet:
    """Fetched with what an answer shows."""
    return utterances.select_related("session", "client", "recognizer", "words_recognizer", "mood")


def utterance_answers(utterances: Sequence[Utterance], shown: Shown) -> list[Answer]:
    alerts: dict[int, list[Alert]] = {}
    standing = Alert.objects.standing().filter(fired_utterance__in=[u.pk for u in utterances])
    for alert in standing.select_related("rule", "version").order_by("fired_at", "id"):
        alerts.setdefault(alert.fired_utterance_id, []).append(alert)
    beside = _Beside(response_policy(), alerts, corrections_of(utterances))
    return [_utterance_answer(utterance, shown, beside) for utterance in utterances]


def utterance_answer(utterance: Utterance, shown: Shown) -> Answer:
    return utterance_answers([utterance], shown)[0]


def _utterance_answer(utterance: Utterance, shown: Shown, beside: _Beside) -> Answer:
    shares = _shares(utterance)
    reading = (utterance.words_reading if utterance.words_alone else utterance.reading) or None
    answer: Answer = {
        "id": utterance.public_id,
        "session": utterance.session.public_id,
        "client": utterance.client.public_id,
        "status": utterance.status,
        "failure": utterance.failure or None,
        "speaker": utterance.speaker,
        "occurred_at": utterance.occurred_at,
        "duration_ms": utterance.duration_ms,
        "language": utterance.language or None,
        **reading_answer(reading, shares),
        **_mood(getattr(utterance, "mood", None), shares if utterance.words_alone else None),
        "source": utterance.read_from or None,
        "incongruent": utterance.incongruent,
        "words": words_answer(utterance, content=shown.text),
        "quality": utterance.quality,
        **_response(utterance, reading, shares, beside.policy),
        "alerts": [_alert_line(alert) for alert in beside.alerts.get(utterance.pk, ())],
        "recognizer": recognizer_answer(
            utterance.words_recognizer if utterance.words_alone else utterance.recognizer
        ),
        "corrections": [_correction(c) for c in beside.corrections.get(utterance.pk, ())],
        "warnings": utterance.warnings,
    }
    if shown.text:
        answer["text"] = utterance.text
    return answer | _parts(utterance, shown.parts)


def _shares(utterance: Utterance) -> np.ndarray | None:
    """(9,) calibrated; ``None`` where nothing may be claimed. Of the words, where nothing else was read."""
    if utterance.words_alone:
        return _words_shares(utterance)
    if utterance.recognizer is None or utterance.reading in ("", Reading.NO_SPEECH):
        return None
    return calibrated_shares(utterance.scores, utterance.recognizer.temperature)


def _words_shares(utterance: Utterance) -> np.ndarray | None:
    if utterance.words_recognizer is None:
        return None
    return calibrated_shares(utterance.words_scores, utterance.words_recognizer.temperature)


def words_answer(utterance: Utterance, *, content: bool) -> Answer | None:
    """What the words say by themselves; which of them said it only where content may be seen."""
    if utterance.words_recognizer is None:
        return None
    shares = _words_shares(utterance)
    return {
        **reading_answer(utterance.words_reading, shares),
        "valence": None if shares is None else project(shares).valence,
        "recognizer": recognizer_answer(utterance.words_recognizer),
        "telling": [push.word for push in telling_words(utterance)] if content else [],
    }


def reading_answer(reading: str | None, shares: np.ndarray | None) -> Answer:
    """The label with its distribution, never bare."""
    return {
        "reading": reading,
        "emotion": None if shares is None else top_label(shares),
        "confidence": None if shares is None else float(shares.max()),
        "scores": None if shares is None else dict(zip(LABELS, shares.tolist(), strict=True)),
    }


def _mood(point: MoodPoint | None, words_shares: np.ndarray | None) -> Answer:
    """words_shares: of an utterance that has no mood point because only its words were read."""
    if point is None:
        place = None if words_shares is None else project(words_shares)
        return {
            "valence": place and place.valence,
            "arousal": place and place.arousal,
            "volatility": None,
        }
    return {
        "valence": point.valence,
        "arousal": point.arousal,
        "volatility": {
            "value": point.volatility,
            "z": point.volatility_z,
            "window": WINDOW,
            "partial": point.window_pairs < WINDOW_PAIRS,
        },
    }


def _response(
    utterance: Utterance, reading: str | None, shares: np.ndarray | None, policy: Mapping
) -> Answer:
    if not reading:
        return {"fallback_action": None, "suggested_response": None, "response_strategy": None}
    label = None if shares is None else top_label(shares)
    return respond(Reading(reading), label, utterance.language or None, policy).as_dict()


def recognizer_answer(recognizer: Recognizer | None) -> Answer | None:
    return None if recognizer is None else {"id": recognizer.name, "version": recognizer.version}


def _alert_line(alert: Alert) -> Answer:
    return {
        "id": alert.public_id,
        "rule": alert.rule.public_id,
        "kind": alert.rule.kind,
        "title": str(alert.rule.title),
        "severity": alert.severity,
        "fired_at": alert.fired_at,
    }


def _correction(correction: Correction) -> Answer:
    return {
        "emotion": correction.label,
        "by": correction.author.username,
        "made_at": correction.made_at,
    }


def _parts(utterance: Utterance, parts: Iterable[str]) -> Answer:
    answer: Answer = {}
    if "embedding" in parts:
        vector = embedding_of(utterance)
        answer["embedding"] = None if vector is None else vector.astype(np.float32)
    if "frames" in parts:
        frames = frames_of(utterance)
        answer["frames"] = None if frames is None else frames_answer(frames)
    return answer


def frames_answer(frames: FrameLogits) -> Answer:
    """Logits: the scores of any window are ``softmax(mean of its rows)``."""
    return {
        "labels": LABELS,
        "rate_hz": frames.rate_hz,
        "first_frame_s": frames.first_frame_s,
        "logits": np.ascontiguousarray(frames.logits, dtype=np.float32),
    }


# --- Alerts -----------------------------------------------------------------------------------------------


def alert_answer(alert: Alert) -> Answer:
    return _alert_line(alert) | {
        "rule_version": alert.version.number,
        "client": alert.client.public_id,
        "session": alert.session.public_id,
        "utterance": alert.fired_utterance.public_id if alert.fired_utterance else None,
        "recognizer": recognizer_answer(alert.recognizer),
        "pending_at": alert.pending_at,
        "recovering_at": alert.recovering_at,
        "resolved_at": alert.resolved_at,
        "end_reason": alert.end_reason or None,
        "peak": alert.peak,
        "baseline": alert.baseline,
        "historical_at": alert.historical_at,
        "superseded_at": alert.superseded_at,
        "acknowledged_at": alert.acknowledged_at,
        "acknowledged_by": alert.acknowledged_by.username if alert.acknowledged_by else None,
        "closed_at": alert.closed_at,
        "closed_by": alert.closed_by.username if alert.closed_by else None,
        "escalated_at": alert.escalated_at,
        "muted": alert.muted or None,
    }
