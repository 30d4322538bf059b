"""A change of level is told from the noise between turns."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from analysis.reliable_change import carry_over, reliable_change, standard_error, unusual_day


def carried(n, phi, rng):
    noise = rng.normal(size=n + 30)
    for i in range(1, len(noise)):
        noise[i] = phi * noise[i - 1] + np.sqrt(1 - phi**2) * noise[i]
    return noise[30:]


def test_the_index_is_the_difference_in_standard_errors():
    """Without carry-over: two means of 8 and 4 values with known spreads."""
    earlier, later = [0.0, 1.0] * 4, [3.0, 2.0, 2.0, 3.0, 2.0]
    found = reliable_change(earlier, later)
    wanted = 1.9 / np.hypot(np.std(earlier, ddof=1) / np.sqrt(8), np.std(later, ddof=1) / np.sqrt(5))
    assert found.carry_over == 0
    assert (found.difference, found.index) == pytest.approx((1.9, wanted))


def test_carry_over_leaves_fewer_independent_values():
    assert standard_error([0.0, 1.0] * 8, 0.6) == pytest.approx(2 * standard_error([0.0, 1.0] * 8, 0.0))


def test_carry_over_is_pooled_within_sessions():
    rng = np.random.default_rng(1)
    values = np.concatenate([carried(400, 0.6, rng) + level for level in (0, 5, -3)])
    assert carry_over(values, np.repeat([1, 2, 3], 400)) == pytest.approx(0.6, abs=0.08)
    assert carry_over(values) > 0.9


def test_a_planted_drop_is_reliable_and_has_its_sign():
    rng = np.random.default_rng(2)
    usual = 0.2 * carried(200, 0.5, rng)
    found = reliable_change(usual, 0.2 * carried(40, 0.5, rng) - 0.4, np.repeat(np.arange(5), 40))
    assert found.reliable
    assert found.index < -1.96


def test_allowing_for_carry_over_keeps_noise_from_looking_like_change():
    """About one in eight at a nominal 5 %, as short sessions hide part of their carry-over; else a third."""
    rng = np.random.default_rng(3)
    pairs = [(carried(30, 0.6, rng), carried(30, 0.6, rng)) for _ in range(400)]
    careful = np.mean([reliable_change(a, b).reliable for a, b in pairs])
    errors = [np.hypot(standard_error(a, 0), standard_error(b, 0)) for a, b in pairs]
    plain = np.mean([abs(b.mean() - a.mean()) > 1.96 * e for (a, b), e in zip(pairs, errors, strict=True)])
    assert careful <= 0.18
    assert plain >= 0.25


def test_a_session_id_used_on_both_sides_is_still_two_sessions():
    rng = np.random.default_rng(4)
    low, high = rng.normal(size=20), rng.normal(size=20) + 50
    assert reliable_change(low, high).carry_over < 0.5


@given(st.floats(-10, 10), st.floats(0.01, 100))
def test_a_shift_and_a_scale_change_no_index(shift, scale):
    rng = np.random.default_rng(5)
    earlier, later = rng.normal(size=20), rng.normal(size=9) + 1
    found = reliable_change(earlier * scale + shift, later * scale + shift)
    assert found.index == pytest.approx(reliable_change(earlier, later).index, rel=1e-6)


@pytest.mark.parametrize(
    ("earlier", "later", "reason"),
    [
        ([], [], "too_few_values"),
        ([0.1] * 4, np.arange(9), "too_few_values"),
        (np.arange(9), [np.nan] * 9, "too_few_values"),
        ([0.1] * 9, [0.1] * 9, "no_variation"),
        ([0.1] * 9, [0.4] * 9, "no_variation"),
    ],
)
def test_where_nothing_can_be_said_there_is_a_reason(earlier, later, reason):
    found = reliable_change(earlier, later)
    assert (found.index, found.reason, found.reliable) == (None, reason, False)


def test_a_usual_day_is_called_unusual_as_often_as_it_says():
    rng = np.random.default_rng(6)
    found = [unusual_day(rng.normal(size=8), rng.normal()).p < 0.05 for _ in range(1000)]
    assert 0.03 <= np.mean(found) <= 0.07


def test_an_unusual_day_has_its_side_and_its_p():
    usual = [-0.1, 0.1] * 5
    found = unusual_day(usual, -0.5)
    peer = stats.ttest_ind(usual, [-0.5])
    assert (found.index, found.p) == pytest.approx((-peer.statistic, peer.pvalue))
    assert found.index < 0


@pytest.mark.parametrize(
    ("usual", "mean", "reason"),
    [
        ([], 0.1, "too_few_sessions"),
        ([0.1, np.nan] * 7, 0.1, "too_few_sessions"),
        (np.arange(8), None, "no_session_mean"),
        (np.arange(8), np.nan, "no_session_mean"),
        ([0.1] * 8, 0.4, "no_variation"),
    ],
)
def test_where_no_day_can_be_usual_there_is_a_reason(usual, mean, reason):
    found = unusual_day(usual, mean)
    assert (found.index, found.p, found.reason) == (None, None, reason)


@pytest.mark.parametrize(
    ("call", "reason"),
    [
        (lambda: reliable_change([np.inf] * 9, [0.1] * 9), "dynamics-values"),
        (lambda: reliable_change([0.1] * 9, [0.1] * 9, [1]), "dynamics-sessions"),
        (lambda: standard_error([0.1, 0.2], 1.0), "carry-over"),
    ],
)
def test_bad_input_is_refused_by_name(call, reason):
    with pytest.raises(ValueError, match=reason):
        call()
