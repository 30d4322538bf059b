"""Recognizers whose answers are planted: they let a test break recognition, and never judge a voice."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence

import numpy as np

from analysis.values import (
    LABELS,
    Decomposition,
    Headline,
    Recognition,
    RecognizerCard,
    RecognizerError,
    SpeakerCorrection,
    Waveform,
)
from emotrack.recognition import RecognitionService

DIMENSION = 8


class FakeRecognizer:
    """Loud speech sounds angry, quiet speech sad; the embedding tells the level and the length."""

    def __init__(self) -> None:
        self.card = RecognizerCard(
            id="fake",
            version="1",
            dimension=DIMENSION,
            headline=Headline.AROUSAL,
            decomposition=Decomposition.WINDOWED,
            temperature=2.0,
            typical_distance=0.1,
            accuracy="Planted.",
        )
        self.broken: Callable[[], Exception] | None = None
        self.spoiled: Callable[[Recognition], Recognition] | None = None
        self.asked = 0
        self.batches: list[int] = []
        self.corrections: list[SpeakerCorrection | None] = []
        self.hold = threading.Event()
        self.hold.set()

    def recognize(
        self,
        waveforms: Sequence[Waveform],
        corrections: Sequence[SpeakerCorrection | None] | None = None,
    ) -> list[Recognition]:
        self.asked += 1
        assert self.hold.wait(30)
        if self.broken is not None:
            raise self.broken()
        self.batches.append(len(waveforms))
        self.corrections.extend(corrections or [])
        results = [self._read(w) for w in waveforms]
        return [self.spoiled(r) if self.spoiled else r for r in results]

    def _read(self, waveform: Waveform) -> Recognition:
        level = float(np.sqrt(np.mean(waveform.samples**2)))
        top = "angry" if level > 0.1 else "sad"
        logits = np.array([4.0 if label == top else 0.0 for label in LABELS], dtype=np.float32)
        shares = np.exp(logits) / np.exp(logits).sum()
        embedding = np.zeros(DIMENSION, dtype=np.float32)
        embedding[:2] = level, waveform.duration_s
        frames = np.repeat(logits[None], max(1, int(2 * waveform.duration_s)), axis=0)
        return Recognition(shares, embedding, frames, 2.0, 1.0, Decomposition.WINDOWED)

    def scores_from_embedding(
        self, embedding: np.ndarray, correction: SpeakerCorrection | None = None
    ) -> np.ndarray:
        raise RecognizerError("A fake reads only sound.")


def service_of(recognizer: FakeRecognizer) -> RecognitionService:
    return RecognitionService(lambda: recognizer)
