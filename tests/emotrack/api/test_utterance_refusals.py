"""Posting what cannot be an utterance: each kind of bad input gets its one answer, and nothing is kept."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from django.utils import timezone

from emotrack.history.models import Utterance
from tests.analysis import sounds
from tests.emotrack.api.posting import OURS, SCORES, SPEECH, multipart, post, post_form, problem, sound

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.usefixtures("fake_recognizer", "processed_in_place"),
]

BAD_JSON = [
    (b"{", 400, "not-json", None),
    (b"[]", 400, "wrong-type", ""),
    (b'{"text": "\\ud800"}', 400, "lone-surrogate", "/text"),
    (b'{"text": "a\\u0000b"}', 400, "nul-character", "/text"),
    (b'{"text": "\xff"}', 400, "invalid-utf8", None),
    (b'{"text": 1}', 400, "wrong-type", "/text"),
    (b'{"text": "x", "text": "y"}', 400, "duplicate-key", "/text"),
    (b'{"text": "x", "mood": 1}', 400, "unknown-field", "/mood"),
    (b'{"text": "x", "duration_ms": true}', 400, "wrong-type", "/duration_ms"),
    (b'{"text": "x", "duration_ms": "1_0"}', 400, "wrong-type", "/duration_ms"),
    (b'{"text": "x", "duration_ms": 1.0}', 400, "wrong-type", "/duration_ms"),
    (b'{"text": "x", "duration_ms": -1}', 422, "out-of-range", "/duration_ms"),
    (b'{"text": "x", "duration_ms": 1e309}', 400, "not-finite", "/duration_ms"),
    (b'{"text": "x", "speaker": "dog"}', 422, "not-a-choice", "/speaker"),
    (b'{"text": "x", "speaker": ["client"]}', 400, "wrong-type", "/speaker"),
    (b'{"text": "x", "language": "e_n"}', 422, "language-invalid", "/language"),
    (b'{"text": "x", "occurred_at": "2026-03-02T09:00:00"}', 422, "timestamp-naive", "/occurred_at"),
    (b'{"text": "x", "occurred_at": "yesterday"}', 422, "timestamp-invalid", "/occurred_at"),
    (b'{"text": "x", "occurred_at": "2026-02-30T09:00:00Z"}', 422, "timestamp-invalid", "/occurred_at"),
    (b'{"text": "x", "occurred_at": "0001-01-01T00:00:00+14:00"}', 422, "out-of-range", "/occurred_at"),
    (b'{"text": "x", "occurred_at": 1700000000}', 400, "wrong-type", "/occurred_at"),
    (b'{"text": "x", "wait": 31}', 422, "out-of-range", "/wait"),
    (b'{"text": "x", "include": "frames"}', 400, "wrong-type", "/include"),
    (b'{"text": "x", "recognizer": {"id": "a"}}', 422, "missing-field", "/recognizer/version"),
    (b'{"text": "x", "recognizer": {"id": "a", "version": "1"}}', 422, "recognizer-unused", "/recognizer"),
    (b"{}", 422, "nothing-said", None),
    (b'{"text": ""}', 422, "nothing-said", None),
    (b"[" * 100_000, 400, "too-deep", None),
]


@pytest.mark.parametrize(("raw", "status", "slug", "pointer"), BAD_JSON)
def test_bad_json_gets_its_one_answer(api, house, raw, status, slug, pointer):
    answer = api.raw(f"sessions/{house.session.public_id}/utterances", raw)
    problem(answer, status, slug, pointer)
    assert not Utterance.objects.exists()


def _scores(**changes: object) -> dict:
    return {label: x for label, x in (SCORES | changes).items() if x is not None}


BAD_SCORES = [
    (_scores(happy=None), 422, "scores-labels", "/scores"),
    (_scores(bored=0.0), 422, "scores-labels", "/scores"),
    (_scores(happy=0.72, sad=-0.0001), 422, "scores-negative", "/scores"),
    (_scores(happy=0.75), 422, "scores-sum", "/scores"),
    (_scores(happy="0.7"), 400, "wrong-type", "/scores/happy"),
    (_scores(happy=True), 400, "wrong-type", "/scores/happy"),
    ([0.1] * 9, 400, "wrong-type", "/scores"),
    (None, 400, "wrong-type", "/scores"),
]


@pytest.mark.parametrize(("scores", "status", "slug", "pointer"), BAD_SCORES)
def test_bad_scores_are_refused(api, house, scores, status, slug, pointer):
    problem(post(api, house, {"scores": scores, "recognizer": OURS}), status, slug, pointer)


def test_scores_of_nan_are_refused(api, house):
    raw = json.dumps({"scores": SCORES | {"sad": float("nan")}, "recognizer": OURS}).encode()
    answer = api.raw(f"sessions/{house.session.public_id}/utterances", raw)
    problem(answer, 400, "not-finite", "/scores/sad")


def test_scores_without_their_recognizer_are_refused(api, house):
    problem(post(api, house, {"scores": SCORES}), 422, "recognizer-required", "/recognizer")


@pytest.mark.parametrize(
    ("embedding", "status", "slug", "pointer"),
    [
        ([], 422, "embedding-shape", "/embedding"),
        ([1.0, 7e4], 422, "embedding-out-of-range", "/embedding"),
        ([1.0, True], 400, "wrong-type", "/embedding/1"),
        ("AAAA", 400, "wrong-type", "/embedding"),
        ([0.0] * 20_000, 422, "too-long", "/embedding"),
    ],
)
def test_bad_embeddings_are_refused(api, house, embedding, status, slug, pointer):
    body = {"scores": SCORES, "recognizer": OURS, "embedding": embedding}
    problem(post(api, house, body), status, slug, pointer)


def test_an_embedding_of_another_dimension_is_refused(api, house):
    body = {"scores": SCORES, "recognizer": OURS, "embedding": [1.0, 2.0]}
    assert post(api, house, body).status_code == 201
    problem(post(api, house, body | {"embedding": [1.0]}), 422, "embedding-dimension", "/embedding")


def test_a_time_in_the_future_is_refused(api, house):
    at = (timezone.now() + timedelta(minutes=6)).isoformat()
    problem(post(api, house, {"text": "x", "occurred_at": at}), 422, "timestamp-in-future", "/occurred_at")


def test_text_that_is_too_long_is_refused_and_the_longest_is_kept(api, house):
    problem(post(api, house, {"text": "x" * 20_001}), 422, "too-long", "/text")
    assert post(api, house, {"text": "x" * 20_000}).status_code == 201


BAD_SOUND = [
    (b"", 422, "audio-empty"),
    (SPEECH[:44], 422, None),
    (b"%PDF-1.7 not a sound" * 10, 415, "unsupported-media-type"),
    (b"#EXTM3U\nhttp://127.0.0.1/secret\n", 415, "unsupported-media-type"),
    (sounds.wav(sounds.spoken(2.5))[: 44 + 20_000], 422, "audio-truncated"),
]


@pytest.mark.parametrize(("data", "status", "slug"), BAD_SOUND)
def test_bad_sound_gets_its_one_answer_and_leaves_nothing(api, house, data, status, slug, settings):
    answer = post_form(api, house, audio=sound(data))
    assert answer.status_code == status, answer.content
    problem(answer, status, slug or answer.json()["type"].removeprefix("/problems/"))
    assert not Utterance.objects.exists()
    assert not [path for path in settings.AUDIO_DIR.rglob("*") if path.is_file()]


def test_a_form_without_its_sound_is_refused(api, house):
    problem(post_form(api, house, text="x"), 400, "missing-part", "/audio")


@pytest.mark.parametrize(
    ("fields", "status", "slug", "pointer"),
    [
        ({"duration_ms": "1_0"}, 400, "wrong-type", "/duration_ms"),
        ({"duration_ms": "١٠"}, 400, "wrong-type", "/duration_ms"),
        ({"mood": "1"}, 400, "unknown-field", "/mood"),
        ({"text": ["a", "b"]}, 400, "duplicate-field", "/text"),
        ({"text": "a\0b"}, 400, "nul-character", "/text"),
        ({"occurred_at": "2026-03-02T09:00:00"}, 422, "timestamp-naive", "/occurred_at"),
        ({"wait": "nan"}, 400, "wrong-type", "/wait"),
        ({"include": "frames,everything"}, 422, "not-a-choice", "/include/1"),
        ({"other": sound()}, 400, "unknown-field", "/other"),
    ],
)
def test_form_fields_are_held_to_the_same_rules(api, house, fields, status, slug, pointer):
    problem(post_form(api, house, audio=sound(), **fields), status, slug, pointer)


def test_a_form_field_that_is_not_utf8_is_refused(api, house):
    extra = b'--b\r\nContent-Disposition: form-data; name="text"\r\n\r\nab\xff\r\n'
    answer = multipart(api, f"sessions/{house.session.public_id}/utterances", "b", extra)
    problem(answer, 400, "invalid-utf8", "/text")


@pytest.mark.parametrize("kind", ["text/plain", "application/xml", "application/x-www-form-urlencoded"])
def test_bodies_of_another_kind_are_refused(api, house, kind):
    answer = api.raw(f"sessions/{house.session.public_id}/utterances", b"text=x", kind)
    problem(answer, 415, "unsupported-media-type")


def test_a_broken_form_is_refused(api, house):
    answer = api.raw(f"sessions/{house.session.public_id}/utterances", b"x", "multipart/form-data")
    problem(answer, 400, "not-multipart")


def test_json_over_the_limit_is_refused(api, house, settings):
    settings.JSON_MAX_BYTES = 100
    problem(post(api, house, {"text": "x" * 101}), 413, "body-too-large")


def test_sound_over_the_limit_is_refused(api, house, settings):
    settings.AUDIO_MAX_BYTES = 1000
    problem(post_form(api, house, audio=sound()), 413, "audio-too-large")


def test_errors_echo_no_content(api, house):
    secret = "she told me a secret"
    answers = [
        post(api, house, {"text": [secret]}),
        post(api, house, {"speaker": secret, "text": "x"}),
        post(api, house, {"occurred_at": secret, "text": "x"}),
        api.raw(f"sessions/{house.session.public_id}/utterances", f'{{"text": {secret}}}'.encode()),
        api.get(f"sessions/{house.session.public_id}/utterances?cursor={secret}"),
    ]
    assert [a.status_code // 100 for a in answers] == [4] * 5
    assert not [a for a in answers if secret in a.content.decode()]
