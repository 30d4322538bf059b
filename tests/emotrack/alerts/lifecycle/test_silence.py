"""Rules on silence: who is missed, when, and until when."""

from datetime import timedelta

import pytest

from emotrack.alerts.lifecycle.evaluation import judge_silence
from emotrack.alerts.models import Alert, EndReason, Kind
from emotrack.alerts.series.silence import maybe_silent
from emotrack.alerts.tuning.backtest import backtest
from tests.emotrack import factories
from tests.emotrack.alerts import planted
from tests.emotrack.alerts.lifecycle.test_session_rules import FIRST, LONG_AGO, only
from tests.emotrack.alerts.planted import series

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def rules():
    planted.rules(now=LONG_AGO)


def spoke(client, days):
    """Sessions with one turn each, on these days."""
    sessions = []
    for day in days:
        session = factories.session(
            client, FIRST + timedelta(days=day), ended_at=FIRST + timedelta(days=day, hours=1)
        )
        series(session, level=[0.0])
        sessions.append(session)
    return sessions


def at_day(day):
    return FIRST + timedelta(days=day, minutes=5)


WEEKLY = [7 * week for week in range(10)]


def test_two_weeks_without_the_weekly_session_fire(ann):
    only(Kind.SILENCE)
    spoke(ann, WEEKLY)
    assert not judge_silence(ann, now=at_day(63 + 14))
    (alert,) = judge_silence(ann, now=at_day(63 + 15)).fired
    assert (alert.rule.kind, alert.muted, alert.fired_at) == (
        Kind.SILENCE,
        "",
        FIRST + timedelta(days=63 + 15),
    )


def test_who_comes_every_month_is_not_missed_after_two_weeks(ann):
    only(Kind.SILENCE)
    spoke(ann, [28 * month for month in range(10)])
    assert not judge_silence(ann, now=at_day(9 * 28 + 50))
    assert judge_silence(ann, now=at_day(9 * 28 + 58)).fired


def test_it_ends_when_the_person_is_heard_again(ann):
    only(Kind.SILENCE)
    spoke(ann, WEEKLY)
    judge_silence(ann, now=at_day(80))
    spoke(ann, [84])
    assert ann in maybe_silent(at_day(85))
    (ended,) = judge_silence(ann, now=at_day(85)).resolved
    assert (ended.end_reason, ended.resolved_at) == (EndReason.RECOVERED, FIRST + timedelta(days=84))


def test_asking_every_hour_tells_once(ann):
    only(Kind.SILENCE)
    spoke(ann, WEEKLY)
    for hour in range(24):
        judge_silence(ann, now=at_day(79) + timedelta(hours=hour))
    assert Alert.objects.count() == 1


def test_a_clock_that_is_set_back_undoes_nothing(ann):
    only(Kind.SILENCE)
    spoke(ann, WEEKLY)
    judge_silence(ann, now=at_day(80))
    assert not judge_silence(ann, now=at_day(70))
    assert Alert.objects.get().state == "firing"


def test_eight_sessions_are_needed_to_know_a_gap(ann):
    only(Kind.SILENCE)
    spoke(ann, WEEKLY[:7])
    assert not judge_silence(ann, now=at_day(200))


def test_a_gap_that_is_over_is_not_told_afterwards(ann):
    only(Kind.SILENCE)
    spoke(ann, [*WEEKLY, 100])
    assert not judge_silence(ann, now=at_day(101))


def test_who_was_heard_this_week_is_not_even_looked_at(ann):
    spoke(ann, WEEKLY)
    assert ann not in maybe_silent(at_day(65))
    assert ann in maybe_silent(at_day(75))


def test_a_preview_of_silence_finds_past_gaps(ann):
    rule = only(Kind.SILENCE)
    spoke(ann, [*WEEKLY, 100, 107])
    found = backtest(rule.current, rule.kind, since=FIRST, until=at_day(110))
    assert [(e.fired_at, e.ended_at) for e in found.episodes] == [
        (FIRST + timedelta(days=78), FIRST + timedelta(days=100))
    ]
