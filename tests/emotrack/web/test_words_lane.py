"""The session page holds words against the tone, names the words behind it, and hides them with the rest."""

import pytest
from django.urls import reverse
from django.utils import timezone

from emotrack.mood import actions as mood
from emotrack.pipeline import words as words_pipeline
from tests.emotrack import factories
from tests.emotrack.web.conftest import signed_in
from tests.emotrack.web.test_own_words import heard, place, shown

HAPPY = "Thank you so much, I am really happy about that"


@pytest.fixture
def said(house):
    """A sad voice with happy words, and one line of words without a voice."""
    both = factories.utterance(house.session, timezone.now(), shares=factories.scores(sad=0.9), text=HAPPY)
    alone = factories.utterance(house.session, timezone.now(), speaker="counselor", text="I was terrified")
    for row in (both, alone):
        row.speaker = "client"
        words_pipeline.read_words(row)
        row.save()
    mood.refresh(both)
    house.turns.extend([both, alone])
    return both, alone


def test_the_words_stand_in_a_lane_of_their_own(alice, house, said):
    figure = shown(alice, house)["figure"]
    lanes = [lane["title"] for lane in figure["layout"]["meta"]["lanes"]]
    assert lanes.index("Words") == lanes.index("Tone") + 1
    cells = {trace["name"]: trace for trace in figure["data"] if trace.get("name") in ("tone", "words")}
    assert cells["words"]["marker"]["color"] == ["$pos2", "$neg2"]
    assert [a["text"] for a in figure["layout"]["annotations"]].count("◆") == 1


def test_the_transcript_says_that_they_differ_and_by_which_words(alice, house, said):
    rows = shown(alice, house)["turns"]
    assert "Tone and words differ" in rows
    assert "happy" in rows.split("words may say")[1].split("</bdi>")[0].split("<bdi")[1]
    assert "from words" in rows


def test_the_table_has_the_same(alice, house, said):
    table = shown(alice, house)["session_table"]
    assert "Valence of words" in table and "◆ differ" in table


def test_one_turn_closely_tells_what_its_words_say_and_how_good_that_is(alice, house, said):
    both, alone = said
    closely = alice.get(f"{place(house)}/turns/{both.public_id}").content.decode()
    assert "Words may say happy" in closely and "written English comments" in closely
    only = alice.get(f"{place(house)}/turns/{alone.public_id}").content.decode()
    assert "Words may say fearful" in only and "terrified" in only
    assert "only the client’s voice is" not in only


def test_who_listens_first_is_told_nothing_by_the_words_either(alice, house, said):
    alice.post("/you/listen-first", {"to": "on", "next": place(house)})
    sent = shown(alice, house)
    for part in (str(sent["figure"]), sent["turns"], sent["session_table"]):
        for told in ("words may", "◆", "Tone and words", "'words'", "em-happy"):
            assert told not in part, told
    for row in said:
        assert "may say" not in alice.get(f"{place(house)}/turns/{row.public_id}").content.decode()


def test_a_turn_that_was_judged_shows_its_words_reading(alice, house, said):
    alice.post("/you/listen-first", {"to": "on", "next": place(house)})
    heard(alice, house, "sad", turn=house.turns.index(said[0]))
    assert "Words may say happy" in alice.get(f"{place(house)}/turns/{said[0].public_id}").content.decode()


def test_an_admin_sees_that_they_differ_but_no_word(house, said):
    dora = signed_in(factories.admin("dagmar"))
    sent = shown(dora, house)
    assert "Tone and words differ" in sent["turns"]
    closely = dora.get(f"{place(house)}/turns/{said[1].public_id}").content.decode()
    assert "Words may say fearful" in closely
    for part in (str(sent), closely):
        assert "terrified" not in part and "Thank" not in part


def test_the_recognizer_page_has_the_card_of_the_reader_of_words(house):
    text = signed_in(factories.admin("dagmar")).get(reverse("web:recognizer")).content.decode()
    assert "words 1" in text and "GoEmotions" in text


def test_words_that_abstain_say_why(alice, house):
    row = factories.utterance(house.session, timezone.now(), shares=factories.scores(sad=0.9), text="mm-hm")
    words_pipeline.read_words(row)
    row.save()
    mood.refresh(row)
    closely = alice.get(f"{place(house)}/turns/{row.public_id}").content.decode()
    assert "Too few words to read." in closely
