"""Reads the embeddings of a series for the analysis: opened in memory, in blocks, and written nowhere."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from analysis.affect import calibrate
from emotrack.history.models import (
    Client,
    Embedding,
    ReadingState,
    Recognizer,
    Status,
    Utterance,
    UtteranceQuerySet,
)

BLOCK_ROWS = 2000


@dataclass(frozen=True, slots=True, eq=False)
class Heard:
    """Utterances of one client in one series, oldest first.

    ids: (n,) primary keys. embeddings: (n, D) float16. scores: (n, 9) calibrated.
    """

    ids: np.ndarray
    embeddings: np.ndarray
    scores: np.ndarray


def heard_utterances(client: Client, recognizer: Recognizer) -> UtteranceQuerySet:
    """The client's own utterances that gave a reading and an embedding."""
    rows = Utterance.objects.filter(client=client, recognizer=recognizer, status=Status.ANALYZED)
    return rows.of_series().filter(reading=ReadingState.OK, embedding__isnull=False)


def heard_blocks(
    client: Client, recognizer: Recognizer, among: UtteranceQuerySet | None = None
) -> Iterator[Heard]:
    """Blocks of at most 2,000 utterances; ``among`` narrows them down."""
    spoken = heard_utterances(client, recognizer) if among is None else among
    rows = (
        Embedding.objects.filter(utterance__in=spoken.order_by())
        .select_related("utterance")
        .only("vector", "utterance__public_id", "utterance__scores", "utterance__client_id")
        .order_by("utterance__occurred_at", "utterance_id")
    )
    block: list[Embedding] = []
    for row in rows.iterator(chunk_size=BLOCK_ROWS):
        row.utterance.client = client  # one key unwrapped, not one per row
        block.append(row)
        if len(block) == BLOCK_ROWS:
            yield _opened(block, recognizer)
            block = []
    if block:
        yield _opened(block, recognizer)


def heard(client: Client, recognizer: Recognizer, among: UtteranceQuerySet | None = None) -> Heard:
    """All of them at once."""
    blocks = list(heard_blocks(client, recognizer, among))
    if not blocks:
        return Heard(np.empty(0, dtype=np.int64), np.empty((0, 1), dtype=np.float16), np.empty((0, 9)))
    return Heard(
        np.concatenate([block.ids for block in blocks]),
        np.concatenate([block.embeddings for block in blocks]),
        np.concatenate([block.scores for block in blocks]),
    )


def _opened(rows: list[Embedding], recognizer: Recognizer) -> Heard:
    return Heard(
        np.array([row.pk for row in rows]),
        np.stack([row.vector for row in rows]),
        calibrate(np.stack([row.utterance.scores for row in rows]), recognizer.temperature),
    )
