"""Uploaded recordings in words: how far each is, and what to do about one that failed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from emotrack.history.models import Client
from emotrack.recordings.models import Recording, State
from emotrack.recordings.queries import Turns, turns_of

SHOWN = 30

FAILURES: dict[str, Promise] = {
    "unsupported-media-type": gettext_lazy(
        "This is no WAV, MP3, M4A, FLAC, Ogg or WebM file. Save the recording as one of these."
    ),
    "audio-broken": gettext_lazy("The file cannot be decoded. Export it again from the recorder."),
    "audio-truncated": gettext_lazy("Most of the file is missing. Copy it again from the recorder."),
    "audio-empty": gettext_lazy("The file holds no sound."),
    "audio-non-finite": gettext_lazy("The file holds samples that are no numbers. Export it again."),
    "audio-out-of-range": gettext_lazy("The file holds samples far too loud to be sound. Export it again."),
    "audio-expansion-limit": gettext_lazy("The file unpacks to far more than its size. Export it as WAV."),
    "audio-too-long": gettext_lazy("The recording is too long. Cut it into parts and upload each."),
    "audio-too-large": gettext_lazy("The file is too large. Save it as M4A or MP3, or cut it into parts."),
    "speakers-channels": gettext_lazy("It has not two channels. Upload it again as one voice, or mixed."),
    "timestamp-in-future": gettext_lazy("It would end in the future. Mend its start and upload it again."),
    "consent-required": gettext_lazy(
        "No consent to readings from the voice is on record: write it down first."
    ),
    "consent-withdrawn": gettext_lazy("The client’s consent was withdrawn; the file was deleted."),
    "analysis-failed": gettext_lazy("Reading it broke off several times. Tell whoever runs EmoTrack."),
    "audio-lost": gettext_lazy("The file is gone from the disk. Upload it again."),
    "storage-full": gettext_lazy("The disk is full and nothing was kept. Tell whoever runs EmoTrack."),
}
OTHER_FAILURE = gettext_lazy("It could not be taken. Nothing of the file was kept; try again.")


@dataclass(frozen=True, slots=True)
class RecordingLine:
    recording: Recording
    turns: Turns

    @property
    def is_open(self) -> bool:
        return self.recording.state in (State.WAITING, State.WORKING)

    @property
    def still_changes(self) -> bool:
        return self.is_open or self.turns.waiting > 0

    @property
    def share(self) -> int | None:
        """Percent: cutting is the first half, reading the second; ``None`` while nothing can be said."""
        row, turns = self.recording, self.turns
        if row.state == State.DONE:
            return 50 + round(50 * (turns.found - turns.waiting) / turns.found) if turns.found else 100
        if row.state == State.WORKING and row.duration_ms:
            return round(50 * min(1.0, row.done_ms / row.duration_ms))
        return None

    @property
    def said(self) -> str:
        row, turns = self.recording, self.turns
        if row.state == State.FAILED:
            return str(FAILURES.get(row.failure, OTHER_FAILURE))
        if row.state == State.CANCELED:
            return _("Canceled.") + " " + self._found()
        if row.state == State.WAITING:
            return _("Kept. It waits to be cut into turns.")
        if row.state == State.WORKING:
            return _("Being cut into turns.") + " " + self._found()
        if not turns.found:
            return _("No speech was found in it.")
        said = self._found()
        if turns.waiting:
            said += " " + _("%(read)d are read.") % {"read": turns.found - turns.waiting}
        if turns.failed:
            said += " " + ngettext("%(n)d could not be read.", "%(n)d could not be read.", turns.failed) % {
                "n": turns.failed
            }
        return said

    @property
    def warning(self) -> str:
        broken = "audio-truncated" in self.recording.warnings
        return _("The file breaks off: it was read as far as it goes.") if broken else ""

    def _found(self) -> str:
        return ngettext("%(n)d turn found.", "%(n)d turns found.", self.turns.found) % {"n": self.turns.found}


def recording_lines(client: Client) -> Sequence[RecordingLine]:
    """The latest uploads of a client, newest first."""
    rows = Recording.objects.files().filter(client=client).select_related("session")
    rows = list(rows.order_by("-created_at", "-id")[:SHOWN])
    for row in rows:
        row.client = client  # one key unwrapped for all names
    turns = turns_of(rows)
    return [RecordingLine(row, turns.get(row.pk, Turns())) for row in rows]


def upload_words() -> dict[str, str]:
    """What the script of the upload page says."""
    return {
        "waiting": _("Waits"),
        "sending": _("{done} of {all} sent"),
        "kept": _("Kept."),
        "canceled": _("Canceled. Nothing of it was kept."),
        "again": _("Try again"),
        "cancel": _("Cancel"),
        "remove": _("Remove"),
        "lost": _("The line broke. Nothing of this file was kept; try again."),
        "signedOut": _("You were signed out. Sign in again in another window, then try again."),
        "startOf": _("Start of {name}"),
        "removeOf": _("Remove {name}"),
        "tooLarge": str(FAILURES["audio-too-large"]),
        "needsStart": _("Say when it began."),
        "future": _("This start lies in the future."),
        "fromDate": _("from the file’s date, less its length"),
        "fromDateOnly": _("from the file’s date: check it"),
        "MB": _("{n} MB"),
    }
