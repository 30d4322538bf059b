"""Reference case 02: distances and rolling indices agree with scipy and pandas."""

import numpy as np
import pytest

from analysis.volatility import (
    Metric,
    Statistic,
    consecutive_distances,
    rolling,
    volatility_index,
)
from tests.analysis.reference import arrays, expected, numbers


@pytest.fixture(scope="module")
def case():
    return expected("02_volatility")


@pytest.fixture(scope="module")
def small():
    return arrays("embeddings_small")


def agrees(found, values):
    np.testing.assert_allclose(found, numbers(values), rtol=1e-5, atol=0)


@pytest.mark.parametrize(
    ("metric", "key"),
    [
        (Metric.L2, "l2_consecutive"),
        (Metric.COSINE, "cosine_distance_consecutive"),
        (Metric.CHORD, "chord_L2_of_unit_vectors"),
    ],
)
def test_consecutive_distances_agree_with_scipy(case, small, metric, key):
    agrees(consecutive_distances(small["emb"], metric), case[key])


@pytest.mark.parametrize("metric", [Metric.L2, Metric.COSINE])
def test_distances_within_sessions_skip_a_missing_row(case, small, metric):
    found = consecutive_distances(small["emb"], metric, sessions=small["session"], skip_missing=True)
    agrees(found, case[f"session_aware_skip_missing_{metric}"])


def test_the_index_agrees_with_pandas_for_partial_windows(case, small):
    agrees(volatility_index(small["emb"]), case["article_rolling_min1"])


def test_the_index_agrees_with_pandas_for_full_windows(case, small):
    found = volatility_index(small["emb"], full_windows_only=True)
    agrees(found, case["article_rolling_full_window_only"])
    assert found[-1] == pytest.approx(case["last5_article_value_at_end"], rel=1e-5)


@pytest.mark.parametrize("statistic", [Statistic.RMS, Statistic.MEDIAN])
def test_other_statistics_of_a_window_agree_with_pandas(case, small, statistic):
    found = rolling(consecutive_distances(small["emb"]), statistic)
    agrees(found, case[f"{statistic}_l2_rolling4"])


def test_the_mean_over_the_whole_series_agrees(case, small):
    assert np.nanmean(consecutive_distances(small["emb"])) == pytest.approx(
        case["whole_series_mean_l2"], rel=1e-5
    )
