"""Find the utterances that sound most like a given one, within a client or across those one may see."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from analysis.similarity import nearest
from emotrack.history.models import Client, Embedding, Utterance
from emotrack.mood.embeddings import heard_blocks


@dataclass(frozen=True, slots=True)
class Alike:
    """similarity: cosine about the recognizer's constant center, -1..1."""

    utterance: Utterance
    similarity: float


def alike(utterance: Utterance, clients: Iterable[Client], *, count: int) -> list[Alike]:
    """The ``count`` utterances of these clients most like the given one, in its own series only; exact.

    Every block is opened, compared and forgotten, so memory does not grow with the history. Empty when the
    utterance has no embedding, or one at the center, which is like nothing.
    """
    recognizer = utterance.recognizer
    query = _embedding(utterance)
    if query is None or not np.any(query - (0 if recognizer.center is None else recognizer.center)):
        return []
    ids, similarity = np.empty(0, dtype=np.int64), np.empty(0)
    for client in clients:
        for block in heard_blocks(client, recognizer):
            close = nearest(query, block.embeddings, count + 1, center=recognizer.center)
            ids = np.concatenate([ids, block.ids[close.places]])
            similarity = np.concatenate([similarity, close.similarity])
            best = np.argsort(-similarity, kind="stable")[: count + 1]
            ids, similarity = ids[best], similarity[best]
    return _shown(ids[ids != utterance.pk][:count], dict(zip(ids.tolist(), similarity.tolist(), strict=True)))


def _embedding(utterance: Utterance) -> np.ndarray | None:
    row = Embedding.objects.filter(utterance=utterance).first()
    if row is None or utterance.recognizer is None:
        return None
    row.utterance = utterance
    return row.vector.astype(np.float32)


def _shown(ids: np.ndarray, similarity: dict[int, float]) -> list[Alike]:
    rows = Utterance.objects.select_related("session", "client", "recognizer").in_bulk(ids.tolist())
    return [Alike(rows[pk], similarity[pk]) for pk in ids.tolist() if pk in rows]
