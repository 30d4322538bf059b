"""A preview finds what the live rule would have found."""

from datetime import timedelta

import numpy as np
import pytest

from analysis.baseline import SessionBaseline
from emotrack.alerts import actions
from emotrack.alerts.models import Alert, Kind, Rule
from emotrack.alerts.tuning.backtest import backtest
from emotrack.history.models import Client
from tests.emotrack import factories
from tests.emotrack.alerts import planted
from tests.emotrack.alerts.planted import BEFORE, NOW, place, series

pytestmark = pytest.mark.django_db
SPAN = {"since": NOW - timedelta(days=60), "until": NOW}


@pytest.fixture(autouse=True)
def rules():
    planted.rules(now=BEFORE)


def terms(kind=Kind.VOLATILITY, **changed):
    version = Rule.objects.get(kind=kind).current
    version.pk = None
    for name, value in changed.items():
        setattr(version, name, value)
    return version


def week_of(client, weeks_ago, z, **more):
    session = factories.session(
        client, NOW - timedelta(weeks=weeks_ago), ended_at=NOW - timedelta(weeks=weeks_ago - 1)
    )
    series(session, volatility_z=z, **more)
    return session


def test_it_counts_episodes_people_and_the_rate():
    ann, ben, chen = (factories.client(name) for name in ("Ann", "Ben", "Chen"))
    first = week_of(ann, 4, [4, 4, 4])
    week_of(ann, 3, [0, 4, 4, 4])
    week_of(ben, 2, [9, 9, 9])
    week_of(chen, 2, [4, 4, 0])
    found = backtest(terms(), Kind.VOLATILITY, **SPAN)
    assert (found.count, found.people) == (3, 2)
    assert found.per_week == pytest.approx(3 / (60 / 7))
    assert (found.episodes[0].session, place(first, found.episodes[0].fired_at)) == (first.pk, 2)
    assert found.armed == {ann.pk, ben.pk, chen.pk}


def test_a_higher_line_finds_fewer():
    week_of(factories.client(), 2, [4, 4, 4, 0, 0, 0, 0, 0, 0, 0, 0, 9, 9, 9])
    assert backtest(terms(), Kind.VOLATILITY, **SPAN).count == 2
    assert backtest(terms(threshold=8.0), Kind.VOLATILITY, **SPAN).count == 1


def test_a_session_that_is_low_from_beginning_to_end_is_found():
    week_of(factories.client(), 2, [0] * 12, level=[-0.9] * 12)
    assert backtest(terms(Kind.NEGATIVE_MOOD), Kind.NEGATIVE_MOOD, **SPAN).count == 1


def test_nothing_is_stored():
    week_of(factories.client(), 2, [4, 4, 4])
    backtest(terms(), Kind.VOLATILITY, **SPAN)
    assert not Alert.objects.exists()


def test_the_span_is_half_open():
    at = NOW - timedelta(weeks=2)
    week_of(factories.client(), 2, [4, 4, 4])
    assert backtest(terms(), Kind.VOLATILITY, since=at, until=NOW).count == 1
    assert backtest(terms(), Kind.VOLATILITY, since=at - timedelta(days=1), until=at).count == 0


def test_an_empty_span_is_refused():
    with pytest.raises(ValueError, match="backtest-span"):
        backtest(terms(), Kind.VOLATILITY, since=NOW, until=NOW)


def test_only_the_given_clients_are_looked_at():
    ann, ben = factories.client("Ann"), factories.client("Ben")
    for each in (ann, ben):
        week_of(each, 2, [4, 4, 4])
    found = backtest(terms(), Kind.VOLATILITY, clients=Client.objects.filter(pk=ann.pk), **SPAN)
    assert {episode.client for episode in found.episodes} == {ann.pk}


def test_people_without_enough_of_a_usual_are_named_apart():
    ann = factories.client("Ann")
    week_of(ann, 2, [9, 9, 9], baseline=SessionBaseline())
    found = backtest(terms(), Kind.VOLATILITY, **SPAN)
    assert (found.count, found.armed, found.forming) == (0, frozenset(), {ann.pk})


@pytest.mark.parametrize("seed", range(4))
def test_it_finds_what_the_live_rules_find(seed):
    random = np.random.default_rng(seed)
    ann, recognizer = factories.client(), factories.recognizer()
    for weeks_ago in (5, 4, 3):
        z = [
            None if gap else float(v)
            for v, gap in zip(random.normal(2.5, 1.5, 40), random.random(40) < 0.1, strict=True)
        ]
        session = week_of(ann, weeks_ago, z, level=[None if v is None else -v / 8 for v in z])
        actions.evaluate(session, recognizer, now=NOW)
    for kind in Kind:
        live = Alert.objects.filter(rule__kind=kind).order_by("fired_at")
        found = backtest(Rule.objects.get(kind=kind).current, kind, **SPAN).episodes
        assert [(e.session, e.fired_at, e.ended_at, e.peak) for e in found] == list(
            live.values_list("session", "fired_at", "resolved_at", "peak")
        )
    assert Alert.objects.filter(rule__kind=Kind.VOLATILITY).exists()


@pytest.mark.parametrize("seed", range(4))
def test_poor_sound_is_found_as_by_the_live_rule(seed):
    random = np.random.default_rng(seed)
    ann, recognizer = factories.client(), factories.recognizer()
    for weeks_ago, poor in ((6, 0.0), (5, 0.3), (4, 0.5), (3, 0.7)):
        session = week_of(ann, weeks_ago, [None if gap else 0.0 for gap in random.random(40) < poor])
        actions.evaluate(session, recognizer, now=NOW)
    live = Alert.objects.filter(rule__kind=Kind.LOW_QUALITY).order_by("fired_at")
    found = backtest(terms(Kind.LOW_QUALITY), Kind.LOW_QUALITY, **SPAN).episodes
    assert [(e.session, e.fired_at, e.ended_at, e.peak) for e in found] == list(
        live.values_list("session", "fired_at", "resolved_at", "peak")
    )
    assert found


def test_a_way_of_sounding_in_many_sessions_is_read_at_once(django_assert_max_num_queries):
    for weeks_ago in range(2, 9):
        week_of(factories.client(), weeks_ago, [0.0] * 12)
    calm = terms(Kind.EMOTION_SHARE, label="neutral")
    with django_assert_max_num_queries(8):
        found = backtest(calm, Kind.EMOTION_SHARE, since=NOW - timedelta(weeks=9), until=NOW)
    assert found.people == 7
