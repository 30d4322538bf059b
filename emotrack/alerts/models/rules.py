"""Rules, the versions of their terms, and the mark by which every process knows that one has changed."""

from __future__ import annotations

import secrets
from datetime import datetime

from django.db import connection, models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from emotrack.history.models import Client, Cohort
from emotrack.identifiers import new_public_id


class Kind(models.TextChoices):
    """What a rule looks for; the label is also the title of its alerts."""

    VOLATILITY = "volatility", _("More changeable than usual")
    NEGATIVE_MOOD = "negative_mood", _("Lower than usual for a while")
    LOW_SESSION = "low_session", _("Lower than usual over sessions")
    SUDDEN_DROP = "sudden_drop", _("Dropped below the usual sessions")
    EMOTION_SHARE = "emotion_share", _("One way of sounding prevails")
    TREND = "trend", _("Going down over the weeks")
    RELIABLE_CHANGE = "reliable_change", _("A session unlike the usual ones")
    FLATTENING = "flattening", _("Less movement than usual")
    LOW_QUALITY = "low_quality", _("Sound too poor to read")
    SILENCE = "silence", _("Not heard from for long")
    RECOGNIZER_DRIFT = "recognizer_drift", _("Readings have shifted as a whole")
    INCONGRUENCE = "incongruence", _("Tone and words often differ")


ADMIN_KINDS = (Kind.LOW_QUALITY, Kind.RECOGNIZER_DRIFT)
"""About the sound and the recognizer, not about a person: shown and told to admins only."""


class Severity(models.TextChoices):
    INFO = "info", _("Info")
    WARNING = "warning", _("Warning")
    CRITICAL = "critical", _("Critical")


class Scope(models.TextChoices):
    EVERYONE = "everyone", _("Everyone in the practice")
    COHORT = "cohort", _("One cohort")
    CLIENT = "client", _("One client")


class Told(models.TextChoices):
    """Who hears of a rule's alerts, besides the channels that an app or the practice has set up."""

    COUNSELORS = "counselors", _("The client’s counselors")
    ADMINS = "admins", _("Admins")


class Rule(models.Model):
    """Something to look out for. Its terms stand in versions; a rule that is off keeps them."""

    public_id = models.CharField(max_length=20, unique=True, default=new_public_id, editable=False)
    shipped_as = models.CharField(
        max_length=32, unique=True, null=True, editable=False, help_text="Name of the default it came as."
    )
    kind = models.CharField(max_length=24, choices=Kind)
    name = models.CharField(max_length=100, blank=True, help_text="Empty: the kind's own title.")
    scope = models.CharField(max_length=10, choices=Scope, default=Scope.EVERYONE)
    client = models.ForeignKey(Client, null=True, on_delete=models.CASCADE, related_name="rules")
    cohort = models.ForeignKey(
        Cohort,
        null=True,
        on_delete=models.SET_NULL,
        related_name="rules",
        help_text="Null with scope cohort: it was deleted, and the rule watches nobody.",
    )
    created_at = models.DateTimeField()
    enabled_at = models.DateTimeField(null=True, help_text="Null: switched off.")

    class Meta:
        ordering = ["id"]
        constraints = [
            models.CheckConstraint(
                name="a_rule_for_one_client_names_the_client",
                condition=Q(scope=Scope.CLIENT, client__isnull=False)
                | (~Q(scope=Scope.CLIENT) & Q(client__isnull=True)),
            ),
            models.CheckConstraint(
                name="only_a_rule_for_a_cohort_names_one",
                condition=Q(scope=Scope.COHORT) | Q(cohort__isnull=True),
            ),
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

    @property
    def watches_nobody(self) -> bool:
        """Whether the cohort that it was for is gone."""
        return self.scope == Scope.COHORT and self.cohort_id is None

    def version_at(self, began_at: datetime) -> RuleVersion:
        """By which terms a session that began then is judged: an edit takes effect with the next session."""
        versions = sorted(self.versions.all(), key=lambda version: version.number)
        return next((v for v in reversed(versions) if v.saved_at <= began_at), versions[0])


def _every_day() -> list[int]:
    return list(range(7))


def _counselors() -> list[str]:
    return [Told.COUNSELORS.value]


class RuleVersion(models.Model):
    """The terms of a rule from one moment on, with the reason for them. Never changed once saved.

    ``above`` follows from the kind; ``usual_spreads`` k holds the line at least k spreads (1.4826·MAD) off
    the person's own median, on top of the absolute threshold. ``active_from`` and ``active_until`` are
    minutes after midnight in the installation's zone; an ``until`` that is not after ``from`` lies on the
    next day, and the day is the one on which it begins. Outside the hours nobody is notified until they
    begin.
    """

    rule = models.ForeignKey(Rule, on_delete=models.CASCADE, related_name="versions")
    number = models.PositiveIntegerField()
    measure = models.CharField(max_length=32, help_text="Id of a measure in analysis.measures.")
    label = models.CharField(max_length=12, blank=True, help_text="Which emotion, where the kind needs one.")
    threshold = models.FloatField()
    recovery_threshold = models.FloatField()
    for_count = models.PositiveSmallIntegerField(
        null=True, help_text="Valid utterances or sessions in a row."
    )
    for_seconds = models.PositiveIntegerField(null=True)
    keep_firing_seconds = models.PositiveIntegerField(default=0)
    cool_down_seconds = models.PositiveIntegerField(default=0, help_text="Mutes notices, not the state.")
    usual_spreads = models.FloatField(null=True, help_text="Null: the threshold alone.")
    also_off_headline = models.BooleanField(
        default=False, help_text="Judge even where the recognizer does not read this dimension best."
    )
    severity = models.CharField(max_length=10, choices=Severity, default=Severity.WARNING)
    tells = models.JSONField(default=_counselors, help_text="Of Told: counselors, admins.")
    active_days = models.JSONField(default=_every_day, help_text="0 is Monday.")
    active_from = models.PositiveSmallIntegerField(null=True, help_text="Null: the whole day.")
    active_until = models.PositiveSmallIntegerField(null=True)
    critical_any_time = models.BooleanField(
        default=True, help_text="Critical alerts do not wait for the active hours."
    )
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

    @property
    def least_in_a_row(self) -> int:
        """So many values beyond the line it takes to fire, however long they last."""
        return self.for_count if self.for_count and not self.for_seconds else 1


class RuleBook(models.Model):
    """One row with a mark that is new after every change of any rule, so that processes may keep a copy.

    The mark is drawn by lot: a change that is rolled back leaves no mark that could ever be met again.
    """

    mark = models.CharField(max_length=32)

    @classmethod
    def current_mark(cls) -> str:
        # Asked at every turn of everybody: SQL by hand costs a tenth of what putting it together does.
        with connection.cursor() as cursor:
            cursor.execute("SELECT mark FROM alerts_rulebook WHERE id = 1")
            found = cursor.fetchone()
        return found[0] if found else ""

    @classmethod
    def turn(cls) -> None:
        """Say that a rule has changed, in the caller's transaction."""
        cls.objects.update_or_create(pk=1, defaults={"mark": secrets.token_hex(16)})
