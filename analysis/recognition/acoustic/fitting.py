"""Fits the small linear model to labeled features; the same steps serve shipping and every test fold."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from sklearn.linear_model import LogisticRegression

from analysis.recognition.acoustic.augment import disturbed
from analysis.recognition.acoustic.corpus import Clip
from analysis.recognition.acoustic.features import functionals
from analysis.recognition.acoustic.model import Model
from analysis.recognition.acoustic.recognizer import describe_any
from analysis.values import LABELS

SURPRISED = LABELS.index("surprised")


@dataclass(frozen=True, slots=True)
class Settings:
    """What is chosen, not learned.

    inverse_penalty: C of the logistic regression; copies: disturbed versions of each clip;
    unheard: mean probability of a label that the training speech does not hold (surprised, unknown);
    bursts_weight: total weight of EmoGator's surprised bursts per weight of speech, 0 leaves them out.
    """

    inverse_penalty: float = 0.01
    copies: int = 4
    seed: int = 0
    unheard: float = 0.01
    bursts_weight: float = 0.0


def features_of(clip: Clip) -> np.ndarray:
    """(D,) float32 of the clip as it is."""
    return functionals(describe_any(clip.waveform.samples))


def disturbed_features(clip: Clip, number: int, settings: Settings) -> np.ndarray:
    """(copies, D) float32 of the clip through other microphones and rooms; the same on every run."""
    rng = np.random.default_rng([settings.seed, number])
    copies = [disturbed(clip.waveform.samples, rng) for _ in range(settings.copies)]
    return np.array([functionals(describe_any(copy)) for copy in copies])


def fit(
    clean: np.ndarray,
    copies: np.ndarray,
    truth: np.ndarray,
    settings: Settings,
    bursts: np.ndarray | None = None,
) -> Model:
    """The model for (n, D) clean features, their (n, copies, D) disturbed versions and (n,) labels.

    Every label weighs the same whatever its number of clips, and the copies of a clip together weigh as much
    as the clip. bursts: (m, D) of surprised vocal bursts.
    """
    rows = np.vstack([clean, copies.reshape(-1, clean.shape[1])]).astype(np.float64)
    labels = np.concatenate([truth, np.repeat(truth, copies.shape[1])])
    share = np.repeat([1.0, 1.0 / max(1, copies.shape[1])], [len(clean), len(rows) - len(clean)])
    mean = np.average(rows, axis=0, weights=share)
    scale = np.maximum(np.sqrt(np.average((rows - mean) ** 2, axis=0, weights=share)), 1e-6)
    blank = Model(mean, scale, np.zeros((len(LABELS), len(mean))), np.zeros(len(LABELS)), np.zeros(len(mean)))
    embedded, weight = blank.embed(rows), balanced_weights(labels) * share
    if bursts is not None and settings.bursts_weight > 0:
        embedded = np.vstack([embedded, blank.embed(bursts)])
        burst = settings.bursts_weight * weight.sum() / len(bursts)
        weight = np.concatenate([weight, np.full(len(bursts), burst)])
        labels = np.concatenate([labels, np.full(len(bursts), SURPRISED)])
    head = LogisticRegression(C=settings.inverse_penalty, max_iter=1000)
    head.fit(embedded.astype(np.float64), labels, sample_weight=weight)
    weights, bias = _nine(head, embedded, settings.unheard)
    return Model(
        *(a.astype(np.float32) for a in (mean, scale, weights, bias, blank.embed(clean).mean(axis=0)))
    )


def balanced_weights(labels: np.ndarray) -> np.ndarray:
    """(n,) weights with mean 1 that sum to the same for every label."""
    found, place, count = np.unique(labels, return_inverse=True, return_counts=True)
    return len(labels) / (len(found) * count[place])


def _nine(head: LogisticRegression, embedded: np.ndarray, unheard: float) -> tuple[np.ndarray, np.ndarray]:
    """Spread a head over nine labels; an unheard one gets a constant logit, ``unheard`` in probability."""
    logits = embedded @ head.coef_.T + head.intercept_
    top = logits.max(axis=1)
    constant = np.mean(top + np.log(np.exp(logits - top[:, None]).sum(axis=1))) + np.log(unheard)
    weights = np.zeros((len(LABELS), embedded.shape[1]))
    bias = np.full(len(LABELS), constant)
    weights[head.classes_], bias[head.classes_] = head.coef_, head.intercept_
    return weights, bias


def probabilities(
    model: Model, features: np.ndarray, mean: np.ndarray | None = None, heard: int = 0
) -> np.ndarray:
    """(n, 9) of (n, D) features; mean: (D,) embedding of the speaker over ``heard`` earlier utterances."""
    embedded = model.embed(features).astype(np.float64)
    if mean is not None:
        embedded = embedded - mean * heard / (heard + 5.0)
    logits = embedded @ model.weights.T + model.bias
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    return powers / powers.sum(axis=1, keepdims=True)
