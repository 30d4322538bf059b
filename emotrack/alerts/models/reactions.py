"""What people say to an alert beside having seen it: not now, and whether it was of use."""

from __future__ import annotations

from datetime import datetime
from typing import Self

from django.conf import settings
from django.db import models
from django.db.models import Exists, F, OuterRef, Q
from django.utils.translation import gettext_lazy as _

from emotrack.history.models import Client, Session


class SnoozeQuerySet(models.QuerySet):
    def active(self, now: datetime) -> Self:
        """Not ended by a person, nor by their time, nor by a session that began after them."""
        next_session = Session.objects.filter(client=OuterRef("client"), started_at__gt=OuterRef("since"))
        return self.filter(ended_at__isnull=True, until__gt=now).exclude(
            Q(until_next_session=True) & Exists(next_session)
        )


class Snooze(models.Model):
    """Mutes a rule for one client until a stated end; what fires meanwhile is kept and shown as snoozed."""

    rule = models.ForeignKey("alerts.Rule", on_delete=models.CASCADE, related_name="snoozes")
    client = models.ForeignKey(Client, on_delete=models.CASCADE, related_name="snoozes")
    alert = models.ForeignKey(
        "alerts.Alert",
        null=True,
        on_delete=models.SET_NULL,
        related_name="snoozes",
        help_text="Where it was asked for.",
    )
    since = models.DateTimeField()
    until = models.DateTimeField(help_text="The end at the latest.")
    until_next_session = models.BooleanField(
        default=False, help_text="Ends already with the client's next session."
    )
    set_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )
    ended_at = models.DateTimeField(null=True, help_text="When a person ended it, or another took its place.")
    ended_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )

    objects = SnoozeQuerySet.as_manager()

    class Meta:
        ordering = ["since", "id"]
        constraints = [
            models.UniqueConstraint(
                fields=["rule", "client"],
                name="one_snooze_per_rule_and_client",
                condition=Q(ended_at__isnull=True),
            ),
            models.CheckConstraint(name="a_snooze_ends_after_it_began", condition=Q(until__gt=F("since"))),
        ]


class Judgment(models.TextChoices):
    USEFUL = "useful", _("Useful")
    NOT_USEFUL = "not_useful", _("Not useful")
    ALREADY_KNOWN = "already_known", _("Already known")


class Verdict(models.Model):
    """What one person thought of one alert; they may change it."""

    alert = models.ForeignKey("alerts.Alert", on_delete=models.CASCADE, related_name="verdicts")
    person = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="alert_verdicts"
    )
    judgment = models.CharField(max_length=16, choices=Judgment)
    given_at = models.DateTimeField()

    class Meta:
        ordering = ["given_at", "id"]
        constraints = [
            models.UniqueConstraint(fields=["alert", "person"], name="one_verdict_per_person_and_alert")
        ]
