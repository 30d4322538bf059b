"""The embeddings and scores as a NumPy .npz, one group of arrays per recognizer."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator, Sequence
from datetime import datetime

import numpy as np
from django.db.models import QuerySet
from numpy.lib import format as npy

from analysis.values import LABELS
from emotrack.exports.archive import zipped
from emotrack.exports.rows import About
from emotrack.history.models import Client, Embedding, Recognizer, Session, Utterance

ROWS_AT_ONCE = 500


def npz(about: About, client: Client, sessions: QuerySet[Session]) -> Iterator[bytes]:
    """``<recognizer>/embeddings`` (n, D) float16, ``/scores`` (n, 9) float32 raw, ``/utterances``,
    ``/sessions``, ``/occurred_at`` (seconds since 1970): row by row one utterance that has an embedding.
    """
    yield from zipped(_arrays(client, sessions), about.made_at)


def _arrays(client: Client, sessions: QuerySet[Session]) -> Iterator[tuple[str, Iterator[bytes]]]:
    said = Utterance.objects.filter(session__in=sessions, embedding__isnull=False)
    yield "labels.npy", iter([_whole(np.array(LABELS))])
    for recognizer in Recognizer.objects.filter(utterance__in=said).distinct().order_by("pk"):
        rows = said.filter(recognizer=recognizer).order_by("occurred_at", "id")
        columns = list(rows.values_list("pk", "public_id", "session__public_id", "occurred_at", "scores"))
        keys = [row[0] for row in columns]
        name = re.sub(r"[^\w.-]", "_", f"{recognizer.name}-{recognizer.version}")
        yield f"{name}/embeddings.npy", _embeddings(client, keys)
        yield f"{name}/scores.npy", iter([_whole(_scores([row[4] for row in columns]))])
        yield f"{name}/utterances.npy", iter([_whole(np.array([row[1] for row in columns]))])
        yield f"{name}/sessions.npy", iter([_whole(np.array([row[2] for row in columns]))])
        yield f"{name}/occurred_at.npy", iter([_whole(_seconds([row[3] for row in columns]))])


def _whole(array: np.ndarray) -> bytes:
    into = io.BytesIO()
    npy.write_array(into, array, allow_pickle=False)
    return into.getvalue()


def _scores(rows: Sequence[np.ndarray | None]) -> np.ndarray:
    """(n, 9), NaN where a row has none."""
    missing = np.full(len(LABELS), np.nan, np.float32)
    return np.array([missing if row is None else row for row in rows], np.float32)


def _seconds(moments: Sequence[datetime]) -> np.ndarray:
    return np.array([at.timestamp() for at in moments], np.float64)


def _embeddings(client: Client, keys: Sequence[int]) -> Iterator[bytes]:
    """An .npy written part by part; a row that was deleted meanwhile is NaN."""
    dimension = None
    for first in range(0, len(keys), ROWS_AT_ONCE):
        part = keys[first : first + ROWS_AT_ONCE]
        found = {row.pk: _vector(client, row) for row in _with_vectors(part)}
        if dimension is None:
            dimension = len(next(iter(found.values()), ()))
            yield _head((len(keys), dimension))
        missing = np.full(dimension, np.nan, "<f2")
        yield np.stack([found.get(key, missing) for key in part]).astype("<f2").tobytes()


def _with_vectors(keys: Sequence[int]) -> QuerySet[Embedding]:
    return Embedding.objects.filter(pk__in=keys).select_related("utterance")


def _vector(client: Client, row: Embedding) -> np.ndarray:
    row.utterance.client = client  # one key unwrapped for all rows
    return row.vector


def _head(shape: tuple[int, int]) -> bytes:
    into = io.BytesIO()
    npy.write_array_header_2_0(into, {"descr": "<f2", "fortran_order": False, "shape": shape})
    return into.getvalue()
