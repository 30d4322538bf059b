"""How changeable each session was at its height, on the person's own usual and with the line that alerts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

HEIGHT = 190
LEAST_TOP = 3.5
"""Of the axis, so that a calm person looks calm."""


@dataclass(frozen=True, slots=True)
class Height:
    """One session. at: in the reader's zone. z: its highest, in own spreads. hover: words. id: public id."""

    at: datetime
    z: float
    hover: str
    id: str


def volatility_figure(
    heights: Sequence[Height],
    band: tuple[float, float] | None,
    line: float | None,
    words: str,
    span: Sequence[str],
) -> dict:
    """A stem for each session; those beyond the line in the color of a warning and with a triangle.

    band: usual range of the heights. line: where the rule fires, words: its label. span: ends of the clock.
    """
    beyond = [h for h in heights if line is not None and h.z > line]
    within = [h for h in heights if not (line is not None and h.z > line)]
    top = max([h.z for h in heights] + [line or 0.0, LEAST_TOP]) * 1.12
    low = min([h.z for h in heights] + [0.0])
    data = [_stems(heights)] + [
        _heads(within, "sessions", "circle", "$muted"),
        _heads(beyond, "beyond the line", "triangle-up", "$warning"),
    ]
    return {
        "data": [trace for trace in data if trace["x"]],
        "layout": {
            "height": HEIGHT,
            "margin": {"l": 34, "r": 12, "t": 8, "b": 34},
            "hovermode": "closest",
            "xaxis": {"type": "date", "range": list(span), "nticks": 5, "showspikes": False},
            "yaxis": {"range": [low * 1.12, top]},
            "shapes": ([_band(band)] if band else []) + ([_line(line)] if line is not None else []),
            "annotations": [_label(line, words)] if line is not None else [],
        },
    }


def _stamp(at: datetime) -> str:
    return at.replace(tzinfo=None).isoformat(timespec="seconds")


def _stems(heights: Sequence[Height]) -> dict:
    x: list[str | None] = []
    y: list[float | None] = []
    for height in heights:
        x += [_stamp(height.at), _stamp(height.at), None]
        y += [0.0, height.z, None]
    return {
        "type": "scatter", "mode": "lines", "name": "stems", "x": x, "y": y,
        "line": {"color": "$muted", "width": 1.25}, "hoverinfo": "skip",
    }  # fmt: skip


def _heads(heights: Sequence[Height], name: str, symbol: str, color: str) -> dict:
    return {
        "type": "scatter", "mode": "markers", "name": name,
        "x": [_stamp(h.at) for h in heights], "y": [h.z for h in heights],
        "marker": {"size": 7 if symbol == "circle" else 9, "symbol": symbol, "color": color},
        "text": [h.hover for h in heights], "customdata": [h.id for h in heights], "hoverinfo": "text",
    }  # fmt: skip


def _band(band: tuple[float, float]) -> dict:
    return {
        "type": "rect", "xref": "paper", "x0": 0, "x1": 1, "yref": "y", "y0": band[0], "y1": band[1],
        "fillcolor": "$band", "line": {"width": 0}, "layer": "below",
    }  # fmt: skip


def _line(at: float) -> dict:
    return {
        "type": "line", "xref": "paper", "x0": 0, "x1": 1, "yref": "y", "y0": at, "y1": at,
        "line": {"color": "$critical", "width": 1.25, "dash": "6px,3px"},
    }  # fmt: skip


def _label(at: float, words: str) -> dict:
    return {
        "xref": "paper", "x": 0, "y": at, "xanchor": "left", "yanchor": "bottom", "text": words,
        "font": {"size": 11, "color": "$critical"}, "bgcolor": "$surface/.8", "showarrow": False,
    }  # fmt: skip
