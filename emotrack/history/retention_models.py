"""How long each kind of data is kept."""

from __future__ import annotations

from django.db import models


class RetentionPolicy(models.Model):
    """The terms from one moment on; the newest are in force. Days: -1 keeps, 0 ends with the analysis."""

    audio_days = models.IntegerField()
    words_days = models.IntegerField()
    reason = models.CharField(max_length=500)
    saved_at = models.DateTimeField()
    saved_by = models.CharField(max_length=150, help_text="As the audit log names them.")

    class Meta:
        ordering = ["-pk"]
