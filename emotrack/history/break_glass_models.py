"""When an admin had to see content, and why."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from emotrack.history.fields import EncryptedTextField
from emotrack.history.visibility import VisibleQuerySet, public_id_field


class BreakGlass(models.Model):
    """An admin opened one client's names, words and sound for a while; their counselors are told."""

    public_id = public_id_field()
    client = models.ForeignKey("history.Client", on_delete=models.CASCADE, related_name="glass")
    admin = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="glass")
    reason = EncryptedTextField()
    opened_at = models.DateTimeField()
    until = models.DateTimeField(help_text="Moved forward when it is closed early.")

    objects = VisibleQuerySet.as_manager()

    class Meta:
        ordering = ["-opened_at"]
        indexes = [models.Index(fields=["admin", "until"])]
        constraints = [
            models.CheckConstraint(name="glass_is_open_for_a_while", condition=Q(until__gte=F("opened_at")))
        ]

    @property
    def sealing_client(self) -> models.Model:
        return self.client
