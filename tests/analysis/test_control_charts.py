"""Control charts: a textbook's numbers, the run lengths they were chosen for, and bad input."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from analysis.control_charts import (
    CUSUM_ALLOWANCE,
    CUSUM_LIMIT,
    EWMA_SMOOTHING,
    EWMA_WIDTH,
    cusum,
    ewma_chart,
    self_starting_scores,
)
from analysis.reliable_change import unusual_day

# Montgomery, Introduction to Statistical Quality Control, tables 9.1 and 9.2: 20 values around 10, then 11.
MONTGOMERY = [
    9.45, 7.99, 9.29, 11.66, 12.16, 10.18, 8.04, 11.46, 9.20, 10.34, 9.03, 11.47, 10.51, 9.40, 10.08, 9.37,
    10.62, 10.31, 8.52, 10.84, 10.90, 9.33, 12.29, 11.50, 10.60, 11.08, 10.38, 11.62, 11.31, 10.52,
]  # fmt: skip
UPPER = [
    0, 0, 0, 1.16, 2.82, 2.50, 0.04, 1.00, 0, 0, 0, 0.97, 0.98, 0, 0, 0, 0.12, 0, 0, 0.34, 0.74, 0, 1.79,
    2.79, 2.89, 3.47, 3.35, 4.47, 5.28, 5.30,
]  # fmt: skip
LOWER = [
    0.05, 1.56, 1.77, 0, 0, 0, 1.46, 0, 0.30, 0, 0.47, 0, 0, 0.10, 0, 0.13, 0, 0, 0.98, 0, 0, 0.17, 0, 0, 0,
    0, 0, 0, 0, 0,
]  # fmt: skip


@pytest.mark.parametrize(("downward", "known"), [(False, UPPER), (True, LOWER)])
def test_cusum_agrees_with_a_textbook(downward, known):
    found = cusum(MONTGOMERY, center=10, sd=1, downward=downward)
    assert found == pytest.approx(known, abs=0.006)


def test_ewma_agrees_with_a_textbook():
    """The same table's EWMA column, λ .1: 9.945, 9.7495, 9.70355, 9.8992, 10.1253; its limits at i = 1, 2."""
    found = ewma_chart(MONTGOMERY[:5], center=10, sd=1, smoothing=0.1)
    error = np.sqrt(0.1 / 1.9 * (1 - 0.9 ** (2 * np.arange(1, 6))))
    assert 10 + found * error == pytest.approx([9.945, 9.7495, 9.70355, 9.8992, 10.1253], abs=5e-5)
    assert 2.7 * error[:2] == pytest.approx([0.27, 0.3632], abs=1e-4)


def _run_length(state, step, cells):
    """Mean steps until absorption of a chain on midpoints of equal cells (Brook & Evans 1972)."""
    moves = step(state[:, None], cells)
    return np.linalg.solve(np.eye(len(state)) - moves, np.ones(len(state)))


def test_the_cusum_limit_gives_one_false_alarm_in_370_sessions():
    count = 400
    width = 2 * CUSUM_LIMIT / (2 * count - 1)
    state = np.arange(count) * width

    def step(at, to):
        upper = stats.norm.cdf(to + width / 2 - at + CUSUM_ALLOWANCE)
        lower = np.where(to == 0, 0.0, stats.norm.cdf(to - width / 2 - at + CUSUM_ALLOWANCE))
        return upper - lower

    assert _run_length(state, step, state)[0] == pytest.approx(370, rel=0.01)


def test_the_ewma_width_gives_one_false_alarm_in_370_sessions():
    count = 401
    edge = EWMA_WIDTH * np.sqrt(EWMA_SMOOTHING / (2 - EWMA_SMOOTHING))
    width = 2 * edge / count
    state = -edge + width * (np.arange(count) + 0.5)

    def step(at, to):
        kept = (1 - EWMA_SMOOTHING) * at
        return stats.norm.cdf((to + width / 2 - kept) / EWMA_SMOOTHING) - stats.norm.cdf(
            (to - width / 2 - kept) / EWMA_SMOOTHING
        )

    assert _run_length(state, step, state)[count // 2] == pytest.approx(370, rel=0.01)


def test_scores_of_a_steady_person_are_standard_normal_and_independent():
    rng = np.random.default_rng(7)
    histories = np.array([self_starting_scores(rng.normal(0.1, 0.2, 20))[8:] for _ in range(2000)])
    assert stats.kstest(histories.ravel(), "norm").pvalue > 0.01
    for place in (0, 11):
        assert stats.kstest(histories[:, place], "norm").pvalue > 0.01
    assert abs(np.corrcoef(histories[:, 0], histories[:, 1])[0, 1]) < 0.06


def test_a_score_says_the_same_as_an_unusual_day():
    means = np.random.default_rng(3).normal(size=30)
    scores = self_starting_scores(means)
    for i in (8, 15, 29):
        day = unusual_day(means[:i], means[i])
        assert 2 * stats.norm.sf(abs(scores[i])) == pytest.approx(day.p)
        assert np.sign(scores[i]) == np.sign(day.index)


def test_nothing_is_scored_before_enough_sessions_or_without_a_spread():
    scores = self_starting_scores([0.1, np.nan, 0.2, 0.3, 0.1, 0.2, 0.1, 0.3, 0.2, 0.1])
    assert np.isnan(scores[:9]).all() and np.isfinite(scores[9])
    assert np.isnan(self_starting_scores([0.1] * 12)).all()
    assert np.isfinite(self_starting_scores([0.1] * 12 + [0.2, 0.3])[13])
    assert len(self_starting_scores([])) == 0


def test_an_enormous_jump_gives_a_finite_score():
    scores = self_starting_scores([*np.tile([0.0, 1e-9], 40), -1.0])
    assert -38 < scores[-1] < -8


def test_a_planted_drop_is_found_soon_by_both_charts_and_not_before():
    rng = np.random.default_rng(11)
    delays = []
    for _ in range(200):
        means = rng.normal(0.2, 0.1, 45)
        means[25:] -= 0.2  # two of the person's own spreads
        scores = self_starting_scores(means)
        low = ewma_chart(scores) < -EWMA_WIDTH
        sums = cusum(scores) > CUSUM_LIMIT
        delays.append([np.argmax(x[25:]) if x[25:].any() else 99 for x in (low, sums)])
    assert (np.median(delays, axis=0) <= 4).all()
    assert (np.mean(np.array(delays) < 15, axis=0) > 0.95).all()


SERIES = st.lists(st.floats(-1, 1, allow_nan=False, width=32) | st.just(float("nan")), max_size=40)


@given(SERIES)
def test_gaps_change_nothing_around_them(values):
    x = np.array(values, dtype=float)
    valid = ~np.isnan(x)
    for chart in (cusum, ewma_chart, self_starting_scores):
        assert np.array_equal(chart(x)[valid], chart(x[valid]), equal_nan=True)
        assert np.isnan(chart(x)[~valid]).all()


@given(SERIES, st.floats(0.125, 8), st.floats(-4, 4))
def test_scores_do_not_depend_on_the_scale_or_place(values, scale, shift):
    x = np.round(np.array(values, dtype=float), 2)
    found, moved = self_starting_scores(x), self_starting_scores(np.round(x * scale + shift, 12))
    both = np.isfinite(found) & np.isfinite(moved) & (np.abs(found) < 8)
    assert moved[both] == pytest.approx(found[both], rel=1e-4, abs=1e-4)


@given(SERIES)
def test_up_and_down_mirror_each_other(values):
    x = np.array(values, dtype=float)
    assert np.array_equal(cusum(x), cusum(-x, downward=False), equal_nan=True)
    assert np.array_equal(ewma_chart(x), -ewma_chart(-x), equal_nan=True)


@pytest.mark.parametrize(
    ("call", "slug"),
    [
        (lambda: cusum([np.inf]), "dynamics-values"),
        (lambda: cusum([[1.0]]), "dynamics-values"),
        (lambda: cusum([1.0], sd=0), "chart-center"),
        (lambda: ewma_chart([1.0], center=np.nan), "chart-center"),
        (lambda: cusum([1.0], allowance=-1), "chart-allowance"),
        (lambda: ewma_chart([1.0], smoothing=0), "chart-smoothing"),
        (lambda: self_starting_scores([1.0], minimum=1), "chart-minimum"),
    ],
)
def test_bad_input_is_named(call, slug):
    with pytest.raises(ValueError, match=slug):
        call()
