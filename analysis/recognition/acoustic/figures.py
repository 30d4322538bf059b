"""The honest figures of the model card: recall, calibration, abstention, activation, sudden change."""

from __future__ import annotations

import numpy as np

from analysis.affect import AFFECTIVE, PAD, decide_reading
from analysis.recognition.calibration import (
    brier_score,
    expected_calibration_error,
    negative_log_likelihood,
    tempered,
)
from analysis.values import LABELS, Reading

CALM, BURST = ("neutral", "other", "sad"), ("angry", "sad", "happy", "neutral")
HIGH_ACTIVATION = ("angry", "fearful", "happy", "surprised")
WINDOW = 5
THRESHOLD, IN_A_ROW = 3.0, 3


def recalls(probability: np.ndarray, truth: np.ndarray) -> dict[str, float]:
    """Recall of each label that occurs."""
    guess = probability.argmax(axis=1)
    return {LABELS[k]: float(np.mean(guess[truth == k] == k)) for k in np.unique(truth)}


def average_recall(probability: np.ndarray, truth: np.ndarray) -> float:
    """UAR: the mean recall of the labels that occur."""
    return float(np.mean(list(recalls(probability, truth).values())))


def among(probability: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """The probabilities with every label that never occurs in ``truth`` struck out."""
    kept = np.zeros_like(probability)
    occurring = np.unique(truth)
    kept[:, occurring] = probability[:, occurring]
    return kept / kept.sum(axis=1, keepdims=True)


def calibration(probability: np.ndarray, truth: np.ndarray) -> dict[str, float]:
    """Negative log-likelihood, Brier score and expected calibration error (15 bins)."""
    return {
        "nll": negative_log_likelihood(probability, truth),
        "brier": brier_score(probability, truth),
        "ece": expected_calibration_error(probability, truth),
    }


def abstention(probability: np.ndarray, truth: np.ndarray, temperature: float) -> dict[str, float]:
    """Share of clips with each reading after calibration, and what abstaining buys.

    Accuracy is over clips whose true label speaks about affect; boredom (*other*) is rightly read as unknown.
    """
    calibrated = tempered(probability, temperature)
    reading = np.array([decide_reading(row) for row in calibrated])
    ok = reading == Reading.OK
    shares = {str(state): float(np.mean(reading == state)) for state in np.unique(reading)}
    affective = AFFECTIVE[truth]
    right = probability.argmax(axis=1) == truth
    return {
        **shares,
        "affective_ok": float(ok[affective].mean()),
        "accuracy_affective": float(right[affective].mean()),
        "accuracy_affective_ok": float(right[affective & ok].mean()),
    }


def activation_auc(probability: np.ndarray, truth: np.ndarray) -> float:
    """Probability that an utterance of a high-activation label gets more arousal than another.

    Arousal as ``affect.project`` has it, but for every utterance, also where the affect mass is small.
    """
    affective = probability[:, [LABELS.index(label) for label in PAD]]
    arousal = affective @ [point[1] for point in PAD.values()] / affective.sum(axis=1)
    high = np.isin(truth, [LABELS.index(label) for label in HIGH_ACTIVATION])
    above = arousal[high][:, None] - arousal[~high][None, :]
    return float(np.mean(above > 0) + 0.5 * np.mean(above == 0))


def window_distances(embeddings: np.ndarray, center: np.ndarray) -> np.ndarray:
    """(n - 4,) medians of four consecutive cosine distances after subtracting the center."""
    unit = embeddings - center
    unit = unit / np.maximum(np.linalg.norm(unit, axis=1, keepdims=True), 1e-12)
    distance = 1 - np.sum(unit[1:] * unit[:-1], axis=1)
    return np.median(np.lib.stride_tricks.sliding_window_view(distance, WINDOW - 1), axis=1)


def typical_distance(
    embeddings: np.ndarray, center: np.ndarray, speakers: np.ndarray, orders: int = 20
) -> float:
    """Median window distance over random orders of each speaker's utterances."""
    rng = np.random.default_rng(0)
    found = [
        window_distances(embeddings[rng.permutation(np.flatnonzero(speakers == speaker))], center)
        for speaker in np.unique(speakers)
        for _ in range(orders)
    ]
    return float(np.median(np.concatenate(found)))


def bursts(
    embeddings: np.ndarray,
    center: np.ndarray,
    speakers: np.ndarray,
    truth: np.ndarray,
    typical: float,
    runs: int = 20,
) -> dict[str, dict[str, float]]:
    """Whether a changing voice stands out from a calm person's own past, for each speaker.

    Baseline: six sessions of up to 12 calm utterances in random order. Then twelve utterances angry, sad,
    happy, neutral, ... (hit: robust z > 3 three times in a row), and one more calm session (false alarm).
    """
    rng = np.random.default_rng(0)
    label = np.array(LABELS)[truth]
    found = {}
    for speaker in np.unique(speakers):
        own = np.flatnonzero(speakers == speaker)
        calm = own[np.isin(label[own], CALM)]
        tries = [_one_burst(embeddings, center, own, label, calm, typical, rng) for _ in range(runs)]
        z, hit, alarm, share = (np.array(column) for column in zip(*tries, strict=True))
        found[str(speaker)] = {
            "median_z_in_burst": float(np.median(z)),
            "hit_share": float(hit.mean()),
            "calm_windows_above": float(share.mean()),
            "false_alarm_share": float(alarm.mean()),
        }
    return found


def _one_burst(
    embeddings: np.ndarray, center: np.ndarray, own: np.ndarray, label: np.ndarray, calm: np.ndarray,
    typical: float, rng: np.random.Generator,
) -> tuple[float, bool, bool, float]:  # fmt: skip
    sessions = [window_distances(embeddings[rng.permutation(calm)[:12]], center) for _ in range(6)]
    past = np.concatenate(sessions)
    median = np.median(past)
    scale = max(1.4826 * np.median(np.abs(past - median)), 0.05 * typical)
    orders = {wanted: rng.permutation(own[label[own] == wanted]) for wanted in BURST}
    burst = [orders[wanted][turn % len(orders[wanted])] for turn in range(3) for wanted in BURST]
    hot = (window_distances(embeddings[burst], center) - median) / scale
    quiet = (window_distances(embeddings[rng.permutation(calm)], center) - median) / scale
    return float(np.median(hot)), _fires(hot), _fires(quiet), float(np.mean(quiet > THRESHOLD))


def _fires(z: np.ndarray) -> bool:
    return bool(np.lib.stride_tricks.sliding_window_view(z > THRESHOLD, IN_A_ROW).all(axis=1).any())
