"""Reads emotion from what was said, in English, and says which words made it think so."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

import numpy as np

from analysis.affect import calibrate, decide_reading
from analysis.recognition.words import model as linear
from analysis.recognition.words.tokens import Feature, Token, features, phrases
from analysis.values import LABELS, Decomposition, Headline, RecognizerCard, RecognizerError

LAST_LATIN = "\u024f"
"""Words that begin beyond this letter are written in another script than English."""


class WordsReading(StrEnum):
    """Whether the words say something that may be shown; every state but ``OK`` is an abstention."""

    OK = "ok"
    UNKNOWN = "unknown"
    AMBIGUOUS = "ambiguous"
    TOO_FEW_WORDS = "too_few_words"
    OTHER_LANGUAGE = "other_language"


@dataclass(frozen=True, slots=True, eq=False)
class WordsRead:
    """scores: (9,) float32, raw, sum 1; ``None`` where the model was not asked."""

    reading: WordsReading
    scores: np.ndarray | None


@dataclass(frozen=True, slots=True)
class Push:
    """One word of a text. start, end: where it stands. push: logits towards a label, below 0 away."""

    start: int
    end: int
    word: str
    push: float


class WordRecognizer:
    """A bag of words, word pairs and negated words, and a linear model; thread-safe."""

    card: RecognizerCard

    def __init__(self, weights: Path = linear.WEIGHTS, config: Path = linear.CONFIG) -> None:
        self.model = linear.load(weights)
        settings = linear.read_config(config)
        self.fewest_words = settings["settings"]["fewest_words"]
        self.known_share = settings["settings"]["known_share"]
        self.card = RecognizerCard(
            id=settings["id"],
            version=settings["version"],
            dimension=0,
            headline=Headline.VALENCE,
            decomposition=Decomposition.EXACT,
            temperature=settings["temperature"],
            accuracy=settings["accuracy"],
            languages=tuple(settings["languages"]),
        )

    def read(self, text: str, language: str = "") -> WordsRead:
        """Nine scores for a text, or why it is not read.

        language: BCP 47, as the caller knows it; empty when nobody does. Too few known words mean another
        language where none is named, else ``UNKNOWN``. Raises ``RecognizerError`` when the numbers are no
        honest answer.
        """
        if not self._reads(language):
            return WordsRead(WordsReading.OTHER_LANGUAGE, None)
        said = phrases(text)
        if abstention := self._abstains(said, language):
            return WordsRead(abstention, None)
        logits = self.model.logits(*self.model.weigh(feature.name for feature in features(said)))
        if not np.isfinite(logits).all():
            raise RecognizerError("the word recognizer's numbers are not finite")
        raised = np.exp(logits - logits.max())
        scores = (raised / raised.sum()).astype(np.float32)
        reading = decide_reading(calibrate(scores, self.card.temperature))
        return WordsRead(WordsReading(reading), scores)

    def pushes(self, text: str, label: str) -> list[Push]:
        """What each word of a text adds to a label, in order; the words that add nothing are left out.

        A word's push is its logit for ``label`` less the mean of its eight other logits, as in
        ``affect.contributions``; that of a pair or a negated word is shared by its words. With the bias' own
        margin the pushes add up to the text's margin exactly.
        """
        said = phrases(text)
        tokens = [token for phrase in said for token in phrase]
        made_of: dict[str, list[Feature]] = {}
        for feature in features(said):
            made_of.setdefault(feature.name, []).append(feature)
        known, values = self.model.weigh(name for name, found in made_of.items() for _ in found)
        found = np.zeros(len(tokens))
        for place, push in zip(known, values * margins(self.model.weights[known], label), strict=True):
            made = made_of[self.model.vocabulary[place]]
            for feature in made:
                found[list(feature.tokens)] += push / len(made) / len(feature.tokens)
        return [
            Push(token.start, token.end, text[token.start : token.end], float(push))
            for token, push in zip(tokens, found, strict=True)
            if push
        ]

    def _reads(self, language: str) -> bool:
        return not language or language.partition("-")[0].lower() in self.card.languages

    def _abstains(self, said: Sequence[Sequence[Token]], language: str) -> WordsReading | None:
        words = [token.word for phrase in said for token in phrase if token.is_word]
        if any(word[0] > LAST_LATIN for word in words):
            return WordsReading.OTHER_LANGUAGE
        if len(words) < self.fewest_words:
            return WordsReading.TOO_FEW_WORDS
        if sum(word in self.model.place for word in words) >= self.known_share * len(words):
            return None
        return WordsReading.UNKNOWN if language else WordsReading.OTHER_LANGUAGE


def margins(weights: np.ndarray, label: str) -> np.ndarray:
    """(m,): each row's entry of ``label`` less the mean of its eight others. weights: (m, 9)."""
    rows, k = weights.astype(np.float64), LABELS.index(label)
    return rows[:, k] - (rows.sum(axis=1) - rows[:, k]) / (len(LABELS) - 1)
