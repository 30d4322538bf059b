"""What a client agreed to: one row per purpose, kept when it is withdrawn."""

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from emotrack.accounts.models import App
from emotrack.history.models import Client, VisibleQuerySet


class Purpose(models.TextChoices):
    VOICE_EMOTION = "voice_emotion", _("Readings from the voice")
    TEXT = "text", _("Readings from words")
    ALERTS = "alerts", _("Alerts to the counselor")
    RESEARCH = "research", _("Research")


class Consent(models.Model):
    """Given by the client on a page, or asserted by an app under the terms recorded with it."""

    client = models.ForeignKey(Client, on_delete=models.CASCADE, related_name="consents")
    purpose = models.CharField(max_length=20, choices=Purpose)
    version = models.CharField(max_length=64, help_text="Of the text that was agreed to.")
    given_at = models.DateTimeField()
    recorded_at = models.DateTimeField()
    withdrawn_at = models.DateTimeField(null=True)
    app = models.ForeignKey(App, null=True, on_delete=models.SET_NULL)
    recorded_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL)

    objects = VisibleQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["client", "purpose"],
                name="one_standing_consent_per_client_and_purpose",
                condition=models.Q(withdrawn_at__isnull=True),
            )
        ]
