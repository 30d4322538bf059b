"""What is sent and answered about rules."""

from __future__ import annotations

from rest_framework import serializers

from analysis.affect import AFFECT_LABELS
from emotrack.alerts.models import Kind, Severity, Told
from emotrack.alerts.rules.terms import LONGEST_REASON
from emotrack.api.fields import ChoiceField, Fields, FlagField, NumberField, TextField, WholeField, WordsField

PREVIEW_DAYS = 90
MOST_DAYS = 366
_DAY_MINUTES = 24 * 60 - 1


class DaysField(serializers.ListField):
    child = WholeField(min_value=0, max_value=6)


class TermsFields(Fields):
    """The terms of a rule; those that are left out stay as they are, or as the kind ships them."""

    measure = TextField(required=False, max_length=32, help_text="One of those that the kind may watch.")
    label = ChoiceField(["", *AFFECT_LABELS], required=False, help_text="For emotion_share only.")
    threshold = NumberField(required=False)
    recovery_threshold = NumberField(required=False)
    for_count = WholeField(required=False, allow_null=True, help_text="Turns, sessions, days or months.")
    for_seconds = WholeField(required=False, allow_null=True)
    keep_firing_seconds = WholeField(required=False)
    cool_down_seconds = WholeField(required=False)
    usual_spreads = NumberField(required=False, allow_null=True)
    also_off_headline = FlagField(required=False)
    severity = ChoiceField(Severity.values, required=False)
    tells = WordsField(Told.values, required=False)
    active_days = DaysField(required=False, help_text="0 is Monday.")
    active_from = WholeField(
        required=False,
        allow_null=True,
        min_value=0,
        max_value=_DAY_MINUTES,
        help_text="Minutes after 00:00.",
    )
    active_until = WholeField(required=False, allow_null=True, min_value=0, max_value=_DAY_MINUTES)
    critical_any_time = FlagField(required=False)


class RuleBody(TermsFields):
    kind = ChoiceField(Kind.values)
    reason = TextField(max_length=LONGEST_REASON, allow_blank=True, help_text="Why; kept with the version.")
    name = TextField(required=False, max_length=100, help_text="Without it: the kind's own title.")
    client = TextField(required=False, max_length=40, help_text="Without client and cohort: everyone.")
    cohort = TextField(required=False, max_length=40)
    enabled = FlagField(required=False)


class RuleChange(TermsFields):
    reason = TextField(
        required=False, max_length=LONGEST_REASON, allow_blank=True, help_text="Needed when terms change."
    )
    enabled = FlagField(required=False, help_text="False switches it off; what it holds open ends.")


class BacktestQuery(Fields):
    days = WholeField(required=False, min_value=1, max_value=MOST_DAYS, default=PREVIEW_DAYS)


class BacktestBody(TermsFields):
    days = WholeField(required=False, min_value=1, max_value=MOST_DAYS, default=PREVIEW_DAYS)


def _maybe(field: type[serializers.Field], **options: object) -> serializers.Field:
    return field(allow_null=True, **options)


class RuleAnswer(serializers.Serializer):
    id = serializers.CharField()
    kind = serializers.CharField()
    title = serializers.CharField()
    scope = serializers.CharField()
    client = _maybe(serializers.CharField)
    cohort = _maybe(serializers.CharField)
    enabled_at = _maybe(serializers.DateTimeField)
    version = serializers.IntegerField()
    measure = serializers.CharField()
    label = serializers.CharField(allow_blank=True)
    threshold = serializers.FloatField()
    recovery_threshold = serializers.FloatField()
    for_count = _maybe(serializers.IntegerField)
    for_seconds = _maybe(serializers.IntegerField)
    keep_firing_seconds = serializers.IntegerField()
    cool_down_seconds = serializers.IntegerField()
    usual_spreads = _maybe(serializers.FloatField)
    also_off_headline = serializers.BooleanField()
    severity = serializers.CharField()
    tells = serializers.ListField(child=serializers.CharField())
    active_days = serializers.ListField(child=serializers.IntegerField())
    active_from = _maybe(serializers.IntegerField)
    active_until = _maybe(serializers.IntegerField)
    critical_any_time = serializers.BooleanField()
    reason = serializers.CharField()
    saved_at = serializers.DateTimeField()
    saved_by = serializers.CharField()


class WouldFireAnswer(serializers.Serializer):
    client = _maybe(serializers.CharField)
    session = _maybe(serializers.CharField)
    fired_at = serializers.DateTimeField()
    ended_at = _maybe(serializers.DateTimeField)
    peak = serializers.FloatField()


class BacktestAnswer(serializers.Serializer):
    rule = serializers.CharField()
    since = serializers.DateTimeField()
    until = serializers.DateTimeField()
    count = serializers.IntegerField(help_text="Times it would have fired.")
    people = serializers.IntegerField()
    per_week = serializers.FloatField(help_text="For all clients together.")
    by_chance_per_week = _maybe(
        serializers.FloatField,
        help_text="In steady invented histories, for as many clients as are judged.",
    )
    clients_judged = serializers.IntegerField()
    clients_forming = serializers.IntegerField(help_text="Whose baseline is still forming.")
    episodes = WouldFireAnswer(many=True)
