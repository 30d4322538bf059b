"""Figures of a client's page: mood across sessions, and the emotions heard in each month."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from analysis.values import LABELS
from emotrack.web.charts import STACK_ORDER, fill_of
from emotrack.web.timeline import signed

MOOD_HEIGHT, MIX_HEIGHT = 340, 240
MARGIN, SHORTEST = timedelta(days=5), timedelta(days=60)
FEWEST_MONTHS = 6
SHORTEST_SPAN = 0.5
"""Of the mood axis, so that a steady person looks steady."""

WHISKER_ROOM = 0.4
"""Whiskers may widen the axis by this share of it above and below."""

LETTER_SHARE = 0.08
"""A share at least this high has room for its letters."""


@dataclass(frozen=True, slots=True)
class Meeting:
    """One session on the client's chart. at: in the reader's zone. mean, level, half_width: headline, -1..1.

    mean is ``None`` where the session says too little; hover: words.
    """

    at: datetime
    mean: float | None
    level: float | None
    half_width: float | None
    hover: str
    id: str


@dataclass(frozen=True, slots=True)
class Line:
    """A straight trend from one moment to another."""

    start: datetime
    end: datetime
    from_value: float
    to_value: float


@dataclass(frozen=True, slots=True)
class Shift:
    """A change point: since when, until when, the mean since; label on the chart, words below it."""

    start: datetime
    end: datetime
    mean: float
    label: str
    words: str


def client_figure(
    meetings: Sequence[Meeting],
    band: tuple[float, float] | None,
    trend: Line | None,
    shift: Shift | None = None,
    *,
    longest_step: timedelta | None = None,
    ghost: Sequence[tuple[datetime, float | None]] = (),
) -> dict:
    """Hollow circles with whiskers, the level, the usual range, × for sessions that say too little.

    shift: the latest change point, a dashed line and the mean since then. longest_step: a longer time between
    two meetings breaks the line. ghost: what to compare with, moved here, (when, mean), oldest first.
    """
    said = [m for m in meetings if m.mean is not None]
    low, high = limits(said, band, [mean for _at, mean in ghost if mean is not None])
    foot = low + (high - low) * 0.06
    data = [_ghost(ghost)] if ghost else []
    data += [_circles(said), _crosses([m for m in meetings if m.mean is None], foot)]
    data += _levels(meetings, longest_step)
    if trend:
        data.append(_trend(trend))
    if said and band:
        data.append(_last(said[-1], band))
    return {
        "data": [trace for trace in data if trace["x"]],
        "layout": {
            "height": MOOD_HEIGHT,
            "margin": {"l": 46, "r": 52, "t": 8, "b": 40},
            "hovermode": "closest",
            "xaxis": {"type": "date", "range": _span(meetings)},
            "yaxis": {"range": [low, high], **value_ticks(low, high)},
            "shapes": ([_band(band)] if band else []) + (_shift_lines(shift) if shift else []),
            "annotations": (_end_value(said[-1], band) if said else [])
            + ([_shift_label(shift, meetings)] if shift else []),
        },
    }


def _span(meetings: Sequence[Meeting]) -> list[str]:
    """From the first session to the last, and two months at least."""
    first, last = meetings[0].at - MARGIN, meetings[-1].at + MARGIN
    first = min(first, last - SHORTEST)
    return [t.replace(tzinfo=None).isoformat(timespec="seconds") for t in (first, last)]


def limits(
    said: Sequence[Meeting], band: tuple[float, float] | None, more: Sequence[float] = ()
) -> tuple[float, float]:
    """What the axis spans: all means, the usual range, and as much of the whiskers as leaves a curve to read.

    Where turns carry over strongly an interval may be wider than all that the person ever moved; it is then
    cut off at the frame, and the table has it whole. more: other values that must be seen.
    """
    places = [m.mean for m in said] + list(band or ()) + list(more)
    low, high = (min(places), max(places)) if places else (0.0, 0.0)
    short = max(SHORTEST_SPAN - (high - low), 0.0) / 2
    low, high = low - short, high + short
    room = (high - low) * WHISKER_ROOM
    half_widths = [m.half_width for m in said if m.half_width is not None]
    pad = min(max([*half_widths, room / 4]), room)
    return max(low - pad, -1.1), min(high + pad, 1.1)


def cuts_whiskers(said: Sequence[Meeting], span: tuple[float, float]) -> bool:
    low, high = span
    return any(m.mean - (m.half_width or 0) < low or m.mean + (m.half_width or 0) > high for m in said)


def value_ticks(low: float, high: float) -> dict:
    step = 0.2 if high - low < 1.0 else 0.25 if high - low < 1.7 else 0.5
    values = [i * step for i in range(-5, 6) if low <= i * step <= high]
    return {"tickvals": values, "ticktext": [signed(v) if v else "0" for v in values]}


def _stamps(meetings: Sequence[Meeting]) -> list[str]:
    return [m.at.replace(tzinfo=None).isoformat(timespec="seconds") for m in meetings]


def _circles(said: Sequence[Meeting]) -> dict:
    return {
        "type": "scatter",
        "mode": "markers",
        "name": "sessions",
        "x": _stamps(said),
        "y": [m.mean for m in said],
        "error_y": {
            "type": "data",
            "array": [m.half_width or 0 for m in said],
            "color": "$edge/.55",
            "thickness": 1,
            "width": 0,
        },
        "marker": {"size": 7, "color": "$surface", "line": {"color": "$muted", "width": 1.25}},
        "text": [m.hover for m in said],
        "customdata": [m.id for m in said],
        "hoverinfo": "text",
    }


def _crosses(missing: Sequence[Meeting], foot: float) -> dict:
    return {
        "type": "scatter",
        "mode": "markers",
        "name": "too little to say",
        "x": _stamps(missing),
        "y": [foot] * len(missing),
        "marker": {"symbol": "x-thin", "size": 7, "line": {"color": "$muted", "width": 1.5}},
        "text": [m.hover for m in missing],
        "customdata": [m.id for m in missing],
        "hoverinfo": "text",
    }


def _ghost(ghost: Sequence[tuple[datetime, float | None]]) -> dict:
    return {
        "type": "scatter",
        "mode": "lines",
        "name": "the period before",
        "x": [_stamp(at) for at, _mean in ghost],
        "y": [mean for _at, mean in ghost],
        "connectgaps": False,
        "line": {"color": "$muted/.7", "width": 1.5, "dash": "1px,3px"},
        "hoverinfo": "skip",
    }


def _levels(meetings: Sequence[Meeting], longest_step: timedelta | None) -> list[dict]:
    """The level, broken where a session said too little and where none was for long."""
    runs: list[list[Meeting]] = [[]]
    for meeting in meetings:
        far = longest_step is not None and runs[-1] and meeting.at - runs[-1][-1].at > longest_step
        if meeting.level is None or far:
            runs.append([])
        if meeting.level is not None:
            runs[-1].append(meeting)
    return [
        {
            "type": "scatter",
            "mode": "lines",
            "name": "level",
            "x": _stamps(run),
            "y": [m.level for m in run],
            "line": {"color": "$accent", "width": 2.25},
            "hoverinfo": "skip",
        }
        for run in runs
        if len(run) > 1
    ]


def _trend(trend: Line) -> dict:
    return {
        "type": "scatter",
        "mode": "lines",
        "name": "trend",
        "x": [t.replace(tzinfo=None).isoformat(timespec="seconds") for t in (trend.start, trend.end)],
        "y": [trend.from_value, trend.to_value],
        "line": {"color": "$muted", "width": 1.5, "dash": "6px,3px"},
        "hoverinfo": "skip",
    }


def _stamp(at: datetime) -> str:
    return at.replace(tzinfo=None).isoformat(timespec="seconds")


def _shift_lines(shift: Shift) -> list[dict]:
    start, end = _stamp(shift.start), _stamp(shift.end)
    dashed = {"type": "line", "xref": "x", "line": {"color": "$text", "width": 1.25, "dash": "4px,3px"}}
    return [
        {**dashed, "x0": start, "x1": start, "yref": "paper", "y0": 0, "y1": 1},
        {**dashed, "x0": start, "x1": end, "yref": "y", "y0": shift.mean, "y1": shift.mean},
    ]


def _shift_label(shift: Shift, meetings: Sequence[Meeting]) -> dict:
    first, last = meetings[0].at, meetings[-1].at
    late = shift.start - first > (last - first) / 2
    return {
        "x": _stamp(shift.start),
        "y": 1,
        "yref": "paper",
        "xanchor": "right" if late else "left",
        "yanchor": "top",
        "xshift": -4 if late else 4,
        "text": shift.label,
        "font": {"size": 11, "color": "$text"},
        "bgcolor": "$surface/.8",
        "showarrow": False,
    }


def _tone(value: float, band: tuple[float, float] | None) -> str:
    if band is None or band[0] <= value <= band[1]:
        return "$text"
    return "$neg2" if value < band[0] else "$pos2"


def _last(last: Meeting, band: tuple[float, float]) -> dict:
    return {
        "type": "scatter",
        "mode": "markers",
        "name": "last session",
        "x": _stamps([last]),
        "y": [last.mean],
        "marker": {"size": 10, "color": _tone(last.mean, band), "line": {"color": "$surface", "width": 2}},
        "hoverinfo": "skip",
    }


def _band(band: tuple[float, float]) -> dict:
    return {
        "type": "rect",
        "xref": "paper",
        "x0": 0,
        "x1": 1,
        "yref": "y",
        "y0": band[0],
        "y1": band[1],
        "fillcolor": "$band",
        "line": {"width": 0},
        "layer": "below",
    }


def _end_value(last: Meeting, band: tuple[float, float] | None) -> list[dict]:
    return [
        {
            "x": _stamps([last])[0],
            "y": last.mean,
            "xanchor": "left",
            "xshift": 9,
            "text": signed(last.mean),
            "font": {"size": 12, "color": _tone(last.mean, band), "weight": 600},
            "showarrow": False,
        }
    ]


def mix_figure(
    months: Sequence[str], shares: Sequence[Sequence[float]], codes: dict[str, str], names: dict[str, str]
) -> dict:
    """Stacked mean shares of each month. shares: (months, 9), rows add up to 1. codes: letters by label."""
    data = []
    for label in STACK_ORDER:
        k = LABELS.index(label)
        heights = [row[k] for row in shares]
        data.append(
            {
                "type": "bar",
                "name": names[label],
                "x": list(months),
                "y": heights,
                "marker": fill_of(label),
                "text": [codes[label] if h >= LETTER_SHARE and label != "unknown" else "" for h in heights],
                "textposition": "inside",
                "insidetextanchor": "middle",
                "textangle": 0,
                "constraintext": "none",
                "textfont": {"size": 11, "color": f"$i-{label}"},
                "hovertemplate": "%{fullData.name} %{y:.0%}<extra></extra>",
            }
        )
    return {
        "data": data,
        "layout": {
            "height": MIX_HEIGHT,
            "margin": {"l": 46, "r": 12, "t": 8, "b": 40},
            "barmode": "stack",
            "bargap": 0.22,
            "hovermode": "closest",
            "xaxis": {
                "type": "category",
                "showspikes": False,
                "tickangle": 0,
                "tickvals": list(range(len(months))),
                "range": [-0.5, max(len(months), FEWEST_MONTHS) - 0.5],
            },
            "yaxis": {"range": [0, 1], "tickvals": [0, 0.5, 1], "ticktext": ["0", "50 %", "100 %"]},
        },
    }
