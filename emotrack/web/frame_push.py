"""Moment by moment: how far each frame of a turn pushed the turn's own label."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from analysis.affect import contributions
from analysis.thinning import thin
from emotrack.history.models import FrameLogits
from emotrack.web.timeline import Push, Turn

WINDOW_S = 1800.0
"""Up to this long a window shows its frames: ten minutes on screen and as much on either side. In a longer
one they would be a gray blur."""

LEAST_FRAMES = 4


def pushes(turns: Sequence[Turn], most: int) -> list[Push]:
    """The turns' frames, thinned together to about ``most`` points; one query."""
    read = {turn.id: turn for turn in turns if turn.read and turn.shares is not None}
    rows = FrameLogits.objects.filter(utterance__public_id__in=list(read))
    found = [_push(read[name], frames) for name, frames in _in_order(rows)]
    found = [push for push in found if push is not None]
    total = sum(len(push.at_s) for push in found)
    return [_thinned(push, most * len(push.at_s) / total) for push in found] if total > most else found


def _in_order(rows: Iterable[FrameLogits]) -> Iterable[tuple[str, FrameLogits]]:
    for frames in (
        rows.select_related("utterance")
        .only("logits", "rate_hz", "first_frame_s", "utterance__public_id")
        .order_by("utterance__occurred_at", "utterance_id")
    ):
        yield frames.utterance.public_id, frames


def _push(turn: Turn, frames: FrameLogits) -> Push | None:
    if len(frames.logits) < LEAST_FRAMES:
        return None
    value = contributions(frames.logits, turn.label)
    at_s = turn.at_s + frames.first_frame_s + np.arange(len(value)) / frames.rate_hz
    return Push(turn.label, at_s, value / max(float(np.abs(value).max()), 1e-9))


def _thinned(push: Push, share: float) -> Push:
    kept = thin(push.at_s, push.value, max(round(share), LEAST_FRAMES))
    return Push(push.label, push.at_s[kept], push.value[kept])
