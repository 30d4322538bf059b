"""Where we tell, what we told, how each attempt went; and what ails the service itself."""

from __future__ import annotations

from datetime import datetime
from typing import Self

from django.conf import settings
from django.db import models
from django.db.models import Exists, OuterRef, Q
from django.utils.translation import gettext_lazy as _

from emotrack import crypto
from emotrack.accounts.models import App, User
from emotrack.alerts.models.reactions import Snooze
from emotrack.identifiers import new_public_id


def _public_id() -> models.CharField:
    return models.CharField(max_length=20, unique=True, default=new_public_id, editable=False)


class ChannelKind(models.TextChoices):
    WEBHOOK = "webhook", _("Webhook")
    EMAIL = "email", _("E-mail")
    TRIAL = "trial", _("Trial")


class Format(models.TextChoices):
    """What a webhook is sent."""

    STANDARD = "standard", "Standard Webhooks 1.0"
    ALERTMANAGER = "alertmanager", "Alertmanager webhook 4"


class ChannelQuerySet(models.QuerySet):
    def visible_to(self, viewer: User | App) -> Self:
        """Webhooks: an app's own, or every one for an admin. What was removed is in no list."""
        webhooks = self.filter(kind=ChannelKind.WEBHOOK, removed_at__isnull=True)
        if isinstance(viewer, App):
            return webhooks.filter(app=viewer)
        return webhooks if viewer.is_active and viewer.is_admin else self.none()

    def on(self) -> Self:
        return self.filter(disabled_at__isnull=True, removed_at__isnull=True)


class NotificationChannel(models.Model):
    """Somewhere to tell: a web address, or a person's mail.

    A webhook tells of all clients, or of those of the app that it belongs to; e-mail tells its person.
    """

    public_id = _public_id()
    kind = models.CharField(max_length=12, choices=ChannelKind, default=ChannelKind.WEBHOOK)
    format = models.CharField(max_length=16, choices=Format, default=Format.STANDARD)
    name = models.CharField(max_length=100)
    url = models.CharField(max_length=1000, blank=True)
    sealed_secret = models.BinaryField(editable=False)
    sealed_secret_before = models.BinaryField(null=True, editable=False)
    secret_before_until = models.DateTimeField(null=True, help_text="Until then both secrets sign.")
    app = models.ForeignKey(App, null=True, on_delete=models.CASCADE, related_name="notification_channels")
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.CASCADE, related_name="notification_channels"
    )
    created_at = models.DateTimeField()
    disabled_at = models.DateTimeField(null=True)
    disabled_reason = models.CharField(max_length=200, blank=True)
    removed_at = models.DateTimeField(null=True, help_text="Off for good; its notices stay in the log.")

    objects = ChannelQuerySet.as_manager()

    class Meta:
        ordering = ["id"]
        constraints = [
            models.CheckConstraint(
                name="mail_goes_to_a_person",
                condition=Q(kind="email", user__isnull=False) | (~Q(kind="email") & Q(user__isnull=True)),
            ),
            models.UniqueConstraint(fields=["user"], name="a_person_has_one_mail_channel"),
        ]

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

    def secrets_at(self, now: datetime) -> tuple[str, ...]:
        """What signs: the secret, and for a while after a change the one before it."""
        if self.sealed_secret_before is None or self.secret_before_until <= now:
            return (self.secret,)
        return (self.secret, crypto.unwrap(self.sealed_secret_before, self._place).decode())


class NotificationKind(models.TextChoices):
    FIRED = "fired", _("It began")
    RESOLVED = "resolved", _("It ended")
    ESCALATED = "escalated", _("Nobody had looked")
    TEST = "test", _("Test")
    TRIAL = "trial", _("Trial")


class NotificationQuerySet(models.QuerySet):
    def undone(self) -> Self:
        return self.filter(sent_at__isnull=True, dead_at__isnull=True, withdrawn_at__isnull=True)

    def old_news(self, now: datetime) -> Self:
        """Mail of an alert that somebody has seen or snoozed since, or that late data has undone."""
        snoozes = Snooze.objects.active(now).filter(
            rule=OuterRef("alert__rule"), client=OuterRef("alert__client")
        )
        seen = Q(alert__acknowledged_at__isnull=False) | Q(alert__superseded_at__isnull=False)
        return self.filter(seen | Exists(snoozes), channel__kind=ChannelKind.EMAIL)

    def dead(self) -> Self:
        return self.filter(dead_at__isnull=False)

    def visible_to(self, viewer: User | App) -> Self:
        """Those of webhooks that the viewer may see; an admin also sees that mail went out."""
        if isinstance(viewer, App):
            return self.filter(channel__app=viewer)
        return self if viewer.is_active and viewer.is_admin else self.none()


class Notification(models.Model):
    """One notice to one channel: due, perhaps leased by a sender, then sent, a dead letter, or withdrawn.

    It tells of an alert or of a trouble with the service; a test and a trial tell of neither.
    """

    public_id = _public_id()
    alert = models.ForeignKey(
        "alerts.Alert", null=True, on_delete=models.CASCADE, related_name="notifications"
    )
    trouble = models.ForeignKey(
        "SystemAlert", null=True, on_delete=models.CASCADE, related_name="notifications"
    )
    channel = models.ForeignKey(NotificationChannel, on_delete=models.CASCADE, related_name="notifications")
    kind = models.CharField(max_length=10, choices=NotificationKind)
    created_at = models.DateTimeField()
    queued_at = models.DateTimeField(help_text="When its 24 hours begin: when it may first go, or replayed.")
    due_at = models.DateTimeField()
    attempts = models.PositiveSmallIntegerField(default=0, help_text="Since it was queued.")
    leased_until = models.DateTimeField(null=True)
    sent_at = models.DateTimeField(null=True)
    dead_at = models.DateTimeField(null=True)
    withdrawn_at = models.DateTimeField(null=True, help_text="When it was old news before it could go out.")
    last_error = models.CharField(max_length=300, blank=True)

    objects = NotificationQuerySet.as_manager()

    class Meta:
        ordering = ["id"]
        indexes = [
            models.Index(
                fields=["due_at"],
                name="notification_due",
                condition=Q(sent_at__isnull=True, dead_at__isnull=True),
            ),
            models.Index(fields=["-created_at", "-id"], name="notification_newest"),
            models.Index(fields=["dead_at"], name="notification_dead", condition=Q(dead_at__isnull=False)),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["alert", "channel", "kind"], name="a_channel_is_told_of_an_alert_once_per_kind"
            ),
            models.UniqueConstraint(
                fields=["trouble", "channel", "kind"], name="a_channel_is_told_of_a_trouble_once_per_kind"
            ),
            models.CheckConstraint(
                name="a_notification_is_sent_or_dead_not_both",
                condition=Q(sent_at__isnull=True) | Q(dead_at__isnull=True),
            ),
            models.CheckConstraint(
                name="a_withdrawn_notification_was_neither_sent_nor_given_up",
                condition=Q(withdrawn_at__isnull=True) | Q(sent_at__isnull=True, dead_at__isnull=True),
            ),
            models.CheckConstraint(
                name="a_notification_tells_of_one_thing",
                condition=Q(kind__in=["test", "trial"], alert__isnull=True, trouble__isnull=True)
                | Q(alert__isnull=False, trouble__isnull=True)
                | Q(alert__isnull=True, trouble__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return self.public_id

    @property
    def state(self) -> str:
        """``waiting``, ``sent``, ``dead`` or ``withdrawn``."""
        if self.withdrawn_at:
            return "withdrawn"
        return "sent" if self.sent_at else "dead" if self.dead_at else "waiting"


class Attempt(models.Model):
    """One try at sending, as it went. One that a killed sender made leaves no row."""

    notification = models.ForeignKey(Notification, on_delete=models.CASCADE, related_name="tries")
    at = models.DateTimeField()
    took_ms = models.PositiveIntegerField()
    status = models.PositiveSmallIntegerField(null=True, help_text="HTTP or SMTP code; null: no answer.")
    error = models.CharField(max_length=300, blank=True, help_text="Empty: it was taken.")
    answer = models.CharField(max_length=200, blank=True, help_text="First line of a test's answer.")

    class Meta:
        ordering = ["at", "id"]


class Trouble(models.TextChoices):
    """What may ail the service. Admins are told, nobody else."""

    RECOGNIZER = "recognizer", _("The recognizer does not answer")
    BACKLOG = "backlog", _("Analysis is far behind")
    DELIVERIES = "deliveries", _("Notices do not get through")
    TRIAL = "trial", _("The trial alert did not arrive")
    DISK = "disk", _("The disk is nearly full")
    AUDIT = "audit", _("The audit log is sealed late")
    DRIFT = "drift", _("The readings have shifted")
    LOW_QUALITY = "low_quality", _("Much of the sound is poor")


class SystemAlertQuerySet(models.QuerySet):
    def open(self) -> Self:
        """What is said to go on; what was seen only once is not said yet."""
        return self.filter(raised_at__isnull=False, until__isnull=True)

    def raised(self) -> Self:
        return self.filter(raised_at__isnull=False)

    def visible_to(self, viewer: User | App) -> Self:
        may = isinstance(viewer, User) and viewer.is_active and viewer.is_admin
        return self if may else self.none()


class SystemAlert(models.Model):
    """A trouble with the service: seen once, raised when it is seen again, over once it is away twice."""

    public_id = _public_id()
    kind = models.CharField(max_length=16, choices=Trouble)
    detail = models.JSONField(default=dict, help_text="Numbers for its sentence; nothing of a client.")
    since = models.DateTimeField()
    raised_at = models.DateTimeField(null=True)
    well_at = models.DateTimeField(null=True, help_text="When it was first seen to be away.")
    until = models.DateTimeField(null=True)

    objects = SystemAlertQuerySet.as_manager()

    class Meta:
        ordering = ["-since", "-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["kind"], name="one_open_system_alert_of_a_kind", condition=Q(until__isnull=True)
            )
        ]

    def __str__(self) -> str:
        return self.public_id
