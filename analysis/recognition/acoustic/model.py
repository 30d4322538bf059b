"""The small linear model: features in, an embedding and nine scores out, in numpy alone."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from analysis.values import LABELS, RecognizerError, SpeakerCorrection

FOLDER = Path(__file__).parent
WEIGHTS, CONFIG = FOLDER / "weights.npz", FOLDER / "config.json"
SHRINKAGE = 5.0
LARGEST = 4.0
"""Standardized features are held within this many deviations: beyond lies a broken measurement."""


@dataclass(frozen=True, slots=True, eq=False)
class Model:
    """Parameters of the embedding and its head.

    mean, scale: (D,) of the features in training; weights: (9, D); bias: (9,), both in label order;
    center: (D,) mean embedding of undisturbed training speech.
    """

    mean: np.ndarray
    scale: np.ndarray
    weights: np.ndarray
    bias: np.ndarray
    center: np.ndarray

    def embed(self, features: np.ndarray) -> np.ndarray:
        """(..., D) float32 standardized features, rounded to the half precision in which they are stored."""
        standardized = np.clip((features - self.mean) / self.scale, -LARGEST, LARGEST)
        return standardized.astype(np.float16).astype(np.float32)

    def logits(self, embedding: np.ndarray, correction: SpeakerCorrection | None = None) -> np.ndarray:
        """(9,) float64 logits of one (D,) embedding, the speaker's own mean removed as far as it is known."""
        return self.weights.astype(np.float64) @ corrected(embedding, correction) + self.bias

    def save(self, path: Path) -> None:
        """Write the parameters as float32, without pickle."""
        arrays = {name: getattr(self, name).astype(np.float32) for name in self.__slots__}
        np.savez(path, **arrays)


def corrected(embedding: np.ndarray, correction: SpeakerCorrection | None) -> np.ndarray:
    """The embedding less ``mean * n / (n + 5)``: a speaker heard little is corrected little."""
    if correction is None or correction.utterances <= 0:
        return embedding.astype(np.float64)
    share = correction.utterances / (correction.utterances + SHRINKAGE)
    return embedding.astype(np.float64) - share * correction.mean


def load(path: Path = WEIGHTS) -> Model:
    """Read and check parameters; raises ``RecognizerError`` when the file is missing or wrong."""
    if not path.exists():
        raise RecognizerError(f"{path.name} is missing: run python -m analysis.recognition.acoustic.train")
    with np.load(path, allow_pickle=False) as stored:
        model = Model(**{name: stored[name] for name in Model.__slots__})
    dimension = len(model.mean)
    expected = {"mean": (dimension,), "scale": (dimension,), "weights": (len(LABELS), dimension),
                "bias": (len(LABELS),), "center": (dimension,)}  # fmt: skip
    for name, shape in expected.items():
        values = getattr(model, name)
        if values.shape != shape or not np.isfinite(values).all():
            raise RecognizerError(f"{path.name}: {name} has shape {values.shape}, expected finite {shape}")
    return model


def read_config(path: Path = CONFIG) -> dict:
    """The settings and the measured figures that belong to the weights."""
    if not path.exists():
        raise RecognizerError(f"{path.name} is missing: run python -m analysis.recognition.acoustic.train")
    config = json.loads(path.read_text())
    if tuple(config["labels"]) != LABELS:
        raise RecognizerError(f"{path.name} names the labels {config['labels']}, expected {list(LABELS)}")
    return config
