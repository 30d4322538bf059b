"""Fewer points keep the shape of a curve, and its gaps."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis.thinning import thin


def test_a_single_spike_survives():
    values = np.zeros(10_000)
    values[4_321] = 1.0
    kept = thin(np.arange(10_000), values, 100)
    assert 4_321 in kept
    assert len(kept) == 100


def test_the_ends_stay():
    kept = thin(np.arange(5_000), np.random.default_rng(1).normal(size=5_000), 50)
    assert (kept[0], kept[-1]) == (0, 4_999)


def test_few_points_all_stay():
    assert thin(np.arange(7), [1.0, np.nan, 3, 4, 5, 6, 7], 10).tolist() == list(range(7))


def test_a_gap_stays_a_gap():
    values = np.sin(np.arange(3_000) / 50)
    values[1_000:1_200] = np.nan
    kept = thin(np.arange(3_000), values, 60)
    assert np.isnan(values[kept]).sum() == 1
    assert kept[np.isnan(values[kept])].tolist() == [1_000]


def test_where_there_are_too_many_gaps_the_longest_stay():
    values = np.sin(np.arange(1_000) / 9)
    values[::10] = np.nan
    values[500:540] = np.nan
    kept = thin(np.arange(1_000), values, 8)
    assert 500 in kept
    assert np.isnan(values[kept]).sum() == 2


@given(st.lists(st.booleans(), min_size=40, max_size=200), st.integers(3, 30))
def test_never_more_than_asked_for_and_always_in_order(missing, most):
    values = np.where(missing, np.nan, np.arange(len(missing)) % 7)
    kept = thin(np.arange(len(missing)), values, most)
    assert len(kept) <= most
    assert (np.diff(kept) > 0).all()


@pytest.mark.parametrize("values", [np.full(50, np.nan), np.full(50, 0.2)])
def test_nothing_to_draw_and_a_flat_line_are_thinned_too(values):
    assert 1 <= len(thin(np.arange(50), values, 10)) <= 10


@pytest.mark.parametrize(
    ("call", "reason"),
    [
        (lambda: thin([1, 2], [1.0], 10), "thin-shape"),
        (lambda: thin([1, 2], [1.0, 2.0], 2), "thin-shape"),
        (lambda: thin([2, 1], [1.0, 2.0], 10), "thin-order"),
        (lambda: thin([1, np.nan], [1.0, 2.0], 10), "thin-order"),
        (lambda: thin([1, 2], [1.0, np.inf], 10), "thin-order"),
    ],
)
def test_bad_input_is_refused_by_name(call, reason):
    with pytest.raises(ValueError, match=reason):
        call()
