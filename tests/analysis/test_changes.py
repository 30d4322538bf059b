"""Change points are found where they were planted, and nowhere where none were."""

import warnings

import numpy as np
import pytest
import ruptures
from hypothesis import given
from hypothesis import strategies as st

from analysis import changes as module
from analysis.changes import change_points, changes
from analysis.synthetic import story


def stepped(n, cuts, seed, shift=2.0):
    """Noise of SD 1 whose level goes up and down by ``shift`` at each cut."""
    steps = np.zeros(n)
    for k, cut in enumerate(cuts):
        steps[cut:] += shift if k % 2 == 0 else -shift
    return steps + np.random.default_rng(seed).normal(size=n)


@pytest.mark.parametrize("seed", range(6))
def test_the_optimum_is_that_of_pelt(seed):
    rng = np.random.default_rng(seed)
    cuts = np.sort(rng.choice(np.arange(10, 110), seed % 4, replace=False))
    series = stepped(120, cuts, seed)
    series = (series - series.mean()) / series.std()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        peer = ruptures.Pelt("normal", min_size=5, jump=1).fit(series)
        wanted = peer.predict(pen=3 * np.log(120))[:-1]
    assert change_points(series, variance_floor=1e-6).tolist() == wanted


def test_a_jump_is_found_where_it_was_planted():
    (found,) = changes(stepped(60, [37], seed=1, shift=4)).at
    assert abs(found - 37) <= 1


def test_a_mood_that_becomes_restless_is_found_without_a_change_of_level():
    rng = np.random.default_rng(2)
    (found,) = changes(rng.normal(size=80) * np.where(np.arange(80) < 40, 0.2, 1.0)).at
    assert abs(found - 40) <= 3


def test_steady_histories_seldom_show_a_change():
    """About one of twenty at 30 values and one of thirty at 60, when nothing carries over."""
    rng = np.random.default_rng(3)
    assert np.mean([len(changes(rng.normal(size=60)).at) > 0 for _ in range(200)]) <= 0.08


def test_the_sessions_of_a_person_whose_mood_jumped_show_when():
    history = story("jump", seed=2, weeks=80, talk=False)
    means = [
        np.nanmean([np.nan if t.valence is None else t.valence for t in s.series()]) for s in history.sessions
    ]
    found = changes(means).at
    assert any(abs(at - history.truth.change_at) <= 2 for at in found)


def test_a_spell_of_just_five_values_is_found():
    series = np.random.default_rng(8).normal(size=60)
    series[30:35] += 12
    assert changes(series).at == (30, 35)


def test_a_small_lasting_change_is_found_in_a_long_series():
    found = change_points(stepped(3_000, [1_500], seed=9, shift=0.5))
    assert len(found) == 1
    assert abs(found[0] - 1_500) < 60


def test_a_missing_value_moves_no_position():
    series = stepped(70, [40], seed=4, shift=5)
    series[[3, 20, 41]] = np.nan
    found = changes(series)
    assert found.at == (40,)
    assert (found.n, found.coverage) == (67, pytest.approx(67 / 70))
    assert [s.n for s in found.segments] == [38, 29]


def test_a_long_series_is_cut_where_the_full_search_cuts_it(monkeypatch):
    series = stepped(900, [200, 350, 361, 700], seed=5, shift=4)
    screened = change_points(series)
    monkeypatch.setattr(module, "EXACT_POINTS", 1_000)
    assert screened.tolist() == change_points(series).tolist()
    assert len(screened) == 4


@given(st.floats(-100, 100), st.floats(0.01, 100))
def test_a_shift_and_a_scale_change_no_cut(shift, scale):
    series = stepped(50, [20], seed=6, shift=3)
    assert change_points(series * scale + shift).tolist() == change_points(series).tolist()


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        ([], "too_few_values"),
        ([0.1], "too_few_values"),
        (np.arange(29.0), "too_few_values"),
        ([np.nan] * 100, "too_few_values"),
        (np.full(40, 0.2), "no_variation"),
    ],
)
def test_where_nothing_can_be_said_there_is_a_reason(values, reason):
    found = changes(values)
    assert (found.segments, found.reason) == ((), reason)


@pytest.mark.parametrize(
    ("call", "reason"),
    [
        (lambda: changes([np.inf] * 40), "changes-values"),
        (lambda: changes(np.ones((40, 2))), "changes-values"),
        (lambda: change_points([0.1, np.nan] * 20), "changes-input"),
        (lambda: change_points(np.arange(40.0), min_size=1), "changes-input"),
        (lambda: change_points(np.arange(40.0), penalty=0), "changes-input"),
    ],
)
def test_bad_input_is_refused_by_name(call, reason):
    with pytest.raises(ValueError, match=reason):
        call()


def test_a_hundred_thousand_values_are_cut_where_they_jump():
    found = change_points(stepped(100_000, [40_000], seed=7, shift=3))
    assert 40_000 in found.tolist()
    assert len(found) <= 3
