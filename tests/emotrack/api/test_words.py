"""An app learns what the words say beside the tone, and nobody learns words that they may not read."""

from __future__ import annotations

import pytest

from tests.emotrack import factories as make
from tests.emotrack.api.conftest import Api

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("fake_recognizer", "processed_in_place")]

SAD = "I am so sad and lonely without her"
HAPPY = "Thank you so much, I am really happy about that"
VOICE = {
    "scores": {"sad": 0.92} | dict.fromkeys(
        ("angry", "disgusted", "fearful", "happy", "neutral", "other", "surprised", "unknown"), 0.01
    ),
    "recognizer": {"id": "theirs", "version": "1"},
}  # fmt: skip


def post(api: Api, house, **body: object) -> dict:
    answer = api.post(f"sessions/{house.session.public_id}/utterances", body)
    assert answer.status_code == 201, answer.content
    return answer.json()


def test_words_are_answered_beside_the_voice(api, house):
    said = post(api, house, text=HAPPY, **VOICE)
    assert (said["emotion"], said["source"], said["recognizer"]["id"]) == ("sad", "audio", "theirs")
    words = said["words"]
    assert (words["reading"], words["emotion"], words["recognizer"]["id"]) == ("ok", "happy", "words")
    assert sum(words["scores"].values()) == pytest.approx(1)
    assert words["valence"] > 0.3
    assert "happy" in words["telling"]
    assert said["incongruent"] is True


def test_words_alone_answer_in_place_of_a_voice(api, house):
    said = post(api, house, text=SAD)
    assert (said["reading"], said["emotion"], said["source"]) == ("ok", "sad", "text")
    assert said["recognizer"] == {"id": "words", "version": "1"}
    assert said["valence"] < -0.3
    assert (said["volatility"], said["incongruent"]) == (None, None)
    assert said["response_strategy"] is not None


def test_words_that_say_too_little_leave_the_answer_empty_and_say_why(api, house):
    said = post(api, house, text="mm-hm")
    assert (said["reading"], said["emotion"], said["source"], said["fallback_action"]) == (None,) * 4
    assert said["words"]["reading"] == "too_few_words"
    assert said["words"]["scores"] is None


def test_a_voice_without_words_has_none(api, house):
    assert post(api, house, **VOICE)["words"] is None


def test_mending_the_words_answers_with_the_new_reading(api, house):
    said = post(api, house, text=SAD, **VOICE)
    mended = api.patch(f"utterances/{said['id']}", {"text": HAPPY}).json()
    assert (mended["words"]["emotion"], mended["incongruent"]) == ("happy", True)


def test_the_timeline_has_the_words_in_a_lane_of_their_own(api, house):
    post(api, house, text=HAPPY, **VOICE)
    post(api, house, text=SAD)
    answer = api.get(f"sessions/{house.session.public_id}/timeline").json()
    assert len(answer["points"]) == 1
    assert [(w["emotion"], w["incongruent"]) for w in answer["words"]] == [("happy", True), ("sad", None)]
    assert set(answer["words"][0]) == {
        "utterance", "occurred_at", "reading", "emotion", "confidence", "valence", "incongruent",
    }  # fmt: skip


def test_an_admin_without_broken_glass_sees_the_label_but_no_word(house):
    make.utterance(house.session, text="nothing to read")
    said = post(Api(token=house.token), house, text="I was terrified of him", **VOICE)
    assert "terrified" in said["words"]["telling"]
    seen = Api(user=house.dora).get(f"sessions/{house.session.public_id}/utterances")
    assert "terrified" not in seen.content.decode()
    assert [item["words"]["telling"] for item in seen.json()["items"] if item["words"]] == [[]]
