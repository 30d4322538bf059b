"""Neighbors: the planted ones come first, in blocks and through the rough index too."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis import projection, similarity
from analysis.projection import fit_basis, unit_rows
from analysis.similarity import nearest, nearest_by_index, rough_index


def speech(n=3000, dimension=200, kinds=40, seed=0) -> np.ndarray:
    """Rows around ``kinds`` points that lie in 20 directions, far from zero, with noise everywhere."""
    rng = np.random.default_rng(seed)
    points = rng.normal(size=(kinds, 20)) @ rng.normal(size=(20, dimension))
    return (5 + points[rng.integers(0, kinds, n)] + rng.normal(size=(n, dimension))).astype(np.float16)


def naive(query, rows, count, center=0.0) -> np.ndarray:
    rows, query = rows.astype(np.float64) - center, query.astype(np.float64) - center
    cosines = rows @ query / np.linalg.norm(rows, axis=1) / np.linalg.norm(query)
    return np.argsort(-cosines, kind="stable")[:count]


def test_planted_neighbors_come_first_by_closeness():
    rows = np.eye(5) * 9
    rows[3] = [1, 0, 0, 0.1, 0]
    rows[4] = [1, 0, 0, 0, 0.5]
    found = nearest([1, 0, 0, 0, 0], rows, 3)
    assert found.places.tolist() == [0, 3, 4]
    np.testing.assert_allclose(found.similarity, [1, 1 / np.sqrt(1.01), 1 / np.sqrt(1.25)], rtol=1e-6)


def test_blocks_find_what_one_piece_finds(monkeypatch):
    rows = speech(500)
    monkeypatch.setattr(projection, "BLOCK_BYTES", 4 * 200 * 7)
    assert nearest(rows[0], rows, 20).places.tolist() == naive(rows[0], rows, 20).tolist()


def test_the_center_is_taken_from_both_sides():
    rows, center = speech(500), np.full(200, 5.0)
    found = nearest(rows[3], rows, 10, center=center)
    assert found.places.tolist() == naive(rows[3], rows, 10, center).tolist()


def test_of_equals_the_earlier_row_comes_first():
    assert nearest([1, 0], [[0, 1], [2, 0], [1, 0], [3, 0]], 2).places.tolist() == [1, 2]


def test_a_row_without_direction_is_like_nothing():
    found = nearest([1, 1], [[0, 0], [1, 1], [-1, -1]], 3)
    assert found.places.tolist() == [1, 2]


def test_no_rows_have_no_neighbors():
    assert len(nearest([1, 1], np.empty((0, 2)), 3).places) == 0


@given(scale=st.floats(1e-2, 1e2), shift=st.floats(-100, 100))
def test_loudness_of_the_numbers_does_not_matter(scale, shift):
    rows = speech(60, 16).astype(np.float64)
    plain = nearest(rows[0], rows, 5)
    moved = nearest(rows[0] * scale + shift, rows * scale + shift, 5, center=np.full(16, shift))
    np.testing.assert_allclose(moved.similarity, plain.similarity, atol=1e-3)


@pytest.mark.parametrize(
    ("query", "rows", "count", "said"),
    [
        ([1.0], [[1.0, 2.0]], 1, "a query of 2 numbers"),
        ([1.0, 2.0], [[1.0, 2.0]], 0, "at least 1"),
        ([0.0, 0.0], [[1.0, 2.0]], 1, "no direction"),
        ([np.nan, 0.0], [[1.0, 2.0]], 1, "no direction"),
        ([np.inf, 0.0], [[1.0, 2.0]], 1, "no direction"),
        ([1.0, 0.0], [[1.0, np.nan]], 1, "NaN or infinity"),
    ],
)
def test_what_cannot_be_compared_is_named(query, rows, count, said):
    with pytest.raises(ValueError, match=said):
        nearest(query, rows, count)


@pytest.mark.parametrize("center", [None, np.full(200, 5.0)])
def test_the_rough_index_misses_few_neighbors_and_ranks_exactly(center):
    rows = speech()
    index = rough_index(rows, fit_basis(rows), center=center)
    hits = 0
    for query in rows[:30]:
        exact = nearest(query, rows, 10, center=center)
        found = nearest_by_index(query, index, lambda places: rows[places], 10)
        assert np.isin(found.similarity[:1], exact.similarity).all()
        hits += np.isin(found.places, exact.places).sum()
    assert hits >= 0.98 * 300


@pytest.mark.parametrize("center", [None, np.full(200, 5.0)])
def test_the_rough_similarity_is_the_cosine_but_for_what_lies_outside_the_basis(center):
    rows = speech()
    index = rough_index(rows, fit_basis(rows), center=center)
    exact = nearest(rows[0], rows, len(rows), center=center)
    direction = unit_rows(rows[:1].astype(np.float32) - (0 if center is None else center))[0]
    rough = index.codes @ (index.axes @ direction)
    np.testing.assert_allclose(rough[exact.places[1:]], exact.similarity[1:], atol=0.02)


def test_the_second_look_reads_only_the_candidates():
    rows, read = speech(), []
    index = rough_index(rows, fit_basis(rows))

    def rows_at(places):
        read.append(len(places))
        return rows[places]

    nearest_by_index(rows[0], index, rows_at, 10)
    assert read == [similarity.CANDIDATES]
