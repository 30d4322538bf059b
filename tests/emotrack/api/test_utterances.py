"""Posting an utterance: one call gives the reading, nothing is doubled, bad input gets its one answer."""

from __future__ import annotations

import numpy as np
import pytest

from analysis.values import LABELS, RecognizerError
from emotrack.audit.models import AuditEvent
from emotrack.history.models import Client, Embedding, Session, Utterance
from tests.analysis import sounds
from tests.emotrack import factories
from tests.emotrack.api.conftest import Api
from tests.emotrack.api.posting import OURS, SCORES, multipart, post, post_form, problem, sound

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.usefixtures("fake_recognizer", "processed_in_place"),
]


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
    ids = {multipart(api, path, boundary).json()["id"] for boundary in ("first", "second")}
    assert len(ids) == 1


@pytest.mark.parametrize("changed", [{"text": "other"}, {"text": "once", "language": "en"}])
def test_the_same_key_with_another_request_is_refused(api, house, changed):
    post(api, house, {"text": "once"}, Idempotency_Key="k1")
    problem(post(api, house, changed, Idempotency_Key="k1"), 422, "idempotency-key-reused")


def test_the_same_key_with_another_sound_is_refused(api, house):
    path = f"sessions/{house.session.public_id}/utterances"
    multipart(api, path, "b")
    other = sounds.wav(sounds.spoken(1.5))
    problem(multipart(api, path, "b", audio=other), 422, "idempotency-key-reused")


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
