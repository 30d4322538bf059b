"""Reads GoEmotions and says which of the nine labels its 28 stand for."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from analysis.values import LABELS

MAPPING: dict[str, tuple[str, ...]] = {
    "angry": ("anger", "annoyance"),
    "disgusted": ("disgust",),
    "fearful": ("fear", "nervousness"),
    "happy": (
        "admiration", "amusement", "excitement", "gratitude", "joy", "love", "optimism", "pride", "relief",
    ),
    "neutral": ("neutral",),
    "other": ("approval", "caring", "confusion", "curiosity", "desire", "disapproval", "realization"),
    "sad": ("disappointment", "embarrassment", "grief", "remorse", "sadness"),
    "surprised": ("surprise",),
}  # fmt: skip
"""The authors' own grouping (Demszky et al. 2020, after Ekman) with one change: what is a view of something
or a wish, and not a feeling of the writer, becomes *other*. They count curiosity as surprise and disapproval
as anger; here a question would then have a valence, and so would every "I do not think so"."""


@dataclass(frozen=True, slots=True, eq=False)
class Comments:
    """texts: n. targets: (n, 9), each row a share for every label that annotators gave, sum 1."""

    texts: list[str]
    targets: np.ndarray

    @property
    def certain(self) -> np.ndarray:
        """(n,) bool: whether all its labels are the same one of the nine."""
        return self.targets.max(axis=1) == 1.0

    def only_certain(self) -> Comments:
        keep = self.certain
        texts = [text for text, kept in zip(self.texts, keep, strict=True) if kept]
        return Comments(texts, self.targets[keep])

    @property
    def truth(self) -> np.ndarray:
        """(n,) int: position of the largest share in ``LABELS``."""
        return self.targets.argmax(axis=1)


def read(folder: Path, split: str) -> Comments:
    """One split of GoEmotions: ``labels.txt`` and ``{split}.tsv`` with text, label ids, comment id."""
    names = (folder / "labels.txt").read_text(encoding="utf-8").split()
    nine = {old: LABELS.index(new) for new, olds in MAPPING.items() for old in olds}
    if missing := set(names) ^ set(nine):
        raise SystemExit(f"labels.txt and the mapping differ in: {', '.join(sorted(missing))}")
    texts, targets = [], []
    for line in (folder / f"{split}.tsv").read_text(encoding="utf-8").splitlines():
        text, ids, _comment = line.split("\t")
        row = np.zeros(len(LABELS))
        row[list({nine[names[int(i)]] for i in ids.split(",")})] = 1.0
        texts.append(text)
        targets.append(row / row.sum())
    return Comments(texts, np.array(targets))
