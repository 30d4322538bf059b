"""Steps in which time counts, and leaps with their interval."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis.dynamics import mssd
from analysis.movement import ACUTE_STEP, acute_changes, acute_step, timed_movement, timed_steps, tmssd
from analysis.shares import share, wilson


def test_within_a_session_time_does_not_count():
    values = np.random.default_rng(1).normal(size=30)
    assert tmssd(values, np.cumsum(np.arange(1, 31))) == pytest.approx(mssd(values))


def test_between_sessions_a_step_weighs_less_the_longer_it_took():
    found = tmssd([0, 1, 2], [0, 1, 10], sessions=["a", "a", "b"])
    assert found == pytest.approx((1 + 1 / (9 / 5)) / 2)


def test_times_are_compared_with_their_median_however_long_one_break_was():
    found = tmssd([0, 0, 0, 1], [0, 1, 2, 1002], sessions=[1, 1, 1, 2])
    assert found == pytest.approx(1 / 1000 / 3)


def test_full_weight_on_time_gives_squared_rates():
    assert tmssd([0, 2, 3], [0, 1, 3], within=1.0) == pytest.approx(
        np.mean([(2 / (1 / 1.5)) ** 2, (1 / (2 / 1.5)) ** 2])
    )


def test_a_gap_is_stepped_over_at_its_true_length():
    found = timed_steps([0.0, np.nan, 1.0, 1.5], [0, 10, 25, 30])
    assert (found.change.tolist(), found.elapsed.tolist()) == ([1.0, 0.5], [25.0, 5.0])


def test_a_step_in_no_time_is_dropped():
    assert timed_steps([0.0, 1.0, 3.0], [0, 0, 5]).change.tolist() == [2.0]


@pytest.mark.parametrize(("values", "shown"), [(10, False), (11, True)])
def test_movement_in_time_waits_for_ten_pairs(values, shown):
    found = timed_movement(np.arange(values) / 10.0, np.arange(values))
    assert (found.value is not None, found.reason is None) == (shown, shown)


@given(st.floats(-3, 3), st.floats(0.1, 10), st.floats(0.1, 1000))
def test_a_shift_and_another_unit_of_time_change_nothing_and_a_scale_squares(shift, scale, unit):
    values = np.random.default_rng(2).normal(size=25)
    times, ids = np.cumsum(np.random.default_rng(3).uniform(1, 9, 25)), np.arange(25) // 6
    assert tmssd(values * scale + shift, times * unit, ids) == pytest.approx(
        tmssd(values, times, ids) * scale**2
    )


def test_planted_leaps_are_counted():
    values = np.zeros(41)
    values[[10, 20, 30]] = 0.5
    found = acute_changes(values)
    assert (found.value, found.n) == (pytest.approx(6 / 40), 40)
    assert (found.low, found.high) == pytest.approx(wilson(6, 40))


def test_a_step_of_just_the_size_is_a_leap():
    assert acute_changes(np.tile([0.0, 0.25], 15), step=0.25).value == 1.0


def test_leaps_wait_for_twenty_pairs():
    found = acute_changes(np.arange(20) / 10)
    assert (found.value, found.low, found.n, found.reason) == (None, None, 19, "too_few_pairs")


def test_a_population_says_how_large_a_leap_is():
    steps = np.random.default_rng(4).uniform(-1, 1, 20_000)
    assert acute_step(steps) == pytest.approx(0.9, abs=0.01)


@pytest.mark.parametrize("steps", [[], [0.9] * 999, np.zeros(5_000), [np.nan] * 5_000])
def test_without_a_population_that_moves_a_guess_stands_in(steps):
    assert acute_step(steps) == ACUTE_STEP


@pytest.mark.parametrize(
    ("call", "reason"),
    [
        (lambda: tmssd([1.0, 2.0], [2, 1]), "dynamics-order"),
        (lambda: tmssd([1.0, 2.0], [1, np.nan]), "dynamics-times"),
        (lambda: tmssd([1.0, 2.0], [1]), "dynamics-times"),
        (lambda: tmssd([1.0, np.inf], [1, 2]), "dynamics-values"),
        (lambda: tmssd([1.0, 2.0], [1, 2], sessions=[1]), "dynamics-sessions"),
        (lambda: acute_changes([1.0], step=0.0), "acute-step"),
        (lambda: acute_changes([1.0], step=float("nan")), "acute-step"),
        (lambda: wilson(3, 2), "share-counts"),
        (lambda: wilson(0, 0), "share-counts"),
    ],
)
def test_bad_input_is_refused_by_name(call, reason):
    with pytest.raises(ValueError, match=reason):
        call()


@pytest.mark.parametrize("values", [[], [0.1], [np.nan] * 30])
def test_nothing_to_step_from_gives_no_movement(values):
    assert np.isnan(tmssd(values, np.arange(len(values))))
    assert acute_changes(values).reason == "too_few_pairs"


def test_an_interval_never_leaves_its_range():
    assert wilson(0, 3)[0] == 0.0
    assert wilson(3, 3)[1] == 1.0
    assert share(0, 0, 0, "none").reason == "none"
