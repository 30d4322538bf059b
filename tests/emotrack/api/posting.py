"""Posts utterances as an app does, and holds refusals to their one shape."""

from __future__ import annotations

from django.core.files.uploadedfile import SimpleUploadedFile

from analysis.values import LABELS
from tests.analysis import sounds
from tests.emotrack.api.conftest import Api

SPEECH = sounds.wav(sounds.spoken(2.5))
SCORES = dict(zip(LABELS, [0.02, 0.01, 0.02, 0.7, 0.2, 0.01, 0.02, 0.01, 0.01], strict=True))
OURS = {"id": "theirs", "version": "1"}
RFC9457 = "application/problem+json"


def sound(data: bytes = SPEECH, name: str = "a.wav") -> SimpleUploadedFile:
    return SimpleUploadedFile(name, data)


def post(api: Api, house, body: object = None, **headers: str):
    return api.post(f"sessions/{house.session.public_id}/utterances", body, **headers)


def post_form(api: Api, house, **fields: object):
    return api.form(f"sessions/{house.session.public_id}/utterances", fields)


def problem(answer, status: int, slug: str, pointer: str | None = None) -> dict:
    body = answer.json()
    assert (answer.status_code, body["type"]) == (status, f"/problems/{slug}"), body
    assert answer.headers["Content-Type"] == RFC9457
    assert body["status"] == status
    if pointer is not None:
        assert pointer in [error.get("pointer") for error in body["errors"]], body
    return body


def multipart(api: Api, path: str, boundary: str, extra: bytes = b"", audio: bytes = SPEECH):
    part = b'Content-Disposition: form-data; name="audio"; filename="a.wav"\r\n\r\n' + audio
    body = b"--%b\r\n%b\r\n%b--%b--\r\n" % (boundary.encode(), part, extra, boundary.encode())
    return api.raw(path, body, f"multipart/form-data; boundary={boundary}", Idempotency_Key="k")
