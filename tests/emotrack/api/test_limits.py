"""A body that is too large is refused while it arrives, before anything of it is written down."""

from __future__ import annotations

import json

import pytest

from emotrack.api.limits import FORM_SLACK_BYTES, BodyLimit

pytestmark = pytest.mark.asyncio


class Site:
    """Reads its body to the end, as the framework does."""

    def __init__(self) -> None:
        self.read = 0
        self.asked = False

    async def __call__(self, scope, receive, send) -> None:
        self.asked, more = True, True
        while more:
            message = await receive()
            self.read += len(message.get("body", b""))
            more = message.get("more_body", False)
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b""})


async def _send(chunks: list[bytes], headers: dict[bytes, bytes]) -> tuple[Site, list[dict]]:
    site, sent = Site(), []
    waiting = [
        {"type": "http.request", "body": chunk, "more_body": i + 1 < len(chunks)}
        for i, chunk in enumerate(chunks)
    ]

    async def receive():
        return waiting.pop(0)

    async def send(message):
        sent.append(message)

    scope = {"type": "http", "path": "/api/v1/utterances", "headers": list(headers.items())}
    await BodyLimit(site)(scope, receive, send)
    return site, sent


@pytest.fixture(autouse=True)
def _small(settings):
    settings.JSON_MAX_BYTES = 100
    settings.AUDIO_MAX_BYTES = 1000


@pytest.mark.parametrize("claim", [b"3000000000", b"101", b"9" * 400])
async def test_a_claim_of_too_much_is_refused_before_a_byte_is_read(claim):
    site, sent = await _send([], {b"content-type": b"application/json", b"content-length": claim})
    assert (site.asked, sent[0]["status"]) == (False, 413)
    assert (b"content-type", b"application/problem+json") in sent[0]["headers"]
    assert json.loads(sent[1]["body"])["type"] == "/problems/body-too-large"


async def test_chunks_without_a_claim_are_counted():
    site, sent = await _send([b"x" * 60] * 10, {b"transfer-encoding": b"chunked"})
    assert (site.read, sent[0]["status"]) == (60, 413)


async def test_what_fits_passes():
    site, sent = await _send([b"x" * 50, b"y" * 50], {})
    assert (site.read, sent[0]["status"]) == (100, 200)


async def test_a_form_with_sound_may_be_larger():
    size = 1000 + FORM_SLACK_BYTES
    headers = {b"content-type": b"multipart/form-data; boundary=b"}
    assert (await _send([b"x" * size], headers))[1][0]["status"] == 200
    assert (await _send([b"x" * (size + 1)], headers))[1][0]["status"] == 413
