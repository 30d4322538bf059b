"""A client's sessions one by one, by week or by month, as the chart of their moods shows them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from emotrack.mood.queries import ENOUGH_COVERAGE, SessionPoint
from emotrack.web import words
from emotrack.web.client_charts import Meeting
from emotrack.web.dates import written
from emotrack.web.timeline import signed

LONGEST_STEP = {"week": timedelta(days=10), "month": timedelta(days=45)}
"""A longer time between two bins breaks their line."""


@dataclass(frozen=True, slots=True)
class Bin:
    """A session, or the sessions of a week or month. title: when. sessions: how many; id: of a lone session.

    mean: of the readings of the sessions that say enough, ``None`` without any. half_width: of its 95 %
    interval. level: running level after it, only of a lone session.
    """

    at: datetime
    title: str
    sessions: int
    id: str
    mean: float | None
    half_width: float | None
    level: float | None
    coverage: float | None
    peak_z: float | None

    @property
    def meeting(self) -> Meeting:
        lines = [self.title, _("Too little to say")]
        if self.mean is not None:
            lines[1] = signed(self.mean) + (f" ± {self.half_width:.2f}" if self.half_width else "")
        if not self.id:
            lines.append(ngettext("%(n)d session", "%(n)d sessions", self.sessions) % {"n": self.sessions})
        lines.append(_("%(share)s of turns gave a reading") % {"share": words.percent(self.coverage)})
        level = self.level if self.id else self.mean
        return Meeting(self.at, self.mean, level, self.half_width, "<br>".join(lines), self.id)


Row = tuple[SessionPoint, float | None, float | None]
"""A session with its level and the half-width of its interval."""


def bins_of(rows: Sequence[Row], by: str) -> list[Bin]:
    """The rows, oldest first, by session, week or month of the reader's calendar."""
    if by == "session":
        return [_one(*row) for row in rows]
    grouped: dict[datetime, list[Row]] = {}
    for row in rows:
        grouped.setdefault(_start(row[0].started_at, by), []).append(row)
    return [_many(start, group, by) for start, group in grouped.items()]


def _one(point: SessionPoint, level: float | None, half_width: float | None) -> Bin:
    at = timezone.localtime(point.started_at)
    mean = point.mean if point.says_enough else None
    title = written(at, "j M Y, H:i")
    return Bin(at, title, 1, point.session, mean, half_width, level, point.coverage, point.peak_z)


def _start(at: datetime, by: str) -> datetime:
    day = timezone.localtime(at).replace(hour=12, minute=0, second=0, microsecond=0)
    return day.replace(day=1) if by == "month" else day - timedelta(days=day.weekday())


def _many(start: datetime, group: Sequence[Row], by: str) -> Bin:
    """Means weigh by readings; the interval is that of so many readings together."""
    said = [(p, half) for p, _level, half in group if p.says_enough]
    readings = sum(p.valid for p, _half in said)
    turns = sum(p.utterances for p, *_rest in group)
    coverage = sum(p.valid for p, *_rest in group) / turns if turns else None
    enough = said and (coverage or 0.0) >= ENOUGH_COVERAGE
    mean = sum(p.mean * p.valid for p, _half in said) / readings if enough else None
    half = None
    if enough and all(width is not None for _p, width in said):
        half = math.sqrt(sum((width * p.valid) ** 2 for p, width in said)) / readings
    title = _("Week of %(day)s") % {"day": written(start, "j M Y")}
    if by == "month":
        title = written(start, "F Y")
    peaks = [p.peak_z for p, *_rest in group if p.peak_z is not None]
    middle = start + (timedelta(days=14) if by == "month" else timedelta(days=3))
    return Bin(middle, title, len(group), "", mean, half, None, coverage, max(peaks, default=None))
