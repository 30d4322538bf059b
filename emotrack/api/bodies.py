"""What may be sent: the fields of every request body and query."""

from __future__ import annotations

from django.conf import settings
from rest_framework import serializers

from emotrack.alerts.delivery.queries import STATES
from emotrack.alerts.models import Format, Judgment, Severity
from emotrack.api.fields import (
    ChoiceField,
    EmbeddingField,
    Fields,
    FlagField,
    LanguageField,
    MomentField,
    NumberField,
    ScoresField,
    TextField,
    WholeField,
    WordsField,
)
from emotrack.api.paging import Paging
from emotrack.exports.formats import FORMATS
from emotrack.history.models import Speaker
from emotrack.history.remarks import HEARD
from emotrack.privacy.models import Purpose

LONGEST_WAIT_S = 30
DEFAULT_WAIT_S = 5.0
LONGEST_ID = 200
LONGEST_UTTERANCE_MS = 24 * 3600 * 1000
INCLUDES = ["embedding", "frames"]
GRANULARITIES = ["utterance", "frame"]


def _external_id(required: bool = True) -> TextField:
    return TextField(required=required, max_length=LONGEST_ID, help_text="What your app calls it.")


class ConsentBody(Fields):
    """What the client agreed to, as the app asserts it under the terms recorded with the app."""

    purposes = WordsField(Purpose.values, min_length=1)
    version = TextField(max_length=64, help_text="Of the text that was agreed to.")
    given_at = MomentField()


class ClientBody(Fields):
    external_id = _external_id()
    name = TextField(required=False, allow_null=True, max_length=200)
    consent = ConsentBody(required=False)


class ClientChange(Fields):
    name = TextField(required=False, allow_null=True, max_length=200, help_text="Null takes it away.")
    consent = ConsentBody(required=False)


class SessionBody(Fields):
    external_id = _external_id(required=False)
    started_at = MomentField(required=False, help_text="Without it: now.")


class RecognizerBody(Fields):
    id = TextField(max_length=64)
    version = TextField(max_length=64)


class SpokenFields(Fields):
    """What is told of any utterance, however it comes."""

    text = TextField(
        required=False,
        allow_null=True,
        allow_blank=True,
        max_length=settings.TEXT_MAX_CHARACTERS,
        help_text="The transcript.",
    )
    speaker = ChoiceField(Speaker.values, required=False, default=Speaker.CLIENT.value)
    occurred_at = MomentField(required=False, help_text="Start of speech. Without it: receipt − duration.")
    duration_ms = WholeField(required=False, min_value=0, max_value=LONGEST_UTTERANCE_MS)
    language = LanguageField(required=False, allow_blank=True, help_text="BCP 47, such as en or zh-Hans.")
    granularity = ChoiceField(GRANULARITIES, required=False, default="utterance")
    include = WordsField(INCLUDES, required=False, default=list)
    wait = NumberField(
        required=False, min_value=0, max_value=LONGEST_WAIT_S, help_text="Seconds; 5 without it."
    )


class UtteranceBody(SpokenFields):
    """An utterance as JSON: words, or what your own recognizer read."""

    scores = ScoresField(required=False)
    embedding = EmbeddingField(required=False)
    recognizer = RecognizerBody(required=False, help_text="Whose scores and embedding these are.")


class UtteranceForm(SpokenFields):
    """An utterance as multipart/form-data: an ``audio`` file, and any of these as form fields."""


class _Shortcut(Fields):
    client = _external_id()
    session = _external_id()
    client_name = TextField(required=False, max_length=200)


class ShortcutBody(_Shortcut, UtteranceBody):
    """An utterance whose client and session are made when they are first seen."""

    consent = ConsentBody(required=False)


class ShortcutForm(_Shortcut, UtteranceForm):
    """The same with an ``audio`` file."""


class AudioPart(serializers.Serializer):
    """For the documentation: the part that holds the sound."""

    audio = serializers.FileField(help_text="WAV, MP3, M4A, FLAC, Ogg or WebM.")


class UtteranceUpload(UtteranceForm, AudioPart):
    """An audio file with any of these as form fields."""


class ShortcutUpload(ShortcutForm, AudioPart):
    """An audio file of a client and session that are made when they are first seen."""


class PredictForm(Fields):
    """An ``audio`` file to be read and forgotten."""

    granularity = ChoiceField(GRANULARITIES, required=False, default="utterance")
    language = LanguageField(required=False, allow_blank=True)


class PredictUpload(PredictForm, AudioPart):
    """An audio file to be read and forgotten."""


class RecordingForm(Fields):
    """A whole recording as multipart/form-data: an ``audio`` file, and any of these as form fields."""

    started_at = MomentField(required=False, help_text="Its beginning. Without it: the session's.")
    speakers = WordsField(
        Speaker.values,
        required=False,
        default=list,
        max_length=8,
        help_text="Who speaks on each channel, such as `client,counselor`; one: the channels are mixed. "
        "Without it all speech is taken for the client's.",
    )
    language = LanguageField(required=False, allow_blank=True)


class RecordingUpload(RecordingForm, AudioPart):
    """A recording with any of these as form fields."""


class UtteranceChange(Fields):
    text = TextField(required=False, allow_blank=True, max_length=settings.TEXT_MAX_CHARACTERS)
    occurred_at = MomentField(required=False)
    speaker = ChoiceField(Speaker.values, required=False)


class CorrectionBody(Fields):
    emotion = ChoiceField(list(HEARD), help_text="What you heard; `none` where no label fits.")


class NoteBody(Fields):
    text = TextField(max_length=settings.TEXT_MAX_CHARACTERS)
    session = TextField(required=False, max_length=20)
    at = MomentField(required=False, help_text="The moment it speaks of. Without it: now.")


class NoteChange(Fields):
    text = TextField(max_length=settings.TEXT_MAX_CHARACTERS)


class WebhookBody(Fields):
    name = TextField(max_length=100)
    url = TextField(max_length=1000, help_text="https:// (http:// only where the installation allows it).")
    format = ChoiceField(Format.values, required=False, default=Format.STANDARD.value)


class WebhookChange(Fields):
    name = TextField(required=False, max_length=100)
    url = TextField(required=False, max_length=1000)
    format = ChoiceField(Format.values, required=False)
    on = FlagField(required=False)


class DeliveriesQuery(Paging):
    webhook = TextField(required=False, max_length=20)
    state = ChoiceField(list(STATES), required=False)


class Nothing(Fields):
    """No field is known here."""


class WaitQuery(Fields):
    wait = NumberField(required=False, min_value=0, max_value=LONGEST_WAIT_S)


class IncludeQuery(Fields):
    include = WordsField(INCLUDES, required=False, default=list)


class UtterancesQuery(Paging, IncludeQuery):
    pass


class ClientsQuery(Paging):
    external_id = _external_id(required=False)


class TimelineQuery(Fields):
    recognizer = TextField(required=False, max_length=64, help_text="Which series; without it the main one.")
    version = TextField(required=False, max_length=64)
    max_points = WholeField(required=False, default=2000, min_value=10, max_value=100_000)


class AlertsQuery(Paging):
    client = TextField(required=False, max_length=20)
    session = TextField(required=False, max_length=20)
    rule = TextField(required=False, max_length=20)
    severity = ChoiceField(Severity.values, required=False)
    state = ChoiceField(
        ["open", "unseen", "snoozed", "past"],
        required=False,
        help_text="open: going on. unseen: for somebody to acknowledge. past: over, or resolved by a person.",
    )


class SnoozeBody(Fields):
    """One of the two."""

    until = MomentField(required=False, help_text="At most 30 days ahead.")
    until_event = ChoiceField(["next_session"], required=False)


class VerdictBody(Fields):
    verdict = ChoiceField(Judgment.values)


class ArrayQuery(Fields):
    format = ChoiceField(["json", "npy"], required=False)


class ExportQuery(Fields):
    format = ChoiceField(list(FORMATS), required=False, default="json")
    include = WordsField(
        ["notes"],
        required=False,
        default=list,
        help_text="`notes`: for people, where the format has a place.",
    )


class SeriesQuery(Fields):
    recognizer = TextField(required=False, max_length=64, help_text="Which series; without it the latest.")
    version = TextField(required=False, max_length=64)


class SpanQuery(SeriesQuery):
    after = MomentField(required=False, help_text="From this time on.")
    before = MomentField(required=False, help_text="Before this time.")


class CohortQuery(SpanQuery):
    recognizer = TextField(
        required=False,
        max_length=64,
        help_text="Which series; without it the one that read most of its clients.",
    )


class MoodQuery(SpanQuery):
    resolution = ChoiceField(["utterance", "session", "day"], required=False, default="session")
    max_points = WholeField(required=False, default=2000, min_value=10, max_value=100_000)


class DynamicsQuery(SpanQuery):
    window_days = WholeField(
        required=False,
        min_value=7,
        max_value=3660,
        help_text="Consecutive windows of so many days; without it one window.",
    )


class ClustersQuery(SeriesQuery):
    include = WordsField(["map"], required=False, default=list)
    max_points = WholeField(required=False, default=2000, min_value=10, max_value=20_000)


class SimilarQuery(Fields):
    to = TextField(max_length=20, help_text="An utterance of the client.")
    count = WholeField(required=False, default=10, min_value=1, max_value=100)
    within = ChoiceField(
        ["client", "visible"],
        required=False,
        default="client",
        help_text="`visible` looks across every client whose content you may see.",
    )
