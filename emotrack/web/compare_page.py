"""The two sides of a comparison: what was chosen, the figures of each, and what the difference means."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta

import numpy as np
from django.db.models import Sum
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from analysis.dynamics import MIN_VALUES_SPREAD, describe
from analysis.values import LABELS
from emotrack.history.models import Recognizer, Session, Speaker, Utterance
from emotrack.mood import queries as mood
from emotrack.mood.models import MoodPoint
from emotrack.mood.queries import SessionPoint
from emotrack.web import comparison, words
from emotrack.web.charts import STACK_ORDER
from emotrack.web.compare_chart import Curve, hover_of, overlay_figure
from emotrack.web.timeline import signed

LEAST_SHARE = 0.005
"""A label below this on both sides is left out."""


@dataclass(frozen=True, slots=True)
class Turns:
    """The client's turns in one session. at: 0..1 of the way. values, levels: headline, NaN where missing."""

    at: np.ndarray
    values: np.ndarray
    levels: np.ndarray
    half_widths: Sequence[float | None]
    talked: float | None


@dataclass(frozen=True, slots=True)
class Side:
    """One side. points: its sessions, oldest first. turns: of one session. first, last: days of a period."""

    letter: str
    title: str
    points: Sequence[SessionPoint]
    turns: Turns | None = None
    first: date | None = None
    last: date | None = None

    @property
    def enough(self) -> list[SessionPoint]:
        return [p for p in self.points if p.says_enough]

    @property
    def mean(self) -> float | None:
        """Of the session means, each session counting once; of one session its own."""
        return float(np.mean([p.mean for p in self.enough])) if self.enough else None

    @property
    def coverage(self) -> float | None:
        turns = sum(p.utterances for p in self.points)
        return sum(p.valid for p in self.points) / turns if turns else None

    @property
    def shares(self) -> list[float] | None:
        rows = [(p.shares, p.valid) for p in self.points if p.shares and p.valid]
        return (
            np.average([r[0] for r in rows], axis=0, weights=[r[1] for r in rows]).tolist() if rows else None
        )

    @property
    def peak_z(self) -> float | None:
        return max((p.peak_z for p in self.points if p.peak_z is not None), default=None)


@dataclass(frozen=True, slots=True)
class FigureRow:
    name: str
    a: str
    b: str
    difference: str
    words: str = ""
    topic: str = ""


@dataclass(frozen=True, slots=True)
class Dumbbell:
    """One label on both sides. a, b: 0..1. from_, to: places on the line, % of its length."""

    label: str
    a: float
    b: float
    a_at: str
    b_at: str
    difference: str


@dataclass(frozen=True, slots=True)
class Comparison:
    a: Side
    b: Side
    verdict: comparison.Verdict
    figure: dict | None = None
    rows: Sequence[FigureRow] = ()
    dumbbells: Sequence[Dumbbell] = ()
    curve_rows: Sequence[tuple[str, str, str]] = field(default=())


# --- Sides ------------------------------------------------------------------------------------------------


def session_side(letter: str, point: SessionPoint, recognizer: Recognizer) -> Side:
    at = timezone.localtime(point.started_at)
    return Side(letter, date_format(at, "j M Y, H:i"), [point], _turns(point, recognizer))


def period_side(letter: str, points: Sequence[SessionPoint], first: date, last: date) -> Side:
    """Sessions that began on one of these days of the reader, both included."""
    chosen = [p for p in points if first <= timezone.localtime(p.started_at).date() <= last]
    title = _("%(first)s to %(last)s") % {
        "first": date_format(first, "j M Y"),
        "last": date_format(last, "j M Y"),
    }
    return Side(letter, title, chosen, first=first, last=last)


def past_side(letter: str, points: Sequence[SessionPoint]) -> Side:
    return Side(
        letter, _("%(n)d earlier sessions") % {"n": len([p for p in points if p.says_enough])}, points
    )


def _turns(point: SessionPoint, recognizer: Recognizer) -> Turns:
    level = "level" if recognizer.headline == "valence" else "level_arousal"
    rows = list(
        MoodPoint.objects.filter(session__public_id=point.session, recognizer=recognizer)
        .order_by("occurred_at", "utterance_id")
        .values_list("occurred_at", recognizer.headline, level)
    )
    at = np.array([row[0].timestamp() for row in rows])
    values = [row[1] for row in rows]
    span = at[-1] - at[0] if len(at) else 0.0
    return Turns(
        (at - at[0]) / span if span else np.zeros(len(at)),
        np.array([np.nan if v is None else v for v in values]),
        np.array([np.nan if row[1] is None or row[2] is None else row[2] for row in rows]),
        mood.level_interval(at.tolist(), values),
        _talked(point),
    )


def _talked(point: SessionPoint) -> float | None:
    """The client's share of the time in which anybody spoke; ``None`` where only the client is on record."""
    session = Session.objects.filter(public_id=point.session)
    rows = Utterance.objects.filter(session__in=session).values_list("speaker")
    seconds = dict(rows.annotate(total=Sum("duration_ms")))
    total = sum(seconds.values())
    return seconds.get(Speaker.CLIENT, 0) / total if len(seconds) > 1 and total else None


# --- What is said -----------------------------------------------------------------------------------------


def compared(
    a: Side, b: Side, verdict: comparison.Verdict, band: tuple[float, float] | None, headline: str
) -> Comparison:
    both = a.turns is not None and b.turns is not None
    one = _curve(a) if both or b.turns is None else None
    figure = overlay_figure(one, _curve(b), band, {"start": _("start"), "end": _("end")})
    rows = session_rows(a, b, verdict, headline) if both else period_rows(a, b, verdict, headline)
    return Comparison(a, b, verdict, figure, rows, dumbbells(a, b), curve_rows(a, b))


def _curve(side: Side) -> Curve:
    return _curve_of_turns(side, side.turns) if side.turns is not None else _curve_of_sessions(side)


def _curve_of_turns(side: Side, turns: Turns) -> Curve:
    values = [None if np.isnan(v) else float(v) for v in turns.levels]
    hover = [
        hover_of(f"{side.letter} · {words.percent(float(at))}", v, half, _("No reading"))
        for at, v, half in zip(turns.at, values, turns.half_widths, strict=True)
    ]
    ids = [side.points[0].session] * len(values)
    return Curve(turns.at.tolist(), values, turns.half_widths, hover, ids, side.letter)


def _curve_of_sessions(side: Side) -> Curve:
    days = [timezone.localtime(p.started_at).date() for p in side.points]
    length = max((side.last - side.first).days, 1)
    values = [p.mean if p.says_enough else None for p in side.points]
    hover = [
        hover_of(f"{side.letter} · {date_format(day, 'j M Y')}", v, None, _("Too little to say"))
        for day, v in zip(days, values, strict=True)
    ]
    return Curve(
        [(day - side.first).days / length for day in days],
        values,
        [None] * len(values),
        hover,
        [p.session for p in side.points],
        side.letter,
    )


def session_rows(a: Side, b: Side, verdict: comparison.Verdict, headline: str) -> list[FigureRow]:
    one, two = (describe(side.turns.values) for side in (a, b))
    return [
        _mean_row(a, b, verdict, headline),
        _row(_("Spread (SD)"), one.sd.value, two.sd.value, "{:.2f}", topic="mean-and-spread"),
        _row(_("Movement from turn to turn"), one.rmssd.value, two.rmssd.value, "{:.2f}", topic="movement"),
        _peak_row(a, b),
        FigureRow(_("Begin → end"), _begin_end(a), _begin_end(b), "", _how_it_ends(b)),
        *_talk_rows(a, b),
        *_rest_rows(a, b),
    ]


def period_rows(a: Side, b: Side, verdict: comparison.Verdict, headline: str) -> list[FigureRow]:
    spreads = [
        float(np.std([p.mean for p in s.enough], ddof=1)) if len(s.enough) > 1 else None for s in (a, b)
    ]
    return [
        _mean_row(a, b, verdict, headline),
        _row(_("Spread between sessions (SD)"), *spreads, "{:.2f}", topic="mean-and-spread"),
        _peak_row(a, b),
        _row(_("Sessions"), float(len(a.points)), float(len(b.points)), "{:.0f}"),
        _row(_("of which say enough"), float(len(a.enough)), float(len(b.enough)), "{:.0f}"),
        *_rest_rows(a, b),
    ]


def _mean_row(a: Side, b: Side, verdict: comparison.Verdict, headline: str) -> FigureRow:
    name = _("Mean %(dimension)s") % {"dimension": words.DIMENSIONS[headline]}
    if verdict.difference is None:
        return FigureRow(name, _signed(a.mean), _signed(b.mean), "–", verdict.missing)
    said = verdict.missing or (
        _("more than chance alone would give") if verdict.sure else _("could be chance")
    )
    return FigureRow(name, _signed(a.mean), _signed(b.mean), signed(verdict.difference), said, "change")


def _row(name: str, a: float | None, b: float | None, form: str, *, topic: str = "") -> FigureRow:
    said = ["–" if v is None else form.format(v) for v in (a, b)]
    if a is None or b is None:
        return FigureRow(name, *said, "–", _("Insufficient data"), topic)
    difference = _without_zero(form.replace("{:", "{:+").format(b - a))
    return FigureRow(name, *said, difference, "", topic)


def _peak_row(a: Side, b: Side) -> FigureRow:
    row = _row(_("Highest volatility, own spreads"), a.peak_z, b.peak_z, "{:.1f}", topic="volatility")
    if a.peak_z is None or b.peak_z is None or round(b.peak_z - a.peak_z, 1) == 0:
        return row
    more = _("A was more changeable at its height"), _("B was more changeable at its height")
    return replace(row, words=more[b.peak_z > a.peak_z])


def _begin_end(side: Side) -> str:
    ends = _ends(side)
    return "–" if ends is None else f"{signed(ends[0])} → {signed(ends[1])}"


def _ends(side: Side) -> tuple[float, float] | None:
    """Means of the first and the last fifth of the readings, three each at least."""
    read = side.turns.values[~np.isnan(side.turns.values)]
    if len(read) < 6:
        return None
    fifth = max(3, len(read) // 5)
    return float(read[:fifth].mean()), float(read[-fifth:].mean())


def _how_it_ends(side: Side) -> str:
    ends = _ends(side)
    if ends is None:
        return _("Insufficient data")
    if round(ends[1] - ends[0], 2) == 0:
        return _("B ends as it began")
    return _("B ends higher than it began") if ends[1] > ends[0] else _("B ends lower than it began")


def _talk_rows(a: Side, b: Side) -> list[FigureRow]:
    if a.turns.talked is None or b.turns.talked is None:
        return []
    difference = _points(a.turns.talked, b.turns.talked)
    return [
        FigureRow(
            _("Client talked"), words.percent(a.turns.talked), words.percent(b.turns.talked), difference
        )
    ]


def _rest_rows(a: Side, b: Side) -> list[FigureRow]:
    turns = [sum(p.utterances for p in side.points) for side in (a, b)]
    least = min(a.coverage or 0.0, b.coverage or 0.0)
    enough = least >= mood.ENOUGH_COVERAGE
    said = _("both enough to compare") if enough else _("too little to compare")
    coverage = [words.percent(side.coverage) for side in (a, b)]
    return [
        _row(_("Turns"), float(turns[0]), float(turns[1]), "{:.0f}"),
        FigureRow(_("Coverage"), *coverage, _points(a.coverage, b.coverage), said),
    ]


def _points(a: float | None, b: float | None) -> str:
    """Difference of two shares in percentage points."""
    return "–" if a is None or b is None else _without_zero(f"{round(100 * (b - a)):+d}")


def _without_zero(difference: str) -> str:
    """A real minus, and no sign before nothing."""
    return difference[1:] if float(difference) == 0 else difference.replace("-", "−")


def _signed(value: float | None) -> str:
    return "–" if value is None else signed(value)


def dumbbells(a: Side, b: Side) -> list[Dumbbell]:
    """Mean shares of every label that either side has, in the order of every stack."""
    one, two = a.shares, b.shares
    if one is None or two is None:
        return []
    longest = max(*one, *two)
    found = []
    for label in STACK_ORDER:
        left, right = (shares[LABELS.index(label)] for shares in (one, two))
        if max(left, right) >= LEAST_SHARE:
            places = [f"{2 + 96 * share / longest:.1f}%" for share in (left, right)]
            found.append(Dumbbell(label, left, right, *places, _points(left, right)))
    return found


def curve_rows(a: Side, b: Side, steps: int = 8) -> list[tuple[str, str, str]]:
    """The curves as a table: means of eighths of the way for sessions, each session for periods."""
    if a.turns is None or b.turns is None:
        return []
    return [
        (
            f"{words.percent(i / steps)} – {words.percent((i + 1) / steps)}",
            *(_signed(_mean_within(s.turns, i / steps, (i + 1) / steps)) for s in (a, b)),
        )
        for i in range(steps)
    ]


def _mean_within(turns: Turns, start: float, stop: float) -> float | None:
    within = (turns.at >= start) & ((turns.at < stop) | (stop == 1)) & ~np.isnan(turns.values)
    return float(turns.values[within].mean()) if within.any() else None


def before_and_after(points: Sequence[SessionPoint]) -> tuple[tuple[date, date], tuple[date, date]]:
    """The days up to the last session and as many before them: (earlier, later), both ends included.

    Thirty days, or 90 or 180 where only so many hold enough sessions on both sides to compare.
    """
    last = timezone.localtime(points[-1].started_at).date()
    said = [timezone.localtime(p.started_at).date() for p in points if p.says_enough]
    for days in (30, 90, 180, 30):
        later = (last - timedelta(days=days - 1), last)
        earlier = (later[0] - timedelta(days=days), later[0] - timedelta(days=1))
        if all(sum(a <= day <= b for day in said) >= MIN_VALUES_SPREAD for a, b in (earlier, later)):
            break
    return earlier, later
