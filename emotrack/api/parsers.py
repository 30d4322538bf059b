"""Bodies become plain values: strict JSON, or a form with one audio part checked as strictly."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.conf import settings
from django.core.exceptions import RequestDataTooBig, SuspiciousOperation
from django.core.files.uploadedfile import UploadedFile
from django.http import QueryDict
from django.http.multipartparser import MultiPartParser, MultiPartParserError
from django.utils.datastructures import MultiValueDict
from rest_framework.parsers import BaseParser

from emotrack.api.errors import Problem, wrong_fields
from emotrack.api.limits import too_large
from emotrack.api.strictjson import NotStrict, check_text, join, loads

AUDIO_PART = "audio"


class Form(dict[str, str]):
    """The text fields of a form, and the bytes of its audio part (of a recording: the file itself)."""

    audio: bytes
    file: UploadedFile


class StrictJSONParser(BaseParser):
    media_type = "application/json"

    def parse(self, stream: Any, media_type: str | None = None, parser_context: Any = None) -> Any:
        raw = stream.read(settings.JSON_MAX_BYTES + 1)
        if len(raw) > settings.JSON_MAX_BYTES:
            raise too_large(settings.JSON_MAX_BYTES)
        try:
            return loads(raw)
        except NotStrict as error:
            raise malformed(error) from error


class StrictFormParser(BaseParser):
    media_type = "multipart/form-data"

    def parse(self, stream: Any, media_type: str | None = None, parser_context: Any = None) -> Form:
        request = parser_context["request"]
        meta = request.META | {"CONTENT_TYPE": media_type}
        try:
            # Latin-1 keeps every byte, so that what is not UTF-8 can be refused instead of replaced.
            parser = MultiPartParser(meta, stream, request.upload_handlers, "latin-1")
            fields, files = parser.parse()
        except (MultiPartParserError, SuspiciousOperation, RequestDataTooBig) as error:
            raise Problem("not-multipart", status=400) from error
        try:
            form = Form(_text_fields(fields))
        except NotStrict as error:
            raise malformed(error) from error
        self.take_part(form, _audio_part(files))
        return form

    def take_part(self, form: Form, part: UploadedFile) -> None:
        if part.size > settings.AUDIO_MAX_BYTES:
            raise Problem("audio-too-large", f"At most {settings.AUDIO_MAX_BYTES} bytes.", status=413)
        form.audio = part.read()


class RecordingFormParser(StrictFormParser):
    """A form whose audio part may be long: it stays in its file."""

    def take_part(self, form: Form, part: UploadedFile) -> None:
        if part.size > settings.RECORDING_MAX_BYTES:
            raise Problem("audio-too-large", f"At most {settings.RECORDING_MAX_BYTES} bytes.", status=413)
        form.file = part


def malformed(error: NotStrict) -> Problem:
    return Problem(error.slug, error.detail, status=400, errors=[(error.pointer, error.slug, error.detail)])


def _text_fields(fields: QueryDict) -> dict[str, str]:
    found = {}
    for raw_name, values in fields.lists():
        name = _utf8(raw_name, "")
        pointer = join("", name)
        if len(values) > 1:
            raise NotStrict("duplicate-field", "Sent twice.", pointer)
        found[name] = _utf8(values[0], pointer)
    return found


def _utf8(latin1: str, pointer: str) -> str:
    try:
        text = latin1.encode("latin-1").decode("utf-8")
    except UnicodeDecodeError as error:
        raise NotStrict("invalid-utf8", f"Not UTF-8: byte {error.start}.", pointer) from error
    check_text(text, pointer)
    return text


def _audio_part(files: MultiValueDict) -> UploadedFile:
    unknown = [name for name in files if name != AUDIO_PART]
    if unknown:
        name = unknown[0].encode("latin-1", "replace").decode("utf-8", "replace")
        raise wrong_fields([(join("", name), "unknown-field", "No file is expected here.")], malformed=True)
    parts = files.getlist(AUDIO_PART)
    if not parts:
        detail = "Send the sound as a file part named audio."
        raise Problem("missing-part", detail, status=400, errors=[("/audio", "missing-part", detail)])
    if len(parts) > 1:
        raise wrong_fields([("/audio", "duplicate-field", "One audio part at a time.")], malformed=True)
    return parts[0]


def single_values(query: QueryDict) -> Mapping[str, str]:
    """The parameters of a query, each of which may stand once. Raises ``Problem``."""
    for name, values in query.lists():
        pointer = join("", name)
        if len(values) > 1:
            raise wrong_fields([(f"?{pointer[1:]}", "duplicate-field", "Stands twice.")], malformed=True)
        try:
            check_text(values[0], f"?{pointer[1:]}")
        except NotStrict as error:
            raise malformed(error) from error
    return query.dict()
