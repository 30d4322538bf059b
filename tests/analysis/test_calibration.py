"""A planted overconfidence is found and repaired, and scores of confidence agree with sums by hand."""

import numpy as np
import pytest

from analysis.recognition.calibration import (
    brier_score,
    expected_calibration_error,
    fit_temperature,
    negative_log_likelihood,
    tempered,
)


@pytest.fixture(scope="module")
def honest():
    """Probabilities and truths drawn from them, so that they are calibrated by construction."""
    rng = np.random.default_rng(0)
    probabilities = rng.dirichlet(np.full(9, 0.5), 20_000)
    truth = (rng.random((20_000, 1)) > np.cumsum(probabilities, axis=1)).sum(axis=1).clip(0, 8)
    return probabilities, truth


@pytest.mark.parametrize("planted", [0.5, 1.0, 2.5])
def test_a_planted_temperature_is_found(honest, planted):
    probabilities, truth = honest
    assert fit_temperature(tempered(probabilities, 1 / planted), truth) == pytest.approx(planted, rel=0.05)


def test_tempering_back_and_forth_changes_nothing(honest):
    probabilities = honest[0][:50]
    assert np.allclose(tempered(tempered(probabilities, 3.0), 1 / 3.0), probabilities, atol=1e-9)


def test_honest_probabilities_have_next_to_no_calibration_error(honest):
    assert expected_calibration_error(*honest) < 0.015


def test_overconfident_probabilities_have_a_large_calibration_error(honest):
    probabilities, truth = honest
    assert expected_calibration_error(tempered(probabilities, 0.3), truth) > 0.15


def test_scores_of_a_small_case_agree_with_sums_by_hand():
    probabilities = np.array([[0.8, 0.2], [0.6, 0.4]])
    truth = np.array([0, 1])
    assert negative_log_likelihood(probabilities, truth) == pytest.approx(-(np.log(0.8) + np.log(0.4)) / 2)
    assert brier_score(probabilities, truth) == pytest.approx((0.08 + 0.72) / 2)
    assert expected_calibration_error(probabilities, truth) == pytest.approx((0.2 + 0.6) / 2)
