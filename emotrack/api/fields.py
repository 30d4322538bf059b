"""Fields that take exactly what the contract says: no text for a number, no truth value for 1."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

import numpy as np
from django.utils.functional import cached_property
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers
from rest_framework.exceptions import ErrorDetail, ValidationError

from analysis.values import LABELS
from emotrack.api.errors import Place, Problem, wrong_fields
from emotrack.api.strictjson import join

MALFORMED = frozenset({"wrong-type", "unknown-field", "unknown-parameter", "duplicate-field"})
"""Slugs that mean 400; every other one means 422."""

LARGEST_FLOAT16 = 6e4
LONGEST_EMBEDDING = 16_384
SUM_TOLERANCE = 1e-3

SCORES_SCHEMA = {
    "type": "object",
    "properties": {label: {"type": "number", "minimum": 0, "maximum": 1} for label in LABELS},
    "required": list(LABELS),
    "additionalProperties": False,
}
VECTOR_SCHEMA = {"type": "array", "items": {"type": "number"}, "minItems": 1}

_FRAMEWORK = {
    "required": ("missing-field", "This field is missing."),
    "null": ("wrong-type", "May not be null."),
    "invalid": ("wrong-type", "Must be an object."),
    "not_a_list": ("wrong-type", "Must be a list."),
    "blank": ("empty", "May not be empty."),
    "empty": ("empty", "May not be empty."),
    "max_length": ("too-long", "Too long."),
    "min_value": ("out-of-range", "Too small."),
    "max_value": ("out-of-range", "Too large."),
}
"""The framework's codes; its own sentences repeat what was sent, so they are not used."""

_RFC3339 = re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d(:\d\d([.,]\d{1,9})?)?([Zz]|[+-]\d\d:\d\d)?", re.ASCII)
_WHOLE = re.compile(r"-?(0|[1-9]\d{0,17})", re.ASCII)
_NUMBER = re.compile(r"-?(0|[1-9]\d{0,17})(\.\d{1,12})?", re.ASCII)
_LANGUAGE = re.compile(r"[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*", re.ASCII)


def refuse(slug: str, detail: str) -> ValidationError:
    return ValidationError(detail, code=slug)


class _AsForm:
    """A field that may also arrive as the text of a form or of a query."""

    @property
    def from_text(self) -> bool:
        return bool(self.context.get("as_text"))


class TextField(serializers.CharField):
    """Text as it was sent: nothing trimmed, nothing normalized."""

    def __init__(self, **options: Any) -> None:
        super().__init__(trim_whitespace=False, **options)

    def to_internal_value(self, data: Any) -> str:
        if not isinstance(data, str):
            raise refuse("wrong-type", "Must be text.")
        return data


class WholeField(_AsForm, serializers.IntegerField):
    """A whole number."""

    def to_internal_value(self, data: Any) -> int:
        if self.from_text and isinstance(data, str) and _WHOLE.fullmatch(data):
            return int(data)
        if type(data) is not int:
            raise refuse("wrong-type", "Must be a whole number.")
        return data


class NumberField(_AsForm, serializers.FloatField):
    """A finite number."""

    def to_internal_value(self, data: Any) -> float:
        if self.from_text and isinstance(data, str) and _NUMBER.fullmatch(data):
            return float(data)
        if type(data) not in (int, float):
            raise refuse("wrong-type", "Must be a number.")
        return float(data)


class FlagField(serializers.BooleanField):
    """True or false."""

    def to_internal_value(self, data: Any) -> bool:
        if type(data) is not bool:
            raise refuse("wrong-type", "Must be true or false.")
        return data


class ChoiceField(serializers.ChoiceField):
    """One of a few words."""

    def to_internal_value(self, data: Any) -> str:
        if not isinstance(data, str):
            raise refuse("wrong-type", "Must be text.")
        if data not in self.choices:
            raise refuse("not-a-choice", f"One of: {', '.join(map(str, self.choices))}.")
        return data


class WordsField(_AsForm, serializers.ListField):
    """A list of words out of ``choices``; in forms and queries separated by commas."""

    def __init__(self, choices: list[str], **options: Any) -> None:
        super().__init__(child=ChoiceField(choices), **options)

    def get_value(self, dictionary: Mapping[str, Any]) -> Any:
        return dictionary.get(self.field_name, serializers.empty)

    def to_internal_value(self, data: Any) -> list[str]:
        if self.from_text and isinstance(data, str):
            data = [word for word in data.split(",") if word]
        return super().to_internal_value(data)


class MomentField(serializers.DateTimeField):
    """A time with its offset from UTC, as RFC 3339 writes it."""

    def to_internal_value(self, value: Any) -> datetime:
        if not isinstance(value, str):
            raise refuse("wrong-type", "Must be a time in text.")
        if not _RFC3339.fullmatch(value):
            raise refuse("timestamp-invalid", "Not an RFC 3339 time.")
        try:
            moment = datetime.fromisoformat(value.upper().replace(",", "."))
        except ValueError as error:
            raise refuse("timestamp-invalid", "No such day or hour.") from error
        if moment.tzinfo is None:
            raise refuse("timestamp-naive", "Add the offset from UTC, such as Z or +02:00.")
        if not 1900 <= moment.year <= 2200:
            raise refuse("out-of-range", "A year from 1900 to 2200.")
        return moment


class LanguageField(TextField):
    """A BCP 47 tag such as ``en`` or ``zh-Hans``."""

    def to_internal_value(self, data: Any) -> str:
        tag = super().to_internal_value(data)
        if tag and (len(tag) > 20 or not _LANGUAGE.fullmatch(tag)):
            raise refuse("language-invalid", "Not a BCP 47 language tag.")
        return tag


@extend_schema_field(SCORES_SCHEMA)
class ScoresField(serializers.Field):
    """The nine labels and their shares, sum 1. Gives (9,) float32 in the order of ``LABELS``."""

    def to_internal_value(self, data: Any) -> np.ndarray:
        if not isinstance(data, dict):
            raise refuse("wrong-type", "Must be an object of nine labels.")
        wrong = {label: ["Must be a number."] for label, x in data.items() if type(x) not in (int, float)}
        if wrong:
            raise ValidationError(
                {label: [ErrorDetail(text[0], "wrong-type")] for label, text in wrong.items()}
            )
        if set(data) != set(LABELS):
            raise refuse("scores-labels", f"Exactly these labels: {', '.join(LABELS)}.")
        scores = np.array([data[label] for label in LABELS], dtype=np.float64)
        if (scores < 0).any():
            raise refuse("scores-negative", "A score is below zero.")
        if abs(scores.sum() - 1) > SUM_TOLERANCE:
            raise refuse("scores-sum", "The nine scores must add up to 1.")
        return scores.astype(np.float32)


@extend_schema_field(VECTOR_SCHEMA)
class EmbeddingField(serializers.Field):
    """A list of numbers, of any dimension. Gives (D,) float32."""

    def to_internal_value(self, data: Any) -> np.ndarray:
        if not isinstance(data, list):
            raise refuse("wrong-type", "Must be a list of numbers.")
        for place, x in enumerate(data):
            if type(x) not in (int, float):
                raise ValidationError({place: [ErrorDetail("Must be a number.", "wrong-type")]})
        if not data:
            raise refuse("embedding-shape", "The embedding holds no numbers.")
        if len(data) > LONGEST_EMBEDDING:
            raise refuse("too-long", f"At most {LONGEST_EMBEDDING} numbers.")
        vector = np.array(data, dtype=np.float64)
        if np.abs(vector).max() > LARGEST_FLOAT16:
            raise refuse(
                "embedding-out-of-range", f"Numbers from -{LARGEST_FLOAT16:g} to {LARGEST_FLOAT16:g}."
            )
        return vector.astype(np.float32)


class Fields(serializers.Serializer):
    """An object of known fields; one that is not known is refused."""

    @cached_property
    def known(self) -> frozenset[str]:
        return frozenset(self.fields)

    def to_internal_value(self, data: Any) -> dict[str, Any]:
        if not isinstance(data, Mapping):
            raise refuse("wrong-type", "Must be an object.")
        unknown = [key for key in data if key not in self.known]
        if unknown:
            slug = self.context.get("unknown", "unknown-field")
            raise ValidationError({key: [ErrorDetail("Not known here.", slug)] for key in unknown})
        return super().to_internal_value(data)


def places(detail: Any, pointer: str = "") -> list[Place]:
    """Every error of the framework's tree with its JSON pointer."""
    if isinstance(detail, Mapping):
        return [
            place
            for key, inner in detail.items()
            for place in places(inner, pointer if key == "non_field_errors" else join(pointer, str(key)))
        ]
    if isinstance(detail, list):
        return [place for inner in detail for place in places(inner, pointer)]
    slug, sentence = _FRAMEWORK.get(detail.code, (detail.code, str(detail)))
    return [(pointer, slug, sentence)]


def validated(fields: type[Fields], data: Any, **context: Any) -> dict[str, Any]:
    """The checked values; raises ``Problem`` with a pointer to every wrong place."""
    form = fields(data=data, context=context)
    if not isinstance(data, Mapping):
        raise wrong_fields([("", "wrong-type", "Must be an object.")], malformed=True)
    if form.is_valid():
        return dict(form.validated_data)
    errors = places(form.errors)
    if context.get("unknown") == "unknown-parameter":
        errors = [(f"?{pointer[1:]}", slug, detail) for pointer, slug, detail in errors]
    raise wrong_fields(errors, malformed=any(slug in MALFORMED for _pointer, slug, _detail in errors))


def refuse_field(pointer: str, slug: str, detail: str) -> Problem:
    """One field whose value is not allowed."""
    return wrong_fields([(pointer, slug, detail)], malformed=slug in MALFORMED)
