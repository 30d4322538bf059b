"""Where a client stands against their own usual, on histories whose truth is planted."""

from datetime import timedelta

import numpy as np
import pytest

from emotrack.mood.queries import SessionPoint, level_interval, session_levels, standing
from emotrack.web.words import standing_sentence
from tests.emotrack.factories import NOW


def year(means, coverage=1.0):
    weeks = len(means)
    return [
        SessionPoint(f"s{i}", NOW - timedelta(weeks=weeks - i), m, 0.1, round(20 * coverage), 20)
        for i, m in enumerate(means)
    ]


USUAL = [0.05, -0.05, 0.1, -0.1, 0.0, 0.04, -0.04, 0.08, -0.08, 0.02, -0.02, 0.06] * 2


def test_a_client_like_always_stands_as_usual():
    assert standing(year([*USUAL, 0.03])).kind == "usual"


def test_four_low_sessions_in_a_row_are_a_steady_change():
    found = standing(year([*USUAL, -0.3, -0.28, -0.32, -0.3]))
    assert (found.kind, found.side, found.sessions) == ("steady", -1, 4)


def test_one_far_session_is_a_jump():
    assert standing(year([*USUAL, 0.6])).kind == "jump"


def test_one_session_a_little_out_of_the_range_is_no_change():
    assert standing(year([*USUAL, 0.11])).kind == "usual"


def test_a_slow_rise_is_a_trend():
    rising = [-0.5 + 0.02 * i + 0.15 * (-1) ** (i + 1) for i in range(40)]
    found = standing(year(rising))
    assert (found.kind, found.side) == ("trend", 1)
    assert found.slope == pytest.approx(0.02, abs=0.003)


def test_too_few_sessions_say_too_little():
    assert standing(year([0.1] * 5)).kind == "little"


def test_a_client_without_sessions_says_too_little():
    assert standing([]).kind == "little"


def test_a_last_session_with_few_readings_says_too_little():
    points = year(USUAL) + year([0.0], coverage=0.3)
    assert standing(points).kind == "little"


def test_a_flat_history_has_no_usual_range_to_divide_by():
    assert standing(year([0.2] * 20)).kind == "little"


def test_false_changes_are_rare_on_histories_without_any():
    rng = np.random.default_rng(7)
    kinds = [standing(year(rng.normal(0, 0.1, 40).tolist())).kind for _ in range(400)]
    assert sum(kind != "usual" for kind in kinds) / len(kinds) < 0.03


@pytest.mark.parametrize(
    ("headline", "words"), [("valence", "Lower than usual"), ("arousal", "Calmer than usual")]
)
def test_the_sentence_speaks_of_the_dimension_that_is_read_best(headline, words):
    found = standing(year([*USUAL, -0.3, -0.3, -0.3, -0.3]))
    assert standing_sentence(found, headline, NOW).startswith(words)


def test_the_level_skips_a_session_that_says_too_little():
    points = year([0.1, 0.2]) + year([0.9], coverage=0.2)
    assert session_levels(points)[-1] is None and session_levels(points)[1] is not None


def test_the_interval_of_a_long_steady_level_is_the_standard_error_of_the_mean():
    values = ([0.1, -0.1] * 400)[:800]
    widths = level_interval([float(i) for i in range(800)], values, half_life_s=1e9)
    assert widths[-1] == pytest.approx(1.96 * 0.1 / np.sqrt(800), rel=1e-6)


def test_a_level_from_few_turns_has_no_interval():
    assert level_interval([0, 1, 2, 3], [0.1, 0.2, 0.3, 0.4]) == [None] * 4


def test_a_missing_turn_leaves_the_interval_alone():
    with_gap = level_interval([0, 1, 2, 3, 4, 5], [0.1, 0.2, None, 0.3, 0.1, 0.2], half_life_s=1e9)
    without = level_interval([0, 1, 3, 4, 5], [0.1, 0.2, 0.3, 0.1, 0.2], half_life_s=1e9)
    assert with_gap[2] is None and with_gap[-1] == without[-1]
