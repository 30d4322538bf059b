"""Home base and displacements of series whose truth is known."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis.home_base import HomeBase, displacements, dwelling, home_base, rolling_means
from analysis.synthetic import story

BASE = HomeBase(0.0, 1.0)


def test_a_planted_stay_has_its_side_peak_and_rates():
    (found,) = displacements([0, 1.2, 1.6, 2.0, 1.5, 0], BASE)
    assert (found.start, found.stop, found.side, found.peak_at, found.closed) == (1, 5, 1, 3, True)
    assert (found.peak, found.rise_rate, found.recovery_rate) == pytest.approx((1.0, 0.5, 1.0))


def test_the_first_of_equal_peaks_is_the_peak():
    (found,) = displacements([-2, -3, -3, 0], BASE)
    assert (found.peak_at, found.rise_rate, found.recovery_rate) == (1, 2.0, 2.0)


def test_a_leap_across_the_band_ends_one_stay_and_begins_another():
    assert [(d.start, d.stop, d.side) for d in displacements([2, 3, -2, -2, 0], BASE)] == [
        (0, 2, 1),
        (2, 4, -1),
    ]


def test_no_stay_spans_two_sessions():
    found = displacements([0, 2, 2, 2, 0], BASE, sessions=[1, 1, 1, 2, 2])
    assert [(d.start, d.stop, d.closed) for d in found] == [(1, 3, False), (3, 4, True)]


def test_the_edge_of_the_band_is_home():
    assert displacements([1.0, -1.0], BASE) == []


def test_a_rolling_mean_steps_over_gaps_and_stops_at_sessions():
    values = [1, 2, np.nan, 3, 4, 5, 9, 9, 9, 9, 9, 9]
    means, last = rolling_means(values, [1] * 6 + [2] * 6)
    assert (means.tolist(), last.tolist()) == ([3.0, 9.0, 9.0], [5, 10, 11])


@pytest.mark.parametrize(("values", "formed"), [(63, False), (64, True)])
def test_a_home_base_needs_sixty_rolling_values(values, formed):
    found = dwelling(np.random.default_rng(1).normal(size=values))
    assert (found.base is not None, found.reason is None) == (formed, formed)


def test_the_home_base_stays_where_it_was_while_the_mood_moves_away():
    calm, away = np.tile([0.1, -0.1, 0.0], 30), np.full(40, 0.8)
    found = dwelling(np.concatenate([calm, away]))
    assert found.base == dwelling(calm).base
    assert found.displacements[-1].side == 1
    assert not found.displacements[-1].closed


def test_a_constant_mood_is_always_at_home():
    found = dwelling(np.full(80, 0.3))
    assert (found.home_share, found.displacements, found.mean_peak) == (1.0, (), None)


def test_a_jump_downward_is_seen_as_time_spent_below_home():
    values, sessions = _valence("jump")
    still, still_sessions = _valence("nothing")
    assert dwelling(values, sessions).home_share < 0.6 < dwelling(still, still_sessions).home_share


@given(st.floats(-2, 2), st.floats(0.1, 10))
def test_a_shift_moves_the_base_and_a_scale_stretches_the_peaks(shift, scale):
    values = np.random.default_rng(2).normal(size=120).round(3)
    plain, moved = dwelling(values), dwelling(values * scale + shift)
    assert moved.base.center == pytest.approx(plain.base.center * scale + shift)
    assert [d.start for d in moved.displacements] == [d.start for d in plain.displacements]
    assert moved.mean_peak == pytest.approx(plain.mean_peak * scale)


@pytest.mark.parametrize(
    ("call", "reason"),
    [
        (lambda: home_base([1.0, np.nan]), "home-base-gaps"),
        (lambda: displacements([np.inf], BASE), "dynamics-values"),
        (lambda: displacements([1.0, 2.0], BASE, sessions=[1]), "dynamics-sessions"),
        (lambda: dwelling([[1.0]]), "dynamics-values"),
    ],
)
def test_bad_input_is_refused_by_name(call, reason):
    with pytest.raises(ValueError, match=reason):
        call()


@pytest.mark.parametrize("values", [[], [0.1], [np.nan] * 100])
def test_too_little_gives_a_reason_and_no_home(values):
    assert dwelling(values).reason == "home_base_forming"


def _valence(name):
    history = story(name, seed=4, talk=False)
    turns = [(i, turn.valence) for i, s in enumerate(history.sessions) for turn in s.series()]
    values = np.array([np.nan if v is None else v for _, v in turns])
    return values, np.array([i for i, _ in turns])
