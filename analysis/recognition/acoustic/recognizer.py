"""Reads emotion from the sound of a voice with the small model that comes with this project."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from analysis.recognition.acoustic import model as linear
from analysis.recognition.acoustic.descriptors import FRAMES_PER_S, Descriptors, describe
from analysis.recognition.acoustic.features import functionals
from analysis.values import (
    SAMPLE_RATE_HZ,
    Decomposition,
    Headline,
    Recognition,
    RecognizerCard,
    RecognizerError,
    SpeakerCorrection,
    Waveform,
)

WINDOW, HOP = 2 * FRAMES_PER_S, FRAMES_PER_S // 2
SHORTEST_S = 0.5
CHUNK_S = 60
FEWEST_VOICED = 20
"""A window with less voice than this (10 ms each) says nothing of its own."""


class AcousticRecognizer:
    """Prosody and spectrum, a linear model, no speaker or language knowledge; thread-safe."""

    card: RecognizerCard

    def __init__(self, weights: Path = linear.WEIGHTS, config: Path = linear.CONFIG) -> None:
        self.model = linear.load(weights)
        settings = linear.read_config(config)
        self.card = RecognizerCard(
            id=settings["id"],
            version=settings["version"],
            dimension=len(self.model.mean),
            headline=Headline.AROUSAL,
            decomposition=Decomposition.WINDOWED,
            temperature=settings["temperature"],
            center=self.model.center,
            typical_distance=settings["typical_distance"],
            accuracy=settings["accuracy"],
            languages=tuple(settings["languages"]),
        )

    def recognize(
        self,
        waveforms: Sequence[Waveform],
        corrections: Sequence[SpeakerCorrection | None] | None = None,
    ) -> list[Recognition]:
        """Read each waveform by itself, in order; at least .5 s, mono, 16 kHz, finite.

        Frames are the same model on 2 s windows every .5 s, row 0 centered at 1 s; shorter speech gives one
        frame, the whole. A window that holds hardly any voice repeats the utterance's own logits.
        Raises ``RecognizerError`` for anything that is not such a waveform.
        """
        corrections = [None] * len(waveforms) if corrections is None else corrections
        return [self._recognize(*pair) for pair in zip(waveforms, corrections, strict=True)]

    def scores_from_embedding(
        self, embedding: np.ndarray, correction: SpeakerCorrection | None = None
    ) -> np.ndarray:
        """The raw (9,) float32 scores of a stored embedding: equal to those given with it."""
        embedding = np.asarray(embedding)
        if embedding.shape != (self.card.dimension,) or not np.isfinite(embedding).all():
            raise RecognizerError(f"an embedding of this recognizer is {self.card.dimension} finite numbers")
        return _softmax(self.model.logits(embedding.astype(np.float32), correction))

    def _recognize(self, waveform: Waveform, correction: SpeakerCorrection | None) -> Recognition:
        frames = describe_any(_checked(waveform))
        embedding = self.model.embed(functionals(frames))
        logits = self.model.logits(embedding, correction)
        windows = [self._window_logits(part, correction, logits) for part in _windows(frames)]
        curve = np.stack(windows).astype(np.float16).astype(np.float32)
        if not (np.isfinite(logits).all() and np.isfinite(curve).all()):
            raise RecognizerError("the features of this recording are not finite")
        whole = len(frames.level_db) < WINDOW
        return Recognition(
            scores=_softmax(logits),
            embedding=embedding,
            frames=curve,
            frame_rate_hz=FRAMES_PER_S / HOP,
            first_frame_s=waveform.duration_s / 2 if whole else WINDOW / FRAMES_PER_S / 2,
            decomposition=Decomposition.WINDOWED,
        )

    def _window_logits(
        self, part: Descriptors | None, correction: SpeakerCorrection | None, otherwise: np.ndarray
    ) -> np.ndarray:
        if part is None or part.voiced.sum() < FEWEST_VOICED:
            return otherwise
        return self.model.logits(self.model.embed(functionals(part)), correction)


def describe_any(samples: np.ndarray) -> Descriptors:
    """Descriptors of speech of any length; long speech is described a minute at a time to bound memory."""
    pieces = max(1, round(len(samples) / (CHUNK_S * SAMPLE_RATE_HZ)))
    described = [describe(piece) for piece in np.array_split(samples, pieces)]
    if pieces == 1:
        return described[0]
    return Descriptors(*(np.concatenate([getattr(d, n) for d in described]) for n in Descriptors.__slots__))


def _checked(waveform: Waveform) -> np.ndarray:
    samples = np.asarray(waveform.samples)
    if samples.ndim != 1 or samples.dtype != np.float32:
        raise RecognizerError(f"mono float32 samples expected, not {samples.dtype} of shape {samples.shape}")
    if len(samples) < SHORTEST_S * SAMPLE_RATE_HZ:
        raise RecognizerError(f"{waveform.duration_s:.2f} s is too short; at least {SHORTEST_S} s are needed")
    if not np.isfinite(samples).all():
        raise RecognizerError("the recording holds samples that are not numbers")
    return samples


def _windows(frames: Descriptors) -> list[Descriptors | None]:
    """The 2 s windows of an utterance; None stands for the whole utterance when it is shorter than one."""
    count = len(frames.level_db)
    if count < WINDOW:
        return [None]
    return [frames.part(start, start + WINDOW) for start in range(0, count - WINDOW + 1, HOP)]


def _softmax(logits: np.ndarray) -> np.ndarray:
    powers = np.exp(logits - logits.max())
    return (powers / powers.sum()).astype(np.float32)
