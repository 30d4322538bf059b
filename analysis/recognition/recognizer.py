"""The interface that every speech-emotion recognizer offers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np

from analysis.values import Recognition, RecognizerCard, SpeakerCorrection, Waveform


class Recognizer(Protocol):
    """Speech in, nine scores and an embedding out. Thread-safe; results do not depend on the batch."""

    card: RecognizerCard

    def recognize(
        self,
        waveforms: Sequence[Waveform],
        corrections: Sequence[SpeakerCorrection | None] | None = None,
    ) -> list[Recognition]:
        """Read each waveform (trimmed speech of at least .5 s), in order.

        Raises ``RecognizerError`` when no honest answer can be given; never returns non-finite numbers.
        """
        ...

    def scores_from_embedding(
        self, embedding: np.ndarray, correction: SpeakerCorrection | None = None
    ) -> np.ndarray:
        """The raw (9,) scores that belong to a stored embedding, without its audio."""
        ...
