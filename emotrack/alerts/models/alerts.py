"""Alerts: the episodes of a rule as we told them, and why nobody was told of some."""

from __future__ import annotations

from datetime import datetime
from typing import Self

from django.conf import settings
from django.db import connection, models
from django.db.models import Exists, OuterRef, Q
from django.utils.translation import gettext_lazy as _

from emotrack.accounts.models import App, User
from emotrack.alerts.models.reactions import Judgment, Snooze, Verdict
from emotrack.alerts.models.rules import (
    ADMIN_KINDS,
    Rule,
    RuleVersion,
    Severity,
)
from emotrack.history.models import Client, Recognizer, Session, Utterance, VisibleQuerySet
from emotrack.identifiers import new_public_id


def _public_id() -> models.CharField:
    return models.CharField(max_length=20, unique=True, default=new_public_id, editable=False)


class EndReason(models.TextChoices):
    RECOVERED = "recovered", _("Back to usual")
    SESSION_ENDED = "session_ended", _("The session ended")
    SERIES_ENDED = "series_ended", _("Another recognizer reads now")
    RULE_OFF = "rule_off", _("The rule was switched off")
    CONSENT_WITHDRAWN = "consent_withdrawn", _("Consent to alerts was withdrawn")


class Muted(models.TextChoices):
    """Why nobody was notified of an alert."""

    COOL_DOWN = "cool_down", _("Another alert of this rule was sent not long ago")
    HISTORICAL = "historical", _("It was already in the past when it was found")
    JOINED = "joined", _("It joined an alert that was open already")
    SNOOZED = "snoozed", _("The rule was snoozed for this client")


def _snoozes_over(now: datetime) -> models.QuerySet[Snooze]:
    """Within a query of alerts: the snooze that holds each back."""
    return Snooze.objects.active(now).filter(rule=OuterRef("rule"), client=OuterRef("client"))


class AlertQuerySet(VisibleQuerySet):
    def standing(self) -> Self:
        """Without those that late data has undone."""
        return self.filter(superseded_at__isnull=True)

    def visible_to(self, viewer: User | App) -> Self:
        """As for any row of a client; what only concerns the running of the practice is for admins."""
        rows = super().visible_to(viewer)
        return rows if isinstance(viewer, User) and viewer.is_admin else rows.about_people()

    def about_people(self) -> Self:
        """Without the alerts on the sound and the recognizer."""
        return self.exclude(rule__kind__in=ADMIN_KINDS)

    def open(self) -> Self:
        """Going on, not resolved by hand, one per rule and client: what joined another is left out."""
        return self.standing().filter(resolved_at__isnull=True, closed_at__isnull=True, part_of__isnull=True)

    def unsettled(self) -> Self:
        """What may ask a person to look: not closed by one, and not found long after the fact."""
        asking = self.standing().filter(closed_at__isnull=True, historical_at__isnull=True)
        return asking.filter(part_of__isnull=True)

    def for_attention(self, now: datetime) -> Self:
        """Unsettled, and no snooze holds it back."""
        return self.unsettled().exclude(Exists(_snoozes_over(now)))

    def snoozed(self, now: datetime) -> Self:
        return self.unsettled().filter(Exists(_snoozes_over(now)))

    def waiting(self) -> Self:
        """Nobody has seen it yet, or it goes on."""
        return self.filter(Q(acknowledged_at__isnull=True) | Q(resolved_at__isnull=True))

    def with_judgments(self) -> Self:
        """Adds ``was_useful``, ``was_not_useful`` and ``was_known``: whether anybody judged it so."""
        said = Verdict.objects.filter(alert=OuterRef("pk"))
        return self.annotate(
            was_useful=Exists(said.filter(judgment=Judgment.USEFUL)),
            was_not_useful=Exists(said.filter(judgment=Judgment.NOT_USEFUL)),
            was_known=Exists(said.filter(judgment=Judgment.ALREADY_KNOWN)),
        )

    def unacknowledged(self) -> Self:
        return self.filter(acknowledged_at__isnull=True)

    def newest_first(self) -> Self:
        return self.order_by("-fired_at", "-id")


class Alert(models.Model):
    """One episode of one rule in one session, as we told it.

    Times of the episode (``pending_at`` to ``resolved_at``) are on the clock of what was said; the others
    say when we or a person did something.
    """

    public_id = _public_id()
    rule = models.ForeignKey(Rule, on_delete=models.CASCADE, related_name="alerts")
    version = models.ForeignKey(RuleVersion, on_delete=models.CASCADE, related_name="alerts")
    client = models.ForeignKey(Client, on_delete=models.CASCADE, related_name="alerts")
    session = models.ForeignKey(Session, on_delete=models.CASCADE, related_name="alerts")
    recognizer = models.ForeignKey(Recognizer, on_delete=models.CASCADE, related_name="alerts")
    severity = models.CharField(max_length=10, choices=Severity)

    pending_at = models.DateTimeField()
    fired_at = models.DateTimeField()
    recovering_at = models.DateTimeField(null=True)
    resolved_at = models.DateTimeField(null=True)
    end_reason = models.CharField(max_length=20, choices=EndReason, blank=True)
    fired_utterance = models.ForeignKey(
        Utterance, null=True, on_delete=models.SET_NULL, related_name="alerts_fired"
    )
    peak = models.FloatField()
    peak_utterance = models.ForeignKey(Utterance, null=True, on_delete=models.SET_NULL, related_name="+")
    baseline = models.JSONField(
        help_text="The rule's own copy: threshold and recovery in force; n, median and mad of the usual."
    )

    created_at = models.DateTimeField()
    part_of = models.ForeignKey("self", null=True, on_delete=models.SET_NULL, related_name="parts")
    muted = models.CharField(max_length=12, choices=Muted, blank=True)
    historical_at = models.DateTimeField(null=True, help_text="When it was found long after it happened.")
    superseded_at = models.DateTimeField(null=True, help_text="When late data made its episode vanish.")
    acknowledged_at = models.DateTimeField(null=True)
    acknowledged_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )
    closed_at = models.DateTimeField(null=True, help_text="When a person resolved it by hand.")
    closed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )
    escalated_at = models.DateTimeField(null=True, help_text="When others were told that nobody had seen it.")

    objects = AlertQuerySet.as_manager()

    class Meta:
        ordering = ["-fired_at", "-id"]
        indexes = [
            models.Index(fields=["client", "-fired_at"]),
            models.Index(fields=["session", "rule"]),
            models.Index(
                fields=["-fired_at"],
                name="alert_open",
                condition=Q(resolved_at__isnull=True, superseded_at__isnull=True),
            ),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["rule", "client"],
                name="one_open_alert_per_rule_and_client",
                condition=Q(
                    resolved_at__isnull=True,
                    closed_at__isnull=True,
                    superseded_at__isnull=True,
                    part_of__isnull=True,
                ),
            ),
            models.CheckConstraint(
                name="an_alert_that_ended_says_why",
                condition=Q(resolved_at__isnull=True, end_reason="")
                | (Q(resolved_at__isnull=False) & ~Q(end_reason="")),
            ),
        ]

    def __str__(self) -> str:
        return self.public_id

    @staticmethod
    def rules_that_told(session_id: int, recognizer_id: int) -> set[int]:
        """Primary keys of the rules with an alert in this session, whatever became of it."""
        # By hand for the same reason as the book's mark: every turn asks, and nearly always for nothing.
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT DISTINCT rule_id FROM alerts_alert WHERE session_id = %s AND recognizer_id = %s",
                [session_id, recognizer_id],
            )
            return {rule for (rule,) in cursor.fetchall()}

    @property
    def title(self) -> str:
        return self.rule.title

    @property
    def state(self) -> str:
        """``firing``, ``recovering``, ``resolved`` or ``superseded``."""
        if self.superseded_at:
            return "superseded"
        if self.resolved_at:
            return "resolved"
        return "recovering" if self.recovering_at else "firing"
