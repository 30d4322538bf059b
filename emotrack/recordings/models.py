"""Long sounds that become utterances: what a microphone streams, and recordings that were uploaded."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from emotrack.accounts.models import App, User
from emotrack.history.fields import EncryptedTextField
from emotrack.history.models import Client, Session, Utterance, VisibleQuerySet
from emotrack.identifiers import new_public_id


class Kind(models.TextChoices):
    STREAM = "stream"
    FILE = "file"


class State(models.TextChoices):
    WAITING = "waiting", _("Waiting")
    WORKING = "working", _("Being cut into turns")
    DONE = "done", _("Complete")
    FAILED = "failed", _("Failed")
    CANCELED = "canceled", _("Canceled")


class RecordingQuerySet(VisibleQuerySet):
    def files(self) -> RecordingQuerySet:
        return self.filter(kind=Kind.FILE)


class Recording(models.Model):
    """The time axis of a long sound in a session, and how far it has been taken over.

    A stream has one row per session, and one sender at a time (``holder``). A file has one row per upload;
    it is the job that reads it, and its sound lies sealed in ``path`` until it is finished.
    """

    public_id = models.CharField(max_length=20, unique=True, default=new_public_id, editable=False)
    kind = models.CharField(max_length=6, choices=Kind)
    client = models.ForeignKey(Client, on_delete=models.CASCADE, related_name="recordings")
    session = models.ForeignKey(Session, on_delete=models.CASCADE, related_name="recordings")
    app = models.ForeignKey(App, null=True, on_delete=models.SET_NULL)
    user = models.ForeignKey(User, null=True, on_delete=models.SET_NULL)
    created_at = models.DateTimeField()
    started_at = models.DateTimeField(null=True, help_text="When the first sample was spoken.")
    done_ms = models.PositiveIntegerField(default=0, help_text="Everything before is kept, or was silence.")
    holder = models.CharField(max_length=20, blank=True, help_text="The connection that streams now.")

    name = EncryptedTextField(null=True, help_text="Of the file, as it was sent.")
    language = models.CharField(max_length=20, blank=True)
    speakers = models.JSONField(
        default=list, help_text="Who speaks on each channel; empty: mixed, the client."
    )
    ends_session = models.BooleanField(default=False)
    path = models.CharField(max_length=80, blank=True, help_text="Empty once the file is gone.")
    size_bytes = models.PositiveBigIntegerField(default=0)
    duration_ms = models.PositiveIntegerField(null=True, help_text="Null until it is known.")
    state = models.CharField(max_length=8, choices=State)
    key = models.CharField(max_length=255, null=True, help_text="Idempotency-Key that came with it.")
    fingerprint = models.BinaryField(null=True)
    failure = models.CharField(max_length=64, blank=True)
    detail = models.CharField(max_length=300, blank=True, help_text="For people, in English.")
    warnings = models.JSONField(default=list)
    attempts = models.PositiveSmallIntegerField(default=0)
    leased_until = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)

    objects = RecordingQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(
                fields=["created_at"], name="recording_waiting", condition=models.Q(state="waiting")
            ),
            models.Index(fields=["client", "created_at"]),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["session"], name="a_session_has_one_stream", condition=models.Q(kind="stream")
            ),
            models.UniqueConstraint(
                fields=["app", "key"],
                name="a_recording_key_is_used_once_per_app",
                condition=models.Q(key__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return self.public_id

    @property
    def sealing_client(self) -> Client:
        return self.client


class Part(models.Model):
    """A turn of a recording that was taken over; it stays when its utterance is deleted."""

    recording = models.ForeignKey(Recording, on_delete=models.CASCADE, related_name="parts")
    channel = models.PositiveSmallIntegerField(default=0)
    start_ms = models.PositiveIntegerField()
    end_ms = models.PositiveIntegerField()
    utterance = models.OneToOneField(Utterance, null=True, on_delete=models.SET_NULL, related_name="part")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["recording", "channel", "start_ms"], name="a_moment_is_taken_over_once"
            )
        ]
