"""The patterns card: what was found in the background, or why nothing is shown."""

import re
from datetime import timedelta

import numpy as np
import pytest

from analysis.clusters import Reason
from emotrack.accounts import actions as accounts
from emotrack.history.models import Audio
from emotrack.mood.models import PatternFit
from emotrack.mood.patterns import find_anew
from emotrack.web.pattern_card import pattern_card, sentence_of
from emotrack.web.pattern_map import SHAPES, Point, pattern_figure, shapes_of
from tests.emotrack import factories
from tests.emotrack.web.conftest import signed_in
from tests.emotrack.web.test_charts import accepted, traces


def cloud(pattern, n, x=0.0):
    return [Point(x + i / 10, 0.0, pattern, f"turn {i}", f"session{i}") for i in range(n)]


def test_plotly_accepts_the_map():
    accepted(pattern_figure(cloud("A", 5) + cloud("B", 3, 4.0) + cloud(None, 2), "AB"))


def test_every_pattern_has_its_own_shape_and_its_letter_above():
    figure = pattern_figure(cloud("A", 5) + cloud("B", 3, 4.0), "AB")
    symbols = [traces(figure, letter)[0]["marker"]["symbol"] for letter in "AB"]
    assert symbols == [SHAPES[0][0], SHAPES[1][0]]
    assert [(a["text"], a["x"]) for a in figure["layout"]["annotations"]] == [
        ("A", pytest.approx(0.2)),
        ("B", pytest.approx(4.1)),
    ]


def test_a_pattern_keeps_its_shape_whoever_stands_beside_it():
    assert shapes_of("AC")["C"] == shapes_of("BC")["C"] == SHAPES[2]
    worn = shapes_of("ABIQ")
    assert worn["A"] == SHAPES[0] and len(set(worn.values())) == 4


def test_no_pattern_wears_the_color_of_an_emotion():
    assert not [color for _shape, color in SHAPES if color.startswith("$e-")]
    assert len({shape for shape, _color in SHAPES}) == len(SHAPES)


def test_what_fits_none_is_a_cross():
    figure = pattern_figure(cloud(None, 2), "A")
    assert traces(figure, "none")[0]["marker"]["symbol"] == "x-thin"


def test_a_pattern_is_named_by_what_is_heard_more_in_it():
    lifts = [{"label": "sad", "lift": 2.0, "share": 0.5}, {"label": "fearful", "lift": 1.5, "share": 0.2}]
    assert sentence_of(lifts) == "More sad and fearful than this person's average"
    assert sentence_of(lifts[:1]) == "More sad than this person's average"
    assert "no emotion stands out" in sentence_of([])


@pytest.fixture
def two_ways(db):
    """A client who speaks in two ways, told apart in 40 and 20 turns, and the recognizer that read them."""
    alice = factories.counselor("alice")
    ann = factories.client("Ann Secretname", assigned_to=alice)
    session = factories.session(ann)
    noise = np.random.default_rng(7)
    styles = np.random.default_rng(5).normal(size=(2, 24)) * 2
    recognizer = factories.recognizer(dimension=24)
    factories.brought_in(
        factories.utterance(
            session,
            session.started_at + timedelta(seconds=10 * i),
            shares=factories.scores(**{"neutral" if i % 3 else "sad": 0.8}),
            embedding=styles[int(i % 3 == 0)] + noise.normal(scale=0.3, size=24),
            by=recognizer,
        )
        for i in range(60)
    )
    find_anew(ann, recognizer, now=factories.NOW)
    return alice, ann, recognizer


def keep_sound(client):
    """The typical turns of the first pattern, the most typical first; sound is kept of all but that one."""
    members = PatternFit.objects.get(client=client).clusters.get(place=0).memberships
    typical = list(members.filter(typical__isnull=False).order_by("typical"))
    for number, member in enumerate(typical[1:]):
        Audio.objects.create(
            utterance=member.utterance, path=f"a{number}", media_type="audio/wav", size_bytes=1, sha256=b""
        )
    return typical


def test_two_ways_of_speaking_are_two_patterns_largest_first(two_ways):
    _alice, ann, recognizer = two_ways
    card = pattern_card(ann, recognizer, may_read=True)
    assert [(line.letter, line.turns) for line in card.lines] == [("A", 40), ("B", 20)]
    assert card.lines[1].sentence == "More sad than this person's average"
    assert card.drawn == 60


def test_a_pattern_without_kept_sound_says_so_instead_of_a_play_button(two_ways):
    _alice, ann, recognizer = two_ways
    line = pattern_card(ann, recognizer, may_read=True).lines[0]
    assert (line.example, line.silent) == ("", "No sound was kept of its typical turns.")


def test_the_most_typical_turn_with_kept_sound_is_played(two_ways):
    _alice, ann, recognizer = two_ways
    typical = keep_sound(ann)
    line = pattern_card(ann, recognizer, may_read=True).lines[0]
    assert line.example == typical[1].utterance.public_id
    Audio.objects.filter(utterance=typical[1].utterance).update(deleted_at=factories.NOW)
    line = pattern_card(ann, recognizer, may_read=True).lines[0]
    assert line.example == typical[2].utterance.public_id


def test_without_leave_to_read_there_is_neither_map_nor_sound(two_ways):
    _alice, ann, recognizer = two_ways
    card = pattern_card(ann, recognizer, may_read=False)
    assert card.figure is None
    assert [(line.example, line.silent) for line in card.lines] == [("", "Its sound is not open to you.")] * 2


def test_nothing_looked_for_yet_is_said(two_ways):
    _alice, ann, recognizer = two_ways
    PatternFit.objects.all().delete()
    card = pattern_card(ann, recognizer, may_read=True)
    assert card.lines == ()
    assert "in the background" in card.reason


@pytest.mark.parametrize("reason", [r for r in Reason if r != Reason.TOO_FEW])
def test_every_reason_has_its_words(two_ways, reason):
    _alice, ann, recognizer = two_ways
    PatternFit.objects.update(reason=reason)
    assert re.fullmatch(r"[A-Z].+\.", pattern_card(ann, recognizer, may_read=True).reason)


def test_too_few_turns_are_counted(house):
    recognizer = house.turns[0].recognizer
    find_anew(house.ann, recognizer, now=factories.NOW)
    assert (
        "6 of 40 turns with a reading, 34 to go" in pattern_card(house.ann, recognizer, may_read=True).reason
    )


def test_the_page_names_the_patterns_to_the_counselor_and_nothing_of_them_to_strangers(two_ways):
    alice, ann, _recognizer = two_ways
    keep_sound(ann)
    said = signed_in(alice).get(f"/clients/{ann.public_id}").content.decode()
    assert "/api/v1/utterances/" in said
    assert "More sad than this person&#x27;s average." in said
    assert 'id="patterns-figure"' in said
    charlie = accounts.create_user(
        username="charlie", password=factories.PASSWORD, roles=[], by=factories.TESTS, now=factories.NOW
    )
    refused = signed_in(charlie).get(f"/clients/{ann.public_id}")
    assert refused.status_code in (403, 404)
    assert "average" not in refused.content.decode()


def test_an_admin_alone_sees_the_patterns_but_neither_map_nor_sound(two_ways):
    _alice, ann, _recognizer = two_ways
    keep_sound(ann)
    said = signed_in(factories.admin("dora")).get(f"/clients/{ann.public_id}").content.decode()
    assert "More sad than this person&#x27;s average." in said
    assert 'id="patterns-figure"' not in said
    assert "/api/v1/utterances/" not in said
