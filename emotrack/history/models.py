"""What was said: clients, their sessions and utterances, and what a recognizer gave for each."""

from __future__ import annotations

from functools import cached_property
from typing import Self

from django.db import models
from django.utils.translation import gettext_lazy as _

from emotrack import crypto
from emotrack.accounts.models import App, User
from emotrack.history.break_glass_models import BreakGlass
from emotrack.history.cohort_models import Cohort, CohortMembership
from emotrack.history.fields import EncryptedTextField, EncryptedVectorField, VectorField
from emotrack.history.remark_models import Correction, Note, NoteKind
from emotrack.history.retention_models import RetentionPolicy
from emotrack.history.visibility import VisibleQuerySet, public_id_field
from emotrack.identifiers import new_code

__all__ = [
    "BreakGlass",
    "Cohort",
    "CohortMembership",
    "Correction",
    "Note",
    "NoteKind",
    "RetentionPolicy",
]


class ClientQuerySet(VisibleQuerySet):
    client_path = ""


class Client(models.Model):
    """One person in counseling. ``code`` is what may be said aloud; the name is sealed."""

    public_id = public_id_field()
    code = models.CharField(max_length=8, unique=True, default=new_code, editable=False)
    name = EncryptedTextField(null=True)
    wrapped_key = models.BinaryField(null=True, editable=False)
    created_at = models.DateTimeField()
    erased_at = models.DateTimeField(null=True)

    objects = ClientQuerySet.as_manager()

    def __str__(self) -> str:
        return self.code

    def save(self, *args: object, **kwargs: object) -> None:
        while self._state.adding and Client.objects.filter(code=self.code).exists():
            self.code = new_code()  # of 500 clients two draw the same in one case of six
        if self.wrapped_key is None and self.erased_at is None:
            self.wrapped_key = crypto.wrap(crypto.new_key(), self._key_place)
        super().save(*args, **kwargs)

    @property
    def _key_place(self) -> str:
        return f"client:{self.public_id}"

    @cached_property
    def data_key(self) -> bytes:
        return crypto.unwrap(self.wrapped_key, self._key_place)

    @property
    def sealing_client(self) -> Client:
        return self

    def content_visible_to(self, viewer: User | App) -> bool:
        return Client.objects.filter(pk=self.pk).content_visible_to(viewer).exists()


class ClientLink(models.Model):
    """What an app calls a client."""

    app = models.ForeignKey(App, on_delete=models.CASCADE, related_name="client_links")
    client = models.ForeignKey(Client, on_delete=models.CASCADE, related_name="links")
    external_id = models.CharField(max_length=200)
    created_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["app", "external_id"], name="an_app_names_a_client_once")
        ]


class Assignment(models.Model):
    """This counselor sees this client."""

    counselor = models.ForeignKey(User, on_delete=models.CASCADE, related_name="assignments")
    client = models.ForeignKey(Client, on_delete=models.CASCADE, related_name="assignments")
    assigned_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["counselor", "client"], name="a_counselor_is_assigned_once")
        ]


class Recognizer(models.Model):
    """A recognizer in one version: with the client it names a series. Never mixed within one.

    ``app`` is set for a recognizer that an app runs itself and whose results it posts.
    """

    app = models.ForeignKey(App, null=True, on_delete=models.CASCADE, related_name="recognizers")
    name = models.CharField(max_length=64)
    version = models.CharField(max_length=64)
    dimension = models.PositiveIntegerField(null=True, help_text="Null until an embedding is seen.")
    headline = models.CharField(max_length=8, default="valence", help_text="valence or arousal")
    decomposition = models.CharField(max_length=10, blank=True)
    temperature = models.FloatField(default=1.0)
    typical_distance = models.FloatField(null=True)
    center = VectorField(null=True, dtype="<f4")
    accuracy = models.TextField(blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["app", "name", "version"],
                name="an_app_has_a_recognizer_version_once",
                condition=models.Q(app__isnull=False),
            ),
            models.UniqueConstraint(
                fields=["name", "version"],
                name="we_have_a_recognizer_version_once",
                condition=models.Q(app__isnull=True),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.name} {self.version}"


class EndReason(models.TextChoices):
    EXPLICIT = "explicit", _("Ended")
    IDLE = "idle", _("Ended after a long silence")


class SessionQuerySet(VisibleQuerySet):
    pass


class Session(models.Model):
    """One meeting or conversation of a client. ``started_at`` never lies after its first utterance."""

    public_id = public_id_field()
    client = models.ForeignKey(Client, on_delete=models.CASCADE, related_name="sessions")
    app = models.ForeignKey(App, null=True, on_delete=models.SET_NULL, related_name="sessions")
    external_id = models.CharField(max_length=200, null=True)
    started_at = models.DateTimeField()
    last_activity_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)
    end_reason = models.CharField(max_length=10, choices=EndReason, blank=True)

    objects = SessionQuerySet.as_manager()

    class Meta:
        indexes = [models.Index(fields=["client", "started_at", "id"])]
        constraints = [
            models.UniqueConstraint(
                fields=["app", "external_id"],
                name="an_app_names_a_session_once",
                condition=models.Q(external_id__isnull=False),
            )
        ]

    def __str__(self) -> str:
        return self.public_id


class Speaker(models.TextChoices):
    CLIENT = "client", _("Client")
    COUNSELOR = "counselor", _("Counselor")
    ASSISTANT = "assistant", _("Assistant")
    OTHER = "other", _("Someone else")


class Status(models.TextChoices):
    QUEUED = "queued"
    ANALYZED = "analyzed"
    FAILED = "failed"


class ReadingState(models.TextChoices):
    OK = "ok", _("Reading")
    UNKNOWN = "unknown", _("No label fits")
    LOW_QUALITY = "low_quality", _("Sound too poor to read")
    AMBIGUOUS = "ambiguous", _("Mixed")
    NO_SPEECH = "no_speech", _("No speech")


class WordsReadingState(models.TextChoices):
    OK = "ok", _("Reading")
    UNKNOWN = "unknown", _("No label fits")
    AMBIGUOUS = "ambiguous", _("Mixed")
    TOO_FEW_WORDS = "too_few_words", _("Too few words to read")
    OTHER_LANGUAGE = "other_language", _("Not in English")


class Source(models.TextChoices):
    AUDIO = "audio"
    TEXT = "text"
    FUSED = "fused"


class UtteranceQuerySet(VisibleQuerySet):
    def in_order(self) -> Self:
        return self.order_by("occurred_at", "id")

    def of_series(self) -> Self:
        """Only the client's own speech enters a series."""
        return self.filter(speaker=Speaker.CLIENT)


class Utterance(models.Model):
    """Something somebody said, and the reading of it. Rows are the truth; the queue only wakes workers."""

    public_id = public_id_field()
    session = models.ForeignKey(Session, on_delete=models.CASCADE, related_name="utterances")
    client = models.ForeignKey(Client, on_delete=models.CASCADE, related_name="utterances")
    speaker = models.CharField(max_length=10, choices=Speaker, default=Speaker.CLIENT)
    occurred_at = models.DateTimeField(help_text="Start of speech.")
    duration_ms = models.PositiveIntegerField(default=0)
    received_at = models.DateTimeField()
    language = models.CharField(max_length=20, blank=True)
    text = EncryptedTextField(null=True)

    status = models.CharField(max_length=10, choices=Status)
    failure = models.CharField(max_length=64, blank=True, help_text="Slug of the reason it failed.")
    attempts = models.PositiveSmallIntegerField(default=0)
    leased_until = models.DateTimeField(null=True, help_text="A worker is at it until then.")
    analyzed_at = models.DateTimeField(null=True)

    recognizer = models.ForeignKey(Recognizer, null=True, on_delete=models.PROTECT)
    source = models.CharField(max_length=6, choices=Source, blank=True)
    scores = VectorField(null=True, dtype="<f4", help_text="(9,) raw, in the order of analysis.values.LABELS")
    reading = models.CharField(max_length=12, choices=ReadingState, blank=True)
    quality = models.JSONField(null=True)
    warnings = models.JSONField(default=list)
    correction_version = models.CharField(max_length=40, blank=True)

    words_recognizer = models.ForeignKey(
        Recognizer, null=True, on_delete=models.PROTECT, related_name="utterances_by_words"
    )
    words_scores = VectorField(null=True, dtype="<f4", help_text="(9,) raw, of the words alone")
    words_reading = models.CharField(max_length=16, choices=WordsReadingState, blank=True)
    incongruent = models.BooleanField(null=True, help_text="Tone and words differ; null: not compared.")

    objects = UtteranceQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(fields=["session", "occurred_at", "id"]),
            models.Index(fields=["client", "recognizer", "occurred_at", "id"]),
            models.Index(
                fields=["received_at"], name="utterance_waiting", condition=models.Q(status="queued")
            ),
        ]
        constraints = [
            models.CheckConstraint(
                condition=~models.Q(status="analyzed") | models.Q(analyzed_at__isnull=False),
                name="an_analyzed_utterance_knows_when",
            )
        ]

    def __str__(self) -> str:
        return self.public_id

    @property
    def sealing_client(self) -> Client:
        return self.client

    @property
    def words_alone(self) -> bool:
        """Whether its words were read and nothing else: it has no sound, and nobody posted scores."""
        done = self.status == Status.ANALYZED
        return done and self.recognizer_id is None and self.words_scores is not None

    @property
    def read_from(self) -> str:
        """What its reading is a reading of: a ``Source``, or empty while there is none."""
        return str(Source.TEXT) if self.words_alone else self.source


class _BesideUtterance(models.Model):
    """A large part of an utterance, in its own table so that lists stay light."""

    utterance = models.OneToOneField(Utterance, primary_key=True, on_delete=models.CASCADE)

    class Meta:
        abstract = True

    @property
    def sealing_client(self) -> Client:
        return self.utterance.client

    @property
    def sealed_under(self) -> str:
        return self.utterance.public_id


class Embedding(_BesideUtterance):
    """float16, any dimension, before any speaker correction."""

    vector = EncryptedVectorField(dtype="<f2")


class FrameLogits(_BesideUtterance):
    """(T, 9) float16 logits: the scores of any window are ``softmax(mean of its rows)``."""

    logits = VectorField(dtype="<f2", columns=9)
    rate_hz = models.FloatField()
    first_frame_s = models.FloatField(help_text="Center of row 0, seconds from the utterance's start.")


class Audio(_BesideUtterance):
    """The sound as it was posted, sealed in a file under our own name, until retention takes it."""

    path = models.CharField(max_length=80, unique=True, help_text="Relative to the audio folder.")
    media_type = models.CharField(max_length=40)
    size_bytes = models.PositiveIntegerField()
    sha256 = models.BinaryField()
    delete_at = models.DateTimeField(null=True, help_text="Null: kept.")
    deleted_at = models.DateTimeField(null=True)
    peaks = models.BinaryField(null=True, help_text="int8 pairs (low, high), 50 a second.")


class SpeakerCorrection(models.Model):
    """What was known of the client's voice when a session started; fixed for that session."""

    session = models.ForeignKey(Session, on_delete=models.CASCADE, related_name="corrections")
    recognizer = models.ForeignKey(Recognizer, on_delete=models.CASCADE)
    utterances = models.PositiveIntegerField()
    mean = EncryptedVectorField(dtype="<f4", null=True)
    version = models.CharField(max_length=40)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["session", "recognizer"], name="a_session_has_one_correction_per_recognizer"
            )
        ]

    @property
    def sealing_client(self) -> Client:
        return self.session.client

    @property
    def sealed_under(self) -> str:
        return self.session.public_id


class IdempotencyKey(models.Model):
    """A key that an app sent with a request: it lives as long as the row it made."""

    app = models.ForeignKey(App, on_delete=models.CASCADE)
    key = models.CharField(max_length=255)
    fingerprint = models.BinaryField(help_text="SHA-256 of method, path, fields and parts.")
    utterance = models.ForeignKey(Utterance, null=True, on_delete=models.CASCADE)
    created_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["app", "key"], name="a_key_is_used_once_per_app")]
