"""What exports answer, for the documentation."""

from __future__ import annotations

from drf_spectacular.types import OpenApiTypes
from rest_framework import serializers

FILE = {(200, "application/json"): OpenApiTypes.OBJECT, (200, "application/octet-stream"): bytes}
"""JSON unless another format is asked for; then a file of that format's own media type."""


class ContextAnswer(serializers.Serializer):
    """Empty and null while the client said nothing that was read."""

    context = serializers.CharField(
        allow_blank=True, help_text="Like `([emotion angry=0.71, neutral=0.20])`; shares from 0.1 on."
    )
    utterance = serializers.CharField(allow_null=True, help_text="The one that it is about.")
    occurred_at = serializers.DateTimeField(allow_null=True)
    reading = serializers.CharField(allow_null=True, help_text="`ok`, or why no label is claimed.")
