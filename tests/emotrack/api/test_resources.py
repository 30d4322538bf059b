"""Clients, sessions, lists, timelines, playback and alerts as an app and a counselor meet them."""

from __future__ import annotations

from datetime import timedelta

import numpy as np
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import OperationalError, connection
from django.test.utils import CaptureQueriesContext

from emotrack.api.throttling import Windows
from emotrack.audit.models import AuditEvent
from emotrack.history import actions as history
from emotrack.history.models import Client, Note, Session
from emotrack.mood import actions as mood
from tests.analysis import sounds
from tests.emotrack import factories
from tests.emotrack.api.conftest import Api
from tests.emotrack.api.posting import problem
from tests.emotrack.api.test_access import _alert

pytestmark = pytest.mark.django_db
read_here = pytest.mark.usefixtures("fake_recognizer", "processed_in_place")


# --- Clients and sessions ---------------------------------------------------------------------------------


def test_a_client_is_new_once_and_found_after_that(api):
    body = {"external_id": "u-9", "name": "Nora"}
    first, again = api.post("clients", body), api.post("clients", body)
    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json() == again.json()
    assert first.json()["name"] == "Nora"
    assert [consent["purpose"] for consent in first.json()["consent"]] == ["alerts", "text", "voice_emotion"]


def test_two_apps_may_use_the_same_id_for_two_people(api, charlie):
    ids = {caller.post("clients", {"external_id": "u-1"}).json()["id"] for caller in (api, charlie)}
    assert len(ids) == 2


def test_a_consent_outside_the_apps_terms_is_refused(api):
    consent = {"purposes": ["research"], "version": "1", "given_at": "2026-01-01T00:00:00Z"}
    answer = api.post("clients", {"external_id": "u", "consent": consent})
    problem(answer, 422, "consent-outside-terms", "/consent/purposes")
    assert Client.objects.count() == 1


def test_a_session_is_new_once_ends_once_and_keeps_its_end(api, house):
    path = f"clients/{house.ann.public_id}/sessions"
    first, again = api.post(path, {"external_id": "s"}), api.post(path, {"external_id": "s"})
    assert (first.status_code, again.status_code) == (201, 200)
    ended = [api.post(f"sessions/{first.json()['id']}/end").json() for _ in range(2)]
    assert ended[0] == ended[1]
    assert (ended[0]["end_reason"], bool(ended[0]["ended_at"])) == ("explicit", True)


def test_an_external_id_is_shown_to_its_own_app_alone(api, house):
    other = factories.app("Other")
    session = api.post(f"clients/{house.ann.public_id}/sessions", {"external_id": "mine"}).json()
    house.ann.links.create(app=other, external_id="theirs", created_at=factories.NOW)
    seen = Api(factories.key(other)[1]).get(f"sessions/{session['id']}").json()
    assert (session["external_id"], seen["external_id"]) == ("mine", None)


def test_an_admin_sees_codes_and_no_names(house):
    item = Api(user=house.dora).get("clients").json()["items"][0]
    assert (item["code"], "name" in item) == (house.ann.code, False)
    assert Api(user=house.alice).get("clients").json()["items"][0]["name"] == "Ann"


def test_each_viewer_lists_only_their_own_clients(api, charlie, house):
    factories.client("Ben", assigned_to=house.bob)
    codes = {
        name: [item["code"] for item in caller.get("clients").json()["items"]]
        for name, caller in {"app": api, "alice": Api(user=house.alice), "charlie": charlie}.items()
    }
    assert codes == {"app": [house.ann.code], "alice": [house.ann.code], "charlie": []}


def test_notes_are_written_and_read_by_the_counselor(house):
    alice = Api(user=house.alice)
    path = f"clients/{house.ann.public_id}/notes"
    assert alice.post(path, {"text": "calmer", "session": house.session.public_id}).status_code == 201
    assert [note["text"] for note in alice.get(path).json()["items"]] == ["calmer"]


def test_only_who_wrote_a_note_changes_or_deletes_it(house):
    alice, bob = Api(user=house.alice), Api(user=house.bob)
    history.assign(client=house.ann, counselor=house.bob, by=factories.TESTS, now=factories.NOW)
    notes = f"clients/{house.ann.public_id}/notes"
    note = alice.post(notes, {"text": "calmer"}).json()["id"]
    for refused in (bob.patch(f"notes/{note}", {"text": "mine"}), bob.delete(f"notes/{note}")):
        assert refused.status_code == 403 and refused.json()["type"].endswith("not-the-author")
    changed = alice.patch(f"notes/{note}", {"text": "calmer, later tired"}).json()
    assert (changed["id"], changed["text"]) == (note, "calmer, later tired")
    assert [found["text"] for found in bob.get(notes).json()["items"]] == ["calmer, later tired"]
    assert alice.delete(f"notes/{note}").status_code == 204
    assert bob.get(notes).json()["items"] == []
    assert alice.delete(f"notes/{note}").status_code == 404
    told = AuditEvent.objects.filter(subject=note).order_by("at").values_list("action", flat=True)
    assert list(told) == ["note.written", "note.changed", "note.deleted"]


def test_a_change_without_words_leaves_the_note(house):
    alice = Api(user=house.alice)
    note = alice.post(f"clients/{house.ann.public_id}/notes", {"text": "calmer"}).json()["id"]
    for body, status in (({}, 422), ({"text": ""}, 422), ({"text": "x", "at": "2026-01-01T00:00:00Z"}, 400)):
        assert alice.patch(f"notes/{note}", body).status_code == status
    assert Note.objects.get(public_id=note).text == "calmer"


# --- Lists ------------------------------------------------------------------------------------------------


def test_pages_follow_one_another_without_loss_though_times_are_equal(api, house):
    made = [factories.utterance(house.session, factories.NOW).public_id for _ in range(7)]
    seen, cursor = [], ""
    while cursor is not None:
        path = f"sessions/{house.session.public_id}/utterances?page_size=3{cursor and '&cursor=' + cursor}"
        body = api.get(path).json()
        seen += [item["id"] for item in body["items"]]
        cursor = body["next_cursor"]
    assert seen == made


def test_newest_sessions_come_first_across_pages(api, house):
    later = factories.session(house.ann, factories.NOW + timedelta(days=1))
    path = f"clients/{house.ann.public_id}/sessions?page_size=1"
    first = api.get(path).json()
    second = api.get(f"{path}&cursor={first['next_cursor']}").json()
    ids = [body["items"][0]["id"] for body in (first, second)]
    assert ids == [later.public_id, house.session.public_id]
    assert second["next_cursor"] is None


def test_a_time_filter_takes_its_start_and_leaves_its_end(api, house):
    at = [factories.NOW + timedelta(minutes=i) for i in range(3)]
    made = [factories.utterance(house.session, t).public_id for t in at]
    query = f"after={at[0]:%Y-%m-%dT%H:%M:%SZ}&before={at[2]:%Y-%m-%dT%H:%M:%SZ}"
    items = api.get(f"sessions/{house.session.public_id}/utterances?{query}").json()["items"]
    assert [item["id"] for item in items] == made[:2]


@pytest.mark.parametrize(
    ("query", "status", "slug"),
    [
        ("cursor=abc", 400, "invalid-cursor"),
        ("page_size=501", 422, "out-of-range"),
        ("page_size=0", 422, "out-of-range"),
        ("page_size=ten", 400, "wrong-type"),
        ("page_size=%D9%A3", 400, "wrong-type"),
        ("page=2", 400, "unknown-parameter"),
        ("page_size=1&page_size=2", 400, "duplicate-field"),
        ("after=2026-03-02", 422, "timestamp-invalid"),
    ],
)
def test_a_bad_query_names_its_parameter(api, house, query, status, slug):
    answer = api.get(f"sessions/{house.session.public_id}/utterances?{query}")
    assert problem(answer, status, slug)["errors"][0]["parameter"] == query.split("=")[0]


def test_a_cursor_of_another_list_is_refused(api, house):
    factories.session(house.ann, factories.NOW)
    cursor = api.get(f"clients/{house.ann.public_id}/sessions?page_size=1").json()["next_cursor"]
    answer = api.get(f"sessions/{house.session.public_id}/utterances?cursor={cursor}")
    problem(answer, 400, "invalid-cursor")


def test_a_long_list_costs_no_more_queries_than_a_short_one(api, house):
    def queries() -> int:
        with CaptureQueriesContext(
            connection,
        ) as caught:
            api.get(f"sessions/{house.session.public_id}/utterances")
        return len(caught)

    factories.utterance(house.session, text="one")
    queries()
    short = queries()
    for _ in range(10):
        factories.utterance(house.session, text="more")
    assert queries() == short


# --- Timelines --------------------------------------------------------------------------------------------


def _moved(house, turns: int) -> None:
    rng = np.random.default_rng(1)
    factories.brought_in(
        factories.utterance(house.session, embedding=rng.normal(size=8)) for _ in range(turns)
    )


def test_the_session_timeline_tells_mood_and_volatility_and_no_words(api, house):
    _moved(house, 6)
    body = api.get(f"sessions/{house.session.public_id}/timeline").json()
    assert body["series"]["id"] == "planted"
    assert [point["partial"] for point in body["points"]] == [True] * 4 + [False] * 2
    assert body["points"][-1]["volatility"] > 0
    assert (body["coverage"], body["points_total"]) == (1.0, 6)
    assert "text" not in body["points"][0]


def test_a_long_timeline_is_thinned_and_keeps_its_extremes(api, house):
    _moved(house, 30)
    low = factories.utterance(house.session, shares=factories.scores(sad=0.99))
    mood.refresh(low)
    body = api.get(f"sessions/{house.session.public_id}/timeline?max_points=10").json()
    assert (len(body["points"]), body["points_total"]) == (10, 31)
    assert low.public_id in [point["utterance"] for point in body["points"]]


def test_the_client_timeline_goes_session_by_session(api, house):
    _moved(house, 6)
    body = api.get(f"clients/{house.ann.public_id}/timeline").json()
    assert [point["session"] for point in body["points"]] == [house.session.public_id]
    assert body["points"][0]["coverage"] == 1.0


def test_a_session_without_readings_has_an_empty_timeline(api, house):
    body = api.get(f"sessions/{house.session.public_id}/timeline").json()
    assert (body["series"], body["points"], body["alerts"]) == (None, [], [])


# --- Alerts -----------------------------------------------------------------------------------------------


def test_an_alert_is_listed_and_acknowledged_by_the_counselor(api, house):
    alert = _alert(house, factories.utterance(house.session))
    assert [a["id"] for a in api.get("alerts?state=open").json()["items"]] == [alert.public_id]
    alice = Api(user=house.alice)
    answer = alice.post(f"alerts/{alert.public_id}/acknowledge").json()
    assert (answer["acknowledged_by"], bool(answer["acknowledged_at"])) == ("alice", True)


def test_an_utterance_names_the_alerts_that_it_set_off(api, house):
    utterance = factories.utterance(house.session)
    alert = _alert(house, utterance)
    lines = api.get(f"utterances/{utterance.public_id}").json()["alerts"]
    assert [line["id"] for line in lines] == [alert.public_id]


# --- The single call --------------------------------------------------------------------------------------


def _sound() -> SimpleUploadedFile:
    return SimpleUploadedFile("a.wav", sounds.wav(sounds.spoken(1.5)))


@read_here
def test_the_single_call_reads_and_forgets(api):
    body = api.form("/predict_emotion", {"audio": _sound()}).json()
    assert set(body) == {"emotion", "confidence", "scores", "granularity", "timestamp"}
    assert body["confidence"] == max(body["scores"].values())
    assert not Session.objects.filter(utterances__isnull=False).exists()


@read_here
def test_the_single_call_says_what_to_do_when_there_is_no_speech(api):
    silent = SimpleUploadedFile("a.wav", sounds.wav(sounds.silence(1.0)))
    body = api.form("/predict_emotion", {"audio": silent}).json()
    assert (body["emotion"], body["fallback_action"]) == (None, "wait")


@read_here
@pytest.mark.parametrize(
    ("opened", "address", "status"),
    [(True, "127.0.0.1", 200), (True, "192.0.2.1", 401), (False, "127.0.0.1", 401)],
)
def test_the_single_call_is_open_only_on_loopback_and_only_when_set(house, settings, opened, address, status):
    settings.LEGACY_PREDICT_OPEN = opened
    answer = Api().http.post("/predict_emotion", {"audio": _sound()}, REMOTE_ADDR=address)
    assert answer.status_code == status


# --- Rules of the road ------------------------------------------------------------------------------------


def test_what_is_already_known_is_not_sent_again(api, house):
    path = f"sessions/{house.session.public_id}"
    first = api.get(path)
    assert api.get(path, If_None_Match=first.headers["ETag"]).status_code == 304
    api.post(f"{path}/end")
    assert api.get(path, If_None_Match=first.headers["ETag"]).status_code == 200


def test_a_key_that_asks_too_often_is_told_when_to_come_back(api, settings):
    settings.RATE_PER_MINUTE = 2
    answers = [api.get("clients") for _ in range(3)]
    assert [a.status_code for a in answers] == [200, 200, 429]
    assert [a.headers["RateLimit"].split(";")[1] for a in answers] == ["r=1", "r=0", "r=0"]
    assert 1 <= int(answers[2].headers["Retry-After"]) <= 60
    problem(answers[2], 429, "too-many-requests")


def test_one_key_does_not_use_up_anothers_rate(api, charlie, settings):
    settings.RATE_PER_MINUTE = 1
    assert [api.get("clients").status_code, charlie.get("clients").status_code] == [200, 200]


def test_a_new_minute_starts_a_new_count():
    at = [30.0]
    windows = Windows(lambda: at[0])
    assert [windows.count("key", 1).left for _ in range(2)] == [0, -1]
    at[0] = 61.0
    rate = windows.count("key", 1)
    assert (rate.left, rate.reset_s) == (0, 59)


def test_a_method_that_is_not_there_is_named_so(api, house):
    answer = api.delete(f"sessions/{house.session.public_id}")
    problem(answer, 405, "method-not-allowed")
    assert "GET" in answer.headers["Allow"]


@pytest.mark.parametrize(
    ("error", "status", "slug"),
    [
        (OperationalError("database is locked"), 503, "storage-busy"),
        (OperationalError("database or disk is full"), 507, "storage-full"),
        (OSError(28, "No space left on device"), 507, "storage-full"),
        (ZeroDivisionError("secret words"), 500, "internal-error"),
    ],
)
def test_trouble_of_ours_is_a_problem_too(api, house, monkeypatch, error, status, slug):
    def fail(**_named):
        raise error

    monkeypatch.setattr("emotrack.api.utterances.accept", fail)
    answer = api.post(f"sessions/{house.session.public_id}/utterances", {"text": "x"})
    problem(answer, status, slug)
    assert ("Retry-After" in answer.headers) == (status == 503)
    assert b"secret" not in answer.content


def test_a_storage_that_is_away_makes_the_process_unready(api, monkeypatch):
    def away():
        raise OperationalError("connection refused")

    monkeypatch.setattr("emotrack.api.health.connection.cursor", away)
    assert (api.get("/readyz").status_code, api.get("/livez").status_code) == (503, 200)
