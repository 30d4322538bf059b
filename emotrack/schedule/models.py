"""What must happen again and again: one row per job, taken by a lease by whichever worker comes first."""

from django.db import models


class ScheduledJob(models.Model):
    name = models.CharField(max_length=64, primary_key=True)
    due_at = models.DateTimeField()
    leased_until = models.DateTimeField(null=True)
    last_done_at = models.DateTimeField(null=True)
    last_error = models.CharField(max_length=300, blank=True)
