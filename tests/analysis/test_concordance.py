"""Pairs counted without looking at each are the pairs that looking at each would count."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis import concordance
from analysis.concordance import PairSlopes, inversions, rising_less_falling, tied_pairs
from analysis.trend import mann_kendall, theil_sen

few_values = st.lists(st.integers(-3, 3).map(float), max_size=40)
points = st.lists(st.tuples(st.integers(0, 8), st.integers(-3, 3)), max_size=30)


def sorted_columns(rows):
    ordered = np.array(sorted(rows), dtype=np.float64).reshape(-1, 2)
    return ordered[:, 0], ordered[:, 1]


@given(few_values)
def test_inversions_are_the_pairs_in_which_the_earlier_is_larger(values):
    looked = sum(values[i] > values[j] for j in range(len(values)) for i in range(j))
    assert inversions(np.array(values)) == looked


@pytest.mark.parametrize("n", [63, 64, 65, 129, 700])
def test_inversions_are_counted_across_groups_too(n):
    values = np.random.default_rng(n).integers(0, n // 2, size=n)
    assert inversions(values) == sum(int((values[i] > values[i + 1 :]).sum()) for i in range(n))


@given(few_values)
def test_ties_are_the_pairs_of_equals(values):
    assert tied_pairs(np.array(values)) == sum(
        values[i] == values[j] for j in range(len(values)) for i in range(j)
    )


@given(points)
def test_kendalls_score_leaves_out_pairs_at_one_time(rows):
    t, y = sorted_columns(rows)
    looked = sum(np.sign(y[j] - y[i]) for j in range(len(t)) for i in range(j) if t[j] > t[i])
    assert rising_less_falling(t, y)[0] == looked


@pytest.mark.parametrize("seed", range(4))
def test_a_searched_slope_is_the_listed_one(seed, monkeypatch):
    rng = np.random.default_rng(seed)
    t, y = sorted_columns(zip(rng.integers(0, 60, 90) / 7, rng.normal(size=90).round(2), strict=True))
    listed = PairSlopes(t, y)
    monkeypatch.setattr(concordance, "PAIRWISE_POINTS", 0)
    searched = PairSlopes(t, y)
    assert len(searched) == len(listed)
    picks = [0, 7, len(listed) // 2, len(listed) - 1]
    assert [searched.at(k) for k in picks] == pytest.approx([listed.at(k) for k in picks], abs=1e-9)
    assert searched.median() == pytest.approx(listed.median(), abs=1e-9)


def test_a_hundred_thousand_points_are_tested_for_a_trend():
    rng = np.random.default_rng(8)
    times, noise = np.arange(100_000.0), rng.normal(size=100_000)
    assert mann_kendall(times, noise, carry_over=False).p > 0.001
    assert mann_kendall(times, noise + 1e-6 * times, carry_over=False).p < 1e-9


def test_a_slope_over_many_points_is_found():
    times = np.arange(4_000.0)
    found = theil_sen(times, 0.02 * times + np.random.default_rng(9).normal(size=4_000))
    assert found.low < 0.02 < found.high
    assert found.value == pytest.approx(0.02, abs=1e-4)
