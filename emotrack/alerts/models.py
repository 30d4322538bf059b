"""What we told people and why: rules in versions, alerts, and the notices that went out.

Alerts and notifications are facts about what we did; nothing rebuilds them, and rules are never deleted.
"""

from __future__ import annotations

from typing import Self

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from emotrack import crypto
from emotrack.accounts.models import App
from emotrack.history.models import Client, Recognizer, Session, Utterance, VisibleQuerySet
from emotrack.identifiers import new_public_id


def _public_id() -> models.CharField:
    return models.CharField(max_length=20, unique=True, default=new_public_id, editable=False)


class Kind(models.TextChoices):
    """What a rule looks for; the label is also the title of its alerts."""

    VOLATILITY = "volatility", _("More changeable than usual")
    NEGATIVE_MOOD = "negative_mood", _("Lower than usual for a while")


class Severity(models.TextChoices):
    INFO = "info", _("Info")
    WARNING = "warning", _("Warning")
    CRITICAL = "critical", _("Critical")


class Scope(models.TextChoices):
    EVERYONE = "everyone", _("Everyone in the practice")
    CLIENT = "client", _("One client")


class Rule(models.Model):
    """Something to look out for. Its terms stand in versions; a rule that is off keeps them."""

    public_id = _public_id()
    shipped_as = models.CharField(
        max_length=32, unique=True, null=True, editable=False, help_text="Name of the default it came as."
    )
    kind = models.CharField(max_length=24, choices=Kind)
    name = models.CharField(max_length=100, blank=True, help_text="Empty: the kind's own title.")
    scope = models.CharField(max_length=10, choices=Scope, default=Scope.EVERYONE)
    client = models.ForeignKey(Client, null=True, on_delete=models.CASCADE, related_name="rules")
    created_at = models.DateTimeField()
    enabled_at = models.DateTimeField(null=True, help_text="Null: switched off.")

    class Meta:
        ordering = ["id"]
        constraints = [
            models.CheckConstraint(
                name="a_rule_for_one_client_names_the_client",
                condition=Q(scope=Scope.CLIENT, client__isnull=False)
                | (~Q(scope=Scope.CLIENT) & Q(client__isnull=True)),
            )
        ]

    def __str__(self) -> str:
        return self.public_id

    @property
    def title(self) -> str:
        return self.name or Kind(self.kind).label

    @property
    def current(self) -> RuleVersion:
        """The newest version: in force for every session that begins from now on."""
        return self.versions.order_by("-number")[0]


class RuleVersion(models.Model):
    """The terms of a rule from one moment on, with the reason for them. Never changed once saved.

    ``above`` follows from the kind; ``usual_spreads`` k holds the line at least k spreads (1.4826·MAD) off
    the person's own median, on top of the absolute threshold.
    """

    rule = models.ForeignKey(Rule, on_delete=models.CASCADE, related_name="versions")
    number = models.PositiveIntegerField()
    measure = models.CharField(max_length=32, help_text="Id of a measure in analysis.measures.")
    threshold = models.FloatField()
    recovery_threshold = models.FloatField()
    for_count = models.PositiveSmallIntegerField(null=True, help_text="Valid utterances in a row.")
    for_seconds = models.PositiveIntegerField(null=True)
    keep_firing_seconds = models.PositiveIntegerField(default=0)
    cool_down_seconds = models.PositiveIntegerField(default=0, help_text="Mutes notices, not the state.")
    usual_spreads = models.FloatField(null=True, help_text="Null: the threshold alone.")
    also_off_headline = models.BooleanField(
        default=False, help_text="Judge even where the recognizer does not read this dimension best."
    )
    severity = models.CharField(max_length=10, choices=Severity, default=Severity.WARNING)
    reason = models.CharField(max_length=500)
    saved_by = models.CharField(max_length=150, help_text="As the audit log names them.")
    saved_at = models.DateTimeField()

    class Meta:
        ordering = ["rule", "number"]
        constraints = [
            models.UniqueConstraint(fields=["rule", "number"], name="a_rule_has_one_version_of_a_number")
        ]

    def __str__(self) -> str:
        return f"{self.rule_id} v{self.number}"


class EndReason(models.TextChoices):
    RECOVERED = "recovered", _("Back to usual")
    SESSION_ENDED = "session_ended", _("The session ended")
    RULE_OFF = "rule_off", _("The rule was switched off")
    CONSENT_WITHDRAWN = "consent_withdrawn", _("Consent to alerts was withdrawn")


class Muted(models.TextChoices):
    """Why nobody was notified of an alert."""

    COOL_DOWN = "cool_down", _("Another alert of this rule was sent not long ago")
    HISTORICAL = "historical", _("It was already in the past when it was found")
    JOINED = "joined", _("It joined an alert that was open already")


class AlertQuerySet(VisibleQuerySet):
    def standing(self) -> Self:
        """Without those that late data has undone."""
        return self.filter(superseded_at__isnull=True)

    def open(self) -> Self:
        """At most one per rule and client: those that joined another are left out."""
        return self.standing().filter(resolved_at__isnull=True, part_of__isnull=True)

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
                condition=Q(resolved_at__isnull=True, superseded_at__isnull=True, part_of__isnull=True),
            ),
            models.CheckConstraint(
                name="an_alert_that_ended_says_why",
                condition=Q(resolved_at__isnull=True, end_reason="")
                | (Q(resolved_at__isnull=False) & ~Q(end_reason="")),
            ),
        ]

    def __str__(self) -> str:
        return self.public_id

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


class ChannelKind(models.TextChoices):
    WEBHOOK = "webhook", _("Webhook")


class NotificationChannel(models.Model):
    """Somewhere to tell: of all clients, or of those of the app that it belongs to."""

    public_id = _public_id()
    kind = models.CharField(max_length=12, choices=ChannelKind, default=ChannelKind.WEBHOOK)
    name = models.CharField(max_length=100)
    url = models.CharField(max_length=1000)
    sealed_secret = models.BinaryField(editable=False)
    app = models.ForeignKey(App, null=True, on_delete=models.CASCADE, related_name="notification_channels")
    created_at = models.DateTimeField()
    disabled_at = models.DateTimeField(null=True)
    disabled_reason = models.CharField(max_length=200, blank=True)

    class Meta:
        ordering = ["id"]

    def __str__(self) -> str:
        return self.name

    @property
    def _place(self) -> str:
        return f"channel:{self.public_id}"

    @property
    def secret(self) -> str:
        return crypto.unwrap(self.sealed_secret, self._place).decode()

    @secret.setter
    def secret(self, secret: str) -> None:
        self.sealed_secret = crypto.wrap(secret.encode(), self._place)


class NotificationKind(models.TextChoices):
    FIRED = "fired", _("It began")
    RESOLVED = "resolved", _("It ended")


class NotificationQuerySet(models.QuerySet):
    def undone(self) -> Self:
        return self.filter(sent_at__isnull=True, dead_at__isnull=True)


class Notification(models.Model):
    """One notice to one channel: due, perhaps leased by a sender, then sent or a dead letter."""

    public_id = _public_id()
    alert = models.ForeignKey(Alert, on_delete=models.CASCADE, related_name="notifications")
    channel = models.ForeignKey(NotificationChannel, on_delete=models.CASCADE, related_name="notifications")
    kind = models.CharField(max_length=10, choices=NotificationKind)
    created_at = models.DateTimeField()
    queued_at = models.DateTimeField(help_text="When its 24 hours began: when it was made, or replayed.")
    due_at = models.DateTimeField()
    attempts = models.PositiveSmallIntegerField(default=0, help_text="Since it was queued.")
    leased_until = models.DateTimeField(null=True)
    sent_at = models.DateTimeField(null=True)
    dead_at = models.DateTimeField(null=True)
    last_error = models.CharField(max_length=300, blank=True)

    objects = NotificationQuerySet.as_manager()

    class Meta:
        ordering = ["id"]
        indexes = [
            models.Index(
                fields=["due_at"],
                name="notification_due",
                condition=Q(sent_at__isnull=True, dead_at__isnull=True),
            )
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["alert", "channel", "kind"], name="a_channel_is_told_of_an_alert_once_per_kind"
            ),
            models.CheckConstraint(
                name="a_notification_is_sent_or_dead_not_both",
                condition=Q(sent_at__isnull=True) | Q(dead_at__isnull=True),
            ),
        ]

    def __str__(self) -> str:
        return self.public_id
