"""When a notice may go out: one pure decision over active hours, quiet hours and snoozes."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from emotrack.alerts.models import Muted, Severity

EVERY_DAY = frozenset(range(7))
_LOOK_AHEAD_DAYS = 9
"""One week, and a day on both sides for spans that cross midnight."""

_LATEST = timedelta(days=8)
"""Hours come again every week, so what has found no moment by then would wait for months."""


@dataclass(frozen=True, slots=True)
class Hours:
    """Hours of a clock on the wall, the same on each of ``days`` (0 is Monday).

    From ``start`` to before ``end``; an ``end`` at or before the ``start`` lies on the next day, and equal
    ones mean the whole day.
    """

    start: time
    end: time
    zone: ZoneInfo
    days: frozenset[int] = field(default=EVERY_DAY)

    def span(self, day: date) -> tuple[datetime, datetime] | None:
        """Bounds, in UTC, of the hours that begin on that day; ``None`` where none do."""
        if day.weekday() not in self.days:
            return None
        last = day if self.end > self.start else day + timedelta(days=1)
        return self._at(day, self.start), self._at(last, self.end)

    def _at(self, day: date, clock: time) -> datetime:
        # A wall time that the clock skips comes out behind the gap.
        # In UTC also because times of one zone compare by their wall clocks, an hour wrong twice a year.
        return datetime.fromtimestamp(datetime.combine(day, clock, self.zone).timestamp(), UTC)

    def begins(self, moment: datetime) -> datetime | None:
        """``moment`` when it lies within the hours, else when they next begin; ``None``: on no day."""
        for start, end in self._spans_around(moment):
            if moment < end:
                return max(start, moment)
        return None

    def ends(self, moment: datetime) -> datetime | None:
        """The end of the hours that ``moment`` lies within, joined ones included; ``None`` outside them."""
        until = None
        for start, end in self._spans_around(moment):
            if start <= (until or moment) < end:
                until = end
        return until

    def _spans_around(self, moment: datetime) -> list[tuple[datetime, datetime]]:
        first = moment.astimezone(self.zone).date() - timedelta(days=1)
        days = (first + timedelta(days=n) for n in range(_LOOK_AHEAD_DAYS + 1))
        return [span for day in days if (span := self.span(day)) is not None]


@dataclass(frozen=True, slots=True)
class Timing:
    """Either ``due_at``, or why nobody is told at all."""

    due_at: datetime | None
    muted: str = ""


def timing(
    now: datetime,
    severity: str,
    *,
    active: Hours | None = None,
    critical_at_any_hour: bool = True,
    quiet: Hours | None = None,
    cool_down_until: datetime | None = None,
    snoozed_until: datetime | None = None,
) -> Timing:
    """When a notice of this severity goes out.

    active: the hours in which the rule tells anybody; outside them its notices wait. quiet: the hours in
    which the person is left alone; a critical notice goes out all the same. critical_at_any_hour: whether it
    also does outside the active hours. Cool-down and snooze mute, critical or not.
    """
    if snoozed_until is not None and now < snoozed_until:
        return Timing(None, Muted.SNOOZED)
    if cool_down_until is not None and now < cool_down_until:
        return Timing(None, Muted.COOL_DOWN)
    critical = severity == Severity.CRITICAL
    if critical:
        quiet = None
        active = None if critical_at_any_hour else active
    due = now
    while True:
        open_from = due if active is None else active.begins(due)
        if open_from is None or open_from > now + _LATEST:
            break
        left_alone_until = None if quiet is None else quiet.ends(open_from)
        if left_alone_until is None:
            return Timing(open_from)
        due = left_alone_until
    # No moment soon is both active and not quiet, or only after the clocks change: it rather disturbs.
    return Timing(now if active is None else active.begins(now) or now)
