"""Reference case 09: partitions, silhouettes, medoids and neighbors agree with scikit-learn."""

import numpy as np
import pytest

from analysis.clusters import typical_members
from analysis.partitions import (
    adjusted_rand,
    best_partition,
    cosine_silhouette,
    k_means,
    nearest_centers,
)
from analysis.projection import fit_basis, unit_rows
from analysis.similarity import nearest
from tests.analysis.reference import arrays, expected


@pytest.fixture(scope="module")
def case():
    return expected("09_clustering")


@pytest.fixture(scope="module")
def given():
    return arrays("clusters")


@pytest.fixture(scope="module")
def points(given):
    return unit_rows(given["emb"].astype(np.float64))


@pytest.mark.parametrize("k", [2, 3, 4])
def test_the_silhouette_of_each_partition_agrees(case, given, points, k):
    labels = nearest_centers(points, k_means(points, k))
    found = case["by_k"][str(k)]
    assert cosine_silhouette(points, labels).mean() == pytest.approx(found["silhouette_cosine"], abs=1e-3)
    assert adjusted_rand(given["true"], labels) == pytest.approx(found["ari_true"], abs=1e-9)


def test_the_number_of_clusters_and_their_members_agree(case, given, points):
    centers, silhouette = best_partition(points)
    assert len(centers) == case["best_k_silhouette"]
    assert silhouette == pytest.approx(case["by_k"]["4"]["silhouette_cosine"], abs=1e-3)
    assert adjusted_rand(given["true"], nearest_centers(points, centers)) == 1


def test_sizes_and_medoids_agree(case, points):
    labels = nearest_centers(points, k_means(points, 4))
    members = sorted((np.flatnonzero(labels == i) for i in range(4)), key=len, reverse=True)
    found = case["k4_clusters_by_size"]
    assert [len(m) for m in members] == [cluster["size"] for cluster in found]
    medoids = [typical_members(points, m)[0] for m in members]
    assert medoids == [cluster["medoid_min_sum_cosine"] for cluster in found]


def test_the_nearest_rows_agree(case, given):
    found = nearest(given["emb"][0], given["emb"], 11)
    assert found.places[0] == 0
    assert found.places[1:].tolist() == case["nearest10_cosine_to_row0"]
    np.testing.assert_allclose(found.similarity[1:], case["nearest10_similarity"], rtol=1e-5)


def test_the_explained_variance_agrees(case, points):
    found = fit_basis(points, 10).explained
    np.testing.assert_allclose(found, case["pca10_explained_variance_ratio"], rtol=1e-4)
