"""What is answered about alerts and how rules stand, for the documentation."""

from __future__ import annotations

from rest_framework import serializers

from emotrack.alerts.models import Judgment
from emotrack.alerts.tuning.suggestion import NoSuggestion
from emotrack.api.shapes import AlertAnswer, _maybe, _words


class SnoozeAnswer(serializers.Serializer):
    """The rule keeps still about this client."""

    since = serializers.DateTimeField()
    until = serializers.DateTimeField(help_text="The end at the latest.")
    until_event = _maybe(_words, ["next_session"], help_text="What ends it before that.")
    by = _maybe(serializers.CharField)


class VerdictCounts(serializers.Serializer):
    useful = serializers.IntegerField()
    not_useful = serializers.IntegerField()
    already_known = serializers.IntegerField()


class AlertStateAnswer(AlertAnswer):
    """An alert and what people said to it."""

    snooze = _maybe(SnoozeAnswer)
    verdicts = VerdictCounts(help_text="How many people judged it so.")
    verdict = _maybe(_words, list(Judgment.values), help_text="Your own; null for apps and without one.")


class SuggestedThresholdAnswer(serializers.Serializer):
    """Of the judged alerts it keeps so many useful ones, and drops so many that were not."""

    threshold = serializers.FloatField()
    keeps = serializers.IntegerField()
    useful = serializers.IntegerField()
    drops = serializers.IntegerField()
    not_useful = serializers.IntegerField()


class RuleStandingAnswer(serializers.Serializer):
    """What those who receive a rule's alerts think of them, over the clients that you may see."""

    rule = serializers.CharField()
    useful = serializers.IntegerField(help_text="Alerts that anybody found useful; each counts once.")
    not_useful = serializers.IntegerField()
    already_known = serializers.IntegerField()
    precision = _maybe(serializers.FloatField, help_text="useful / (useful + not_useful).")
    precision_low = _maybe(serializers.FloatField, help_text="95 % interval (Wilson).")
    precision_high = _maybe(serializers.FloatField)
    told = serializers.IntegerField(help_text="Alerts of the last 90 days that somebody was notified of.")
    acknowledged = serializers.IntegerField(help_text="Of these.")
    median_seconds_to_acknowledge = _maybe(
        serializers.FloatField, help_text="null while more than half were not acknowledged."
    )
    fired_in_30_days = serializers.IntegerField()
    nobody_acts = serializers.BooleanField(help_text="At least 10 in 30 days, none acknowledged or useful.")
    suggested = _maybe(SuggestedThresholdAnswer)
    why_not_suggested = _maybe(_words, list(NoSuggestion))
