"""What we made of what was said. Everything here can be rebuilt from the history."""

from django.db import models

from emotrack.history.models import Client, Recognizer, Session, Utterance, VisibleQuerySet


class MoodPoint(models.Model):
    """One utterance of the client in one series. Null is a gap: never zero, never carried forward."""

    client = models.ForeignKey(Client, on_delete=models.CASCADE, related_name="mood_points")
    recognizer = models.ForeignKey(Recognizer, on_delete=models.CASCADE)
    session = models.ForeignKey(Session, on_delete=models.CASCADE, related_name="mood_points")
    utterance = models.OneToOneField(Utterance, on_delete=models.CASCADE, related_name="mood")
    occurred_at = models.DateTimeField()
    ended_at = models.DateTimeField()
    reading = models.CharField(max_length=12)

    valence = models.FloatField(null=True)
    arousal = models.FloatField(null=True)
    dominance = models.FloatField(null=True)

    volatility = models.FloatField(null=True, help_text="Mean L2 distance in the window of 5 utterances.")
    volatility_z = models.FloatField(null=True, help_text="Robust z of the window's median cosine distance.")
    z_missing = models.CharField(max_length=20, blank=True, help_text="Why there is no z.")
    window_distance = models.FloatField(null=True)
    window_pairs = models.PositiveSmallIntegerField(default=0, help_text="Distances in the window, 0 to 4.")

    level = models.FloatField(null=True, help_text="EWMA of valence, half-life 5 min, within the session.")
    level_arousal = models.FloatField(null=True)
    level_sums = models.JSONField(null=True, help_text="The tracker's state after this point.")

    objects = VisibleQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(fields=["client", "recognizer", "occurred_at", "utterance"]),
            models.Index(fields=["session", "recognizer", "occurred_at", "utterance"]),
        ]


class SessionMood(models.Model):
    """One session in one series: how it went, and the personal baseline it was held against."""

    client = models.ForeignKey(Client, on_delete=models.CASCADE, related_name="session_moods")
    session = models.ForeignKey(Session, on_delete=models.CASCADE, related_name="moods")
    recognizer = models.ForeignKey(Recognizer, on_delete=models.CASCADE)
    started_at = models.DateTimeField(help_text="Of the session, for order.")

    utterances = models.PositiveIntegerField(
        default=0, help_text="All of the client's, with or without reading."
    )
    valid = models.PositiveIntegerField(default=0)
    mean_valence = models.FloatField(null=True)
    sd_valence = models.FloatField(null=True)
    mean_arousal = models.FloatField(null=True)
    sd_arousal = models.FloatField(null=True)
    peak_volatility_z = models.FloatField(null=True)
    mean_scores = models.JSONField(null=True, help_text="Nine calibrated shares over valid utterances.")

    baseline = models.JSONField(
        null=True, help_text="analysis.baseline.SessionBaseline of the earlier sessions."
    )

    objects = VisibleQuerySet.as_manager()

    class Meta:
        indexes = [models.Index(fields=["client", "recognizer", "started_at", "session"])]
        constraints = [
            models.UniqueConstraint(
                fields=["session", "recognizer"], name="a_session_has_one_mood_per_series"
            )
        ]

    @property
    def coverage(self) -> float | None:
        return self.valid / self.utterances if self.utterances else None


class ResponsePolicy(models.Model):
    """An admin's own wording of what an assistant should do and say; one row, newest wins."""

    policy = models.JSONField(help_text="Overrides, as analysis.response.validate_policy accepts them.")
    saved_at = models.DateTimeField()
    saved_by = models.CharField(max_length=150)

    class Meta:
        ordering = ["-id"]
