"""Posting an utterance: one call gives the reading, nothing is doubled, bad input gets its one answer."""

from __future__ import annotations

import json
from datetime import timedelta

import numpy as np
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone

from analysis.values import LABELS, RecognizerError
from emotrack.audit.models import AuditEvent
from emotrack.history.models import Client, Embedding, Session, Utterance
from tests.analysis import sounds
from tests.emotrack import factories
from tests.emotrack.api.conftest import Api

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.usefixtures("fake_recognizer", "processed_in_place"),
]

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


# --- It works ---------------------------------------------------------------------------------------------


def test_a_posted_sound_is_answered_with_its_reading(api, house):
    answer = post_form(api, house, audio=sound(), text="hello", language="en")
    assert answer.status_code == 201, answer.content
    body = answer.json()
    assert (body["status"], body["reading"], body["source"]) == ("analyzed", "ok", "audio")
    assert set(body["scores"]) == set(LABELS)
    assert sum(body["scores"].values()) == pytest.approx(1)
    assert body["confidence"] == max(body["scores"].values()) == body["scores"][body["emotion"]]
    assert body["response_strategy"]["label"] == body["emotion"]
    assert body["fallback_action"] is None
    assert body["recognizer"] == {"id": "fake", "version": "1"}
    assert body["volatility"] == {"value": None, "z": None, "window": 5, "partial": True}
    assert body["quality"]["duration_s"] == pytest.approx(2.5, abs=0.05)
    assert body["text"] == "hello"
    assert answer.headers["Location"] == f"/api/v1/utterances/{body['id']}"


def test_silence_is_answered_with_a_fallback_and_no_label(api, house):
    body = post_form(api, house, audio=sound(sounds.wav(np.zeros(32_000, np.float32)))).json()
    assert (body["reading"], body["fallback_action"]) == ("no_speech", "wait")
    assert body["emotion"] is body["confidence"] is body["scores"] is body["valence"] is None
    assert body["suggested_response"]


def test_an_own_recognizers_scores_join_the_history(api, house):
    body = {"scores": SCORES, "embedding": [0.5, -0.5], "recognizer": OURS, "text": "fine"}
    answer = post(api, house, body).json()
    assert (answer["emotion"], answer["status"], answer["recognizer"]) == ("happy", "analyzed", OURS)
    assert answer["confidence"] == pytest.approx(0.7)
    assert answer["valence"] > 0
    assert Embedding.objects.get().vector.tolist() == [0.5, -0.5]


def test_words_alone_are_kept_without_a_reading(api, house):
    answer = post(api, house, {"text": "only words"}).json()
    assert (answer["status"], answer["reading"], answer["emotion"]) == ("analyzed", None, None)
    assert answer["text"] == "only words"


def test_the_counselors_own_speech_is_never_scored(api, house):
    answer = post_form(api, house, audio=sound(), speaker="counselor").json()
    assert (answer["reading"], answer["scores"], answer["status"]) == (None, None, "analyzed")


def test_a_recognizer_that_breaks_costs_the_reading_and_not_the_utterance(api, house, fake_recognizer):
    fake_recognizer.broken = lambda: RecognizerError("no")
    answer = post_form(api, house, audio=sound())
    assert answer.status_code == 201
    assert (answer.json()["status"], answer.json()["failure"]) == ("failed", "recognizer-failed")


def test_a_reading_that_is_not_ready_in_time_is_accepted_and_read_later(api, house, settings):
    settings.RECOGNIZE_IN_WEB = False
    answer = api.form(f"sessions/{house.session.public_id}/utterances?wait=0", {"audio": sound()})
    assert (answer.status_code, answer.json()["status"]) == (202, "queued")
    from emotrack import pipeline

    pipeline.process(Utterance.objects.get().pk)
    later = api.get(f"utterances/{answer.json()['id']}").json()
    assert (later["status"], later["reading"]) == ("analyzed", "ok")


def test_get_gives_the_same_shape_as_post(api, house):
    posted = post_form(api, house, audio=sound()).json()
    assert api.get(f"utterances/{posted['id']}").json() == posted


def test_frames_and_embedding_come_when_they_are_asked_for(api, house):
    answer = post_form(api, house, audio=sound(), include="embedding,frames").json()
    assert len(answer["embedding"]) == 8
    assert len(answer["frames"]["logits"][0]) == 9


def test_an_embedding_stays_in_without_the_export_scope(house):
    plain = Api(factories.key(house.helpline)[1])
    problem(post_form(plain, house, audio=sound(), include="embedding"), 403, "missing-scope")
    assert not Utterance.objects.exists()


def test_one_call_makes_client_session_and_utterance(house):
    plain = Api(factories.key(house.helpline)[1])
    fields = {"client": "u-1", "session": "s-1", "audio": sound(), "wait": "3"}
    answer = plain.form("utterances", fields)
    assert answer.status_code == 201, answer.content
    client = Client.objects.get(links__external_id="u-1")
    assert Session.objects.get(public_id=answer.json()["session"]).client == client
    assert client.assignments.get().counselor == house.alice


def test_a_session_of_another_client_is_a_conflict(api, house):
    body = {"client": "u-1", "session": "s-1", "text": "x"}
    assert api.post("utterances", body).status_code == 201
    problem(api.post("utterances", body | {"client": "u-2"}), 409, "session-of-another-client", "/session")


def test_without_consent_nothing_is_kept(house):
    app = factories.app("Silent", (house.alice,), consents=False)
    api = Api(factories.key(app)[1])
    problem(
        api.form("utterances", {"client": "u", "session": "s", "audio": sound()}), 403, "consent-required"
    )
    assert not Utterance.objects.exists()


def test_unusual_text_comes_back_byte_for_byte(api, house):
    text = "שלום 👩‍👩‍👧 e\u0301 \r\n <script>alert(1)</script> =1+1 \u202etest"
    posted = post(api, house, {"text": text}).json()
    assert posted["text"] == text
    assert post_form(api, house, audio=sound(), text=text).json()["text"] == text
    listed = api.get(f"sessions/{house.session.public_id}/utterances").json()["items"]
    assert [item["text"] for item in listed] == [text, text]


# --- Idempotency ------------------------------------------------------------------------------------------


def test_the_same_key_and_request_never_make_two_rows(api, house):
    first = post(api, house, {"text": "once", "speaker": "client"}, Idempotency_Key="k1")
    again = post(api, house, {"speaker": "client", "text": "once", "wait": 1}, Idempotency_Key="k1")
    assert "Idempotent-Replayed" not in first.headers
    assert (again.status_code, again.headers["Idempotent-Replayed"]) == (201, "true")
    assert again.json() == first.json()
    assert Utterance.objects.count() == 1


def test_a_retry_of_a_form_has_another_boundary_and_is_the_same_request(api, house):
    path = f"sessions/{house.session.public_id}/utterances"
    ids = {_multipart(api, path, boundary).json()["id"] for boundary in ("first", "second")}
    assert len(ids) == 1


def _multipart(api: Api, path: str, boundary: str, extra: bytes = b"", audio: bytes = SPEECH):
    part = b'Content-Disposition: form-data; name="audio"; filename="a.wav"\r\n\r\n' + audio
    body = b"--%b\r\n%b\r\n%b--%b--\r\n" % (boundary.encode(), part, extra, boundary.encode())
    return api.raw(path, body, f"multipart/form-data; boundary={boundary}", Idempotency_Key="k")


@pytest.mark.parametrize("changed", [{"text": "other"}, {"text": "once", "language": "en"}])
def test_the_same_key_with_another_request_is_refused(api, house, changed):
    post(api, house, {"text": "once"}, Idempotency_Key="k1")
    problem(post(api, house, changed, Idempotency_Key="k1"), 422, "idempotency-key-reused")


def test_the_same_key_with_another_sound_is_refused(api, house):
    path = f"sessions/{house.session.public_id}/utterances"
    _multipart(api, path, "b")
    other = sounds.wav(sounds.spoken(1.5))
    problem(_multipart(api, path, "b", audio=other), 422, "idempotency-key-reused")


def test_a_key_is_the_apps_own(api, house):
    post(api, house, {"text": "once"}, Idempotency_Key="k1")
    other = factories.app("Other", (house.alice,))
    theirs = Api(factories.key(other)[1])
    answer = theirs.post(
        "utterances", {"client": "c", "session": "s", "text": "theirs"}, Idempotency_Key="k1"
    )
    assert answer.status_code == 201
    assert "Idempotent-Replayed" not in answer.headers


@pytest.mark.parametrize("key", ["", "a b", "x" * 256, "käse"])
def test_a_key_that_cannot_be_kept_is_refused(api, house, key):
    problem(post(api, house, {"text": "x"}, Idempotency_Key=key), 400, "invalid-idempotency-key")


# --- Bad input --------------------------------------------------------------------------------------------

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
    answer = _multipart(api, f"sessions/{house.session.public_id}/utterances", "b", extra)
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


# --- Changing ---------------------------------------------------------------------------------------------


def test_words_can_be_mended_and_an_utterance_deleted(api, house):
    posted = post(api, house, {"text": "hallo"}).json()
    changed = api.patch(f"utterances/{posted['id']}", {"text": "hello"})
    assert (changed.status_code, changed.json()["text"]) == (200, "hello")
    assert api.delete(f"utterances/{posted['id']}").status_code == 204
    problem(api.get(f"utterances/{posted['id']}"), 404, "not-found")


def test_what_a_person_heard_stands_beside_the_machines_label(api, house):
    posted = post_form(api, house, audio=sound()).json()
    alice = Api(user=house.alice)
    answer = alice.post(f"utterances/{posted['id']}/correction", {"emotion": "happy"})
    assert answer.status_code == 201, answer.content
    assert answer.json()["emotion"] == posted["emotion"]
    assert [(c["emotion"], c["by"]) for c in answer.json()["corrections"]] == [("happy", "alice")]


# --- Reading ----------------------------------------------------------------------------------------------


def test_reading_a_list_is_one_event_in_the_log(api, house):
    for text in ("one", "two"):
        post(api, house, {"text": text})
    api.get(f"sessions/{house.session.public_id}/utterances")
    event = AuditEvent.objects.get(action="utterances.read")
    assert (event.subject, event.client) == (house.session.public_id, house.ann.public_id)
    assert (event.actor, event.detail) == (house.helpline.public_id, {"count": 2})


def test_an_admin_sees_readings_without_words(api, house):
    post_form(api, house, audio=sound(), text="private")
    answer = Api(user=house.dora).get(f"sessions/{house.session.public_id}/utterances")
    assert b"private" not in answer.content
    item = answer.json()["items"][0]
    assert (item["reading"], "text" in item) == ("ok", False)
    assert not AuditEvent.objects.filter(action="utterances.read").exists()


def test_the_words_stay_hidden_from_a_key_that_may_only_post(house):
    ingest = Api(factories.key(house.helpline, ("ingest",))[1])
    assert "text" not in post(ingest, house, {"text": "mine"}).json()
