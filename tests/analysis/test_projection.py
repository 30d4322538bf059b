"""Directions of embeddings: planted ones are found, in blocks as at once, and bad rows have named errors."""

import tracemalloc

import numpy as np
import pytest
from sklearn.decomposition import PCA

from analysis import projection
from analysis.projection import fit_basis, plane, unit_rows
from analysis.similarity import nearest


def planted(n=400, seed=0) -> tuple[np.ndarray, np.ndarray]:
    """Rows that differ along two orthonormal directions, by 5 and by 2, far from zero; and the directions."""
    rng = np.random.default_rng(seed)
    directions = np.linalg.qr(rng.normal(size=(20, 2)))[0].T
    return 100 + rng.normal(size=(n, 2)) * [5, 2] @ directions, directions


def test_planted_directions_are_found_largest_first():
    rows, directions = planted()
    basis = fit_basis(rows)
    assert basis.axes.shape == (2, 20)
    np.testing.assert_allclose(np.abs(np.sum(basis.axes * directions, axis=1)), 1, atol=2e-3)
    np.testing.assert_allclose(basis.explained, [25 / 29, 4 / 29], atol=0.02)


def test_coordinates_agree_with_scikit_learn():
    rows = np.random.default_rng(1).normal(size=(300, 30)).astype(np.float32) * np.linspace(
        3, 1, 30, dtype="f4"
    )
    peer = PCA(10, svd_solver="covariance_eigh").fit(rows)
    basis = fit_basis(rows, 10)
    np.testing.assert_allclose(np.abs(basis.project(rows)), np.abs(peer.transform(rows)), atol=2e-4)
    np.testing.assert_allclose(basis.explained, peer.explained_variance_ratio_, rtol=1e-4)


def test_blocks_end_in_the_same_directions_as_one_piece(monkeypatch):
    rows, _directions = planted()
    whole = fit_basis(rows)
    monkeypatch.setattr(projection, "BLOCK_BYTES", 4 * 20 * 7)
    parts = fit_basis(rows)
    np.testing.assert_allclose(parts.axes, whole.axes, atol=1e-5)
    np.testing.assert_allclose(parts.project(rows), whole.project(rows), atol=1e-3)


def test_each_direction_points_where_its_largest_number_is_positive():
    axes = fit_basis(np.random.default_rng(0).normal(size=(90, 12))).axes
    assert (np.take_along_axis(axes, np.abs(axes).argmax(axis=1, keepdims=True), axis=1) > 0).all()


def test_the_order_of_the_rows_does_not_turn_the_map():
    rows, _directions = planted()
    shuffled = np.random.default_rng(2).permutation(len(rows))
    here, there = plane(fit_basis(rows), rows), plane(fit_basis(rows[shuffled]), rows)
    np.testing.assert_allclose(here.positions, there.positions, atol=1e-3)


@pytest.mark.parametrize(("n", "dimension", "kept"), [(5, 80, 4), (200, 80, 50), (200, 3, 3), (1, 3, 0)])
def test_no_more_directions_than_the_data_have(n, dimension, kept):
    rows = np.random.default_rng(0).normal(size=(n, dimension))
    assert fit_basis(rows).axes.shape == (kept, dimension)


def test_a_constant_history_has_no_direction_and_an_empty_map():
    rows = np.full((50, 4), 7.5, dtype=np.float16)
    found = plane(fit_basis(rows), rows)
    assert found.positions.tolist() == [[0, 0]] * 50
    assert found.explained.tolist() == [0, 0]


def test_the_map_states_how_much_it_shows():
    rows, _directions = planted()
    assert plane(fit_basis(rows), rows).explained.sum() == pytest.approx(1)


def test_a_lifted_point_is_projected_back_to_where_it_was():
    rows, _directions = planted()
    basis = fit_basis(rows)
    np.testing.assert_allclose(basis.lift([[1, -2]]) @ basis.axes.T, [[1, -2]], atol=1e-5)


def test_a_row_without_direction_stays_zero():
    assert unit_rows(np.array([[3.0, 4.0], [0.0, 0.0]])).tolist() == [[0.6, 0.8], [0, 0]]


@pytest.mark.parametrize(
    ("rows", "slug"),
    [
        (np.empty((0, 3)), "at least one row"),
        (np.ones(3), r"\(n, D\)"),
        (np.ones((3, 0)), r"\(n, D\)"),
        ([[1.0, np.nan]], "NaN or infinity"),
        ([[1.0, np.inf]], "NaN or infinity"),
    ],
)
def test_rows_that_cannot_be_used_are_named(rows, slug):
    with pytest.raises(ValueError, match=slug):
        fit_basis(rows)


def test_another_dimension_is_named():
    rows, _directions = planted()
    with pytest.raises(ValueError, match="embedding-dimension: the basis has 20 dimensions, the rows 21"):
        fit_basis(rows).project(np.ones((2, 21)))


def test_few_rows_of_many_numbers_have_the_directions_of_their_covariance():
    rows = np.random.default_rng(3).normal(size=(30, 40))
    few, many = projection._from_few(rows, 10), projection._from_many(rows, 10)
    np.testing.assert_allclose(few[1], many[1], rtol=1e-5)
    np.testing.assert_allclose(np.abs(np.sum(few[2] * many[2], axis=1)), 1, atol=1e-4)
    assert few[3] == pytest.approx(many[3])


def test_memory_does_not_grow_with_the_rows(monkeypatch, tmp_path):
    monkeypatch.setattr(projection, "BLOCK_BYTES", 2**19)
    shape = (40_000, 128)
    rows = np.lib.format.open_memmap(tmp_path / "rows.npy", "w+", np.float16, shape)
    for start in range(0, len(rows), 5000):
        rows[start : start + 5000] = np.random.default_rng(start).normal(size=(5000, 128))
    tracemalloc.start()
    basis = fit_basis(rows)
    nearest(rows[0], rows, 10)
    _now, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert basis.dimension == 128
    assert peak < rows.nbytes / 2
