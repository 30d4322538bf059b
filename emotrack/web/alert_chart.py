"""The figure that says why an alert fired: the watched number, its lines, and when it began and ended."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise

from django.utils import timezone
from django.utils.formats import date_format

from emotrack.web.timeline import clock, signed

HEIGHT = 280
WORD_ROOM = 0.14
"""Two lines of words beside the chart take this share of its height."""

DAY_S = 86_400.0


@dataclass(frozen=True, slots=True)
class Axis:
    """How time runs below a chart. say: a moment in words. gap_s: a longer time without a value breaks the
    curve. around_s: shown before an alert began and after it ended. steps_s: what may lie between two ticks.
    """

    say: Callable[[float], str]
    gap_s: float
    around_s: float
    steps_s: Sequence[float]


def _day(at_s: float) -> str:
    return date_format(datetime.fromtimestamp(at_s, timezone.get_current_timezone()), "j M")


SESSION_CLOCK = Axis(clock, gap_s=300.0, around_s=240.0, steps_s=(60, 120, 300, 600, 1800, 3600, 7200))
"""Seconds since the session's start."""

CALENDAR = Axis(
    _day, gap_s=120 * DAY_S, around_s=90 * DAY_S, steps_s=tuple(DAY_S * n for n in (1, 2, 7, 14, 28, 91, 182))
)
"""Seconds since 1970, said in days."""


@dataclass(frozen=True, slots=True)
class Watched:
    """The watched number of each turn that has one. at_s: seconds since the session's start, oldest first.

    threshold, recovery: as they were in force. above: whether it fires above them. usual: its range.
    """

    at_s: Sequence[float]
    values: Sequence[float]
    threshold: float
    recovery: float
    above: bool
    usual: tuple[float, float] | None = None


@dataclass(frozen=True, slots=True)
class Moments:
    """When the episode began, fired and ended; ended_s is ``None`` while it goes on. Words beside each."""

    pending_s: float
    fired_s: float
    ended_s: float | None
    pending: str
    fired: str
    ended: str


def alert_figure(
    watched: Watched, moments: Moments, words: dict[str, str], axis: Axis = SESSION_CLOCK
) -> dict:
    """words: fires, ends, usual."""
    window = _window(watched, moments, axis)
    shown = [v for t, v in zip(watched.at_s, watched.values, strict=True) if window[0] <= t <= window[1]]
    values = [*shown, watched.threshold, watched.recovery, *(watched.usual or ())]
    pad = (max(values) - min(values)) * 0.14 or 0.5
    runs = _runs(watched, axis)
    return {
        "data": [
            *(area for run in runs for area in _beyond(run, watched.threshold, watched.above)),
            *(_curve(run, axis) for run in runs),
        ],
        "layout": {
            "height": HEIGHT,
            "margin": {"l": 46, "r": 84, "t": 26, "b": 28},
            "hovermode": "closest",
            "xaxis": {"range": window, **_ticks(window, axis)},
            "yaxis": {
                "range": [min(values) - pad, max(values) + pad],
                **_value_ticks(watched),
            },
            "shapes": [*_band(watched), *_lines(watched), *_verticals(moments)],
            "annotations": [
                *_line_words(watched, words, room=(max(values) - min(values) + 2 * pad) * WORD_ROOM),
                *_moment_words(moments, window),
            ],
        },
    }


def _window(watched: Watched, moments: Moments, axis: Axis) -> list[float]:
    """The episode with some time around it, but no emptiness before the first value or behind the last."""
    end_s = max(moments.ended_s if moments.ended_s is not None else watched.at_s[-1], moments.fired_s)
    margin = axis.around_s / 12
    first = max(moments.pending_s - axis.around_s, min(watched.at_s[0], moments.pending_s) - margin)
    last = min(end_s + axis.around_s, max(watched.at_s[-1], end_s) + margin)
    return [max(first, 0.0), last]


def _value_ticks(watched: Watched) -> dict:
    values = sorted({0.0, watched.threshold, watched.recovery})
    return {"tickvals": values, "ticktext": [f"{round(v, 2):g}".replace("-", "−") for v in values]}


def _runs(watched: Watched, axis: Axis) -> list[list[tuple[float, float]]]:
    """Stretches without a long gap."""
    runs: list[list[tuple[float, float]]] = []
    for at, value in zip(watched.at_s, watched.values, strict=True):
        if runs and at - runs[-1][-1][0] <= axis.gap_s:
            runs[-1].append((at, value))
        else:
            runs.append([(at, value)])
    return runs


def _curve(run: Sequence[tuple[float, float]], axis: Axis) -> dict:
    return {
        "type": "scatter",
        "mode": "lines+markers",
        "x": [at for at, _value in run],
        "y": [value for _at, value in run],
        "text": [f"{axis.say(at)}  {signed(value)}" for at, value in run],
        "hoverinfo": "text",
        "line": {"color": "$text", "width": 1.75},
        "marker": {"size": 6, "color": "$surface", "line": {"color": "$text", "width": 1.25}},
    }


def _beyond(run: Sequence[tuple[float, float]], line: float, above: bool) -> list[dict]:
    """The area beyond the threshold, cut where the curve crosses it."""
    sign, x, y = 1 if above else -1, [run[0][0]], [run[0][1]]
    for (x0, y0), (x1, y1) in pairwise(run):
        if (y0 - line) * (y1 - line) < 0:
            x.append(x0 + (x1 - x0) * (line - y0) / (y1 - y0))
            y.append(line)
        x.append(x1)
        y.append(y1)
    held = [line + sign * max(sign * (value - line), 0.0) for value in y]
    if len(run) < 2 or all(value == line for value in held):
        return []
    return [
        {
            "type": "scatter",
            "mode": "lines",
            "x": [*x, x[-1], x[0]],
            "y": [*held, line, line],
            "fill": "toself",
            "fillcolor": "$critical/.22",
            "line": {"width": 0},
            "hoverinfo": "skip",
        }
    ]


def _ticks(window: Sequence[float], axis: Axis) -> dict:
    span = window[1] - window[0]
    step = int(next((s for s in axis.steps_s if span / s <= 5), axis.steps_s[-1]))
    first = int(window[0] // step + 1) * step
    values = list(range(first, int(window[1]) + 1, step))
    return {"tickvals": values, "ticktext": [axis.say(v) for v in values], "tickangle": 0}


def _band(watched: Watched) -> list[dict]:
    if watched.usual is None:
        return []
    low, high = watched.usual
    fill = {"type": "rect", "fillcolor": "$band", "line": {"width": 0}, "layer": "below"}
    return [{**fill, "xref": "paper", "x0": 0, "x1": 1, "yref": "y", "y0": low, "y1": high}]


def _lines(watched: Watched) -> list[dict]:
    across = {"type": "line", "xref": "paper", "x0": 0, "x1": 1, "yref": "y"}
    fires = {"color": "$critical", "width": 1.25, "dash": "6px,3px"}
    ends = {"color": "$edge", "width": 1, "dash": "2px,3px"}
    return [
        {**across, "y0": watched.threshold, "y1": watched.threshold, "line": fires},
        {**across, "y0": watched.recovery, "y1": watched.recovery, "line": ends},
    ]


def _line_words(watched: Watched, words: dict[str, str], room: float) -> list[dict]:
    """Words beside the lines, and beside the usual where they do not touch the others. room: in values."""
    beside = {"xref": "paper", "x": 1, "xanchor": "left", "xshift": 6, "showarrow": False, "align": "left"}
    above, below = ("bottom", "top") if watched.above else ("top", "bottom")
    red = {"size": 11, "color": "$critical"}
    notes = [
        {**beside, "y": watched.threshold, "yanchor": above, "text": words["fires"], "font": red},
        {**beside, "y": watched.recovery, "yanchor": below, "text": words["ends"], "font": {"size": 11}},
    ]  # fmt: skip
    middle = sum(watched.usual) / 2 if watched.usual else None
    if middle is not None and min(abs(middle - x) for x in (watched.threshold, watched.recovery)) > room:
        notes.append(
            {**beside, "y": middle, "yanchor": "middle", "text": words["usual"], "font": {"size": 11}}
        )
    return notes


def _verticals(moments: Moments) -> list[dict]:
    line = {"type": "line", "yref": "paper", "y0": 0, "y1": 1, "line": {"color": "$edge", "width": 1}}
    times = [moments.pending_s, moments.fired_s, moments.ended_s]
    return [{**line, "xref": "x", "x0": t, "x1": t} for t in times if t is not None]


def _moment_words(moments: Moments, window: Sequence[float]) -> list[dict]:
    """The beginning left of its line where there is room, the others to the right, the end a step lower."""
    begins_left = moments.pending_s - window[0] > 0.15 * (window[1] - window[0])
    began = {"xanchor": "right"} if begins_left else {"xanchor": "left", "y": 0.8}
    note = {"xref": "x", "yref": "paper", "y": 1, "yanchor": "bottom", "showarrow": False}
    font = {"size": 11, "color": "$text", "weight": 600}
    notes = [
        {**note, "x": moments.pending_s, **began, "text": moments.pending, "font": {"size": 11}},
        {**note, "x": moments.fired_s, "xanchor": "left", "text": moments.fired, "font": font},
    ]
    if moments.ended_s is not None:
        notes.append(
            {
                **note,
                "x": moments.ended_s,
                "xanchor": "left",
                "y": 0.9,
                "text": moments.ended,
                "font": {"size": 11},
            }
        )
    return notes
