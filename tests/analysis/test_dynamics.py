"""The figures of a mood, with their minimum data and their reasons."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis.dynamics import describe, mean, mssd, pair_differences, rmssd, sd

values = st.lists(st.floats(-1, 1) | st.just(float("nan")), max_size=40)


def test_a_known_zigzag_has_its_step():
    zigzag = np.tile([0.1, 0.3], 10)
    assert rmssd(zigzag) == pytest.approx(0.2)


def test_an_abstention_breaks_both_its_pairs():
    assert pair_differences([0.1, 0.2, np.nan, 0.9, 0.8]).tolist() == pytest.approx([0.1, -0.1])


def test_no_pair_spans_two_sessions():
    found = pair_differences([0.0, 0.1, 0.9, 0.8], sessions=["a", "a", "b", "b"])
    assert found.tolist() == pytest.approx([0.1, -0.1])


@pytest.mark.parametrize(
    ("n", "missing"),
    [
        (2, {"mean", "median", "sd", "mssd", "rmssd"}),
        (3, {"sd", "mssd", "rmssd"}),
        (5, {"mssd", "rmssd"}),
        (10, {"mssd", "rmssd"}),
        (11, set()),
    ],
)
def test_figures_wait_for_enough_data(n, missing):
    found = describe(np.linspace(0, 1, n))
    figures = {name: getattr(found, name) for name in ("mean", "median", "sd", "mssd", "rmssd")}
    assert {name for name, figure in figures.items() if figure.value is None} == missing
    assert all((figure.reason is None) == (figure.value is not None) for figure in figures.values())


def test_an_empty_history_has_no_coverage_and_no_figures():
    found = describe([])
    assert (found.coverage, found.sufficient, found.mean.reason) == (None, False, "too_few_values")


@pytest.mark.parametrize(("abstained", "sufficient"), [(4, True), (5, False)])
def test_below_sixty_percent_coverage_is_insufficient(abstained, sufficient):
    found = describe([0.1] * (10 - abstained) + [np.nan] * abstained)
    assert found.sufficient is sufficient


@given(values, st.floats(-5, 5))
def test_a_shift_moves_the_mean_only(x, shift):
    moved = np.array(x, dtype=float) + shift
    assert mean(moved) == pytest.approx(mean(x) + shift, abs=1e-9, nan_ok=True)
    assert sd(moved) == pytest.approx(sd(x), abs=1e-7, nan_ok=True)
    assert mssd(moved) == pytest.approx(mssd(x), abs=1e-7, nan_ok=True)


@given(values, st.randoms(use_true_random=False))
def test_mean_and_spread_do_not_know_the_order(x, random):
    shuffled = list(x)
    random.shuffle(shuffled)
    assert mean(shuffled) == pytest.approx(mean(x), abs=1e-9, nan_ok=True)
    assert sd(shuffled) == pytest.approx(sd(x), abs=1e-9, nan_ok=True)


def test_a_constant_series_is_still():
    found = describe([0.2] * 12)
    assert (found.sd.value, found.rmssd.value) == (pytest.approx(0, abs=1e-12), 0.0)


@pytest.mark.parametrize(
    ("call", "reason"),
    [
        (lambda: describe([np.inf, 1.0]), "dynamics-values"),
        (lambda: describe([[1.0]]), "dynamics-values"),
        (lambda: describe([1.0, 2.0], sessions=[1]), "dynamics-sessions"),
        (lambda: pair_differences([1.0], lag=0), "dynamics-lag"),
    ],
)
def test_bad_input_is_refused_by_name(call, reason):
    with pytest.raises(ValueError, match=reason):
        call()


def test_an_abstention_breaks_its_pairs_within_sessions_too():
    found = pair_differences([0.0, np.nan, 0.9, 0.8], sessions=["a", "a", "a", "a"])
    assert found.tolist() == pytest.approx([-0.1])
