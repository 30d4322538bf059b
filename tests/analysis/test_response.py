"""What an assistant is told to do with a reading, in the languages that ship."""

import copy
import re

import pytest

from analysis.measures import MEASURES
from analysis.response import (
    DEFAULT_POLICY,
    FALLBACK_ACTIONS,
    LANGUAGES,
    PolicyError,
    match_language,
    respond,
    validate_policy,
)
from analysis.values import LABELS, Reading


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("reading", list(FALLBACK_ACTIONS))
def test_every_abstention_has_its_next_step_and_words(language, reading):
    answer = respond(reading, None, language)
    assert answer.fallback_action == FALLBACK_ACTIONS[reading]
    assert answer.suggested_response
    assert answer.response_strategy is None
    assert answer.language == language


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("label", LABELS)
def test_every_label_has_a_strategy(language, label):
    answer = respond(Reading.OK, label, language)
    assert answer.response_strategy.label == label
    assert answer.fallback_action is answer.suggested_response is None


def test_the_languages_agree_on_what_a_program_does():
    for label in LABELS:
        words = {respond(Reading.OK, label, language).response_strategy.strategy for language in LANGUAGES}
        assert len(words) == 1


def test_the_four_abstentions_have_four_different_next_steps():
    assert len({respond(reading, None).fallback_action for reading in FALLBACK_ACTIONS}) == 4


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ("en", "en"),
        ("en-GB", "en"),
        ("EN_us", "en"),
        ("zh", "zh-hans"),
        ("zh-CN", "zh-hans"),
        ("zh_Hans", "zh-hans"),
        ("zh-Hant-TW", "en"),
        ("de", "en"),
        ("", "en"),
        (None, "en"),
    ],
)
def test_a_language_that_is_not_known_falls_back_to_english(asked, found):
    assert match_language(asked) == found


def test_an_override_changes_its_place_and_nothing_else():
    mine = {"en": {"fallbacks": {"no_speech": "Whenever you are ready."}}}
    assert respond(Reading.NO_SPEECH, None, "en", mine).suggested_response == "Whenever you are ready."
    assert respond(Reading.UNKNOWN, None, "en", mine) == respond(Reading.UNKNOWN, None, "en")
    assert respond(Reading.NO_SPEECH, None, "zh", mine) == respond(Reading.NO_SPEECH, None, "zh")


def test_a_language_of_the_admin_is_used():
    mine = {"de": {"fallbacks": {"no_speech": "Lassen Sie sich Zeit."}}}
    assert respond(Reading.NO_SPEECH, None, "de-AT", mine).suggested_response == "Lassen Sie sich Zeit."
    assert respond(Reading.OK, "sad", "de", mine).response_strategy.strategy == "listen_and_support"


def test_an_ok_reading_needs_a_label():
    with pytest.raises(ValueError, match="label"):
        respond(Reading.OK, "joyful")


def test_the_shipped_policy_is_valid():
    assert validate_policy(DEFAULT_POLICY) is DEFAULT_POLICY


@pytest.mark.parametrize(
    ("path", "value", "pointer"),
    [
        (("en",), "text", "/en"),
        (("en", "moods"), {}, "/en/moods"),
        (("en", "fallbacks", "ok"), "Go on.", "/en/fallbacks/ok"),
        (("en", "fallbacks", "unknown"), "  ", "/en/fallbacks/unknown"),
        (("en", "fallbacks", "unknown"), 3, "/en/fallbacks/unknown"),
        (("en", "fallbacks", "unknown"), "x" * 501, "/en/fallbacks/unknown"),
        (("en", "fallbacks", "unknown"), "half \ud83d", "/en/fallbacks/unknown"),
        (("en", "strategies", "sad"), {"strategy": "listen"}, "/en/strategies/sad/avoid"),
        (("en", "strategies", "joyful"), {}, "/en/strategies/joyful"),
    ],
)
def test_a_wrong_place_in_a_policy_is_pointed_at(path, value, pointer):
    policy = copy.deepcopy(DEFAULT_POLICY)
    place = policy
    for name in path[:-1]:
        place = place[name]
    place[path[-1]] = value
    with pytest.raises(PolicyError) as refused:
        validate_policy(policy)
    assert pointer in [where for where, _sentence in refused.value.problems]


def test_no_words_of_ours_judge_a_person():
    forbidden = re.compile(
        r"\b(detect|diagnos|risk|abnormal|disorder|patient|symptom|you are (sad|angry|afraid))", re.IGNORECASE
    )
    texts = str(DEFAULT_POLICY) + str(list(MEASURES.values()))
    assert not forbidden.search(texts)
