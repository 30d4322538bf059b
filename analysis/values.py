"""The nouns of the analysis: what a sound, a reading and a point of mood are made of."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

import numpy as np

SAMPLE_RATE_HZ = 16_000

LABELS: tuple[str, ...] = (
    "angry", "disgusted", "fearful", "happy", "neutral", "other", "sad", "surprised", "unknown",
)  # fmt: skip
"""The nine labels of emotion2vec+, in the order of every score vector in this project."""

UNINFORMATIVE: frozenset[str] = frozenset({"other", "unknown"})
"""Labels that say nothing about affect: they weigh nothing and are never read as neutral."""


class Reading(StrEnum):
    """Whether a result may enter a series; every state but ``OK`` is a gap in it."""

    OK = "ok"
    NO_SPEECH = "no_speech"
    LOW_QUALITY = "low_quality"
    UNKNOWN = "unknown"
    AMBIGUOUS = "ambiguous"


class Headline(StrEnum):
    """The dimension that a recognizer reads best, so the one that pages show first."""

    VALENCE = "valence"
    AROUSAL = "arousal"


class Decomposition(StrEnum):
    """How frames relate to the utterance: an exact sum, or the same model on short windows."""

    EXACT = "exact"
    WINDOWED = "windowed"


@dataclass(frozen=True, slots=True, eq=False)
class Waveform:
    """Mono speech.

    samples: (n,) float32, finite, nominally within [-1, 1], at 16 kHz.
    """

    samples: np.ndarray

    @property
    def duration_s(self) -> float:
        return len(self.samples) / SAMPLE_RATE_HZ


@dataclass(frozen=True, slots=True)
class Quality:
    """What was measured about a recording before anybody tried to read it.

    duration_s: of the decoded audio, silence included.
    voiced_s: seconds that a voice-activity detector calls speech.
    speech_start_s, speech_end_s: first and last speech, seconds from the start (0, 0 without any).
    rms: root mean square of the speech samples, 0..1 (0 without speech).
    peak: largest absolute sample, 0..1.
    clipped_share: share of speech time inside runs of >= 3 consecutive samples >= .999, 0..1.
    truncated: the file ended before its own header said it would.
    """

    duration_s: float
    voiced_s: float
    speech_start_s: float
    speech_end_s: float
    rms: float
    peak: float
    clipped_share: float
    truncated: bool = False

    @property
    def voiced_share(self) -> float:
        return self.voiced_s / self.duration_s if self.duration_s > 0 else 0.0


@dataclass(frozen=True, slots=True, eq=False)
class Recognition:
    """What a recognizer gives for one utterance.

    scores: (9,) float32, in the order of ``LABELS``, raw (not calibrated), sum 1.
    embedding: (D,) float32, before any speaker correction.
    frames: (T, 9) float32 logits; ``softmax(mean of a window's rows)`` are that window's scores.
    frame_rate_hz: rows of ``frames`` per second.
    first_frame_s: center of row 0, seconds from the start of the waveform that was given.
    """

    scores: np.ndarray
    embedding: np.ndarray
    frames: np.ndarray
    frame_rate_hz: float
    first_frame_s: float
    decomposition: Decomposition


@dataclass(frozen=True, slots=True, eq=False)
class RecognizerCard:
    """What must be known of a recognizer to store, compare and explain its results.

    temperature: calibration, ``p ** (1 / T) / sum`` on stored scores; 1.0 leaves them as they are.
    center: (D,) float32, subtracted before cosine distances; constant for a version.
    typical_distance: population median of the window distance ``w`` (see volatility), used for
        the floor of the robust z; ``None`` where no population was measured.
    accuracy: one sentence with the published figures, shown to people beside every label.
    """

    id: str
    version: str
    dimension: int
    headline: Headline
    decomposition: Decomposition
    temperature: float = 1.0
    center: np.ndarray | None = None
    typical_distance: float | None = None
    accuracy: str = ""
    languages: tuple[str, ...] = field(default_factory=tuple)


@dataclass(frozen=True, slots=True, eq=False)
class SpeakerCorrection:
    """What is known of a speaker before a session starts, fixed for that session.

    mean: (D,) float32, mean embedding of the client's earlier, ended sessions.
    utterances: how many embeddings that mean was taken over; the shrinkage is n / (n + 5).
    """

    mean: np.ndarray
    utterances: int


class RecognizerError(Exception):
    """A recognizer could not be built or could not answer; the text says what to do."""
