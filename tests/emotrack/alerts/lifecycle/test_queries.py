"""Who reads which alerts, and what pages are told about them."""

import pytest

from analysis.baseline import SessionBaseline, Usual
from emotrack.alerts import actions
from emotrack.alerts.judging.arming import WhyNot
from emotrack.alerts.lifecycle import queries
from emotrack.alerts.models import Alert, Kind, Rule
from emotrack.audit.models import AuditEvent
from emotrack.mood.models import SessionMood
from tests.emotrack import factories
from tests.emotrack.alerts import planted
from tests.emotrack.alerts.planted import BEFORE, NOW, mood, place, series

pytestmark = pytest.mark.django_db


@pytest.fixture
def alice():
    return factories.counselor("alice")


@pytest.fixture
def ann(alice):
    return factories.client("Ann", assigned_to=alice)


@pytest.fixture
def alert(ann):
    planted.rules(now=BEFORE)
    session = factories.session(ann)
    series(session, volatility_z=[0, 4, 5, 4, 1])
    (fired,) = actions.evaluate(session, factories.recognizer(), now=NOW).fired
    return fired


def test_the_counselor_and_the_admin_see_an_open_alert(alert, alice):
    assert list(queries.open_alerts(alice)) == [alert]
    assert list(queries.open_alerts(factories.admin())) == [alert]


@pytest.mark.parametrize("ended", [None, NOW])
def test_a_colleague_a_stranger_and_a_foreign_app_do_not(alert, ended):
    Alert.objects.update(resolved_at=ended, end_reason="recovered" if ended else "")
    for viewer in (factories.counselor("bob"), factories.counselor("charlie"), factories.app("Foreign")):
        assert list(queries.open_alerts(viewer)) == []
        assert list(queries.past_alerts(viewer)) == []


def test_an_alert_that_ended_is_past(alert, alice):
    alert.session.ended_at = NOW
    alert.session.save()
    actions.evaluate(alert.session, alert.recognizer, now=NOW)
    assert list(queries.open_alerts(alice)) == []
    assert list(queries.past_alerts(alice)) == [alert]


def test_a_superseded_alert_is_on_no_list(alert, alice):
    Alert.objects.update(superseded_at=NOW)
    assert list(queries.open_alerts(alice)) == list(queries.past_alerts(alice)) == []
    assert list(queries.alerts_of(alert.session)) == []


def test_alerts_are_found_by_client(alert, ann):
    ben = factories.client("Ben")
    assert queries.alerts_of_clients([ann, ben]) == {ann.pk: [alert]}
    assert queries.alerts_of_clients([ann], since=alert.fired_at) == {ann.pk: [alert]}
    assert queries.alerts_of_clients([ann], since=NOW.replace(year=2027)) == {}


def test_a_chart_gets_the_times_of_every_phase(alert):
    (span,) = queries.episode_spans(alert.session)
    places = [place(alert.session, at) for at in (span.pending_at, span.fired_at, span.recovering_at)]
    assert (places, span.ended_at, span.state) == ([1, 3, 4], None, "recovering")
    assert (span.threshold, span.recovery, span.peak) == (3, 2, 5)
    assert str(span.title) == "More changeable than usual"


def test_the_first_to_acknowledge_is_the_one_who_did(alert, alice):
    actions.acknowledge(alert, by=alice, now=NOW)
    again = actions.acknowledge(alert, by=factories.counselor("bob"), now=NOW.replace(year=2027))
    assert (again.acknowledged_by, again.acknowledged_at) == (alice, NOW)
    assert AuditEvent.objects.filter(action="alert.acknowledged").count() == 1


def test_pages_can_say_why_a_rule_does_not_judge(ann):
    planted.rules(now=BEFORE)
    by = factories.recognizer()
    row = mood(factories.session(ann), by, SessionBaseline(window_distance=Usual(49, 0.3, 0.1)))
    row = SessionMood.objects.select_related("session", "recognizer").get(pk=row.pk)
    rule = Rule.objects.get(kind=Kind.VOLATILITY)
    assert queries.why_not_armed(rule, row) is WhyNot.BASELINE_FORMING
    row.baseline["window_distance"]["n"] = 50
    assert queries.why_not_armed(rule, row) is None
    actions.disable_rule(rule, by=factories.TESTS, now=NOW)
    rule.refresh_from_db()
    assert queries.why_not_armed(rule, row) is WhyNot.SWITCHED_OFF
    row.recognizer.headline = "arousal"
    assert queries.why_not_armed(Rule.objects.get(kind=Kind.NEGATIVE_MOOD), row) is WhyNot.OFF_HEADLINE
