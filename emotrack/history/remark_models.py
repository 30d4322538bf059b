"""What people say beside the machine: their notes, and what they heard themselves."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from emotrack.history.fields import EncryptedTextField
from emotrack.history.visibility import VisibleQuerySet, public_id_field


class NoteKind(models.TextChoices):
    NOTE = "note", _("Note")
    IMPRESSION = "impression", _("Own impression")


class KeptNotes(models.Manager.from_queryset(VisibleQuerySet)):
    """Without those that were deleted and wait for a change of mind."""

    def get_queryset(self) -> VisibleQuerySet:
        return super().get_queryset().filter(deleted_at__isnull=True)


class Note(models.Model):
    """A counselor's own words, pinned to a moment of a session or to the client; without words a mark.

    ``objects`` holds what is kept, ``with_deleted`` also what was just deleted.
    """

    public_id = public_id_field()
    client = models.ForeignKey("history.Client", on_delete=models.CASCADE, related_name="notes")
    session = models.ForeignKey("history.Session", null=True, on_delete=models.CASCADE, related_name="notes")
    author = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT)
    kind = models.CharField(max_length=10, choices=NoteKind, default=NoteKind.NOTE)
    at = models.DateTimeField(help_text="The moment it speaks of.")
    written_at = models.DateTimeField()
    changed_at = models.DateTimeField(null=True)
    deleted_at = models.DateTimeField(null=True, help_text="Forgotten some minutes later.")
    text = EncryptedTextField()

    objects = KeptNotes()
    with_deleted = VisibleQuerySet.as_manager()

    @property
    def sealing_client(self) -> models.Model:
        return self.client


NO_LABEL_FITS = "none"
"""What a person says who hears none of the nine."""


class Correction(models.Model):
    """What a person heard, beside the machine's label and never over it: one of the nine, or ``none``."""

    utterance = models.ForeignKey("history.Utterance", on_delete=models.CASCADE, related_name="corrections")
    author = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT)
    label = models.CharField(max_length=12)
    made_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["utterance", "author"], name="a_person_hears_an_utterance_one_way"
            )
        ]
