"""Who may come in: people with roles, and apps with keys."""

import hashlib
import hmac
import zoneinfo
from datetime import datetime

from django.conf import settings
from django.contrib.auth.models import AbstractUser
from django.db import models
from django.utils.translation import gettext_lazy as _

from emotrack.audit.models import Actor, ActorKind
from emotrack.identifiers import new_public_id


class Role(models.TextChoices):
    COUNSELOR = "counselor", _("Counselor")
    ADMIN = "admin", _("Admin")


class Theme(models.TextChoices):
    SYSTEM = "system", _("As the system")
    LIGHT = "light", _("Light")
    DARK = "dark", _("Dark")


class User(AbstractUser):
    """A person who signs in. Roles are a set: one may be counselor and admin at once."""

    language = models.CharField(max_length=10, default="en")
    time_zone = models.CharField(max_length=64, blank=True, help_text="Empty: the installation's zone.")
    theme = models.CharField(max_length=8, choices=Theme, default=Theme.SYSTEM)
    listens_first = models.BooleanField(
        default=False, help_text="Sees readings of a session only after their own impression."
    )
    quiet_from = models.TimeField(
        null=True, blank=True, help_text="From here to quiet_until, in their zone, only critical notices."
    )
    quiet_until = models.TimeField(null=True, blank=True)

    @property
    def roles(self) -> frozenset[str]:
        if not hasattr(self, "_roles"):
            self._roles = frozenset(self.role_grants.values_list("role", flat=True))
        return self._roles

    @property
    def is_counselor(self) -> bool:
        return Role.COUNSELOR in self.roles

    @property
    def is_admin(self) -> bool:
        return Role.ADMIN in self.roles

    @property
    def actor(self) -> Actor:
        return Actor(ActorKind.USER, self.username)

    @property
    def zone(self) -> zoneinfo.ZoneInfo:
        """Their own; the installation's where they name none, or one that is gone."""
        try:
            return zoneinfo.ZoneInfo(self.time_zone or settings.TIME_ZONE)
        except (zoneinfo.ZoneInfoNotFoundError, ValueError):
            return zoneinfo.ZoneInfo(settings.TIME_ZONE)

    @property
    def is_invited(self) -> bool:
        """Whether they have yet to choose a password by their link."""
        return self.is_active and not self.has_usable_password()


class RoleGrant(models.Model):
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="role_grants")
    role = models.CharField(max_length=16, choices=Role)
    granted_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["user", "role"], name="a_role_is_granted_once")]


class App(models.Model):
    """A program that posts utterances. It sees the clients that are linked to it."""

    public_id = models.CharField(max_length=20, unique=True, default=new_public_id, editable=False)
    name = models.CharField(max_length=100)
    created_at = models.DateTimeField()
    default_counselors = models.ManyToManyField(
        User, blank=True, help_text="Assigned to every client that this app creates."
    )
    consent_purposes = models.JSONField(
        default=list, help_text="What the app's own terms obtain consent for, before it posts."
    )
    consent_version = models.CharField(max_length=64, blank=True, help_text="Version of those terms.")

    def __str__(self) -> str:
        return self.name

    @property
    def actor(self) -> Actor:
        return Actor(ActorKind.APP, self.public_id)


class Scope(models.TextChoices):
    INGEST = "ingest"
    READ = "read"
    EXPORT = "export"
    RULES = "rules"
    ADMIN = "admin"


class ApiKey(models.Model):
    """A key of an app: ``emo_<prefix>_<secret>``, of which only a SHA-256 is stored."""

    app = models.ForeignKey(App, on_delete=models.CASCADE, related_name="keys")
    prefix = models.CharField(max_length=12, unique=True)
    secret_sha256 = models.BinaryField()
    scopes = models.JSONField(default=list)
    loopback_only = models.BooleanField(default=False, help_text="Refused from any other machine.")
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)
    replaced_by = models.ForeignKey(
        "self", null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    last_used_at = models.DateTimeField(null=True, blank=True)

    def opens_with(self, secret: str) -> bool:
        return hmac.compare_digest(bytes(self.secret_sha256), hashlib.sha256(secret.encode()).digest())

    def is_valid_at(self, now: datetime) -> bool:
        return self.revoked_at is None and (self.expires_at is None or now < self.expires_at)
