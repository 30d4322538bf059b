"""Plotly figures as plain data: arrays in, a figure out, colors as token names that the browser resolves."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import pairwise

from analysis.values import LABELS
from emotrack.web import marks
from emotrack.web.timeline import Timeline, Turn, clock, runs_of

STACK_ORDER: tuple[str, ...] = (
    "sad", "fearful", "disgusted", "angry", "neutral", "surprised", "happy", "other", "unknown",
)  # fmt: skip
EDGED = {"neutral": "$e-edge-neutral", "happy": "$e-edge-happy", "other": "$edge", "unknown": "$edge"}
"""Fills too light to stand alone on the surface carry an edge."""

STACK_PX = 60.0
"""From this width a turn shows all nine shares; below it, its strongest label alone."""

MARGIN = {"l": 128, "r": 16, "t": 28, "b": 28}
LANE_GAP = 26
TICK_PX = 70
GROWING = ("mood", "ribbon", "volatility")
CLOSE_TICKS = 0.1
"""Share of a lane below which two numbers on its axis would touch."""


def session_figure(
    timeline: Timeline, width_px: int = 960, visible_s: float | None = None, height_px: int = 0
) -> dict:
    """The lanes of a session on one time axis: sound, mood, ribbon, volatility, alerts.

    width_px: of the plot area on screen; visible_s: seconds that it shows at once (all by default). They only
    decide how much detail the ribbon can bear. height_px: room on screen; on a tall one the lanes with curves
    grow, to twice their height at most. ``layout.meta.lanes`` tells where to put the lanes' names.
    """
    lanes = _Lanes(timeline, height_px)
    px_per_s = width_px / max(visible_s or timeline.duration_s, 1.0)
    data = [
        *_wave(timeline, lanes),
        *_mood(timeline, lanes),
        *_ribbon(timeline, lanes, px_per_s),
        *_volatility(timeline, lanes),
        _ground(lanes),
        _hover_targets(timeline, lanes),
    ]
    layout = lanes.layout(timeline, width_px, visible_s)
    layout["shapes"] = marks.shapes(timeline, lanes.axes)
    layout["annotations"] = marks.annotations(timeline, lanes.axes, px_per_s)
    return {"data": data, "layout": layout}


def _grown(heights: dict[str, int], room_px: int) -> dict[str, int]:
    """The lanes with curves or bars, stretched alike into the room that is left."""
    growing = sum(heights[name] for name in GROWING)
    factor = (room_px - sum(heights.values()) + growing) / growing
    factor = min(max(factor, 1.0), 2.0)
    return {name: round(px * factor) if name in GROWING else px for name, px in heights.items()}


class _Lanes:
    """Heights in pixels and the axis of each lane, top to bottom, within the room on screen."""

    def __init__(self, timeline: Timeline, height_px: int) -> None:
        heights = {"sound": 44} if timeline.wave else {}
        heights |= {"mood": 196, "ribbon": 58, "volatility": 104, "alerts": 22}
        self.heights = _grown(heights, height_px - LANE_GAP * (len(heights) - 1) - MARGIN["t"] - MARGIN["b"])
        self.axes = {name: f"y{i + 1}" if i else "y" for i, name in enumerate(heights)}
        self.inner = sum(self.heights.values()) + LANE_GAP * (len(heights) - 1)
        self.height = self.inner + MARGIN["t"] + MARGIN["b"]

    def layout(self, timeline: Timeline, width_px: int, visible_s: float | None) -> dict:
        end = max(timeline.duration_s, 60.0)
        ticks = _ticks(end, visible_s or end, width_px)
        layout = {
            "height": self.height,
            "margin": MARGIN,
            "barmode": "overlay",
            "hovermode": "x",
            "hoversubplots": "axis",
            "meta": {"lanes": [], "duration_s": end, "px": self.inner},
            "xaxis": {"range": [-end * 0.004, end * 1.004], "anchor": self.axes["alerts"], **ticks},
        }
        top = 0
        ranges = {"sound": [-1, 1], "ribbon": [0, 1.3], "alerts": [0, 1]}
        for name, height in self.heights.items():
            axis = {
                "domain": [1 - (top + height) / self.inner, 1 - top / self.inner],
                "anchor": "x",
                "showgrid": False,
                "showticklabels": False,
            }
            axis |= {"range": ranges[name]} if name in ranges else _scale(name, timeline)
            layout[self.axes[name].replace("y", "yaxis")] = axis
            title, small = timeline.words.lanes.get(name, (name, ""))
            layout["meta"]["lanes"].append({"top": MARGIN["t"] + top, "title": title, "small": small})
            top += height + LANE_GAP
        return layout


def _scale(lane: str, timeline: Timeline) -> dict:
    if lane == "mood":
        values = [t.value for t in timeline.turns if t.read] + list(timeline.usual or ())
        low, high = min([-0.6, *values]) - 0.1, max([0.6, *values]) + 0.1
        ticks = {"tickvals": [-0.5, 0, 0.5], "ticktext": ["−0.5", "0", "+0.5"]}
        return {"range": [low, high], "showgrid": True, "showticklabels": True, **ticks}
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


def _ticks(end_s: float, visible_s: float, width_px: int) -> dict:
    """Round times, at least 70 px apart on screen."""
    steps = (5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 43200, 86400)
    least = visible_s * TICK_PX / width_px
    step = next((s for s in steps if s >= least), round(least))
    values = [i * step for i in range(int(end_s // step) + 1)]
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


def _mood(timeline: Timeline, lanes: _Lanes) -> Iterable[dict]:
    read = [t for t in timeline.turns if t.read]
    for run in runs_of(timeline.turns):
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


def _ribbon(timeline: Timeline, lanes: _Lanes, px_per_s: float) -> Iterable[dict]:
    read = [t for t in timeline.turns if t.read and t.shares is not None]
    if read and px_per_s * _typical_step(read) >= STACK_PX:
        yield from _stacks(read, lanes)
    else:
        for label in STACK_ORDER[:7]:
            turns = [t for t in read if t.label == label]
            if turns:
                yield _bars(lanes, label, turns, [max(t.shares) for t in turns], px_per_s)
    missing = [t for t in timeline.turns if t.reading and not t.read]
    if missing:
        stub = {"color": "$surface", "line": {"color": "$edge", "width": 1}}
        yield _bars(lanes, "none", missing, [0.16] * len(missing), px_per_s) | {"marker": stub}


def _typical_step(turns: Sequence[Turn]) -> float:
    steps = sorted(b.at_s - a.at_s for a, b in pairwise(turns))
    return steps[len(steps) // 2] if steps else turns[0].end_s - turns[0].at_s


def _stacks(read: Sequence[Turn], lanes: _Lanes) -> Iterable[dict]:
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
        yield _bars(lanes, label, read, heights, 1.0) | {"base": bases}


def _bars(
    lanes: _Lanes, label: str, turns: Sequence[Turn], heights: Sequence[float], px_per_s: float
) -> dict:
    widths = [max(t.end_s - t.at_s, 2.0 / px_per_s) for t in turns]
    return _trace(
        lanes, "ribbon", type="bar", name=label,
        x=[t.at_s + w / 2 for t, w in zip(turns, widths, strict=True)],
        y=list(heights),
        width=widths,
        marker=fill_of(label),
    )  # fmt: skip


def fill_of(label: str) -> dict:
    """Marker of a bar in the label's color; labels that say nothing are hatched."""
    edge = {"color": EDGED.get(label, "$surface"), "width": 0.75 if label in EDGED else 0}
    if label in ("other", "unknown", "none"):
        pattern = {"shape": "/", "fgcolor": "$edge", "bgcolor": "$surface", "size": 5, "solidity": 0.25}
        return {"color": "$surface", "line": edge, "pattern": pattern}
    return {"color": f"$e-{label}", "line": edge}


def _volatility(timeline: Timeline, lanes: _Lanes) -> Iterable[dict]:
    name = "z" if timeline.has_z else "index"
    for run in _unbroken(timeline.turns, name):
        x, y = [t.middle_s for t in run], [getattr(t, name) for t in run]
        if timeline.has_z and timeline.threshold is not None:
            yield from _above(x, y, timeline.threshold, lanes)
        yield _trace(
            lanes, "volatility", type="scatter", mode="lines" if len(run) > 1 else "markers", name=name,
            x=x, y=y, line={"color": "$text", "width": 1.5}, marker={"color": "$text", "size": 4},
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
    """An axis without any trace is not drawn, and the clock stands on the alerts lane."""
    return _trace(lanes, "alerts", type="scatter", mode="markers", x=[0], y=[0.5], marker={"opacity": 0})


def _hover_targets(timeline: Timeline, lanes: _Lanes) -> dict:
    """Invisible points, one a turn, that carry its words and id: hovering or clicking finds them."""
    low, _high = _scale("mood", timeline)["range"]
    return _trace(
        lanes, "mood", type="scatter", mode="markers", name="hover",
        x=[t.middle_s for t in timeline.turns],
        y=[t.value if t.read else low + 0.08 for t in timeline.turns],
        marker={"size": 14, "opacity": 0, "color": "$accent"},
        customdata=[[t.id, t.at_s, t.end_s] for t in timeline.turns],
        text=[t.hover for t in timeline.turns],
    ) | {"hoverinfo": "text"}  # fmt: skip
