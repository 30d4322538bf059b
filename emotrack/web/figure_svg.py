"""Draws a figure of ours as SVG, for paper: the same data that Plotly draws on screen, in the light theme.

It knows what our figures use and no more: lines, areas, markers, whiskers, bars, shapes and words.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from functools import cache
from html import escape
from pathlib import Path
from typing import Any

from emotrack.web.svg_axes import Axes, axes_of

TOKENS = Path(__file__).resolve().parents[2] / "static" / "css" / "tokens.css"

FONTS = "Noto Sans,PingFang SC,Microsoft YaHei,Noto Sans CJK SC,sans-serif"
"""Named in the drawing itself, as WeasyPrint takes no others there, and parts the list at bare commas."""

CLOSEST_PX = 11
"""Numbers on an axis nearer to one another would touch; the upper one is left out."""

DateWords = Callable[[datetime, bool], str]
"""A moment of the axis in words; whether its months are named, else its days."""


@cache
def light_colors() -> dict[str, str]:
    """Token to color in the light theme, as the style sheet has it."""
    root = re.search(r":root \{(.*?)\}", TOKENS.read_text(encoding="utf-8"), re.DOTALL)[1]
    return dict(re.findall(r"--([\w-]+): (#[0-9A-Fa-f]{6})", root))


def figure_svg(
    figure: Mapping[str, Any], width: int, *, label: str, name: str, date_words: DateWords, height: int = 0
) -> str:
    """The figure as one ``<svg>``. width, height: in px, the figure's own height by default.

    On the page it is as wide as there is room. label: what it shows, for those who do not see it. name: tells
    its parts from those of others.
    """
    layout = figure["layout"]
    axes = axes_of(figure, width, height or layout["height"])
    parts = [
        *_defs(name, axes),
        *_shapes(layout, axes, below=True),
        *_grid(axes),
        *_traces(figure, axes, name),
        *_shapes(layout, axes, below=False),
        *_time_axis(axes, date_words),
        *_lane_names(layout, axes),
        *(_annotation(one, axes) for one in layout.get("annotations", ())),
    ]
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {axes.height:g}" width="100%" '
        f'role="img" aria-label="{escape(label)}" font-size="12" font-family="{FONTS}">{"".join(parts)}</svg>'
    )


def _paint(kind: str, color: str) -> str:
    """``fill`` or ``stroke`` of a color, which may be a token with an opacity like ``$accent/.16``."""
    if not color.startswith("$"):
        return f' {kind}="{color}"'
    token, _slash, opacity = color[1:].partition("/")
    found = f' {kind}="{light_colors()[token]}"'
    return found + (f' {kind}-opacity="{opacity}"' if opacity else "")


def _stroke(line: Mapping[str, Any], default: str = "$text") -> str:
    dash = line.get("dash", "")
    dashed = f' stroke-dasharray="{dash.replace("px", "").replace(",", " ")}"' if "px" in dash else ""
    return f'{_paint("stroke", line.get("color", default))} stroke-width="{line.get("width", 1):g}"{dashed}'


def _text(
    x: float,
    y: float,
    said: str,
    *,
    anchor: str = "middle",
    size: float = 11,
    color: str = "$muted",
    weight: int = 400,
) -> str:
    lines = said.split("<br>")
    style = f'{_paint("fill", color)} font-size="{size:g}" text-anchor="{anchor}"'
    style += f' font-weight="{weight}"' if weight != 400 else ""
    return "".join(
        f'<text x="{x:.1f}" y="{y + i * size * 1.25:.1f}"{style}>{escape(line)}</text>'
        for i, line in enumerate(lines)
    )


def _defs(name: str, axes: Axes) -> Iterator[str]:
    box = f'x="{axes.left:g}" y="{axes.top - 2:g}" width="{axes.width:g}" height="{axes.inner + 4:g}"'
    yield (
        f'<defs><clipPath id="{name}-frame"><rect {box}/></clipPath>'
        f'<pattern id="{name}-hatch" width="5" height="5" patternUnits="userSpaceOnUse">'
        f'<path d="M-1 1L1 -1M0 5L5 0M4 6L6 4"{_stroke({"color": "$edge", "width": 0.8})}/></pattern></defs>'
    )


# --- Axes -------------------------------------------------------------------------------------------------


def _grid(axes: Axes) -> Iterator[str]:
    for axis in axes.values:
        before = float("inf")
        for value, said in axis.ticks:
            y = axis.y(value)
            if axis.grid:
                line = _stroke({"color": "$line"})
                yield f'<line x1="{axes.left:g}" x2="{axes.right:g}" y1="{y:.1f}" y2="{y:.1f}"{line}/>'
            if before - y >= CLOSEST_PX:
                yield _text(axes.left - 6, y + 4, said, anchor="end")
                before = y


def _time_axis(axes: Axes, date_words: DateWords) -> Iterator[str]:
    line = _stroke({"color": "$line"})
    yield f'<line x1="{axes.left:g}" x2="{axes.right:g}" y1="{axes.foot:g}" y2="{axes.foot:g}"{line}/>'
    for at, said in axes.time_ticks(date_words):
        yield f'<line x1="{at:.1f}" x2="{at:.1f}" y1="{axes.foot:g}" y2="{axes.foot + 4:g}"{line}/>'
        yield _text(at, axes.foot + 16, said)


def _lane_names(layout: Mapping[str, Any], axes: Axes) -> Iterator[str]:
    meta = layout.get("meta", {})
    for lane in meta.get("lanes", ()):
        top = axes.top + (lane["top"] - axes.top) * axes.inner / meta["px"]
        yield _text(4, top + 11, lane["title"], anchor="start", color="$text", weight=600)
        if lane["small"]:
            yield _text(4, top + 24, lane["small"], anchor="start", size=10)


# --- Traces -----------------------------------------------------------------------------------------------


def _traces(figure: Mapping[str, Any], axes: Axes, name: str) -> Iterator[str]:
    stacked = figure["layout"].get("barmode") == "stack"
    feet: dict[float, float] = {}
    yield f'<g clip-path="url(#{name}-frame)">'
    for trace in figure["data"]:
        if trace["type"] == "bar":
            yield from _bars(trace, axes, name, figure["layout"], feet if stacked else None)
        elif trace.get("marker", {}).get("opacity") != 0:
            yield from _scatter(trace, axes)
    yield "</g>"


def _points(trace: Mapping[str, Any], axes: Axes) -> list[tuple[float, float]]:
    axis = axes.value_axis(trace.get("yaxis", "y"))
    pairs = zip(trace["x"], trace["y"], strict=True)
    return [(axes.x(x), axis.y(y)) for x, y in pairs if y is not None]


def _scatter(trace: Mapping[str, Any], axes: Axes) -> Iterator[str]:
    points = _points(trace, axes)
    path = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    if trace.get("fill"):
        yield f'<polygon points="{path}"{_paint("fill", trace["fillcolor"])}/>'
    elif "lines" in trace["mode"]:
        yield f'<polyline points="{path}" fill="none"{_stroke(trace["line"])} stroke-linejoin="round"/>'
    yield from _whiskers(trace, axes)
    if "markers" in trace["mode"]:
        yield from (_marker(x, y, trace["marker"]) for x, y in points)


def _whiskers(trace: Mapping[str, Any], axes: Axes) -> Iterator[str]:
    if "error_y" not in trace:
        return
    axis = axes.value_axis(trace.get("yaxis", "y"))
    line = _stroke({"color": trace["error_y"]["color"]})
    for x, y, half in zip(trace["x"], trace["y"], trace["error_y"]["array"], strict=True):
        at = f'x1="{axes.x(x):.1f}" x2="{axes.x(x):.1f}"'
        yield f'<line {at} y1="{axis.y(y - half):.1f}" y2="{axis.y(y + half):.1f}"{line}/>'


def _marker(x: float, y: float, marker: Mapping[str, Any]) -> str:
    r, line = marker.get("size", 6) / 2, marker.get("line", {})
    edge = _stroke(line) if line.get("width") else ""
    opacity = f' opacity="{marker["opacity"]}"' if "opacity" in marker else ""
    symbol = marker.get("symbol", "circle")
    if symbol.startswith("x"):
        cross = f"M{x - r:.1f} {y - r:.1f}l{2 * r:g} {2 * r:g}m0 {-2 * r:g}l{-2 * r:g} {2 * r:g}"
        return f'<path d="{cross}"{edge}/>'
    fill = _paint("fill", marker.get("color", "$text")) + edge + opacity
    if symbol.startswith("diamond"):
        return f'<path d="M{x:.1f} {y - r:.1f}l{r:g} {r:g}l{-r:g} {r:g}l{-r:g} {-r:g}z"{fill}/>'
    return f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{r:g}"{fill}/>'


def _bars(
    trace: Mapping[str, Any],
    axes: Axes,
    name: str,
    layout: Mapping[str, Any],
    feet: dict[float, float] | None,
) -> Iterator[str]:
    """feet: how high the stack stands at each place so far; ``None`` where bars are not stacked."""
    axis, marker = axes.value_axis(trace.get("yaxis", "y")), trace["marker"]
    colors = marker["color"]
    edge = _stroke(marker["line"]) if marker.get("line", {}).get("width") else ""
    said, bases = trace.get("text") or [""] * len(trace["x"]), trace.get("base")
    for i, (place, tall) in enumerate(zip(trace["x"], trace["y"], strict=True)):
        foot = bases[i] if bases else 0.0
        if feet is not None:
            foot, feet[place] = feet.get(place, 0.0), feet.get(place, 0.0) + tall
        middle, wide = axes.x(place), axes.bar_width(trace, i, layout.get("bargap", 0.12))
        top, bottom = axis.y(foot + tall), axis.y(foot)
        place = f'x="{middle - wide / 2:.2f}" y="{top:.2f}"'
        size = f'width="{wide:.2f}" height="{max(bottom - top, 0):.2f}"'
        fill = _paint("fill", colors if isinstance(colors, str) else colors[i])
        if "pattern" in marker:
            fill = f' fill="url(#{name}-hatch)"'
        yield f"<rect {place} {size}{fill}{edge}/>"
        if said[i]:
            font = trace["textfont"]
            yield _text(middle, (top + bottom) / 2 + 4, said[i], size=font["size"], color=font["color"])


# --- Shapes and words -------------------------------------------------------------------------------------


def _shapes(layout: Mapping[str, Any], axes: Axes, *, below: bool) -> Iterator[str]:
    for shape in layout.get("shapes", ()):
        if (shape.get("layer") == "below") is not below:
            continue
        x0, x1 = (axes.across(shape["xref"], shape[end]) for end in ("x0", "x1"))
        y0, y1 = (axes.up(shape["yref"], shape[end]) for end in ("y0", "y1"))
        line = shape.get("line", {})
        edge = _stroke(line) if line.get("width") else ""
        if shape["type"] == "line":
            yield f'<line x1="{x0:.1f}" x2="{x1:.1f}" y1="{y0:.1f}" y2="{y1:.1f}"{edge}/>'
        else:
            place = f'x="{min(x0, x1):.1f}" y="{min(y0, y1):.1f}"'
            size = f'width="{abs(x1 - x0):.1f}" height="{abs(y1 - y0):.1f}"'
            yield f"<rect {place} {size}{_paint('fill', shape.get('fillcolor', 'none'))}{edge}/>"


_ANCHORS = {"left": "start", "right": "end", "center": "middle"}


def _annotation(one: Mapping[str, Any], axes: Axes) -> str:
    x = axes.across(one.get("xref", "x"), one["x"]) + one.get("xshift", 0)
    y = axes.up(one.get("yref", "y"), one["y"]) - one.get("yshift", 0)
    font = one.get("font", {})
    size, lines = font.get("size", 11), one["text"].count("<br>") + 1
    shifts: Mapping[str, float] = {"top": size, "bottom": -3 - (lines - 1) * size * 1.25}
    y += shifts.get(one.get("yanchor", "middle"), size * 0.35 - (lines - 1) * size * 0.6)
    anchor = _ANCHORS.get(one.get("xanchor", "center"), "middle")
    color, weight = font.get("color", "$muted"), font.get("weight", 400)
    return _text(x, y, one["text"], anchor=anchor, size=size, color=color, weight=weight)
