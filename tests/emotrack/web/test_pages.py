"""What the pages say, and what they cost."""

from datetime import timedelta

import numpy as np
import pytest
from django.utils import timezone

from emotrack.alerts.models import Alert, Rule
from emotrack.history.actions import mark_ended
from emotrack.history.models import Audio, EndReason, FrameLogits, Recognizer
from emotrack.mood import actions as mood
from emotrack.mood.models import ResponsePolicy, SessionMood
from emotrack.mood.queries import response_policy
from tests.emotrack import factories
from tests.emotrack.web.conftest import say
from tests.emotrack.web.test_access import alert_of

# --- Caseload -----------------------------------------------------------------------------------


def a_year(client, sessions=14, mean=0.0):
    recognizer = factories.recognizer()
    for week in range(sessions):
        at = timezone.now() - timedelta(weeks=sessions - week)
        session = factories.session(client, at)
        SessionMood.objects.create(
            client=client, session=session, recognizer=recognizer, started_at=at, utterances=20, valid=18,
            mean_valence=mean + 0.05 * (-1) ** week, sd_valence=0.1, mean_scores=[1 / 9] * 9,
        )  # fmt: skip


def test_a_client_without_any_session_is_listed_with_too_little_to_say(alice, house):
    factories.client("Newcomer", assigned_to=house.alice)
    shown = alice.get("/").content.decode()
    assert "Newcomer" in shown and "Nothing heard yet." in shown


def test_a_counselor_without_clients_is_told_how_they_come(bob):
    assert "They appear here when an app sends the first turn" in bob.get("/").content.decode()


def test_a_client_with_an_unseen_alert_is_worth_a_look(alice, house):
    alert_of(house.session)
    lines = {part.slug: part.lines for part in alice.get("/").context["groups"]}
    assert [line.case.client for line in lines["look"]] == [house.ann]
    assert lines["look"][0].sentence.startswith("More changeable than usual on ")


def test_a_client_like_always_stands_under_as_usual(alice, house):
    chen = factories.client("Chen", assigned_to=house.alice)
    a_year(chen)
    lines = {part.slug: part.lines for part in alice.get("/").context["groups"]}
    assert [line.case.client for line in lines["usual"]] == [chen]


def test_the_caseload_asks_the_database_no_more_for_many_clients(alice, house, django_assert_max_num_queries):
    for i in range(12):
        a_year(factories.client(f"Client {i}", assigned_to=house.alice), sessions=3)
    with django_assert_max_num_queries(24):
        alice.get("/")


# --- Client -------------------------------------------------------------------------------------


def test_the_client_page_lists_sessions_consents_and_who_looked(alice, house):
    shown = alice.get(f"/clients/{house.ann.public_id}").content.decode()
    assert "6 of 6 turns gave a reading" in shown
    assert "Readings from the voice" in shown
    assert "opened the client’s page" in shown


def test_series_of_two_recognizers_are_never_mixed(alice, house):
    other = factories.recognizer(version="2")
    later = factories.session(house.ann, timezone.now() - timedelta(minutes=2))
    say(later, 4, by=other)
    page = alice.get(f"/clients/{house.ann.public_id}")
    assert page.context["recognizer"] == other and page.context["turns"] == 4
    earlier = Recognizer.objects.get(name="planted", version="1")
    page = alice.get(f"/clients/{house.ann.public_id}?series={earlier.pk}")
    assert page.context["turns"] == 6


def test_an_unknown_series_is_not_found(alice, house):
    assert alice.get(f"/clients/{house.ann.public_id}?series=999999").status_code == 404


def test_a_client_whose_voice_is_read_best_in_arousal_is_shown_from_calm_to_agitated(alice, house):
    Recognizer.objects.update(headline="arousal")
    shown = alice.get(f"/clients/{house.ann.public_id}").content.decode()
    assert "Calm ↔ agitated across sessions" in shown and "labels are tentative" in shown


# --- Session ------------------------------------------------------------------------------------


def address(house, rest=""):
    return f"/sessions/{house.session.public_id}{rest}"


def test_the_timeline_holds_every_turn_and_its_words(alice, house):
    answer = alice.get(address(house, "/timeline.json")).json()
    found = next(t for t in answer["figure"]["data"] if t.get("name") == "hover")
    assert [data[0] for data in found["customdata"]] == [turn.public_id for turn in house.turns]
    assert answer["turns"].count("They moved the meeting.") == 6
    assert "May sound neutral" in found["text"][0] and "80 %" in found["text"][0]


def test_the_timeline_grows_with_the_next_turn(alice, house):
    before = alice.get(address(house, "/timeline.json")).json()
    say(house.session, 1, start=house.session.started_at + timedelta(minutes=3))
    after = alice.get(address(house, "/timeline.json")).json()
    assert after["turns"].count('class="tr ') == before["turns"].count('class="tr ') + 1
    duration = after["figure"]["layout"]["meta"]["duration_s"]
    assert duration > before["figure"]["layout"]["meta"]["duration_s"]


def test_a_waiting_and_a_failed_turn_are_shown_as_such(alice, house):
    at = timezone.now()
    factories.utterance(
        house.session, at, status="queued", analyzed_at=None, scores=None, recognizer=None, reading=""
    )
    factories.utterance(house.session, at, status="failed", scores=None, recognizer=None, reading="")
    shown = alice.get(address(house)).content.decode()
    assert "Waiting to be read." in shown and "Could not be read." in shown


def test_an_abstention_says_why_and_has_no_label(alice, house):
    quiet = factories.utterance(
        house.session, timezone.now(), quality={"reason": "too_quiet"}, reading="low_quality"
    )
    mood.refresh(quiet)
    answer = alice.get(address(house, "/timeline.json")).json()
    assert "Too quiet to read." in answer["turns"]
    assert "6 of 7 turns" in answer["facts"]


def test_the_counselors_words_are_shown_and_never_read(alice, house):
    factories.utterance(house.session, timezone.now(), speaker="counselor", text="How was your week?")
    answer = alice.get(address(house, "/timeline.json")).json()
    found = next(t for t in answer["figure"]["data"] if t.get("name") == "hover")
    assert "How was your week?" in answer["turns"] and len(found["customdata"]) == 6


def test_a_session_without_any_utterance_says_so(alice, house):
    empty = factories.session(house.ann)
    assert "Nothing said yet" in alice.get(f"/sessions/{empty.public_id}").content.decode()
    assert alice.get(f"/sessions/{empty.public_id}/timeline.json").status_code == 200


def test_an_ended_session_says_when(alice, house):
    mark_ended(house.session, reason=EndReason.EXPLICIT, ended_at=timezone.now())
    assert "Ended" in alice.get(address(house)).content.decode()


@pytest.mark.parametrize("query", ["w=abc", "w=-5", "w=nan", "span=inf", "span=0", "w=1e999"])
def test_an_odd_width_is_no_reason_to_fail(query, alice, house):
    assert alice.get(address(house, f"/timeline.json?{query}")).status_code == 200


def test_the_session_asks_the_database_no_more_for_many_turns(alice, house, django_assert_max_num_queries):
    say(house.session, 20, start=house.session.started_at + timedelta(minutes=2))
    with django_assert_max_num_queries(30):
        alice.get(address(house, "/timeline.json"))


def sound(turn, **fields):
    return Audio.objects.create(
        utterance=turn, path=turn.public_id, media_type="audio/wav", size_bytes=1, sha256=b"", **fields
    )


def test_a_turn_says_whether_its_sound_was_kept(alice, house):
    sound(house.turns[0], peaks=b"\x80\x7f" * 200)
    sound(house.turns[1], deleted_at=timezone.now())
    shown = alice.get(address(house)).content.decode()
    assert shown.count('data-audio="kept"') == 1 and shown.count('data-audio="gone"') == 1


def test_an_admin_alone_is_offered_no_sound(dora, house):
    sound(house.turns[0], peaks=b"\x80\x7f" * 200)
    shown = dora.get(address(house)).content.decode()
    figure = dora.get(address(house, "/timeline.json")).json()["figure"]
    assert 'data-audio="kept"' not in shown
    assert len(figure["layout"]["meta"]["lanes"]) == 4


def test_the_turn_explains_itself_with_all_shares_and_the_recognizer(alice, house):
    Recognizer.objects.update(accuracy="Right in 3 of 4 acted turns.", decomposition="windowed")
    logits = np.zeros((8, 9))
    logits[2:4, 4] = 5
    FrameLogits(utterance=house.turns[0], logits=logits, rate_hz=2.0, first_frame_s=0.25).save(
        force_insert=True
    )
    shown = alice.get(address(house, f"/turns/{house.turns[0].public_id}")).content.decode()
    assert "May sound neutral" in shown and "80 %" in shown
    assert "approximately: 1.0–2.0 s" in shown
    assert "Right in 3 of 4 acted turns." in shown


def test_a_turn_without_frames_claims_no_seconds(alice, house):
    shown = alice.get(address(house, f"/turns/{house.turns[0].public_id}")).content.decode()
    assert "seconds" not in shown and "Too short" not in shown


# --- Alerts -------------------------------------------------------------------------------------


def test_one_click_acknowledges_and_the_count_goes_down(alice, house):
    alert = alert_of(house.session)
    assert alice.get("/alerts/unseen.json").json() == {"count": 1}
    done = alice.post(f"/alerts/{alert.public_id}/acknowledge", headers={"HX-Request": "true"})
    assert (done.status_code, done.content) == (204, b"")
    assert "Seen by alice" in alice.get("/alerts").content.decode()
    assert alice.get("/alerts/unseen.json").json() == {"count": 0}


def test_without_script_acknowledging_leads_back_to_the_alert(alice, house):
    alert = alert_of(house.session)
    answer = alice.post(f"/alerts/{alert.public_id}/acknowledge")
    assert answer.headers["Location"] == f"/alerts/{alert.public_id}"


def test_an_alert_that_was_found_long_after_asks_nobody_to_look(alice, house):
    alert = alert_of(house.session)
    Alert.objects.filter(pk=alert.pk).update(historical_at=timezone.now())
    assert alice.get("/alerts/unseen.json").json() == {"count": 0}
    assert "Found later, nobody was told" in alice.get("/alerts?show=past").content.decode()


# --- Rules --------------------------------------------------------------------------------------

TERMS = {
    "measure": "volatility_z",
    "threshold": "3.5",
    "recovery_threshold": "2",
    "for_count": "3",
    "for_seconds": "",
    "keep_firing_seconds": "2",
    "cool_down_seconds": "24",
    "severity": "warning",
    "tells": ["counselors"],
    "active_days": list(range(7)),
    "critical_any_time": "on",
    "reason": "Too many alerts.",
}


@pytest.fixture
def rule(house):
    return Rule.objects.get(shipped_as="volatility")


def test_an_admin_saves_a_new_version_with_a_reason(dora, rule):
    assert dora.post(f"/rules/{rule.public_id}", TERMS).status_code == 302
    version = rule.current
    assert (version.number, version.threshold, version.reason) == (2, 3.5, "Too many alerts.")
    assert (version.keep_firing_seconds, version.cool_down_seconds) == (120, 24 * 3600)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"reason": " "}, "Say why"),
        ({"threshold": "nan"}, "Enter a number"),
        ({"threshold": "abc"}, "Enter a number"),
        ({"recovery_threshold": "9"}, "It must not lie above"),
        ({"for_count": "0"}, "Give a whole number"),
        ({"cool_down_seconds": "100000"}, "Give a whole number"),
        ({"severity": "panic"}, "Select a valid choice"),
    ],
)
def test_terms_that_cannot_be_are_refused_beside_their_field(change, words, dora, rule):
    answer = dora.post(f"/rules/{rule.public_id}", TERMS | change)
    assert answer.status_code == 422 and words in answer.content.decode()
    assert rule.current.number == 1


def test_a_counselor_reads_the_terms_and_finds_no_form(alice, rule):
    shown = alice.get(f"/rules/{rule.public_id}").content.decode()
    assert "above 3, for 3 turns in a row" in shown and "Save as a new version" not in shown


def test_saving_the_same_terms_makes_no_version(dora, rule):
    dora.post(f"/rules/{rule.public_id}", TERMS | {"threshold": "3"})
    assert rule.current.number == 1


def test_a_rule_is_switched_off_and_on(dora, rule):
    dora.post(f"/rules/{rule.public_id}/switch", {"to": "off"})
    assert Rule.objects.get(pk=rule.pk).enabled_at is None
    dora.post(f"/rules/{rule.public_id}/switch", {"to": "on"})
    assert Rule.objects.get(pk=rule.pk).enabled_at is not None


def test_the_preview_counts_what_the_terms_would_have_done(dora, rule, house):
    shown = dora.post(f"/rules/{rule.public_id}/preview", TERMS).content.decode()
    assert "0 times" in shown and "for 0 people" in shown


def test_the_preview_names_the_field_that_stands_in_its_way(dora, rule):
    shown = dora.post(
        f"/rules/{rule.public_id}/preview", TERMS | {"recovery_threshold": "9"}
    ).content.decode()
    assert "It must not lie above" in shown


# --- Replies ------------------------------------------------------------------------------------


def reply_form(dora):
    page = dora.get("/replies")
    fields = [field for field, _action in page.context["fallbacks"]]
    fields += [field for _label, part in page.context["strategies"] for field in part]
    return {field.name: field.value for field in fields}


def test_saving_the_shipped_wording_overrides_nothing(dora):
    assert dora.post("/replies?language=en", reply_form(dora)).status_code == 302
    assert response_policy() == {"en": {"fallbacks": {}, "strategies": {}}}


def test_an_own_wording_is_kept_and_the_other_language_left_alone(dora):
    ResponsePolicy.objects.create(
        policy={"zh-hans": {"fallbacks": {"no_speech": "我在。"}}}, saved_at=timezone.now(), saved_by="dora"
    )
    dora.post("/replies?language=en", reply_form(dora) | {"fallbacks/no_speech": "Take your time."})
    policy = response_policy()
    assert policy["en"]["fallbacks"] == {"no_speech": "Take your time."}
    assert policy["zh-hans"]["fallbacks"]["no_speech"] == "我在。"


def test_an_empty_reply_is_refused_beside_its_field(dora):
    answer = dora.post("/replies?language=en", reply_form(dora) | {"fallbacks/no_speech": ""})
    assert answer.status_code == 422 and "must be a text" in answer.content.decode()
    assert response_policy() == {}


def test_a_deleted_sound_says_since_when_and_a_waiting_turn_is_counted(alice, house):
    sound(house.turns[0], deleted_at=timezone.now())
    factories.utterance(
        house.session, status="queued", analyzed_at=None, scores=None, recognizer=None, reading=""
    )
    answer = alice.get(address(house, "/timeline.json")).json()
    assert 'data-audio="gone" data-gone="' in answer["turns"]
    assert "1 turn waits to be read" in answer["facts"]


def test_a_close_window_of_the_figure_holds_its_frames_and_leaves_the_rest_out(alice, house):
    logits = np.random.default_rng(0).normal(size=(50, 9)).astype("<f2")
    FrameLogits.objects.create(utterance=house.turns[0], logits=logits, rate_hz=50, first_frame_s=0.01)
    close = alice.get(address(house, "/timeline.json?span=60&from=0&only=figure")).json()
    assert set(close) == {"figure", "ended"}
    assert [t for t in close["figure"]["data"] if t.get("name", "").startswith("why ")]
    whole = alice.get(address(house, "/timeline.json")).json()["figure"]
    assert not [t for t in whole["data"] if t.get("name", "").startswith("why ")]


@pytest.mark.parametrize(
    "query", ["span=nan", "span=-1", "from=x&span=60", "span=1e12", "w=0&h=-3&span=60&from=-9"]
)
def test_odd_windows_are_no_error(query, alice, house):
    assert alice.get(address(house, f"/timeline.json?{query}")).status_code == 200


def test_a_session_says_where_the_usual_starts_anew(alice, house):
    """Where another recognizer read the session before; in the first of two alike there is nothing to say."""
    other = Recognizer.objects.create(name="other-ears", version="2", dimension=8, typical_distance=0.3)
    said = "the usual starts anew"
    assert said not in alice.get(f"/sessions/{house.session.public_id}").content.decode()
    new = factories.session(house.ann, timezone.now() - timedelta(minutes=5))
    say(new, 3, recognizer=other)
    page = alice.get(f"/sessions/{new.public_id}").content.decode()
    assert said in page and "Read by other-ears 2" in page
    newer = factories.session(house.ann, timezone.now() - timedelta(minutes=2))
    say(newer, 3, recognizer=other)
    assert said not in alice.get(f"/sessions/{newer.public_id}").content.decode()
