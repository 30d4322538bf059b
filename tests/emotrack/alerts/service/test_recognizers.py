"""Drift from month to month and poor sound of many are told to admins, and are over by themselves."""

from datetime import UTC, datetime, timedelta

import pytest

from emotrack.alerts import actions
from emotrack.alerts.models import Alert, Kind, Rule, SystemAlert, Trouble
from emotrack.alerts.service.recognizers import judge_recognizers
from emotrack.alerts.tuning.backtest import backtest
from emotrack.history.models import Utterance
from tests.emotrack import factories
from tests.emotrack.alerts import planted
from tests.emotrack.alerts.planted import BEFORE, point

pytestmark = pytest.mark.django_db
APRIL = datetime(2026, 4, 2, tzinfo=UTC)
FEBRUARY, MARCH = datetime(2026, 2, 3, tzinfo=UTC), datetime(2026, 3, 3, tzinfo=UTC)


@pytest.fixture(autouse=True)
def rules():
    planted.rules(now=BEFORE)


def spoken(at, **shares):
    """A month with 220 readings, of which these many have each label."""
    session = factories.session(factories.client(), at)
    for label, count in shares.items():
        one = factories.utterance(session, at, shares=factories.scores(**{label: 0.9}))
        Utterance.objects.bulk_create(
            Utterance(
                session=session, client=session.client, occurred_at=at, received_at=at, status="analyzed",
                analyzed_at=at, recognizer=one.recognizer, scores=one.scores, reading="ok",
            )
            for _n in range(count - 1)
        )  # fmt: skip


def looked_twice(now):
    for minutes in (0, 30):
        judge_recognizers(now=now + timedelta(minutes=minutes))


def open_troubles():
    raised = SystemAlert.objects.filter(until=None, raised_at__isnull=False)
    return sorted(raised.values_list("kind", flat=True))


def test_another_mix_of_labels_is_drift():
    spoken(FEBRUARY, neutral=180, sad=40)
    spoken(MARCH, neutral=60, sad=160)
    looked_twice(APRIL)
    assert open_troubles() == [Trouble.DRIFT]
    assert SystemAlert.objects.get().detail == {"recognizers": ["planted 1"]}


def test_the_same_mix_is_none():
    spoken(FEBRUARY, neutral=180, sad=40)
    spoken(MARCH, neutral=175, sad=45)
    looked_twice(APRIL)
    assert open_troubles() == []


def test_a_month_that_is_not_over_is_not_judged():
    spoken(FEBRUARY, neutral=180, sad=40)
    spoken(MARCH, neutral=60, sad=160)
    looked_twice(MARCH + timedelta(days=20))
    assert open_troubles() == []


def test_asking_again_tells_once():
    spoken(FEBRUARY, neutral=180, sad=40)
    spoken(MARCH, neutral=60, sad=160)
    for hour in range(3):
        judge_recognizers(now=APRIL + timedelta(hours=hour))
    assert SystemAlert.objects.count() == 1


def test_a_rule_that_is_off_says_nothing():
    spoken(FEBRUARY, neutral=180, sad=40)
    spoken(MARCH, neutral=60, sad=160)
    rule = Rule.objects.get(kind=Kind.RECOGNIZER_DRIFT)
    actions.disable_rule(rule, by=factories.TESTS, now=BEFORE)
    looked_twice(APRIL)
    assert open_troubles() == []


def test_a_preview_of_drift_finds_the_month():
    spoken(FEBRUARY, neutral=180, sad=40)
    spoken(MARCH, neutral=60, sad=160)
    rule = Rule.objects.get(kind=Kind.RECOGNIZER_DRIFT)
    found = backtest(rule.current, rule.kind, since=FEBRUARY, until=APRIL)
    assert ([e.fired_at for e in found.episodes], found.people) == ([datetime(2026, 4, 1, tzinfo=UTC)], 0)


def test_poor_sound_of_three_clients_in_a_day_is_everybodys_trouble():
    for name in ("Ann", "Ben", "Chen"):
        session = factories.session(factories.client(name), MARCH)
        for i in range(20):
            point(session, i, level=0.0 if i % 4 == 0 else None)
        actions.evaluate(session, factories.recognizer(), now=MARCH + timedelta(minutes=9))
    assert Alert.objects.filter(rule__kind=Kind.LOW_QUALITY).count() == 3
    looked_twice(MARCH + timedelta(hours=1))
    assert open_troubles() == [Trouble.LOW_QUALITY]
    looked_twice(MARCH + timedelta(days=2))
    assert open_troubles() == []
