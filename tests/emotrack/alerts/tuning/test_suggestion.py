"""A threshold from verdicts: keeps what was useful, drops what was not, and says why where it cannot."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from emotrack.alerts.judging.decide import Terms, episodes
from emotrack.alerts.tuning.suggestion import Judged, NoSuggestion, Suggestion, reach, suggest

THREE = Terms(threshold=3.0, recovery=3.0, for_count=3)


def judged(useful=(), others=()):
    return [Judged(r, True) for r in useful] + [Judged(r, False) for r in others]


# --- Reach --------------------------------------------------------------------------------------


def test_reach_is_the_least_of_the_best_run():
    assert reach(range(7), [3.1, 9.0, 3.2, 4.0, 4.5, 4.2, 3.1], THREE) == 4.0


def test_a_gap_neither_counts_nor_breaks_the_run():
    assert reach(range(5), [4.0, math.nan, 4.5, 4.2, 3.0], THREE) == 4.0


def test_a_time_counts_as_the_rule_counts_it():
    terms = Terms(threshold=3.0, recovery=3.0, for_seconds=60)
    assert reach([0, 30, 60, 90], [5.0, 4.0, 4.4, 9.0], terms) == 4.0


def test_below_the_line_the_strictest_is_the_lowest():
    terms = Terms(threshold=0.0, recovery=0.0, above=False, for_count=2)
    assert reach(range(4), [-0.3, -0.5, -0.4, -0.1], terms) == -0.4


@pytest.mark.parametrize("values", [[], [math.nan] * 4, [4.0, 4.0]])
def test_what_never_fires_has_no_reach(values):
    assert reach(range(len(values)), values, THREE) is None


@given(st.lists(st.floats(-5, 5), max_size=30), st.integers(1, 5), st.booleans())
def test_it_fires_short_of_its_reach_and_not_from_there_on(values, count, above):
    terms = Terms(threshold=0.0, recovery=0.0, above=above, for_count=count)
    found, at = reach(range(len(values)), values, terms), np.arange(len(values))

    def fires(line):
        fired = episodes(at, values, Terms(line, line, above=above, for_count=count))
        return any(episode.fired for episode in fired)

    if found is None:
        assert not fires(-6.0 if above else 6.0)
    else:
        assert fires(np.nextafter(found, -9 if above else 9)) and not fires(found)


# --- Suggestion ---------------------------------------------------------------------------------


def test_it_keeps_every_useful_alert_and_drops_the_others():
    found = suggest(
        judged([4.6, 4.8, 5.0, 5.5, 6.0, 7.0, 8.0], [3.1, 3.12, 3.34, 5.2]), current=3.0, above=True
    )
    assert found == Suggestion(threshold=3.4, keeps=7, useful=7, drops=3, not_useful=4)


def test_for_a_line_below_it_looks_the_other_way():
    found = suggest(
        judged([-0.6, -0.5, -0.55, -0.7, -0.8, -0.9, -0.45], [-0.26, -0.271, -0.3]),
        current=-0.25,
        above=False,
    )
    assert found == Suggestion(threshold=-0.3, keeps=7, useful=7, drops=3, not_useful=3)


def test_of_twenty_useful_ones_it_may_lose_one():
    useful = [3.1] + [5.0 + i / 10 for i in range(19)]
    found = suggest(judged(useful, [4.0, 4.1, 4.2]), current=3.0, above=True)
    assert (found.threshold, found.keeps, found.useful, found.drops) == (4.2, 19, 20, 3)


def test_of_nineteen_it_may_lose_none():
    useful = [3.1] + [5.0 + i / 10 for i in range(18)]
    assert suggest(judged(useful, [4.0, 4.1, 4.2]), current=3.0, above=True) is NoSuggestion.NOT_SEPARABLE


@pytest.mark.parametrize(
    ("useful", "others", "why"),
    [
        ([5.0] * 6, [3.1] * 3, NoSuggestion.TOO_FEW),
        ([5.0] * 8, [3.1] * 2, NoSuggestion.TOO_FEW_OF_EACH),
        ([5.0] * 2, [3.1] * 8, NoSuggestion.TOO_FEW_OF_EACH),
        ([3.1] * 6, [5.0] * 6, NoSuggestion.NOT_SEPARABLE),
        ([4.0] * 6, [4.0] * 6, NoSuggestion.NOT_SEPARABLE),
        ([], [], NoSuggestion.TOO_FEW),
    ],
)
def test_it_says_why_there_is_none(useful, others, why):
    assert suggest(judged(useful, others), current=3.0, above=True) is why


def test_alerts_that_would_not_fire_today_say_nothing():
    old = judged([], [2.1, 2.2, 2.3, 2.4])
    now = judged([5.0] * 7, [3.2, 3.3, 3.4])
    found = suggest(old + now, current=3.0, above=True)
    assert (found.threshold, found.drops, found.not_useful) == (3.4, 3, 3)
    assert suggest(old + now[:-1], current=3.0, above=True) is NoSuggestion.TOO_FEW


@given(
    st.lists(st.floats(3.0, 12.0, exclude_min=True), min_size=3, max_size=60),
    st.lists(st.floats(3.0, 12.0, exclude_min=True), min_size=3, max_size=60),
)
def test_it_never_costs_more_useful_ones_than_it_may(useful, others):
    found = suggest(judged(useful, others), current=3.0, above=True)
    if isinstance(found, Suggestion):
        assert found.threshold > 3.0 and found.drops >= 1
        assert found.keeps == sum(r > found.threshold for r in useful) >= 0.95 * len(useful)
        assert found.drops == sum(r <= found.threshold for r in others)
        best = max(
            sum(r < keep for r in others)
            for keep in useful
            if sum(u >= keep for u in useful) >= 0.95 * len(useful)
        )
        assert found.drops == best
