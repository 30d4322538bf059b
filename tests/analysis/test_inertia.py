"""The half-life of a mood is found where it was planted."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis.inertia import inertia

GAP_S = 60.0


def carried(sessions, turns, half_life_s, seed, gap_s=GAP_S):
    """Irregular turns of a mood with that half-life, every session about its own level."""
    rng = np.random.default_rng(seed)
    values, times, ids = [], [], []
    for session in range(sessions):
        gaps = rng.gamma(4, gap_s / 4, turns)
        x = rng.normal()
        level = rng.normal()
        for gap in gaps:
            kept = 2 ** (-gap / half_life_s)
            x = kept * x + np.sqrt(1 - kept**2) * rng.normal()
            values.append(level + 0.2 * x)
        times.extend(session * 604_800 + np.cumsum(gaps))
        ids.extend([session] * turns)
    return np.array(values), np.array(times), np.array(ids)


@pytest.mark.parametrize("minutes", [1.0, 3.0])
def test_a_planted_half_life_is_found_in_long_sessions(minutes):
    found = inertia(*carried(10, 300, minutes * 60, seed=1))
    assert found.half_life_min == pytest.approx(minutes, rel=0.15)
    assert found.carry_over == pytest.approx(2 ** (-1 / minutes), abs=0.1)


@pytest.mark.parametrize("seed", [9, 11, 12])
def test_the_half_life_is_the_most_likely_one(seed):
    """Held against the joint normal density of a whole session, whose covariance is written out."""
    values, times, _ = carried(1, 24, 120, seed=seed)
    x = values - values.mean()
    apart = np.abs(np.subtract.outer(times, times))

    def misfit(half_life_s):
        correlation = 2 ** (-apart / half_life_s)
        return len(x) * np.log(x @ np.linalg.solve(correlation, x)) + np.linalg.slogdet(correlation)[1]

    grid = np.geomspace(10, 600, 4_000)
    best = grid[np.argmin([misfit(h) for h in grid])]
    assert inertia(values, times).half_life_min * 60 == pytest.approx(best, rel=2e-3)


def test_every_pair_in_a_session_counts_and_none_between_sessions():
    values, times, ids = carried(30, 2, 120, seed=10)
    assert inertia(values, times, ids).n == 30


def test_gaps_are_stepped_over_at_their_true_length():
    values, times, ids = carried(10, 300, 120, seed=2)
    values[np.random.default_rng(3).random(len(values)) < 0.3] = np.nan
    assert inertia(values, times, ids).half_life_min == pytest.approx(2.0, rel=0.2)


def test_the_levels_of_sessions_are_no_carry_over():
    values, times, ids = carried(20, 40, half_life_s=1.0, seed=4)
    assert inertia(values, times, ids).carry_over < 0.1
    assert inertia(values, times).carry_over > 0.5


def test_a_mood_that_swings_back_has_no_half_life():
    found = inertia(np.tile([0.5, -0.5], 30), np.arange(60) * GAP_S)
    assert (found.half_life_min, found.carry_over, found.reason) == (None, 0.0, "no_carry_over")


def test_a_mood_that_only_rises_outlasts_its_session():
    found = inertia(np.linspace(-1, 1, 60), np.arange(60) * GAP_S)
    assert (found.half_life_min, found.reason) == (None, "longer_than_a_session")


@pytest.mark.parametrize(("values", "reason"), [(20, "too_few_pairs"), (21, None)])
def test_a_half_life_waits_for_twenty_pairs(values, reason):
    x, t, _ = carried(1, values, 120, seed=5)
    assert inertia(x, t).reason == reason


@given(st.floats(-3, 3), st.floats(0.01, 100))
def test_a_shift_and_a_scale_change_no_half_life(shift, scale):
    x, t, ids = carried(2, 40, 120, seed=6)
    found, plain = inertia(x * scale + shift, t, ids), inertia(x, t, ids)
    assert found.half_life_min == pytest.approx(plain.half_life_min, rel=1e-3)


def test_another_origin_of_time_changes_no_half_life():
    x, t, ids = carried(2, 40, 120, seed=7)
    assert inertia(x, t + 1.7e9, ids).half_life_min == pytest.approx(
        inertia(x, t, ids).half_life_min, rel=1e-3
    )


def test_values_at_one_time_are_averaged_in_any_order():
    x, t, _ = carried(1, 60, 120, seed=8)
    t[1::2] = t[::2]
    swapped = x.reshape(-1, 2)[:, ::-1].ravel()
    assert inertia(x, t) == inertia(swapped, t)
    assert inertia(x, t).n == 29


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        ([], "too_few_pairs"),
        ([0.1], "too_few_pairs"),
        ([np.nan] * 40, "too_few_pairs"),
        ([0.3] * 40, "no_variation"),
    ],
)
def test_where_nothing_can_be_said_there_is_a_reason(values, reason):
    assert inertia(values, np.arange(len(values)) * GAP_S).reason == reason


@pytest.mark.parametrize(
    ("call", "reason"),
    [
        (lambda: inertia([0.1, 0.2], [5, 4]), "dynamics-order"),
        (lambda: inertia([0.1, 0.2], [5, np.inf]), "dynamics-times"),
        (lambda: inertia([0.1, np.inf], [5, 6]), "dynamics-values"),
        (lambda: inertia([0.1, 0.2], [5, 6], sessions=[1]), "dynamics-sessions"),
    ],
)
def test_bad_input_is_refused_by_name(call, reason):
    with pytest.raises(ValueError, match=reason):
        call()
