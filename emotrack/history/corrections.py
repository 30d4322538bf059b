"""What is known of a client's voice when a session starts; the embedded recognizer subtracts it."""

from __future__ import annotations

import numpy as np

from analysis.values import SpeakerCorrection as Correction
from emotrack.history.models import Embedding, ReadingState, Recognizer, Session, SpeakerCorrection

LAST_UTTERANCES = 500
"""A mean over so many changes no more; older ones are left out."""


def correction_for(session: Session, recognizer: Recognizer) -> tuple[Correction | None, str]:
    """The session's correction and its version; taken once, from the earlier sessions that have ended."""
    if recognizer.decomposition != "windowed":
        return None, ""
    row = SpeakerCorrection.objects.filter(session=session, recognizer=recognizer).first()
    if row is None:
        row = _take(session, recognizer)
    row.session = session
    if not row.utterances:
        return None, row.version
    return Correction(mean=row.mean.astype(np.float32), utterances=row.utterances), row.version


def _take(session: Session, recognizer: Recognizer) -> SpeakerCorrection:
    """The first of several readers keeps its own; the others, at the same moment, get that one."""
    vectors = _earlier_embeddings(session, recognizer)
    known = {"utterances": len(vectors), "version": f"mean-{len(vectors)}-{session.public_id[:8]}"}
    if vectors:
        known["mean"] = np.mean(vectors, axis=0, dtype=np.float64).astype("<f4")
    return SpeakerCorrection.objects.get_or_create(session=session, recognizer=recognizer, defaults=known)[0]


def _earlier_embeddings(session: Session, recognizer: Recognizer) -> list[np.ndarray]:
    rows = Embedding.objects.filter(
        utterance__client_id=session.client_id,
        utterance__recognizer=recognizer,
        utterance__reading=ReadingState.OK,
        utterance__session__ended_at__isnull=False,
        utterance__session__started_at__lt=session.started_at,
    ).select_related("utterance")
    vectors = []
    for row in rows.order_by("-utterance__occurred_at")[:LAST_UTTERANCES]:
        row.utterance.client = session.client
        vectors.append(row.vector.astype(np.float32))
    return vectors
