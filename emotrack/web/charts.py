"""Plotly figures as plain data: arrays in, a figure out, colors as token names that the browser resolves."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import replace
from itertools import pairwise

import numpy as np

from analysis.thinning import thin
from emotrack.web import marks
from emotrack.web.ribbon import STACK_ORDER, fill_of, is_binned, ribbon
from emotrack.web.timeline import Said, Timeline, Turn, clock, runs_of

__all__ = ["STACK_ORDER", "fill_of", "session_figure"]

MARGIN = {"l": 128, "r": 16, "t": 28, "b": 28}
LANE_GAP = 26
TICK_PX = 70
GROWING = ("mood", "ribbon", "volatility")
VALENCE_STEPS = (-0.4, -0.1, 0.1, 0.4)
"""Where one of the five colors of valence ends and the next begins."""

CLOSE_TICKS = 0.1
"""Share of a lane below which two numbers on its axis would touch."""


def session_figure(
    timeline: Timeline,
    width_px: int = 960,
    visible_s: float | None = None,
    height_px: int = 0,
    window: tuple[float, float] | None = None,
) -> dict:
    """The lanes of a session on one time axis: sound, mood, ribbon, volatility, alerts.

    width_px: of the plot area on screen; visible_s: seconds that it shows at once (all by default). They only
    decide how much detail the ribbon can bear. height_px: room on screen; on a tall one the lanes with curves
    grow, to twice their height at most. window: (start_s, end_s) outside which nothing is drawn.
    ``layout.meta`` tells where to put the lanes' names and what was left out.
    """
    px_per_s = width_px / max(visible_s or timeline.duration_s, 1.0)
    near = _near(timeline, window)
    said = _as_many_as_fit(near.said, [s.valence for s in near.said], width_px)
    turns = _as_many_as_fit(near.turns, [t.value for t in near.turns], width_px)
    drawn = replace(near, turns=turns, said=said)
    lanes = _Lanes(timeline, height_px, binned=is_binned(near.turns, px_per_s))
    data = [
        *_wave(near, lanes),
        *_why(near, lanes),
        *_mood(drawn, lanes),
        *(_trace(lanes, "ribbon", **bars) for bars in ribbon(near.turns, px_per_s)),
        *_tone_and_words(drawn, lanes),
        *_volatility(drawn, lanes),
        _ground(lanes),
        _hover_targets(timeline, drawn.turns, lanes),
    ]
    layout = lanes.layout(timeline, width_px, visible_s, window)
    layout["shapes"] = marks.shapes(near, lanes.axes)
    layout["annotations"] = marks.annotations(drawn, lanes.axes, px_per_s)
    return {"data": data, "layout": layout}


def _near(timeline: Timeline, window: tuple[float, float] | None) -> Timeline:
    """What lies in the window, and the turn on either side so that lines run out of the picture."""
    if window is None:
        return timeline
    inside = [i for i, t in enumerate(timeline.turns) if t.end_s >= window[0] and t.at_s <= window[1]]
    turns = timeline.turns[max(inside[0] - 1, 0) : inside[-1] + 2] if inside else ()
    said = [s for s in timeline.said if s.end_s >= window[0] and s.at_s <= window[1]]
    return replace(timeline, turns=turns, said=said)


def _as_many_as_fit(
    rows: Sequence[Turn] | Sequence[Said], values: Sequence[float | None], width_px: int
) -> Sequence:
    """At most two a pixel, those that keep the shape of their values and its gaps."""
    if len(rows) <= 2 * width_px:
        return rows
    known = [math.nan if value is None else value for value in values]
    return [rows[i] for i in thin([row.at_s for row in rows], known, 2 * width_px)]


def _grown(heights: dict[str, int], room_px: int) -> dict[str, int]:
    """The lanes with curves or bars, stretched alike into the room that is left."""
    growing = sum(px for name, px in heights.items() if name in GROWING)
    factor = (room_px - sum(heights.values()) + growing) / growing
    factor = min(max(factor, 1.0), 2.0)
    return {name: round(px * factor) if name in GROWING else px for name, px in heights.items()}


class _Lanes:
    """Heights in pixels and the axis of each lane, top to bottom, within the room on screen."""

    def __init__(self, timeline: Timeline, height_px: int, *, binned: bool) -> None:
        heights = {"sound": 44} if timeline.wave else {}
        heights |= {"why": 64} if timeline.pushes else {}
        heights |= {"mood": 196, "ribbon": 58}
        heights |= {"tone": 14, "words": 14} if timeline.has_words else {}
        heights |= {} if timeline.hidden else {"volatility": 104, "alerts": 22}
        self.gaps = {name: 3 if name == "tone" else LANE_GAP for name in heights}
        between = sum(self.gaps.values()) - LANE_GAP
        self.heights = _grown(heights, height_px - between - MARGIN["t"] - MARGIN["b"])
        self.axes = {name: f"y{i + 1}" if i else "y" for i, name in enumerate(heights)}
        self.lowest = list(heights)[-1]
        self.binned = binned
        self.inner = sum(self.heights.values()) + between
        self.height = self.inner + MARGIN["t"] + MARGIN["b"]

    def layout(
        self, timeline: Timeline, width_px: int, visible_s: float | None, window: tuple[float, float] | None
    ) -> dict:
        end = max(timeline.duration_s, 60.0)
        ticks = _ticks(window or (0.0, end), visible_s or end, width_px)
        layout = {
            "height": self.height,
            "margin": MARGIN,
            "barmode": "overlay",
            "hovermode": "x",
            "hoversubplots": "axis",
            "meta": {"lanes": [], "duration_s": end, "px": self.inner, "window": window},
            "xaxis": {"range": [-end * 0.004, end * 1.004], "anchor": self.axes[self.lowest], **ticks},
        }
        top = 0
        ranges = {"sound": [-1, 1], "why": [-1.05, 1.05], "ribbon": [0, 1.3], "alerts": [0, 1]}
        ranges |= {"tone": [0, 1], "words": [0, 1]}
        for name, height in self.heights.items():
            axis = {
                "domain": [1 - (top + height) / self.inner, 1 - top / self.inner],
                "anchor": "x",
                "showgrid": False,
                "showticklabels": False,
            }
            axis |= {"range": ranges[name]} if name in ranges else _scale(name, timeline)
            layout[self.axes[name].replace("y", "yaxis")] = axis
            said = "bins" if name == "ribbon" and self.binned else name
            title, small = timeline.words.lanes.get(said, (name, ""))
            layout["meta"]["lanes"].append({"top": MARGIN["t"] + top, "title": title, "small": small})
            top += height + self.gaps[name]
        return layout


def _scale(lane: str, timeline: Timeline) -> dict:
    if lane == "mood":
        values = [t.value for t in timeline.turns if t.read] + list(timeline.usual or ())
        low, high = min([-0.6, *values]) - 0.1, max([0.6, *values]) + 0.1
        ticks = {"tickvals": [-0.5, 0, 0.5], "ticktext": ["−0.5", "0", "+0.5"]}
        return {"range": [low, high], "showgrid": True, "showticklabels": not timeline.hidden, **ticks}
    if not timeline.has_z:
        top = max([t.index for t in timeline.turns if t.index is not None] or [1.0])
        return {"range": [0, top * 1.15], "showticklabels": True, "nticks": 3}
    z = [t.z for t in timeline.turns if t.z is not None]
    marks = {0.0} | {x for x in (timeline.threshold, timeline.recovery) if x is not None}
    low, high = min([-1.5, *z]) - 0.3, max([4.5, *z]) + 0.5
    high = min(high, 15.0)
    crowded = (high - low) * CLOSE_TICKS
    if timeline.threshold is not None:
        marks -= {x for x in marks if 0 < abs(x - timeline.threshold) < crowded}
    return {
        "range": [low, high],
        "showticklabels": True,
        "tickvals": sorted(marks),
        "ticktext": [f"{x:g}" for x in sorted(marks)],
    }


def _ticks(shown: tuple[float, float], visible_s: float, width_px: int) -> dict:
    """Round times, at least 70 px apart on screen."""
    steps = (5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 43200, 86400)
    least = visible_s * TICK_PX / width_px
    step = next((s for s in steps if s >= least), round(least))
    values = [i * step for i in range(int(max(shown[0], 0.0) // step), int(shown[1] // step) + 1)]
    return {"tickvals": values, "ticktext": [clock(v) for v in values]}


def _trace(lanes: _Lanes, lane: str, **fields: object) -> dict:
    return {"yaxis": lanes.axes[lane], "hoverinfo": "skip", "showlegend": False, **fields}


def _wave(timeline: Timeline, lanes: _Lanes) -> Iterable[dict]:
    for is_client, color in ((True, "$muted"), (False, "$edge/.55")):
        bars = [bar for bar in timeline.wave if bar[3] is is_client]
        if bars:
            yield _trace(
                lanes, "sound", type="bar",
                x=[b[0] + b[1] / 2 for b in bars],
                y=[2 * b[2] for b in bars],
                base=[-b[2] for b in bars],
                width=[b[1] * 0.7 for b in bars],
                marker={"color": color, "line": {"width": 0}},
            )  # fmt: skip


def _why(timeline: Timeline, lanes: _Lanes) -> Iterable[dict]:
    """Frames above the line spoke for their turn's label, those below against it."""
    for label in dict.fromkeys(push.label for push in timeline.pushes):
        x: list[float | None] = []
        y: list[float | None] = []
        for push in timeline.pushes:
            if push.label == label:
                at_s, value = np.round(push.at_s, 3).tolist(), np.round(push.value, 3).tolist()
                x += [at_s[0], *at_s, at_s[-1], None]
                y += [0.0, *value, 0.0, None]  # to zero, or the fill would join one turn to the next
        yield _trace(
            lanes, "why", type="scatter", mode="lines", name=f"why {label}", x=x, y=y, connectgaps=False,
            line={"color": "$text", "width": 1}, fill="tozeroy", fillcolor=f"$e-{label}/.55",
        )  # fmt: skip


def _tone_and_words(timeline: Timeline, lanes: _Lanes) -> Iterable[dict]:
    """Two rows of cells in five steps of valence: what the voice said, what the words said."""
    if "words" not in lanes.axes:
        return
    heard = [t for t in timeline.turns if t.read and t.valence is not None]
    for row, cells in (("tone", heard), ("words", [s for s in timeline.said if s.valence is not None])):
        yield _trace(
            lanes, row, type="bar", name=row,
            x=[cell.middle_s for cell in cells],
            y=[1.0] * len(cells),
            width=[cell.end_s - cell.at_s for cell in cells],
            marker={"color": [_step(cell.valence) for cell in cells], "line": {"width": 0}},
        )  # fmt: skip
    if alone := [said for said in timeline.said if said.hover]:
        yield _trace(
            lanes, "words", type="scatter", mode="markers", name="words alone",
            x=[said.middle_s for said in alone],
            y=[0.5] * len(alone),
            marker={"size": 14, "opacity": 0, "color": "$accent"},
            customdata=[[said.id, said.at_s, said.end_s] for said in alone],
            text=[said.hover for said in alone],
        ) | {"hoverinfo": "text"}  # fmt: skip


def _step(value: float) -> str:
    names = ("$neg2", "$neg1", "$zero", "$pos1", "$pos2")
    return names[sum(value >= edge for edge in VALENCE_STEPS)]


def _mood(timeline: Timeline, lanes: _Lanes) -> Iterable[dict]:
    read = [t for t in timeline.turns if t.read]
    for run in runs_of(timeline.turns):
        run = [t for t in run if t.level is not None]
        if not run:
            continue
        yield from _interval(run, lanes)
        x, y = [t.middle_s for t in run], [t.level for t in run]
        line = {"color": "$accent", "width": 2.25}
        mode = "lines" if len(run) > 1 else "markers"
        yield _trace(
            lanes, "mood", type="scatter", mode=mode, x=x, y=y, line=line,
            marker={"color": "$accent", "size": 5}, connectgaps=False, name="level",
        )  # fmt: skip
    yield _trace(
        lanes, "mood", type="scatter", mode="markers", name="turns",
        x=[t.middle_s for t in read],
        y=[t.value for t in read],
        marker={"size": 4.5, "color": "$muted", "opacity": 0.55, "line": {"width": 0}},
    )  # fmt: skip


def _interval(run: Sequence[Turn], lanes: _Lanes) -> Iterable[dict]:
    sure = [t for t in run if t.half_width is not None and t.level is not None]
    if len(sure) > 1:
        x = [t.middle_s for t in sure]
        upper, lower = [t.level + t.half_width for t in sure], [t.level - t.half_width for t in sure]
        yield _trace(
            lanes, "mood", type="scatter", mode="lines", fill="toself", fillcolor="$accent/.16",
            x=x + x[::-1], y=upper + lower[::-1], line={"width": 0}, name="interval",
        )  # fmt: skip


def _volatility(timeline: Timeline, lanes: _Lanes) -> Iterable[dict]:
    name = "z" if timeline.has_z else "index"
    for run in _unbroken(timeline.turns, name):
        x, y = [t.middle_s for t in run], [getattr(t, name) for t in run]
        if timeline.has_z and timeline.threshold is not None:
            yield from _above(x, y, timeline.threshold, lanes)
        whole = next((i for i, turn in enumerate(run) if not turn.partial), len(run) - 1)
        if whole:  # less than a whole window says less: dotted up to the first that is
            yield _trace(
                lanes, "volatility", type="scatter", mode="lines", name="partial",
                x=x[: whole + 1], y=y[: whole + 1], line={"color": "$text", "width": 1.5, "dash": "2px,3px"},
            )  # fmt: skip
        if whole < len(run) - 1 or not whole:
            yield _trace(
                lanes, "volatility", type="scatter", mode="lines" if len(run) > 1 else "markers", name=name,
                x=x[whole:], y=y[whole:], line={"color": "$text", "width": 1.5},
                marker={"color": "$text", "size": 4},
            )  # fmt: skip


def _unbroken(turns: Sequence[Turn], name: str) -> Iterable[list[Turn]]:
    """Runs of turns that have the value; one without it ends a run, an abstention alone does not."""
    for run in runs_of(turns):
        part: list[Turn] = []
        for turn in run:
            if getattr(turn, name) is None:
                if part:
                    yield part
                part = []
            else:
                part.append(turn)
        if part:
            yield part


def _above(x: Sequence[float], y: Sequence[float], line: float, lanes: _Lanes) -> Iterable[dict]:
    """The area over the threshold, cut where the curve crosses it."""
    px, py = [], []
    for (x0, y0), (x1, y1) in pairwise(zip(x, y, strict=True)):
        px.append(x0)
        py.append(max(y0, line))
        if (y0 - line) * (y1 - line) < 0:
            px.append(x0 + (x1 - x0) * (line - y0) / (y1 - y0))
            py.append(line)
    if px and max([*py, y[-1]]) > line:
        px.append(x[-1])
        py.append(max(y[-1], line))
        yield _trace(
            lanes, "volatility", type="scatter", mode="lines", fill="toself", fillcolor="$critical/.22",
            x=[*px, px[-1], px[0]], y=[*py, line, line], line={"width": 0}, name="above",
        )  # fmt: skip


def _ground(lanes: _Lanes) -> dict:
    """An axis without any trace is not drawn, and the clock stands on the lowest lane."""
    return _trace(lanes, lanes.lowest, type="scatter", mode="markers", x=[0], y=[0.5], marker={"opacity": 0})


def _hover_targets(timeline: Timeline, turns: Sequence[Turn], lanes: _Lanes) -> dict:
    """Invisible points, one a turn, that carry its words and id: hovering or clicking finds them."""
    low, _high = _scale("mood", timeline)["range"]
    return _trace(
        lanes, "mood", type="scatter", mode="markers", name="hover",
        x=[t.middle_s for t in turns],
        y=[t.value if t.read else low + 0.08 for t in turns],
        marker={"size": 14, "opacity": 0, "color": "$accent"},
        customdata=[[t.id, t.at_s, t.end_s] for t in turns],
        text=[t.hover for t in turns],
    ) | {"hoverinfo": "text"}  # fmt: skip
