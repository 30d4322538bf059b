"""What we made of what was said. Everything here can be rebuilt from the history."""

from django.db import models

from emotrack.history.fields import EncryptedVectorField
from emotrack.history.models import Client, Cohort, Recognizer, Session, Utterance, VisibleQuerySet
from emotrack.identifiers import new_public_id


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
    level_dominance = models.FloatField(null=True)
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
    mean_dominance = models.FloatField(null=True)
    sd_dominance = models.FloatField(null=True)
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


class PatternFit(models.Model):
    """When recurring expressions were last looked for in a series, and what is needed to tell them again.

    ``n`` utterances were looked at; ``reason`` says why no patterns are shown (analysis.clusters.Reason).
    """

    client = models.ForeignKey(Client, on_delete=models.CASCADE, related_name="pattern_fits")
    recognizer = models.ForeignKey(Recognizer, on_delete=models.CASCADE)
    fitted_at = models.DateTimeField()
    n = models.PositiveIntegerField()
    looked_at_valid = models.PositiveIntegerField(
        default=0, help_text="Valid utterances of the series when it was last asked whether a fit is due."
    )
    reason = models.CharField(max_length=20, blank=True)
    silhouette = models.FloatField(null=True)
    chance = models.FloatField(null=True, help_text="Silhouette of a featureless cloud of the same shape.")
    agreement = models.FloatField(null=True, help_text="Mean adjusted Rand index over bootstrap resamples.")
    radius = models.FloatField(null=True, help_text="Cosine distance from a center on which is novel.")
    explained = models.JSONField(default=list, help_text="Share of variance along each axis of the map.")
    mean = EncryptedVectorField(dtype="<f4", null=True)
    axes = EncryptedVectorField(dtype="<f4", null=True)

    objects = VisibleQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["client", "recognizer"], name="a_series_has_one_pattern_fit")
        ]

    @property
    def sealing_client(self) -> Client:
        return self.client

    @property
    def sealed_under(self) -> str:
        return f"{self.client.public_id}/{self.recognizer_id}"


class PatternQuerySet(VisibleQuerySet):
    client_path = "fit__client__"


class MoodCluster(models.Model):
    """A recurring way of sounding. One that is not found any more is kept, to be known when it comes back."""

    public_id = models.CharField(max_length=20, unique=True, default=new_public_id, editable=False)
    fit = models.ForeignKey(PatternFit, on_delete=models.CASCADE, related_name="clusters")
    found_at = models.DateTimeField()
    retired_at = models.DateTimeField(null=True)
    place = models.PositiveSmallIntegerField(help_text="In the fit, most members first.")
    letter = models.CharField(
        max_length=1, blank=True, help_text="What people call it, for as long as it is known."
    )
    labels = models.JSONField(default=list, help_text="At most two: label, lift and share, strongest first.")
    center = EncryptedVectorField(dtype="<f4")

    objects = PatternQuerySet.as_manager()

    class Meta:
        indexes = [models.Index(fields=["fit", "place"])]

    @property
    def sealing_client(self) -> Client:
        return self.fit.client


class PatternMembership(models.Model):
    """Which pattern an utterance belongs to; ``typical`` counts the examples of a pattern from its medoid."""

    utterance = models.OneToOneField(
        Utterance, primary_key=True, on_delete=models.CASCADE, related_name="pattern"
    )
    cluster = models.ForeignKey(MoodCluster, on_delete=models.CASCADE, related_name="memberships")
    distance = models.FloatField(
        null=True, help_text="Cosine distance to the center; null for the fit's own."
    )
    novel = models.BooleanField(default=False)
    typical = models.PositiveSmallIntegerField(null=True)

    class Meta:
        indexes = [models.Index(fields=["cluster", "typical"])]


class PatternDirections(models.Model):
    """Directions in which people differ most from their own usual, over many clients of one recognizer.

    Sealed with the installation's own key: they are nobody's, and nothing but patterns is made from them.
    """

    recognizer = models.OneToOneField(Recognizer, primary_key=True, on_delete=models.CASCADE)
    fitted_at = models.DateTimeField()
    people = models.PositiveIntegerField()
    n = models.PositiveIntegerField()
    explained = models.JSONField(default=list)
    sealed_axes = models.BinaryField()


class LeapLines(models.Model):
    """How large a step from turn to turn is a leap: nine in ten of a recognizer's people's steps are smaller.

    steps: how many they were measured on, from so many people.
    """

    recognizer = models.OneToOneField(Recognizer, primary_key=True, on_delete=models.CASCADE)
    fitted_at = models.DateTimeField()
    people = models.PositiveIntegerField()
    steps = models.PositiveIntegerField()
    valence = models.FloatField()
    arousal = models.FloatField()
    dominance = models.FloatField()


class CohortPatterns(models.Model):
    """Ways of sounding that recur among the people of a cohort, each person's own mean removed.

    Figures over many people and nothing of any one: no embedding, no utterance, no client. ``reason``: why
    there are none (analysis.clusters.Reason, or ``too_few_people``).
    """

    cohort = models.OneToOneField(Cohort, primary_key=True, on_delete=models.CASCADE, related_name="patterns")
    recognizer = models.ForeignKey(Recognizer, on_delete=models.CASCADE)
    fitted_at = models.DateTimeField()
    people = models.PositiveIntegerField()
    n = models.PositiveIntegerField()
    reason = models.CharField(max_length=20, blank=True)
    silhouette = models.FloatField(null=True)
    chance = models.FloatField(null=True)
    agreement = models.FloatField(null=True)
    clusters = models.JSONField(
        default=list, help_text="Each: labels as MoodCluster.labels, members, share, people."
    )
