"""Reads of the history that more than one door needs: the parts that lie beside an utterance."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from emotrack.accounts.models import User
from emotrack.history.models import Audio, Correction, Embedding, FrameLogits, Utterance


def kept_audio(utterance: Utterance) -> Audio | None:
    """The row of a sound that can still be played, or ``None``: never sent, deleted, or its time is over."""
    return Audio.objects.filter(utterance=utterance, deleted_at__isnull=True).first()


def peaks_of(utterance: Utterance) -> np.ndarray | None:
    """(n, 2) int8, lowest and highest sample of each fiftieth of a second; outlives the sound itself."""
    audio = Audio.objects.filter(utterance=utterance).only("peaks").first()
    if audio is None or audio.peaks is None:
        return None
    return np.frombuffer(bytes(audio.peaks), np.int8).reshape(-1, 2)


def embedding_of(utterance: Utterance) -> np.ndarray | None:
    """(D,) float16 as it is stored."""
    row = Embedding.objects.select_related("utterance__client").filter(utterance=utterance).first()
    return None if row is None else row.vector


def frames_of(utterance: Utterance) -> FrameLogits | None:
    return FrameLogits.objects.filter(utterance=utterance).first()


def corrections_of(utterances: Iterable[Utterance]) -> dict[int, list[Correction]]:
    """What people heard, by utterance, in the order in which they said so."""
    found: dict[int, list[Correction]] = {}
    rows = Correction.objects.filter(utterance__in=list(utterances)).select_related("author")
    for correction in rows.order_by("made_at", "id"):
        found.setdefault(correction.utterance_id, []).append(correction)
    return found


def own_label(utterance: Utterance, author: User) -> str:
    """What this person said they heard; empty while they have not."""
    found = Correction.objects.filter(utterance=utterance, author=author).values_list("label", flat=True)
    return found.first() or ""
