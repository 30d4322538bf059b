"""What is answered about webhooks and deliveries, for the documentation."""

from __future__ import annotations

from rest_framework import serializers

from emotrack.alerts.delivery.queries import STATES
from emotrack.alerts.models import ChannelKind, Format, NotificationKind, Trouble
from emotrack.api.shapes import _maybe, _words


class WebhookAnswer(serializers.Serializer):
    id = serializers.CharField()
    name = serializers.CharField()
    url = serializers.CharField()
    format = _words(Format.values)
    app = _maybe(serializers.CharField, help_text="Whose clients it tells of; null: of all.")
    on = serializers.BooleanField()
    created_at = serializers.DateTimeField()
    disabled_at = _maybe(serializers.DateTimeField)
    disabled_reason = _maybe(serializers.CharField)
    waiting = serializers.IntegerField(help_text="Notices on their way or to be tried again.")
    dead = serializers.IntegerField(help_text="Dead letters, which can be replayed.")
    last_sent_at = _maybe(serializers.DateTimeField)


class NewWebhookAnswer(WebhookAnswer):
    secret = serializers.CharField(help_text="`whsec_…`; shown here and never again.")


class SecretAnswer(serializers.Serializer):
    secret = serializers.CharField(help_text="`whsec_…`; shown here and never again.")
    both_sign_until = serializers.DateTimeField()


class AttemptAnswer(serializers.Serializer):
    at = serializers.DateTimeField()
    took_ms = serializers.IntegerField()
    status = _maybe(serializers.IntegerField, help_text="The receiver's code; null: it gave none.")
    error = _maybe(serializers.CharField, help_text="Null: it was taken.")


class TestAnswer(AttemptAnswer):
    delivery = serializers.CharField()
    taken = serializers.BooleanField()
    answer = serializers.CharField(
        allow_blank=True, help_text="First line of what the receiver said, in plain ASCII."
    )


class ReplayedAnswer(serializers.Serializer):
    replayed = serializers.IntegerField()


class DeliveryAnswer(serializers.Serializer):
    id = serializers.CharField(help_text="The `webhook-id` that the receiver got.")
    webhook = serializers.CharField(help_text="Id of the webhook, or of a person's mail.")
    channel = _words([ChannelKind.WEBHOOK, ChannelKind.EMAIL])
    kind = _words([kind for kind in NotificationKind.values if kind != NotificationKind.TRIAL])
    alert = _maybe(serializers.CharField)
    trouble = _maybe(_words, Trouble.values)
    state = _words(list(STATES))
    created_at = serializers.DateTimeField()
    due_at = _maybe(serializers.DateTimeField, help_text="Of the next attempt, while it waits.")
    sent_at = _maybe(serializers.DateTimeField)
    dead_at = _maybe(serializers.DateTimeField)
    withdrawn_at = _maybe(serializers.DateTimeField, help_text="A mail whose alert had been seen by then.")
    error = _maybe(serializers.CharField, help_text="Of the latest attempt that failed.")
    attempts = AttemptAnswer(many=True)
