"""The population stability index: worked by hand, by chance, and with bad input."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis.stability import population_stability_index, stability_by_chance


def test_a_shift_worked_by_hand():
    found = population_stability_index([5000, 5000], [8000, 2000])
    assert found.value == pytest.approx(0.3 * math.log(1.6) + (-0.3) * math.log(0.4), rel=1e-3)
    assert (found.n, found.reason) == (10000, None)


def test_nothing_moved():
    assert population_stability_index([300, 100, 600], [600, 200, 1200]).value == pytest.approx(0, abs=1e-5)


def test_a_label_never_heard_before_is_no_infinity():
    found = population_stability_index([1000, 0], [900, 100])
    assert 0.2 < found.value < 1.5


def test_too_few_utterances_say_nothing():
    found = population_stability_index([199, 0], [500, 500])
    assert (found.value, found.n, found.reason) == (None, 199, "too_few_values")


def test_a_steady_recognizer_stays_below_the_chance_line():
    rng = np.random.default_rng(5)
    shares = np.array([0.2, 0.02, 0.08, 0.2, 0.3, 0.04, 0.1, 0.04, 0.02])
    found = [
        population_stability_index(rng.multinomial(400, shares), rng.multinomial(800, shares)).value
        for _ in range(2000)
    ]
    above = np.mean(np.array(found) > stability_by_chance(400, 800, 9))
    assert 0.03 < above < 0.07
    assert stability_by_chance(200, 200, 9) < 0.2  # at the least n the customary line is beyond chance


COUNTS = st.lists(st.integers(0, 500), min_size=9, max_size=9).filter(lambda x: sum(x) >= 200)


@given(COUNTS, COUNTS, st.permutations(range(9)))
def test_it_is_symmetric_never_negative_and_blind_to_the_order_of_labels(before, after, order):
    found = population_stability_index(before, after).value
    assert found >= 0
    assert population_stability_index(after, before).value == pytest.approx(found)
    shuffled = population_stability_index([before[i] for i in order], [after[i] for i in order])
    assert shuffled.value == pytest.approx(found)


@pytest.mark.parametrize(
    ("before", "after"),
    [([1, 2], [1, 2, 3]), ([1], [1]), ([-1, 2], [1, 2]), ([np.nan, 2], [1, 2]), ([[1, 2]], [[1, 2]])],
)
def test_bad_counts_are_named(before, after):
    with pytest.raises(ValueError, match="stability-"):
        population_stability_index(before, after)


@pytest.mark.parametrize("asked", [(0, 5, 9), (5, 5, 1)])
def test_chance_needs_utterances_and_labels(asked):
    with pytest.raises(ValueError, match="stability-chance"):
        stability_by_chance(*asked)
