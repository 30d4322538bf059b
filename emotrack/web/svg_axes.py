"""Where things lie on a figure that is drawn as SVG: from values to places on the sheet."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

DAYS_ONLY = timedelta(days=100)
"""A shorter axis names days, a longer one months."""

MOST_TICKS = 8


@dataclass(frozen=True, slots=True)
class ValueAxis:
    """top, foot: px; low, high: values there. ticks: (value, words)."""

    top: float
    foot: float
    low: float
    high: float
    grid: bool
    ticks: Sequence[tuple[float, str]]

    def y(self, value: float) -> float:
        return self.foot - (value - self.low) / (self.high - self.low) * (self.foot - self.top)


@dataclass(frozen=True, slots=True)
class Axes:
    """The frame in px, the time axis, and the value axes from ``y`` on.

    kind: linear, date or category; low, high: its ends as numbers (seconds for dates). places: categories.
    given: ticks that the figure names itself.
    """

    left: float
    top: float
    width: float
    inner: float
    height: float
    kind: str
    low: float
    high: float
    places: Sequence[str]
    given: Sequence[tuple[float, str]]
    named: Mapping[str, ValueAxis]

    @property
    def right(self) -> float:
        return self.left + self.width

    @property
    def foot(self) -> float:
        return self.top + self.inner

    @property
    def values(self) -> Sequence[ValueAxis]:
        return list(self.named.values())

    def value_axis(self, name: str) -> ValueAxis:
        return self.named[name]

    def x(self, place: float | str) -> float:
        return self.left + (self._number(place) - self.low) / (self.high - self.low) * self.width

    def _number(self, place: float | str) -> float:
        if self.kind == "date":
            return _seconds(place)
        return self.places.index(place) if self.kind == "category" and isinstance(place, str) else place

    def across(self, reference: str, place: float | str) -> float:
        return self.left + place * self.width if reference == "paper" else self.x(place)

    def up(self, reference: str, place: float) -> float:
        if reference == "paper":
            return self.foot - place * self.inner
        axis = self.named[reference.split()[0]]
        return axis.foot - place * (axis.foot - axis.top) if " domain" in reference else axis.y(place)

    def bar_width(self, trace: Mapping[str, Any], i: int, gap: float) -> float:
        """px; without a width of its own a bar fills its place but for the gap."""
        values = trace["width"][i] if "width" in trace else 1 - gap
        return values / (self.high - self.low) * self.width

    def time_ticks(self, date_words: Callable[[datetime, bool], str]) -> Iterator[tuple[float, str]]:
        """(px, words) of each tick of the time axis."""
        if self.kind == "category":
            yield from ((self.x(place), place) for place in self.places)
        elif self.kind == "date":
            ends = (datetime.fromtimestamp(end, tz=UTC).replace(tzinfo=None) for end in (self.low, self.high))
            for at, months in _dates(*ends):
                yield self.x(at.isoformat()), date_words(at, months)
        else:
            yield from ((self.x(value), said) for value, said in self.given if self.low <= value <= self.high)


def axes_of(figure: Mapping[str, Any], width: int, height: float) -> Axes:
    """The axes of a figure of ours on a sheet of that size, in px."""
    layout = figure["layout"]
    margin = layout["margin"]
    time = layout["xaxis"]
    kind = time.get("type", "linear")
    low, high = (_seconds(end) if kind == "date" else end for end in time["range"])
    inner = height - margin["t"] - margin["b"]
    places = list(dict.fromkeys(p for t in figure["data"] for p in t["x"])) if kind == "category" else []
    named = {
        key.replace("axis", ""): _value_axis(axis, margin["t"], inner)
        for key, axis in layout.items()
        if key.startswith("yaxis")
    }
    return Axes(
        left=margin["l"],
        top=margin["t"],
        width=width - margin["l"] - margin["r"],
        inner=inner,
        height=height,
        kind=kind,
        low=low,
        high=high,
        places=places,
        given=list(zip(time.get("tickvals", ()), time.get("ticktext", ()), strict=False)),
        named=named,
    )


def _value_axis(axis: Mapping[str, Any], top: float, inner: float) -> ValueAxis:
    first, last = axis.get("domain", (0, 1))
    low, high = axis["range"]
    ticks: list[tuple[float, str]] = []
    if axis.get("showticklabels", True):
        values = axis.get("tickvals")
        values = _round_values(low, high, axis.get("nticks", 5)) if values is None else values
        said = axis.get("ticktext") or [f"{value:g}".replace("-", "−") for value in values]
        ticks = [(v, s) for v, s in zip(values, said, strict=True) if low <= v <= high]
    return ValueAxis(
        top + (1 - last) * inner, top + (1 - first) * inner, low, high, axis.get("showgrid", True), ticks
    )


def _round_values(low: float, high: float, most: int) -> list[float]:
    """Multiples of 1, 2 or 5 times a power of ten."""
    rough = (high - low) / most
    power = 10 ** math.floor(math.log10(rough))
    step = next(m * power for m in (1, 2, 5, 10) if m * power >= rough)
    return [round(i * step, 10) for i in range(math.ceil(low / step), math.floor(high / step) + 1)]


# --- Dates ------------------------------------------------------------------------------------------------


def _seconds(stamp: str) -> float:
    """Of a moment without a zone, as our figures have them."""
    return datetime.fromisoformat(stamp).replace(tzinfo=UTC).timestamp()


def _dates(first: datetime, last: datetime) -> Iterator[tuple[datetime, bool]]:
    if last - first <= DAYS_ONLY:
        step = max(1, math.ceil((last - first).days / MOST_TICKS))
        at = first.replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1)
        while at <= last:
            yield at, False
            at += timedelta(days=step)
        return
    months = (last.year - first.year) * 12 + last.month - first.month
    step = next(s for s in (1, 2, 3, 6, 12, 24, 60, 120, 1200) if months / s <= MOST_TICKS)
    number = first.year * 12 + first.month
    number += -(number - 1) % step
    while (at := datetime((number - 1) // 12, (number - 1) % 12 + 1, 1)) <= last:  # noqa: DTZ001
        if at >= first:
            yield at, True
        number += step
