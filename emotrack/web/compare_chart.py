"""Two curves on one clock that runs from start to end: sessions or periods stretched to equal length."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from emotrack.web.client_charts import value_ticks
from emotrack.web.timeline import signed

HEIGHT = 300
SHORTEST_SPAN = 0.5
PAD = 0.08


@dataclass(frozen=True, slots=True)
class Curve:
    """One side, oldest first. at: 0..1 of the way. values: -1..1, ``None`` for a gap.

    half_widths: of the 95 % interval, ``None`` where there is none. hover: words of each. ids: of what a
    click opens. name: letter of the side.
    """

    at: Sequence[float]
    values: Sequence[float | None]
    half_widths: Sequence[float | None]
    hover: Sequence[str]
    ids: Sequence[str]
    name: str


def overlay_figure(
    a: Curve | None, b: Curve, band: tuple[float, float] | None, words: Mapping[str, str]
) -> dict:
    """A muted and dashed, B in the accent, each with its interval; the usual range under both.

    words: start and end name the ends of the clock.
    """
    curves = [curve for curve in (a, b) if curve is not None]
    low, high = _limits(curves, band)
    data = []
    for curve in curves:
        color, dash = ("$accent", "solid") if curve is b else ("$muted", "5px,3px")
        data += _intervals(curve, color)
        data.append(_line(curve, color, dash))
    return {
        "data": data,
        "layout": {
            "height": HEIGHT,
            "margin": {"l": 46, "r": 28, "t": 8, "b": 32},
            "hovermode": "closest",
            "xaxis": {
                "range": [-0.02, 1.06],
                "tickvals": [0, 0.25, 0.5, 0.75, 1],
                "ticktext": [words["start"], "¼", "½", "¾", words["end"]],
                "fixedrange": True,
                "showspikes": False,
            },
            "yaxis": {"range": [low, high], **value_ticks(low, high)},
            "shapes": [_band(band)] if band else [],
            "annotations": [found for curve in curves if (found := _name(curve, curve is b))],
        },
    }


def _limits(curves: Sequence[Curve], band: tuple[float, float] | None) -> tuple[float, float]:
    places = list(band or ())
    for curve in curves:
        for value, half in zip(curve.values, curve.half_widths, strict=True):
            if value is not None:
                places += [value - (half or 0), value + (half or 0)]
    low, high = (min(places), max(places)) if places else (0.0, 0.0)
    short = max(SHORTEST_SPAN - (high - low), 0.0) / 2
    return max(low - short - PAD, -1.1), min(high + short + PAD, 1.1)


def _intervals(curve: Curve, color: str) -> list[dict]:
    """One closed area for each run of points that have an interval."""
    runs: list[list[tuple[float, float, float]]] = [[]]
    for at, value, half in zip(curve.at, curve.values, curve.half_widths, strict=True):
        if value is None or half is None:
            runs.append([])
        else:
            runs[-1].append((at, value - half, value + half))
    return [
        {
            "type": "scatter",
            "mode": "lines",
            "name": "interval",
            "x": [p[0] for p in run] + [p[0] for p in reversed(run)],
            "y": [p[2] for p in run] + [p[1] for p in reversed(run)],
            "fill": "toself",
            "fillcolor": f"{color}/.16",
            "line": {"width": 0},
            "hoverinfo": "skip",
        }
        for run in runs
        if len(run) > 1
    ]


def _line(curve: Curve, color: str, dash: str) -> dict:
    sparse = len(curve.at) <= 40
    return {
        "type": "scatter",
        "mode": "lines+markers" if sparse else "lines",
        "name": curve.name,
        "x": list(curve.at),
        "y": list(curve.values),
        "connectgaps": False,
        "line": {"color": color, "width": 2.25, "dash": dash},
        "marker": {"size": 6, "color": "$surface", "line": {"color": color, "width": 1.5}},
        "text": list(curve.hover),
        "customdata": list(curve.ids),
        "hoverinfo": "text",
    }


def _band(band: tuple[float, float]) -> dict:
    return {
        "type": "rect", "xref": "paper", "x0": 0, "x1": 1, "yref": "y", "y0": band[0], "y1": band[1],
        "fillcolor": "$band", "line": {"width": 0}, "layer": "below",
    }  # fmt: skip


def _name(curve: Curve, accent: bool) -> dict | None:
    """The letter of the side at the end of its curve."""
    last = next(
        ((at, v) for at, v in zip(reversed(curve.at), reversed(curve.values), strict=True) if v is not None),
        None,
    )
    if last is None:
        return None
    return {
        "x": last[0], "y": last[1], "xanchor": "left", "xshift": 8, "text": curve.name, "showarrow": False,
        "font": {"size": 12, "color": "$accent" if accent else "$muted", "weight": 600},
    }  # fmt: skip


def hover_of(title: str, value: float | None, half_width: float | None, none: str) -> str:
    if value is None:
        return f"{title}<br>{none}"
    return f"{title}<br>{signed(value)}" + (f" ± {half_width:.2f}" if half_width is not None else "")
