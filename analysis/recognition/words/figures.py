"""The honest figures of the model card: per label, calibration, abstention, length, other languages."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from analysis.affect import project
from analysis.recognition.calibration import (
    brier_score,
    expected_calibration_error,
    negative_log_likelihood,
    tempered,
)
from analysis.recognition.words.corpus import Comments
from analysis.recognition.words.recognizer import WordRecognizer, WordsReading
from analysis.recognition.words.tokens import phrases
from analysis.values import LABELS

LENGTHS = ((3, 5), (6, 10), (11, 20), (21, 40))


def per_label(guess: np.ndarray, truth: np.ndarray) -> dict[str, dict[str, float]]:
    """Recall, precision, F1 and number of texts of each label that occurs."""
    found = {}
    for k in np.unique(truth):
        right = float(np.sum((guess == k) & (truth == k)))
        n, guessed = int(np.sum(truth == k)), int(np.sum(guess == k))
        found[LABELS[k]] = {
            "n": n,
            "recall": right / n,
            "precision": right / guessed if guessed else 0.0,
            "f1": 2 * right / (n + guessed),
        }
    return found


def confusion(guess: np.ndarray, truth: np.ndarray) -> dict[str, dict[str, float]]:
    """For each label that occurs, the share of its texts that is taken for each label."""
    return {
        LABELS[k]: {LABELS[j]: float(np.mean(guess[truth == k] == j)) for j in np.unique(guess)}
        for k in np.unique(truth)
    }


def calibration(probability: np.ndarray, truth: np.ndarray) -> dict[str, float]:
    return {
        "nll": negative_log_likelihood(probability, truth),
        "brier": brier_score(probability, truth),
        "ece": expected_calibration_error(probability, truth),
    }


def of_test(found: np.ndarray, comments: Comments, temperature: float) -> dict:
    """found: (n, 9) raw probabilities of all comments, none left out for being short."""
    certain = comments.certain
    guess, truth = found[certain].argmax(axis=1), comments.truth[certain]
    labels = per_label(guess, truth)
    several = comments.targets[~certain]
    return {
        "comments": len(certain),
        "with_one_label": int(certain.sum()),
        "uar": float(np.mean([row["recall"] for row in labels.values()])),
        "macro_f1": float(np.mean([row["f1"] for row in labels.values()])),
        "accuracy": float(np.mean(guess == truth)),
        "labels": labels,
        "confusion": confusion(guess, truth),
        "any_label_of_several": float(
            np.mean(several[np.arange(len(several)), found[~certain].argmax(axis=1)] > 0)
        ),
        "before_calibration": calibration(found[certain], truth),
        "after_calibration": calibration(tempered(found[certain], temperature), truth),
    }


def abstention(recognizer: WordRecognizer, comments: Comments) -> dict:
    """What each comment's reading is, and how often a label that is shown is the right one."""
    read = [recognizer.read(text) for text in comments.texts]
    ok = np.array([answer.reading == WordsReading.OK for answer in read])
    right = np.array([
        answer.scores is not None and answer.scores.argmax() == truth
        for answer, truth in zip(read, comments.truth, strict=True)
    ])  # fmt: skip
    shown = ok & comments.certain
    words = np.array([sum(len(phrase) for phrase in phrases(text)) for text in comments.texts])
    return {
        "readings": shares_of([answer.reading for answer in read]),
        "accuracy_where_ok": float(right[shown].mean()),
        "accuracy_where_ok_by_words": {
            f"{low}-{high}": float(right[shown & (words >= low) & (words <= high)].mean())
            for low, high in LENGTHS
        },
        "valence": valence_agreement(read, comments),
    }


def valence_agreement(read: Sequence, comments: Comments) -> dict[str, float]:
    """Of readings whose valence lies beyond ±.2, on comments with one label that has a valence: same sign."""
    truth = np.eye(len(LABELS))[comments.truth]
    pairs = [
        (project(answer.scores).valence, project(row).valence)
        for answer, row, certain in zip(read, truth, comments.certain, strict=True)
        if certain and answer.reading == WordsReading.OK
    ]
    told = [(said, true) for said, true in pairs if true and abs(said) > 0.2]
    return {"n": len(told), "same_sign": float(np.mean([said * true > 0 for said, true in told]))}


def shares_of(readings: Sequence[str]) -> dict[str, float]:
    return {str(state): float(np.mean(np.array(readings) == state)) for state in sorted(set(readings))}
