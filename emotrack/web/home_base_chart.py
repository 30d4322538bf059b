"""The plane of pleasant and calm: where sessions lie, where the mood dwells, and where the last ones are."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from emotrack.web.timeline import signed

HEIGHT = 300
LAST_SESSIONS = 3
ELLIPSE_POINTS = 48
SHORTEST_SPAN = 0.4
"""Of either axis, so that a steady person's cloud looks small."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where one session lies. valence, arousal: means, -1..1. hover: words. id: public id."""

    valence: float
    arousal: float
    hover: str
    id: str


@dataclass(frozen=True, slots=True)
class Home:
    """Center and half-axes of the ellipse, each valence then arousal."""

    center: tuple[float, float]
    radius: tuple[float, float]


def home_base_figure(places: Sequence[Place], home: Home | None, words: Mapping[str, str]) -> dict:
    """Sessions as dots, the last three as diamonds, the home as an ellipse, an arrow between the means.

    places: oldest first. home: ``None`` while it is forming; then neither ellipse nor arrow is drawn.
    words: valence and arousal name the axes.
    """
    earlier, last = places[:-LAST_SESSIONS], places[-LAST_SESSIONS:]
    data = [_marks(earlier, _DOTS, "sessions"), _marks(last, _DIAMONDS, "last sessions")]
    if home:
        data.insert(0, _ellipse(home))
    return {
        "data": [trace for trace in data if trace["x"]],
        "layout": {
            "height": HEIGHT,
            "margin": {"l": 68, "r": 12, "t": 8, "b": 44},
            "hovermode": "closest",
            "xaxis": _axis([p.valence for p in places], home, 0, words["valence"]) | {"fixedrange": True},
            "yaxis": _axis([p.arousal for p in places], home, 1, words["arousal"]),
            "annotations": [_arrow(home.center, mean_place(last))] if home and last else [],
        },
    }


def mean_place(places: Sequence[Place]) -> tuple[float, float]:
    """(valence, arousal) in the middle of at least one session."""
    n = len(places)
    return sum(p.valence for p in places) / n, sum(p.arousal for p in places) / n


_DOTS = {"symbol": "circle", "size": 5, "color": "$muted/.6"}
_DIAMONDS = {"symbol": "diamond", "size": 9, "color": "$accent", "line": {"color": "$surface", "width": 1}}


def _marks(places: Sequence[Place], marker: dict, name: str) -> dict:
    return {
        "type": "scatter",
        "mode": "markers",
        "name": name,
        "x": [p.valence for p in places],
        "y": [p.arousal for p in places],
        "marker": marker,
        "text": [p.hover for p in places],
        "customdata": [p.id for p in places],
        "hoverinfo": "text",
    }


def _ellipse(home: Home) -> dict:
    turns = [2 * math.pi * i / ELLIPSE_POINTS for i in range(ELLIPSE_POINTS + 1)]
    return {
        "type": "scatter",
        "mode": "lines",
        "name": "home base",
        "x": [home.center[0] + home.radius[0] * math.cos(turn) for turn in turns],
        "y": [home.center[1] + home.radius[1] * math.sin(turn) for turn in turns],
        "line": {"color": "$edge", "width": 1},
        "fill": "toself",
        "fillcolor": "$band",
        "hoverinfo": "skip",
    }


def _arrow(start: tuple[float, float], end: tuple[float, float]) -> dict:
    return {
        "x": end[0],
        "y": end[1],
        "ax": start[0],
        "ay": start[1],
        "axref": "x",
        "ayref": "y",
        "text": "",
        "showarrow": True,
        "arrowhead": 2,
        "arrowwidth": 1.75,
        "arrowcolor": "$accent",
    }


def _axis(values: Sequence[float], home: Home | None, side: int, title: str) -> dict:
    low, high = _span(values, home, side)
    step = 0.1 if high - low < 0.6 else 0.2 if high - low < 1.1 else 0.5
    ticks = [i * step for i in range(-10, 11) if low <= i * step <= high]
    return {
        "range": [low, high],
        "tickvals": ticks,
        "ticktext": [signed(t) if abs(t) > 1e-9 else "0" for t in ticks],
        "showspikes": False,
        "title": {"text": title, "standoff": 6, "font": {"size": 11}},
    }


def _span(values: Sequence[float], home: Home | None, side: int) -> tuple[float, float]:
    ends = list(values)
    if home:
        ends += [home.center[side] - home.radius[side], home.center[side] + home.radius[side]]
    low, high = (min(ends), max(ends)) if ends else (0.0, 0.0)
    short = max(SHORTEST_SPAN - (high - low), 0.0) / 2
    pad = (high - low) * 0.06 + 0.01
    return low - short - pad, high + short + pad
