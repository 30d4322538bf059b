"""What is answered, for the documentation: a test holds every real answer against these."""

from __future__ import annotations

from typing import Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import (
    OpenApiExample,
    OpenApiParameter,
    OpenApiResponse,
    extend_schema_field,
    inline_serializer,
)
from rest_framework import serializers

from analysis.response import FALLBACK_ACTIONS
from analysis.values import LABELS, Reading
from emotrack.api.fields import SCORES_SCHEMA, VECTOR_SCHEMA
from emotrack.history.models import Speaker, Status, WordsReadingState
from emotrack.history.remarks import HEARD


@extend_schema_field(SCORES_SCHEMA)
class Scores(serializers.JSONField):
    """Calibrated shares of the nine labels."""


@extend_schema_field(VECTOR_SCHEMA)
class Vector(serializers.JSONField):
    """A list of numbers."""


@extend_schema_field({"type": "array", "items": {"type": "array", "items": {"type": "number"}}})
class Matrix(serializers.JSONField):
    """Rows of numbers."""


@extend_schema_field({"type": "object", "additionalProperties": True})
class AnyObject(serializers.JSONField):
    """An object whose fields may grow."""


def _maybe(kind: type[serializers.Field], *args: Any, **options: Any) -> serializers.Field:
    return kind(*args, allow_null=True, **options)


def _words(values: list[str], **options: Any) -> serializers.ChoiceField:
    return serializers.ChoiceField([(str(value), str(value)) for value in values], **options)


class ConsentAnswer(serializers.Serializer):
    purpose = serializers.CharField()
    version = serializers.CharField(allow_blank=True)
    given_at = serializers.DateTimeField()
    withdrawn_at = _maybe(serializers.DateTimeField)


class ClientAnswer(serializers.Serializer):
    """Someone in counseling. `name` is left out for those who may not read content."""

    id = serializers.CharField()
    code = serializers.CharField(help_text="A short name that says nothing about the person.")
    created_at = serializers.DateTimeField()
    name = _maybe(serializers.CharField, required=False)
    external_id = _maybe(serializers.CharField, required=False, help_text="What the asking app calls them.")
    consent = ConsentAnswer(many=True)


class SessionAnswer(serializers.Serializer):
    id = serializers.CharField()
    client = serializers.CharField()
    external_id = _maybe(serializers.CharField)
    started_at = serializers.DateTimeField()
    last_activity_at = serializers.DateTimeField()
    ended_at = _maybe(serializers.DateTimeField)
    end_reason = _maybe(_words, ["explicit", "idle"])


class NoteAnswer(serializers.Serializer):
    id = serializers.CharField()
    client = serializers.CharField()
    session = _maybe(serializers.CharField)
    at = serializers.DateTimeField()
    written_at = serializers.DateTimeField()
    author = serializers.CharField()
    text = serializers.CharField()


class RecognizerAnswer(serializers.Serializer):
    id = serializers.CharField()
    version = serializers.CharField()


class VolatilityAnswer(serializers.Serializer):
    """How far the voice moves from utterance to utterance, over the last `window` of them."""

    value = _maybe(serializers.FloatField, help_text="Mean distance of consecutive embeddings.")
    z = _maybe(serializers.FloatField, help_text="Robust z against the client's own usual.")
    window = serializers.IntegerField()
    partial = serializers.BooleanField(help_text="The window is not full yet.")


class StrategyAnswer(serializers.Serializer):
    """A manner of replying; never a statement about the person."""

    label = serializers.CharField(help_text="One of the nine labels.")
    strategy = serializers.CharField()
    tone = serializers.CharField()
    do = serializers.CharField()
    avoid = serializers.CharField()


class AlertLine(serializers.Serializer):
    id = serializers.CharField()
    rule = serializers.CharField()
    kind = serializers.CharField()
    title = serializers.CharField()
    severity = _words(["info", "warning", "critical"])
    fired_at = serializers.DateTimeField()


class CorrectionAnswer(serializers.Serializer):
    emotion = _words(list(HEARD))
    by = serializers.CharField()
    made_at = serializers.DateTimeField()


class FramesAnswer(serializers.Serializer):
    labels = serializers.ListField(child=serializers.CharField())
    rate_hz = serializers.FloatField()
    first_frame_s = serializers.FloatField(help_text="Center of row 0, seconds from the utterance's start.")
    logits = Matrix(help_text="(T, 9); softmax(mean of a window's rows) are that window's scores.")


class WordsAnswer(serializers.Serializer):
    """Which emotion the words name, beside the tone and never mixed into it.

    `too_few_words` and `other_language` carry no scores; `telling` is empty for those who may not read
    content.
    """

    reading = _words(WordsReadingState.values)
    emotion = _maybe(_words, list(LABELS))
    confidence = _maybe(serializers.FloatField, min_value=0, max_value=1)
    scores = _maybe(Scores)
    valence = _maybe(serializers.FloatField, min_value=-1, max_value=1)
    recognizer = RecognizerAnswer()
    telling = serializers.ListField(
        child=serializers.CharField(), help_text="The words that made the label, strongest first."
    )


class UtteranceAnswer(serializers.Serializer):
    """A reading describes a voice, not a person.

    With `no_speech` the `emotion`, `confidence` and `scores` are null; other abstentions carry them, and
    series skip them. `reading` is null while nothing was read: queued, failed, or another speaker than the
    client. With `source` *text* there was only a transcript, and its words answer; series leave it out.
    `text` is left out for those who may not read content.
    """

    id = serializers.CharField()
    session = serializers.CharField()
    client = serializers.CharField()
    status = _words(Status.values)
    failure = _maybe(serializers.CharField, help_text="Why it failed.")
    speaker = _words(Speaker.values)
    occurred_at = serializers.DateTimeField(help_text="Start of speech.")
    duration_ms = serializers.IntegerField()
    language = _maybe(serializers.CharField)
    reading = _maybe(_words, list(Reading))
    emotion = _maybe(_words, list(LABELS))
    confidence = _maybe(serializers.FloatField, min_value=0, max_value=1)
    scores = _maybe(Scores)
    valence = _maybe(serializers.FloatField, min_value=-1, max_value=1)
    arousal = _maybe(serializers.FloatField, min_value=-1, max_value=1)
    volatility = _maybe(VolatilityAnswer)
    source = _maybe(_words, ["audio", "text", "fused"])
    incongruent = _maybe(
        serializers.BooleanField,
        help_text="One of tone and words is pleasant, the other unpleasant; null: not compared.",
    )
    words = _maybe(WordsAnswer, help_text="What the words say by themselves; null: not read.")
    quality = _maybe(AnyObject, help_text="What was measured of the sound.")
    fallback_action = _maybe(_words, sorted(set(FALLBACK_ACTIONS.values())))
    suggested_response = _maybe(serializers.CharField)
    response_strategy = _maybe(StrategyAnswer)
    alerts = AlertLine(many=True, help_text="Those that fired with this utterance.")
    recognizer = _maybe(RecognizerAnswer)
    corrections = CorrectionAnswer(many=True, help_text="What people heard.")
    warnings = serializers.ListField(child=serializers.CharField())
    text = _maybe(serializers.CharField, required=False)
    embedding = _maybe(Vector, required=False)
    frames = _maybe(FramesAnswer, required=False)


class PeaksAnswer(serializers.Serializer):
    rate_hz = serializers.IntegerField()
    full_scale = serializers.IntegerField()
    low = serializers.ListField(child=serializers.IntegerField())
    high = serializers.ListField(child=serializers.IntegerField())


class EmbeddingAnswer(serializers.Serializer):
    dimension = serializers.IntegerField()
    embedding = Vector()


class SeriesAnswer(serializers.Serializer):
    """Which recognizer read it, what it reads best, and how well, as published."""

    id = serializers.CharField()
    version = serializers.CharField()
    headline = serializers.CharField()
    accuracy = serializers.CharField(allow_blank=True)


class AlertAnswer(AlertLine):
    rule_version = serializers.IntegerField()
    client = serializers.CharField()
    session = serializers.CharField()
    utterance = _maybe(serializers.CharField)
    recognizer = RecognizerAnswer()
    pending_at = serializers.DateTimeField()
    recovering_at = _maybe(serializers.DateTimeField)
    resolved_at = _maybe(serializers.DateTimeField)
    end_reason = _maybe(serializers.CharField)
    peak = serializers.FloatField()
    baseline = AnyObject(help_text="What the rule held the voice against.")
    historical_at = _maybe(serializers.DateTimeField)
    superseded_at = _maybe(serializers.DateTimeField)
    acknowledged_at = _maybe(serializers.DateTimeField)
    acknowledged_by = _maybe(serializers.CharField)
    closed_at = _maybe(
        serializers.DateTimeField, help_text="When a person resolved it, whatever the voice does."
    )
    closed_by = _maybe(serializers.CharField)
    escalated_at = _maybe(
        serializers.DateTimeField, help_text="When it was told again, as nobody had seen it."
    )
    muted = _maybe(serializers.CharField, help_text="Why nobody was notified of it.")


class PointAnswer(serializers.Serializer):
    utterance = serializers.CharField()
    occurred_at = serializers.DateTimeField()
    ended_at = serializers.DateTimeField()
    reading = _words(list(Reading))
    emotion = _maybe(_words, list(LABELS))
    confidence = _maybe(serializers.FloatField)
    scores = _maybe(Scores)
    valence = _maybe(serializers.FloatField)
    arousal = _maybe(serializers.FloatField)
    level = _maybe(serializers.FloatField, help_text="Running valence, half-life 5 minutes.")
    level_arousal = _maybe(serializers.FloatField)
    volatility = _maybe(serializers.FloatField)
    volatility_z = _maybe(serializers.FloatField)
    partial = serializers.BooleanField()


class WordsPointAnswer(serializers.Serializer):
    utterance = serializers.CharField()
    occurred_at = serializers.DateTimeField()
    reading = _words(WordsReadingState.values)
    emotion = _maybe(_words, list(LABELS))
    confidence = _maybe(serializers.FloatField)
    valence = _maybe(serializers.FloatField, min_value=-1, max_value=1)
    incongruent = _maybe(serializers.BooleanField)


class SessionTimelineAnswer(serializers.Serializer):
    session = serializers.CharField()
    client = serializers.CharField()
    started_at = serializers.DateTimeField()
    ended_at = _maybe(serializers.DateTimeField)
    series = _maybe(SeriesAnswer)
    window = serializers.IntegerField()
    resolution = serializers.CharField()
    points_total = serializers.IntegerField(help_text="Before thinning to max_points.")
    coverage = _maybe(serializers.FloatField, help_text="Share of the client's utterances with a reading.")
    baseline = _maybe(AnyObject)
    points = PointAnswer(many=True)
    words = WordsPointAnswer(many=True, help_text="What was read of the words, also where nothing was heard.")
    alerts = AlertAnswer(many=True)


class SessionPointAnswer(serializers.Serializer):
    session = serializers.CharField()
    started_at = serializers.DateTimeField()
    mean = _maybe(serializers.FloatField)
    sd = _maybe(serializers.FloatField)
    level = _maybe(serializers.FloatField)
    valid = serializers.IntegerField()
    utterances = serializers.IntegerField()
    coverage = _maybe(serializers.FloatField)
    peak_volatility_z = _maybe(serializers.FloatField)


class ClientTimelineAnswer(serializers.Serializer):
    client = serializers.CharField()
    series = _maybe(SeriesAnswer)
    resolution = serializers.CharField()
    points_total = serializers.IntegerField()
    points = SessionPointAnswer(many=True)


class PredictAnswer(serializers.Serializer):
    emotion = _maybe(_words, list(LABELS))
    confidence = _maybe(serializers.FloatField)
    scores = _maybe(Scores)
    granularity = serializers.CharField()
    timestamp = serializers.DateTimeField()
    fallback_action = serializers.CharField(required=False)
    suggested_response = serializers.CharField(required=False)


class ProblemPlace(serializers.Serializer):
    pointer = serializers.CharField(required=False, help_text="JSON pointer (RFC 6901) into the body.")
    parameter = serializers.CharField(required=False, help_text="Name of the query parameter.")
    type = serializers.CharField()
    detail = serializers.CharField()


class ProblemAnswer(serializers.Serializer):
    """RFC 9457. `type` is part of the contract, the sentences are for people. No content is echoed."""

    type = serializers.CharField()
    title = serializers.CharField()
    status = serializers.IntegerField()
    detail = serializers.CharField()
    errors = ProblemPlace(many=True, required=False)


# --- How answers come ---------------------------------------------------------------------------------------


def both(answer: type[serializers.Serializer]) -> dict[int, Any]:
    return {
        201: OpenApiResponse(answer, description="New."),
        200: OpenApiResponse(answer, description="Found."),
    }


def listed(item: type[serializers.Serializer]) -> serializers.Serializer:
    return inline_serializer(
        f"{item.__name__.removesuffix('Answer')}Page",
        {
            "items": item(many=True),
            "next_cursor": _maybe(serializers.CharField, help_text="Null on the last page."),
        },
    )


def either(as_json: type[serializers.Serializer], upload: type[serializers.Serializer]) -> dict[str, Any]:
    return {"application/json": as_json, "multipart/form-data": upload}


POSTED = {
    201: OpenApiResponse(UtteranceAnswer, description="Kept, and read (`analyzed`) or not (`failed`)."),
    202: OpenApiResponse(UtteranceAnswer, description="Kept; the reading follows (`queued`)."),
}
RANGE = OpenApiParameter("Range", OpenApiTypes.STR, OpenApiParameter.HEADER, description="bytes=first-last")
POST_HEADERS = [
    OpenApiParameter(
        "Idempotency-Key",
        OpenApiTypes.STR,
        OpenApiParameter.HEADER,
        description="The same key with the same request never makes two rows.",
    ),
    OpenApiParameter(
        "Prefer", OpenApiTypes.STR, OpenApiParameter.HEADER, description="wait=N, seconds, at most 30."
    ),
]
POST_EXAMPLES = [
    OpenApiExample(
        "Words alone",
        {"text": "I slept better this week.", "occurred_at": "2026-03-02T09:00:00Z"},
        media_type="application/json",
        request_only=True,
    ),
    OpenApiExample(
        "Your own recognizer's scores",
        {
            "scores": dict(zip(LABELS, [0.02, 0.01, 0.02, 0.7, 0.2, 0.01, 0.02, 0.01, 0.01], strict=True)),
            "embedding": [0.12, -0.5, 0.33],
            "recognizer": {"id": "my-recognizer", "version": "3"},
            "occurred_at": "2026-03-02T09:00:05+01:00",
            "duration_ms": 2400,
        },
        media_type="application/json",
        request_only=True,
    ),
]
