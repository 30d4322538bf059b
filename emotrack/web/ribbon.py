"""The emotion ribbon of a session: single turns, all nine shares of each, or bins of many."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import pairwise

import numpy as np

from analysis.values import LABELS
from emotrack.web.timeline import Turn

STACK_ORDER: tuple[str, ...] = (
    "sad", "fearful", "disgusted", "angry", "neutral", "surprised", "happy", "other", "unknown",
)  # fmt: skip
EDGED = {"neutral": "$e-edge-neutral", "happy": "$e-edge-happy", "other": "$edge", "unknown": "$edge"}
"""Fills too light to stand alone on the surface carry an edge."""

STACK_PX = 60.0
"""From this width a turn shows all nine shares; below it, its strongest label alone."""

BIN_BELOW_PX = 3.0
"""Turns closer together than this are shown as mean shares of bins …"""

BIN_PX = 6.0
"""… this wide."""


def ribbon(turns: Sequence[Turn], px_per_s: float) -> Iterable[dict]:
    """Bars of what each turn may sound like, in the detail that the scale can bear; without their axis."""
    read = [t for t in turns if t.read and t.shares is not None]
    if is_binned(turns, px_per_s):
        yield from _bins(read, px_per_s)
    elif read and px_per_s * _typical_step(read) >= STACK_PX:
        yield from _stacks(read)
    else:
        for label in STACK_ORDER[:7]:
            alike = [t for t in read if t.label == label]
            if alike:
                yield _bars(label, alike, [max(t.shares) for t in alike], px_per_s)
    missing = [t for t in turns if t.reading and not t.read]
    if missing and not is_binned(turns, px_per_s):
        stub = {"color": "$surface", "line": {"color": "$edge", "width": 1}}
        yield _bars("none", missing, [0.16] * len(missing), px_per_s) | {"marker": stub}


def _typical_step(turns: Sequence[Turn]) -> float:
    steps = sorted(b.at_s - a.at_s for a, b in pairwise(turns))
    return steps[len(steps) // 2] if steps else turns[0].end_s - turns[0].at_s


def is_binned(turns: Sequence[Turn], px_per_s: float) -> bool:
    """Whether turns lie too close together to be told apart."""
    read = [t for t in turns if t.read]
    return len(read) > 1 and px_per_s * _typical_step(read) < BIN_BELOW_PX


def _bins(read: Sequence[Turn], px_per_s: float) -> Iterable[dict]:
    """Mean shares of the turns that begin in each bin: one strongest label for many turns would be a lie."""
    width = BIN_PX / px_per_s
    bins: dict[int, list[Turn]] = {}
    for turn in read:
        bins.setdefault(int(turn.at_s // width), []).append(turn)
    places = sorted(bins)
    means = np.array([np.mean([t.shares for t in bins[place]], axis=0) for place in places])
    feet = np.zeros(len(places))
    for label in STACK_ORDER:
        heights = means[:, LABELS.index(label)]
        yield {
            "type": "bar",
            "name": label,
            "x": [(place + 0.5) * width for place in places],
            "y": heights.round(4).tolist(),
            "base": feet.round(4).tolist(),
            "width": width * 0.86,
            "marker": fill_of(label),
        }
        feet = feet + heights


def _stacks(read: Sequence[Turn]) -> Iterable[dict]:
    """All nine shares of each turn, the strongest at the foot."""
    feet = [0.0] * len(read)
    strongest = [t.label for t in read]
    for i, turn in enumerate(read):
        feet[i] = max(turn.shares)
    for label in STACK_ORDER:
        k = LABELS.index(label)
        bases, heights = [], []
        for i, turn in enumerate(read):
            foot = 0.0 if strongest[i] == label else feet[i]
            bases.append(foot)
            heights.append(turn.shares[k])
            if foot:
                feet[i] += turn.shares[k]
        yield _bars(label, read, heights, 1.0) | {"base": bases}


def _bars(label: str, turns: Sequence[Turn], heights: Sequence[float], px_per_s: float) -> dict:
    widths = [max(t.end_s - t.at_s, 2.0 / px_per_s) for t in turns]
    return {
        "type": "bar",
        "name": label,
        "x": [t.at_s + w / 2 for t, w in zip(turns, widths, strict=True)],
        "y": list(heights),
        "width": widths,
        "marker": fill_of(label),
    }


def fill_of(label: str) -> dict:
    """Marker of a bar in the label's color; labels that say nothing are hatched."""
    edge = {"color": EDGED.get(label, "$surface"), "width": 0.75 if label in EDGED else 0}
    if label in ("other", "unknown", "none"):
        pattern = {"shape": "/", "fgcolor": "$edge", "bgcolor": "$surface", "size": 5, "solidity": 0.25}
        return {"color": "$surface", "line": edge, "pattern": pattern}
    return {"color": f"$e-{label}", "line": edge}
