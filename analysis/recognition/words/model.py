"""The parameters of the word recognizer: a vocabulary, how rare each feature is, and a linear classifier."""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from analysis.values import LABELS, RecognizerError

FOLDER = Path(__file__).parent
WEIGHTS, CONFIG = FOLDER / "weights.npz", FOLDER / "config.json"
_TRAIN = "python -m analysis.recognition.words.train"


@dataclass(frozen=True, eq=False)
class Model:
    """vocabulary: F feature names. rarity: (F,) float32, ln((1 + n) / (1 + n with it)) + 1.

    weights: (F, 9) float16, bias: (9,) float32, in label order.
    """

    vocabulary: tuple[str, ...]
    rarity: np.ndarray
    weights: np.ndarray
    bias: np.ndarray

    @cached_property
    def place(self) -> dict[str, int]:
        return {name: i for i, name in enumerate(self.vocabulary)}

    def weigh(self, names: Iterable[str]) -> tuple[np.ndarray, np.ndarray]:
        """Places (m,) of the known features of one text and their weights (m,), of Euclidean length 1.

        A feature weighs (1 + ln of how often it occurs) · rarity (Salton & Buckley 1988).
        """
        place = self.place
        counts = Counter(found for name in names if (found := place.get(name)) is not None)
        known = np.fromiter(counts, dtype=np.intp, count=len(counts))
        values = np.array([1.0 + math.log(n) for n in counts.values()]) * self.rarity[known]
        length = np.sqrt(values @ values) if len(values) else 1.0
        return known, values / length

    def logits(self, known: np.ndarray, values: np.ndarray) -> np.ndarray:
        """(9,) float64."""
        return values @ self.weights[known].astype(np.float64) + self.bias

    def save(self, path: Path) -> None:
        """Write the parameters without pickle."""
        names = np.frombuffer("\n".join(self.vocabulary).encode(), dtype=np.uint8)
        np.savez_compressed(path, vocabulary=names, rarity=self.rarity, weights=self.weights, bias=self.bias)


def load(path: Path = WEIGHTS) -> Model:
    """Read and check parameters; raises ``RecognizerError`` when the file is missing or wrong."""
    if not path.exists():
        raise RecognizerError(f"{path.name} is missing: run {_TRAIN}")
    with np.load(path, allow_pickle=False) as stored:
        names = tuple(stored["vocabulary"].tobytes().decode().split("\n"))
        model = Model(names, stored["rarity"], stored["weights"], stored["bias"])
    expected = {"rarity": (len(names),), "weights": (len(names), len(LABELS)), "bias": (len(LABELS),)}
    for name, shape in expected.items():
        values = getattr(model, name)
        if values.shape != shape or not np.isfinite(values).all():
            raise RecognizerError(f"{path.name}: {name} has shape {values.shape}, expected finite {shape}")
    return model


def read_config(path: Path = CONFIG) -> dict:
    """The settings and the measured figures that belong to the weights."""
    if not path.exists():
        raise RecognizerError(f"{path.name} is missing: run {_TRAIN}")
    config = json.loads(path.read_text(encoding="utf-8"))
    if tuple(config["labels"]) != LABELS:
        raise RecognizerError(f"{path.name} names the labels {config['labels']}, expected {list(LABELS)}")
    return config
