"""Fits vocabulary and linear model to labeled texts."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_matrix
from sklearn.linear_model import LogisticRegression

from analysis.affect import softmax
from analysis.recognition.words.corpus import Comments
from analysis.recognition.words.model import Model
from analysis.recognition.words.tokens import features, phrases
from analysis.values import LABELS


@dataclass(frozen=True, slots=True)
class Settings:
    """What is chosen, not learned.

    inverse_penalty: C of the logistic regression. fewest_texts: a feature that fewer texts hold is left out.
    evenness: 0 weighs every text alike, 1 every label; unheard: probability of a label that no text has.
    fewest_words, known_share: below these the model is not asked.
    """

    inverse_penalty: float = 1.0
    fewest_texts: int = 3
    evenness: float = 0.5
    unheard: float = 0.01
    fewest_words: int = 3
    known_share: float = 0.7


def names_of(text: str) -> list[str]:
    return [feature.name for feature in features(phrases(text))]


def fit(comments: Comments, settings: Settings) -> Model:
    """The model for labeled texts; one with several labels counts in part for each. Deterministic."""
    rows = [names_of(text) for text in comments.texts]
    held = Counter(name for names in rows for name in set(names))
    vocabulary = tuple(sorted(name for name, n in held.items() if n >= settings.fewest_texts))
    rarity = np.log((1 + len(rows)) / (1 + np.array([held[name] for name in vocabulary]))) + 1
    nothing = np.zeros((len(vocabulary), len(LABELS)))
    blank = Model(vocabulary, rarity.astype(np.float32), nothing, np.zeros(len(LABELS)))
    texts = _matrix(blank, rows)
    row, label = np.nonzero(comments.targets)
    per_label = comments.targets.sum(axis=0)
    scarce = (per_label.sum() / np.maximum(per_label, 1)) ** settings.evenness
    weight = comments.targets[row, label] * scarce[label]
    head = LogisticRegression(C=settings.inverse_penalty, max_iter=1000)
    head.fit(texts[row], label, sample_weight=weight / weight.mean())
    weights, bias = nothing, _unheard_bias(head, texts, settings.unheard)
    weights[:, head.classes_], bias[head.classes_] = head.coef_.T, head.intercept_
    return Model(vocabulary, blank.rarity, weights.astype(np.float16), bias.astype(np.float32))


def _matrix(model: Model, rows: list[list[str]]) -> csr_matrix:
    weighed = [model.weigh(names) for names in rows]
    starts = np.concatenate([[0], np.cumsum([len(known) for known, _ in weighed])])
    places, values = (np.concatenate(column) for column in zip(*weighed, strict=True))
    return csr_matrix((values, places, starts), shape=(len(rows), len(model.vocabulary)))


def _unheard_bias(head: LogisticRegression, texts: csr_matrix, unheard: float) -> np.ndarray:
    """(9,): the constant logit that gives a label without any text the mean probability ``unheard``."""
    logits = texts @ head.coef_.T + head.intercept_
    top = logits.max(axis=1)
    total = top + np.log(np.exp(logits - top[:, None]).sum(axis=1))
    return np.full(len(LABELS), np.mean(total) + np.log(unheard))


def probabilities(model: Model, texts: list[str]) -> np.ndarray:
    """(n, 9) of n texts, without any abstention."""
    return softmax(np.array([model.logits(*model.weigh(names_of(text))) for text in texts]))
