"""What was done and what was read, by whom; rows have no foreign keys, so that they outlive everything."""

from dataclasses import dataclass
from typing import Self

from django.db import models


class ActorKind(models.TextChoices):
    USER = "user"
    APP = "app"
    SYSTEM = "system"


@dataclass(frozen=True, slots=True)
class Actor:
    """Who does it, as the log will name them."""

    kind: ActorKind
    name: str

    @classmethod
    def system(cls, process: str) -> Self:
        return cls(ActorKind.SYSTEM, process)


class AuditEventQuerySet(models.QuerySet):
    def in_chain(self) -> Self:
        """The sealed ones, each after the one whose digest its own builds on."""
        return self.filter(sealed_at__isnull=False).order_by("sealed_at", "id")


class AuditEvent(models.Model):
    """One fact. Chained by hash once the sealer has passed; before that ``sealed_at`` is empty."""

    at = models.DateTimeField()
    actor_kind = models.CharField(max_length=8, choices=ActorKind)
    actor = models.CharField(max_length=150, help_text="User name, app's public id, or the process.")
    action = models.CharField(max_length=64, help_text="Noun and verb, like 'utterance.accepted'.")
    subject = models.CharField(max_length=64, blank=True, help_text="Public id of what it was done to.")
    client = models.CharField(max_length=20, blank=True, help_text="Public id of the client concerned.")
    detail = models.JSONField(default=dict, help_text="Ids and counts only, never content.")
    sealed_at = models.DateTimeField(null=True)
    digest = models.BinaryField(null=True)

    objects = AuditEventQuerySet.as_manager()

    class Meta:
        ordering = ["id"]
        indexes = [
            models.Index(fields=["client", "-at"]),
            models.Index(
                fields=["sealed_at", "id"], name="audit_chain", condition=models.Q(sealed_at__isnull=False)
            ),
            models.Index(fields=["id"], name="audit_unsealed", condition=models.Q(sealed_at__isnull=True)),
        ]
