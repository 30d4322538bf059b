"""One line for the prompt of a language model: how the latest utterance may sound."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from analysis.values import LABELS, Reading
from emotrack.history.models import Session, Speaker, Status, Utterance
from emotrack.mood.queries import calibrated_shares

LEAST_SHARE = 0.1
MOST_LABELS = 3


def context_of(session: Session) -> dict[str, Any]:
    """The line, and which utterance it is about; empty while the client said nothing that was read."""
    latest = (
        Utterance.objects.filter(session=session, speaker=Speaker.CLIENT, status=Status.ANALYZED)
        .exclude(reading="")
        .select_related("recognizer")
        .defer("text")
        .order_by("-occurred_at", "-id")
        .first()
    )
    if latest is None:
        return {"context": "", "utterance": None, "occurred_at": None, "reading": None}
    shares = None
    if latest.reading == Reading.OK:
        shares = calibrated_shares(latest.scores, latest.recognizer.temperature)
    return {
        "context": line_of(latest.reading, None if shares is None else shares.tolist()),
        "utterance": latest.public_id,
        "occurred_at": latest.occurred_at,
        "reading": latest.reading,
    }


def line_of(reading: str, shares: Sequence[float] | None) -> str:
    """The largest shares from a tenth on, three at most; an abstention claims no label.

    >>> line_of("ok", [0.71, 0, 0.05, 0, 0.2, 0, 0.04, 0, 0])
    '([emotion angry=0.71, neutral=0.20])'
    >>> line_of("low_quality", None)
    '([emotion unclear: low_quality])'
    """
    if shares is None:
        return f"([emotion unclear: {reading}])"
    largest = sorted(zip(shares, LABELS, strict=True), key=lambda pair: -pair[0])[:MOST_LABELS]
    said = ", ".join(f"{label}={share:.2f}" for share, label in largest if share >= LEAST_SHARE)
    return f"([emotion {said}])"
