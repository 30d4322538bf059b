"""What is usual for a person, and from when on it may be used."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis.baseline import Usual, own_quantile_margin, session_baseline, usual


def test_median_and_mad_of_a_known_series():
    assert usual([1, 1, 2, 2, 4, 6, 9]) == Usual(7, 2.0, 1.0)


@pytest.mark.parametrize("q", [0.001, 0.05, 0.5, 0.98])
def test_the_own_quantile_is_that_of_numpy(q):
    values = np.random.default_rng(7).normal(size=260).round(1)  # ties
    margins = own_quantile_margin(values, q, minimum=1)
    theirs = [
        value - np.quantile(values[max(i - 200, 0) : i], q, method="weibull")
        for i, value in enumerate(values)
        if i
    ]
    np.testing.assert_allclose(margins[1:], theirs, atol=1e-12)


def test_only_the_last_two_hundred_valid_values_count():
    old, recent = np.full(500, 9.0), np.arange(200.0)
    values = np.concatenate([old, recent])
    values = np.insert(values, 600, np.full(50, np.nan))
    assert usual(values) == usual(recent)


def test_nothing_known_is_nothing_usual():
    nothing = usual([math.nan, math.nan])
    assert nothing == Usual(0, None, None)
    assert (nothing.scale, nothing.band(), nothing.armed) == (None, None, False)


@pytest.mark.parametrize(("n", "armed"), [(49, False), (50, True)])
def test_fifty_values_arm_a_baseline(n, armed):
    assert usual(np.arange(float(n))).armed is armed


def test_the_band_is_one_scale_to_each_side():
    low, high = Usual(60, 0.2, 0.1).band()
    assert (low, high) == (pytest.approx(0.2 - 0.14826), pytest.approx(0.2 + 0.14826))


@given(st.lists(st.floats(-1, 1), min_size=1, max_size=60), st.floats(-5, 5))
def test_a_shift_moves_the_median_and_not_the_spread(values, shift):
    still, moved = usual(values), usual(np.array(values) + shift)
    assert moved.median == pytest.approx(still.median + shift, abs=1e-9)
    assert moved.mad == pytest.approx(still.mad, abs=1e-9)


def test_an_outlier_hardly_moves_it():
    calm = np.random.default_rng(2).normal(0, 0.1, size=100)
    assert usual(np.append(calm, 1000.0)).median == pytest.approx(usual(calm).median, abs=0.02)


@pytest.mark.parametrize("bad", [[[1.0]], [math.inf]])
def test_values_that_cannot_be_right_are_refused_by_name(bad):
    with pytest.raises(ValueError, match="baseline-values"):
        usual(bad)


def test_sessions_without_a_mean_do_not_arm_session_rules():
    means = [0.1] * 7 + [math.nan]
    found = session_baseline(
        valence=[0.1] * 60, arousal=[0.1] * 60, volatility=[], window_distance=[], session_valence=means
    )
    assert (found.sessions, found.armed_for_sessions, found.n) == (7, False, 60)


def test_dominance_has_a_usual_of_its_own():
    nothing = {
        name: [] for name in ("valence", "arousal", "volatility", "window_distance", "session_valence")
    }
    assert session_baseline(**nothing, dominance=[0.1, 0.3, 0.2]).dominance == usual([0.1, 0.2, 0.3])


@pytest.mark.parametrize(("sessions", "armed"), [(19, False), (20, True)])
def test_twenty_sessions_arm_flattening(sessions, armed):
    found = session_baseline(
        valence=[], arousal=[], volatility=[], window_distance=[], session_valence=[0.1] * sessions
    )
    assert found.armed_for_flattening is armed


def test_unusually_little_is_judged_from_twenty_earlier_sessions_on():
    margins = own_quantile_margin([*np.arange(1.0, 21.0), np.nan, 0.5, 30.0])
    assert np.isnan(margins[:21]).all()
    assert margins[21] == pytest.approx(0.5 - 1.05)  # place 21 × .05 among 20 ordered values
    assert margins[22] > 0


def test_a_steady_person_falls_below_the_own_quantile_as_often_as_it_says():
    rng = np.random.default_rng(2)
    below = [own_quantile_margin(rng.gamma(4, size=21))[20] < 0 for _ in range(4000)]
    assert 0.04 < np.mean(below) < 0.06


def test_only_the_last_two_hundred_sessions_make_the_quantile():
    recent = np.random.default_rng(1).normal(size=201)
    long = np.concatenate([np.full(80, -99.0), recent])
    assert own_quantile_margin(long)[-1] == own_quantile_margin(recent)[-1]


@pytest.mark.parametrize("asked", [{"q": 0.0}, {"minimum": 0}])
def test_a_quantile_that_is_none_is_an_error(asked):
    with pytest.raises(ValueError, match="baseline-quantile"):
        own_quantile_margin([1.0, 2.0], **asked)


def test_infinities_have_no_margin():
    with pytest.raises(ValueError, match="baseline-values"):
        own_quantile_margin([math.inf])
