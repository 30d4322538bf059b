"""The map of recurring ways of sounding: a shape and a letter for each, × for what fits none."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

HEIGHT = 280
SHAPES = (
    ("circle", "$text"),
    ("square-open", "$accent"),
    ("triangle-up-open", "$muted"),
    ("diamond", "$edge"),
    ("pentagon-open", "$text"),
    ("star", "$accent"),
    ("hexagon-open", "$muted"),
    ("bowtie", "$edge"),
)
"""A mark and a gray or the accent for each of at most 8 patterns; never an emotion's color."""


@dataclass(frozen=True, slots=True)
class Point:
    """One turn on the map. pattern: its letter, ``None`` for none of them. id: of its session."""

    x: float
    y: float
    pattern: str | None
    hover: str
    id: str


def pattern_figure(points: Sequence[Point], letters: Sequence[str]) -> dict:
    """Every pattern's turns as its shape, its letter above them. letters: of the patterns, 1 to 8."""
    groups = {letter: [p for p in points if p.pattern == letter] for letter in letters}
    outside = [p for p in points if p.pattern is None]
    shapes = shapes_of(letters)
    data = [_marks(outside, "x-thin", "$muted", "none")]
    data += [_marks(group, *shapes[letter], letter) for letter, group in groups.items()]
    bare = {"showticklabels": False, "ticks": "", "showgrid": False, "showspikes": False, "showline": False}
    return {
        "data": [trace for trace in data if trace["x"]],
        "layout": {
            "height": HEIGHT,
            "margin": {"l": 8, "r": 8, "t": 26, "b": 8},
            "hovermode": "closest",
            "xaxis": {**bare, "fixedrange": True},
            "yaxis": {**bare, "scaleanchor": "x"},
            "annotations": [_letter(group, letter) for letter, group in groups.items() if group],
        },
    }


def shapes_of(letters: Sequence[str]) -> dict[str, tuple[str, str]]:
    """A pattern keeps its shape as long as its letter; one whose shape is taken wears the next free one."""
    found: dict[str, tuple[str, str]] = {}
    for letter in sorted(letters):
        first = (ord(letter) - ord("A")) % len(SHAPES)
        rest = SHAPES[first:] + SHAPES[:first]
        found[letter] = next(shape for shape in rest if shape not in found.values())
    return found


def _marks(points: Sequence[Point], symbol: str, color: str, name: str) -> dict:
    return {
        "type": "scatter",
        "mode": "markers",
        "name": name,
        "x": [p.x for p in points],
        "y": [p.y for p in points],
        "marker": {"symbol": symbol, "size": 7, "color": color, "line": {"color": color, "width": 1.25}},
        "text": [p.hover for p in points],
        "customdata": [p.id for p in points],
        "hoverinfo": "text",
    }


def _letter(group: Sequence[Point], letter: str) -> dict:
    return {
        "x": sum(p.x for p in group) / len(group),
        "y": max(p.y for p in group),
        "yshift": 14,
        "text": letter,
        "font": {"size": 13, "color": "$text", "weight": 600},
        "bgcolor": "$surface",
        "bordercolor": "$text",
        "borderwidth": 1.5,
        "borderpad": 3,
        "showarrow": False,
    }
