"""What is answered about recordings, for the documentation."""

from __future__ import annotations

from rest_framework import serializers

from emotrack.recordings.models import State


class JobProgress(serializers.Serializer):
    done_ms = serializers.IntegerField(help_text="So much of it has been listened to.")
    duration_ms = serializers.IntegerField(allow_null=True, help_text="An estimate until it is done.")


class JobTurns(serializers.Serializer):
    found = serializers.IntegerField()
    read = serializers.IntegerField()
    waiting = serializers.IntegerField()
    failed = serializers.IntegerField()


class JobError(serializers.Serializer):
    type = serializers.CharField()
    detail = serializers.CharField()


class JobAnswer(serializers.Serializer):
    """A recording that is cut into turns; `done` says that all are found, `utterances` how many are read."""

    id = serializers.CharField()
    session = serializers.CharField()
    client = serializers.CharField()
    state = serializers.ChoiceField(State.values)
    created_at = serializers.DateTimeField()
    started_at = serializers.DateTimeField()
    finished_at = serializers.DateTimeField(allow_null=True)
    size_bytes = serializers.IntegerField()
    speakers = serializers.ListField(child=serializers.CharField())
    progress = JobProgress()
    utterances = JobTurns()
    errors = JobError(many=True)
    warnings = serializers.ListField(child=serializers.CharField())
