"""The volatility index and its robust z on series whose truth is known."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis.volatility import (
    BLOCK_VALUES,
    Metric,
    Statistic,
    consecutive_distances,
    floor_of,
    robust_z,
    rolling,
    volatility_index,
    window_distance,
)

RNG = np.random.default_rng(7)


def walk(n, d=8):
    return RNG.normal(size=(n, d)).cumsum(axis=0).astype(np.float32)


def test_steps_of_known_length_are_found():
    steps = np.zeros((6, 2), dtype=np.float32)
    steps[:, 0] = [0, 3, 3, 7, 7, 12]
    steps[:, 1] = [0, 4, 4, 4, 5, 17]
    np.testing.assert_allclose(consecutive_distances(steps)[1:], [5, 0, 4, 1, 13])


@pytest.mark.parametrize("metric", list(Metric))
def test_blocks_change_nothing(metric):
    d = 64
    n = 3 * (BLOCK_VALUES // d) + 5
    rows = RNG.normal(size=(n, d)).astype(np.float32)
    tail = consecutive_distances(rows[-50:], metric)
    np.testing.assert_array_equal(consecutive_distances(rows, metric)[-49:], tail[1:])


@pytest.mark.parametrize("metric", list(Metric))
def test_half_precision_is_read_as_the_numbers_it_holds(metric):
    rows = walk(40).astype(np.float16)
    np.testing.assert_array_equal(
        consecutive_distances(rows, metric), consecutive_distances(rows.astype(np.float32), metric)
    )


def test_a_constant_series_is_still():
    assert np.all(volatility_index(np.ones((9, 4), dtype=np.float32))[1:] == 0)


@given(st.floats(0.01, 100), st.floats(-50, 50))
def test_the_index_ignores_a_shift_and_follows_the_scale(scale, shift):
    rows = np.random.default_rng(3).normal(size=(20, 6))
    found = volatility_index(rows * scale + shift)
    np.testing.assert_allclose(found, volatility_index(rows) * scale, rtol=1e-9)


@given(st.floats(0.01, 100))
def test_cosine_distances_ignore_the_scale(scale):
    rows = np.random.default_rng(4).normal(size=(20, 6))
    found = consecutive_distances(rows * scale, Metric.COSINE)
    np.testing.assert_allclose(found, consecutive_distances(rows, Metric.COSINE), rtol=1e-9)


def test_cosine_of_a_right_angle_is_one_and_of_opposites_two():
    rows = np.array([[1.0, 0], [0, 2], [0, -3]])
    np.testing.assert_allclose(consecutive_distances(rows, Metric.COSINE)[1:], [1, 2])


def test_the_cosine_of_a_zero_vector_is_undefined():
    rows = np.array([[1.0, 0], [0, 0], [0, 1]])
    assert np.isnan(consecutive_distances(rows, Metric.COSINE)).all()


def test_a_missing_embedding_is_a_gap_and_not_a_zero():
    rows = walk(12)
    rows[5] = np.nan
    found = consecutive_distances(rows)
    assert np.flatnonzero(np.isnan(found)).tolist() == [0, 5, 6]


def test_no_window_spans_two_sessions():
    rows = np.concatenate([walk(8), walk(8) + 500])
    sessions = np.repeat([1, 2], 8)
    found = volatility_index(rows, sessions=sessions)
    np.testing.assert_allclose(found[8:], volatility_index(rows[8:]))
    np.testing.assert_allclose(found[:8], volatility_index(rows[:8]))


def test_a_missing_utterance_does_not_shorten_the_window_of_a_session():
    rows = walk(9)
    with_gap = np.insert(rows, 4, np.nan, axis=0)
    found = volatility_index(with_gap, sessions=np.zeros(10), full_windows_only=True)
    np.testing.assert_allclose(np.delete(found, 4), volatility_index(rows, full_windows_only=True))


@pytest.mark.parametrize("n", [0, 1])
def test_fewer_than_two_utterances_are_undefined(n):
    found = volatility_index(np.ones((n, 3)))
    assert len(found) == n
    assert np.isnan(found).all()


@pytest.mark.parametrize("statistic", list(Statistic))
def test_all_missing_stays_missing(statistic):
    assert np.isnan(rolling(np.full(6, np.nan), statistic)).all()


@pytest.mark.parametrize("metric", list(Metric))
def test_an_infinite_embedding_is_refused_by_name(metric):
    rows = np.ones((4, 3))
    rows[2, 1] = np.inf
    with pytest.raises(ValueError, match="embeddings-non-finite"):
        consecutive_distances(rows, metric)


@pytest.mark.parametrize("bad", [np.ones(5), [[1.0, 2.0], [1.0]], np.ones((3, 0))])
def test_embeddings_of_no_one_dimension_are_refused_by_name(bad):
    with pytest.raises(ValueError, match="embeddings-shape"):
        consecutive_distances(bad)


def test_the_window_distance_is_a_median_of_four():
    assert window_distance([0.1, 0.9, 0.2, 0.3]) == pytest.approx(0.25)


@pytest.mark.parametrize("partial", [[], [0.1, 0.2, 0.3], [0.1, np.nan, 0.2, 0.3]])
def test_a_partial_window_has_no_window_distance(partial):
    assert window_distance(partial) is None


@given(st.floats(-5, 5), st.floats(-5, 5), st.floats(0.01, 5), st.floats(0.1, 10), st.floats(-10, 10))
def test_the_robust_z_ignores_shift_and_scale(w, median, mad, scale, shift):
    moved = robust_z(w * scale + shift, median * scale + shift, mad * scale, 0.001 * scale)
    assert moved == pytest.approx(robust_z(w, median, mad, 0.001), rel=1e-6, abs=1e-6)


def test_the_floor_keeps_a_still_person_from_alarming():
    assert robust_z(0.51, 0.5, 0.0, floor_of(0.4, 0.5)) == pytest.approx(0.5)


def test_without_any_spread_there_is_no_z():
    assert robust_z(0.1, 0.0, 0.0, 0.0) is None


def test_a_z_of_something_not_a_number_is_refused_by_name():
    with pytest.raises(ValueError, match="robust-z"):
        robust_z(float("nan"), 0, 1, 0)
