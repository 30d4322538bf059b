"""Slopes, levels and tests on series whose truth is known."""

import numpy as np
import pandas
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from analysis.trend import ewma, kendall_tau, mann_kendall, session_trend, theil_sen

RNG = np.random.default_rng(11)


def noisy(n, slope, sd=0.1, seed=0):
    days = np.arange(n) * 7.0
    return days, slope * days + np.random.default_rng(seed).normal(0, sd, n)


def test_a_line_has_its_slope_and_no_width():
    found = session_trend(np.arange(8) * 7.0, np.arange(8) * 0.05)
    assert found.slope_per_week == pytest.approx(0.05)
    assert (found.low_per_week, found.high_per_week) == (pytest.approx(0.05), pytest.approx(0.05))
    assert found.reason is None


def test_one_wild_session_does_not_bend_the_slope():
    days, means = noisy(20, 0.002, sd=0.001)
    means[10] = 50.0
    assert theil_sen(days, means).value == pytest.approx(0.002, abs=2e-4)


@pytest.mark.parametrize("seed", range(5))
def test_slope_and_interval_are_those_of_scipy(seed):
    days, means = noisy(24, 0.001, seed=seed)
    means = means.round(1)
    peer = stats.theilslopes(means, days)
    found = theil_sen(days, means)
    assert (found.value, found.low, found.high) == pytest.approx(
        (peer.slope, peer.low_slope, peer.high_slope)
    )


def test_the_interval_holds_the_true_slope_about_as_often_as_it_says():
    held = sum(
        s.low <= 0.001 <= s.high for s in (theil_sen(*noisy(20, 0.001, seed=seed)) for seed in range(300))
    )
    assert 0.91 <= held / 300 <= 0.99


@given(st.permutations(range(12)))
def test_the_order_of_arrival_does_not_matter(order):
    days, means = noisy(12, 0.003)
    index = np.array(order)
    assert session_trend(days[index], means[index]) == session_trend(days, means)


@given(st.floats(-3, 3), st.floats(0.1, 10))
def test_a_shift_changes_no_slope_and_a_scale_only_scales_it(shift, scale):
    days, means = noisy(15, 0.002)
    found = theil_sen(days, means * scale + shift)
    assert found.value == pytest.approx(theil_sen(days, means).value * scale, rel=1e-6)


def test_below_six_sessions_there_is_a_reason_and_no_slope():
    found = session_trend([0, 7, 14, 21, 28, 35], [0.1, 0.2, np.nan, 0.3, 0.2, 0.1])
    assert (found.slope_per_week, found.n, found.reason) == (None, 5, "too_few_sessions")


def test_sessions_all_at_one_time_have_no_slope():
    assert session_trend(np.zeros(8), np.arange(8.0)).reason == "no_time_passed"


def test_a_constant_history_is_flat_and_not_significant():
    found = session_trend(np.arange(12) * 7.0, np.full(12, 0.3))
    assert (found.slope_per_week, found.p) == (0.0, 1.0)


def test_a_short_untied_history_gets_the_exact_p_of_kendall():
    values = [0.1, 0.3, 0.2, 0.5, 0.4, 0.9, 0.8]
    peer = stats.kendalltau(range(7), values, method="exact")
    assert mann_kendall(range(7), values).p == pytest.approx(peer.pvalue)


def test_tau_is_that_of_scipy_with_ties_on_both_sides():
    x, y = RNG.integers(0, 6, 30), RNG.integers(0, 4, 30)
    assert kendall_tau(x, y) == pytest.approx(stats.kendalltau(x, y).statistic)


def carried_over(n, phi, rng):
    noise = rng.normal(size=n + 50)
    for i in range(1, len(noise)):
        noise[i] += phi * noise[i - 1]
    return noise[50:]


def test_a_mood_that_carries_over_is_not_taken_for_a_trend():
    """The plain test cries "trend" in about a quarter of such histories, MK-AR1 in about one of twenty."""
    rng = np.random.default_rng(12)
    histories = [carried_over(50, 0.5, rng) for _ in range(400)]
    careful = np.mean([mann_kendall(range(50), y).p < 0.05 for y in histories])
    plain = np.mean([mann_kendall(range(50), y, carry_over=False).p < 0.05 for y in histories])
    assert careful <= 0.09
    assert plain >= 0.18


def test_a_planted_trend_is_found():
    days, means = noisy(40, 0.003, sd=0.15)
    assert mann_kendall(days, means).p < 0.001


def test_the_level_over_days_is_that_of_pandas():
    days = np.cumsum(RNG.uniform(1, 20, size=30))
    values = RNG.normal(size=30)
    times = pandas.to_datetime(days * 86400e9, unit="ns")
    peer = pandas.Series(values).ewm(halflife=pandas.Timedelta(days=7), times=times).mean()
    np.testing.assert_allclose(ewma(days, values, 7.0), peer, rtol=1e-9)


def test_a_missing_mean_is_a_gap_in_the_level_and_weighs_nothing():
    found = ewma([0, 7, 14], [1.0, np.nan, 0.0], 7.0)
    assert np.isnan(found[1])
    assert found[2] == pytest.approx(0.25 / 1.25)


@pytest.mark.parametrize(
    ("call", "reason"),
    [
        (lambda: theil_sen([1, 2], [1, 2, 3]), "trend-shape"),
        (lambda: theil_sen([1, np.inf], [1, 2]), "trend-non-finite"),
        (lambda: ewma([2, 1], [1, 2], 7), "ewma-order"),
        (lambda: ewma([1], [1, 2], 7), "ewma-shape"),
    ],
)
def test_bad_input_is_refused_by_name(call, reason):
    with pytest.raises(ValueError, match=reason):
        call()
