"""When a notice goes out, as a table; clocks that change, and hours that never meet."""

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emotrack.alerts.delivery.timing import Hours, Timing, timing

BERLIN, UTC_ZONE = ZoneInfo("Europe/Berlin"), ZoneInfo("UTC")
WEEKDAYS = frozenset(range(5))
OFFICE = Hours(time(9), time(17), UTC_ZONE, WEEKDAYS)
NEVER = Hours(time(9), time(17), UTC_ZONE, frozenset())
NIGHT = Hours(time(22), time(7), UTC_ZONE)


def at(text):
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


MONDAY = "2026-03-02"


@pytest.mark.parametrize(
    ("now", "severity", "terms", "due"),
    [
        # Nothing in the way.
        (f"{MONDAY} 12:00", "warning", {}, f"{MONDAY} 12:00"),
        # Active hours: wait until they begin; the end itself is outside.
        (f"{MONDAY} 12:00", "warning", {"active": OFFICE}, f"{MONDAY} 12:00"),
        (f"{MONDAY} 09:00", "warning", {"active": OFFICE}, f"{MONDAY} 09:00"),
        (f"{MONDAY} 08:59", "warning", {"active": OFFICE}, f"{MONDAY} 09:00"),
        (f"{MONDAY} 17:00", "warning", {"active": OFFICE}, "2026-03-03 09:00"),
        ("2026-03-06 17:30", "warning", {"active": OFFICE}, "2026-03-09 09:00"),
        # Critical: past the active hours unless the rule says otherwise.
        (f"{MONDAY} 03:00", "critical", {"active": OFFICE}, f"{MONDAY} 03:00"),
        (f"{MONDAY} 03:00", "critical", {"active": OFFICE, "critical_at_any_hour": False}, f"{MONDAY} 09:00"),
        # Quiet hours across midnight.
        (f"{MONDAY} 21:59", "info", {"quiet": NIGHT}, f"{MONDAY} 21:59"),
        (f"{MONDAY} 22:00", "info", {"quiet": NIGHT}, "2026-03-03 07:00"),
        ("2026-03-03 06:59", "info", {"quiet": NIGHT}, "2026-03-03 07:00"),
        ("2026-03-03 07:00", "info", {"quiet": NIGHT}, "2026-03-03 07:00"),
        ("2026-03-03 02:00", "critical", {"quiet": NIGHT}, "2026-03-03 02:00"),
        # Both: active from 9, quiet until 10.
        (
            f"{MONDAY} 05:00", "warning",
            {"active": OFFICE, "quiet": Hours(time(20), time(10), UTC_ZONE)}, f"{MONDAY} 10:00",
        ),
        # Both at once for ever: told when active rather than never.
        (
            f"{MONDAY} 05:00", "warning",
            {"active": OFFICE, "quiet": Hours(time(8), time(18), UTC_ZONE)}, f"{MONDAY} 09:00",
        ),
        # Quiet all day every day: told at once rather than never.
        (f"{MONDAY} 05:00", "info", {"quiet": Hours(time(0), time(0), UTC_ZONE)}, f"{MONDAY} 05:00"),
        # No active day at all.
        (f"{MONDAY} 05:00", "info", {"active": NEVER}, f"{MONDAY} 05:00"),
        # Muted only while it lasts.
        (f"{MONDAY} 12:00", "info", {"snoozed_until": at(f"{MONDAY} 12:00")}, f"{MONDAY} 12:00"),
        (f"{MONDAY} 12:00", "info", {"cool_down_until": at(f"{MONDAY} 11:00")}, f"{MONDAY} 12:00"),
    ],
)  # fmt: skip
def test_when_a_notice_goes_out(now, severity, terms, due):
    assert timing(at(now), severity, **terms) == Timing(at(due))


@pytest.mark.parametrize(
    ("terms", "why"),
    [
        ({"snoozed_until": at(f"{MONDAY} 12:01")}, "snoozed"),
        ({"cool_down_until": at(f"{MONDAY} 12:01")}, "cool_down"),
    ],
)
@pytest.mark.parametrize("severity", ["info", "critical"])
def test_snooze_and_cool_down_mute(severity, terms, why):
    assert timing(at(f"{MONDAY} 12:00"), severity, **terms) == Timing(None, why)


@pytest.mark.parametrize(
    ("now", "due"),
    [
        # Clocks go forward on 29 March 2026 at 01:00 UTC: 02:30 is skipped, what begins then begins at 03:30.
        ("2026-03-29 00:30", "2026-03-29 01:30"),
        # And back on 25 October at 01:00 UTC: 02:30 comes twice, the first one counts.
        ("2026-10-25 00:00", "2026-10-25 00:30"),
        ("2026-10-25 01:00", "2026-10-25 01:00"),
    ],
)
def test_hours_that_begin_when_the_clock_changes(now, due):
    hours = Hours(time(2, 30), time(5), BERLIN)
    assert timing(at(now), "info", active=hours) == Timing(at(due))


def test_a_night_with_a_clock_change_is_an_hour_shorter_or_longer():
    night = Hours(time(22), time(7), BERLIN)
    for day, hours in (("2026-03-28 21:00", 8), ("2026-10-24 20:00", 10), (f"{MONDAY} 21:00", 9)):
        assert timing(at(day), "info", quiet=night).due_at - at(day) == timedelta(hours=hours)


CLOCK = st.times().map(lambda t: t.replace(microsecond=0))
ZONES = st.sampled_from(["UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu"])
HOURS = st.builds(Hours, CLOCK, CLOCK, ZONES.map(ZoneInfo), st.frozensets(st.integers(0, 6), min_size=1))


@given(st.integers(0, 2 * 366 * 24 * 60), HOURS, HOURS)
def test_no_notice_is_early_lost_or_more_than_a_week_and_a_day_late(minute, active, quiet):
    now = at("2025-01-01 00:00") + timedelta(minutes=minute)
    due = timing(now, "warning", active=active, quiet=quiet).due_at
    assert now <= due <= now + timedelta(days=9)
    assert active.begins(due) == due


def test_hours_that_meet_only_after_the_clocks_change_hold_nothing_back_for_months():
    active = Hours(time(0), time(7), ZoneInfo("Asia/Kathmandu"), frozenset({1}))
    quiet = Hours(time(0), time(21), ZoneInfo("America/New_York"), frozenset({0}))
    due = timing(at("2025-01-01 00:00"), "warning", active=active, quiet=quiet).due_at
    assert due == at("2025-01-06 18:15")
