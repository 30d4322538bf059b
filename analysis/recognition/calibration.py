"""Says how far a recognizer's confidence can be believed, and fits the one number that repairs it.

Probabilities are (n, K) with rows that sum to 1; truth is (n,) int, the column of the true label.
"""

from __future__ import annotations

import numpy as np
from scipy.optimize import minimize_scalar

SMALLEST = 1e-12
FEWEST = 500
"""A temperature fitted on fewer utterances is not to be shipped."""


def tempered(probabilities: np.ndarray, temperature: float) -> np.ndarray:
    """``p ** (1 / T)``, rows again summing to 1 (Guo et al. 2017, for stored probabilities)."""
    logs = np.log(np.maximum(probabilities, SMALLEST)) / temperature
    powers = np.exp(logs - logs.max(axis=1, keepdims=True))
    return powers / powers.sum(axis=1, keepdims=True)


def fit_temperature(probabilities: np.ndarray, truth: np.ndarray) -> float:
    """The temperature between .1 and 10 with the least negative log-likelihood."""
    best = minimize_scalar(
        lambda log_t: negative_log_likelihood(tempered(probabilities, np.exp(log_t)), truth),
        bounds=(np.log(0.1), np.log(10.0)),
        method="bounded",
        options={"xatol": 1e-5},
    )
    return float(np.exp(best.x))


def negative_log_likelihood(probabilities: np.ndarray, truth: np.ndarray) -> float:
    """Mean of -ln p(truth), nats."""
    chosen = probabilities[np.arange(len(truth)), truth]
    return float(-np.mean(np.log(np.maximum(chosen, SMALLEST))))


def brier_score(probabilities: np.ndarray, truth: np.ndarray) -> float:
    """Mean squared distance to the one-hot truth, summed over labels, 0..2 (Brier 1950)."""
    target = np.eye(probabilities.shape[1])[truth]
    return float(np.mean(np.sum((probabilities - target) ** 2, axis=1)))


def expected_calibration_error(probabilities: np.ndarray, truth: np.ndarray, bins: int = 15) -> float:
    """Mean gap between confidence and accuracy over equally wide bins of confidence, 0..1."""
    confidence = probabilities.max(axis=1)
    right = probabilities.argmax(axis=1) == truth
    place = np.minimum((confidence * bins).astype(int), bins - 1)
    gap = np.bincount(place, right - confidence, minlength=bins)
    return float(np.abs(gap).sum() / len(truth))
