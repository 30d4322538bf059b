"""What rules find in planted sessions, and what late data does to it."""

import random
from datetime import timedelta

import pytest
from django.db import IntegrityError, transaction

from analysis.baseline import SessionBaseline, Usual
from emotrack.alerts import actions
from emotrack.alerts.models import Alert, EndReason, Kind, Muted, Notification, Rule
from emotrack.audit.models import AuditEvent
from emotrack.mood.models import MoodPoint
from tests.emotrack import factories
from tests.emotrack.alerts import planted
from tests.emotrack.alerts.planted import BEFORE, NOW, STEP, channel, mood, place, point, series, told

pytestmark = pytest.mark.django_db
SOON = NOW + timedelta(minutes=10)


@pytest.fixture(autouse=True)
def rules():
    planted.rules(now=BEFORE)


def judge(session, recognizer, *, now=SOON, **more):
    return actions.evaluate(session, recognizer, now=now, **more)


def shown(changes):
    return len(changes.fired), len(changes.resolved), len(changes.superseded)


# --- What is found ------------------------------------------------------------------------------


def test_volatility_fires_at_the_third_value_above_three(session, recognizer):
    said = series(session, volatility_z=[0, 4, 5, 3.5])
    (alert,) = judge(session, recognizer).fired
    assert (alert.rule.kind, place(session, alert.pending_at), alert.fired_utterance_id) == (
        Kind.VOLATILITY,
        1,
        said[3].pk,
    )
    assert (alert.peak, alert.peak_utterance_id, alert.state) == (5, said[2].pk, "firing")


def test_two_values_above_are_not_enough(session, recognizer):
    series(session, volatility_z=[4, 4, 1, 4, 4])
    assert not judge(session, recognizer)


def test_a_value_of_a_partial_window_is_not_judged(session, recognizer):
    mood(session, recognizer)
    for i in range(4):
        point(session, i, pairs=3, volatility_z=9.0)
    assert not judge(session, recognizer)


@pytest.mark.parametrize("baseline", [None, SessionBaseline(window_distance=Usual(49, 0.3, 0.05))])
def test_without_enough_of_a_usual_nothing_fires(session, recognizer, baseline):
    series(session, baseline=baseline, volatility_z=[9, 9, 9, 9])
    assert not judge(session, recognizer)


def test_it_is_resolved_where_it_recovered(session, recognizer):
    series(session, volatility_z=[4, 4, 4, 1, 1, 1, 1, 1, 1, 1])
    changes = judge(session, recognizer)
    assert shown(changes) == (1, 1, 0)
    (alert,) = changes.fired
    assert (alert.end_reason, place(session, alert.resolved_at)) == (EndReason.RECOVERED, 9)


def test_it_keeps_firing_for_two_minutes_after_recovery(session, recognizer):
    series(session, volatility_z=[4, 4, 4, 1, 1])
    (alert,) = judge(session, recognizer).fired
    assert (alert.state, place(session, alert.recovering_at)) == ("recovering", 3)


def test_it_ends_with_the_session(session, recognizer):
    series(session, volatility_z=[4, 4, 4])
    judge(session, recognizer)
    session.ended_at = SOON
    session.save()
    (alert,) = judge(session, recognizer).resolved
    assert (alert.end_reason, alert.resolved_at) == (EndReason.SESSION_ENDED, SOON)


def test_pending_does_not_reach_into_the_next_session(ann, session, recognizer):
    series(session, volatility_z=[4, 4])
    later = factories.session(ann, NOW + timedelta(minutes=5))
    series(later, volatility_z=[4, 0])
    assert not judge(session, recognizer) and not judge(later, recognizer)


def test_low_mood_fires_below_both_its_lines(session, recognizer):
    """Median 0 and MAD .1: below −.25 it is below 0 − 1.4826·.1 too."""
    series(session, level=[-0.26] * 10)
    (alert,) = judge(session, recognizer).fired
    assert (alert.rule.kind, place(session, alert.fired_at)) == (Kind.NEGATIVE_MOOD, 9)


def test_for_a_person_who_is_usually_low_the_line_lies_lower(session, recognizer):
    """Median −.3 and MAD .1 put the line at −.44826."""
    usual = SessionBaseline(valence=Usual(60, -0.3, 0.1))
    series(session, baseline=usual, level=[-0.44] * 12)
    assert not judge(session, recognizer)
    MoodPoint.objects.update(level=-0.45)
    (alert,) = judge(session, recognizer).fired
    assert alert.baseline["threshold"] == pytest.approx(-0.44826)
    assert alert.baseline["recovery"] == pytest.approx(-0.39826)
    assert (alert.baseline["n"], alert.baseline["median"]) == (60, -0.3)


def test_for_a_person_who_is_usually_well_the_absolute_line_holds(session, recognizer):
    """Median .6 and MAD .1 alone would put the line at .45."""
    series(session, baseline=SessionBaseline(valence=Usual(60, 0.6, 0.1)), level=[-0.24] * 12)
    assert not judge(session, recognizer)


def test_a_rule_on_a_dimension_that_the_recognizer_does_not_lead_with_is_off(session, recognizer):
    recognizer.headline = "arousal"
    recognizer.save()
    series(session, level=[-0.9] * 12)
    assert not judge(session, recognizer)


def test_unless_the_rule_says_so(session, recognizer):
    recognizer.headline = "arousal"
    recognizer.save()
    rule = Rule.objects.get(kind=Kind.NEGATIVE_MOOD)
    actions.save_rule(
        rule, also_off_headline=True, reason="Tried it.", by=factories.TESTS, now=BEFORE + timedelta(days=1)
    )
    series(session, level=[-0.9] * 12)
    assert shown(judge(session, recognizer)) == (1, 0, 0)


def test_a_rule_that_is_off_finds_nothing(session, recognizer):
    actions.disable_rule(Rule.objects.get(kind=Kind.VOLATILITY), by=factories.TESTS, now=NOW)
    series(session, volatility_z=[9] * 5)
    assert not judge(session, recognizer)


def test_a_rule_for_one_client_looks_at_nobody_else(ann, session, recognizer):
    actions.disable_rule(Rule.objects.get(kind=Kind.VOLATILITY), by=factories.TESTS, now=BEFORE)
    actions.create_rule(
        kind=Kind.VOLATILITY, client=ann, threshold=8, recovery_threshold=8,
        reason="Watch closely.", by=factories.TESTS, now=BEFORE,
    )  # fmt: skip
    others = factories.session(factories.client("Ben"))
    for each in (session, others):
        series(each, volatility_z=[9])
    assert (shown(judge(session, recognizer)), shown(judge(others, recognizer))) == ((1, 0, 0), (0, 0, 0))


# --- Once, whatever the order -------------------------------------------------------------------


def test_judging_again_changes_nothing(session, recognizer):
    channel()
    series(session, volatility_z=[4, 4, 4, 1, 1, 1, 1, 1, 1, 1])
    judge(session, recognizer)
    before = list(Alert.objects.values()), list(Notification.objects.values()), AuditEvent.objects.count()
    assert not judge(session, recognizer, now=SOON + timedelta(hours=3))
    assert before == (
        list(Alert.objects.values()),
        list(Notification.objects.values()),
        AuditEvent.objects.count(),
    )


WHOLE = [0, 4, 4, 4, 5, None, 1, 1, 1, 1, 1, 1, 1, 1, 4, 4, None, 6, 2.5]


@pytest.mark.parametrize("seed", range(6))
def test_any_order_of_arrival_ends_in_the_same_alerts(session, recognizer, seed):
    mood(session, recognizer)
    places = list(range(len(WHOLE)))
    random.Random(seed).shuffle(places)
    for i in places:
        point(session, i, volatility_z=WHOLE[i])
        judge(session, recognizer)
    assert told() == [
        (Kind.VOLATILITY, 1, 3, "recovered", "resolved", 5),
        (Kind.VOLATILITY, 14, 17, "", "firing", 6),
    ]


def test_an_alert_whose_episode_vanishes_is_kept_as_superseded(session, recognizer):
    said = series(session, volatility_z=[4, 4, 4])
    (alert,) = judge(session, recognizer).fired
    MoodPoint.objects.filter(utterance=said[1]).update(volatility_z=1)
    assert shown(judge(session, recognizer, now=SOON + STEP)) == (0, 0, 1)
    alert.refresh_from_db()
    assert (alert.superseded_at, alert.state, alert.resolved_at) == (SOON + STEP, "superseded", None)


def test_it_is_superseded_once(session, recognizer):
    said = series(session, volatility_z=[4, 4, 4])
    judge(session, recognizer)
    MoodPoint.objects.filter(utterance=said[1]).update(volatility_z=1)
    judge(session, recognizer)
    assert not judge(session, recognizer, now=SOON + STEP)
    assert Alert.objects.get().superseded_at == SOON


def test_an_alert_that_comes_back_is_the_same_one(session, recognizer):
    said = series(session, volatility_z=[4, 4, 4])
    (alert,) = judge(session, recognizer).fired
    for z in (1, 4):
        MoodPoint.objects.filter(utterance=said[1]).update(volatility_z=z)
        judge(session, recognizer)
    assert list(Alert.objects.values_list("pk", "superseded_at")) == [(alert.pk, None)]


def test_a_firing_point_that_moves_moves_its_alert(session, recognizer):
    series(session, volatility_z=[0, None, 4, 4, 4])
    (alert,) = judge(session, recognizer).fired
    MoodPoint.objects.filter(occurred_at=session.started_at + STEP).update(volatility_z=4)
    assert not judge(session, recognizer)
    assert list(Alert.objects.values_list("pk", "superseded_at")) == [(alert.pk, None)]
    assert told() == [(Kind.VOLATILITY, 1, 3, "", "firing", 4)]


def test_an_alert_outlives_the_utterance_that_fired_it(session, recognizer):
    said = series(session, volatility_z=[4, 4, 4, 4])
    (alert,) = judge(session, recognizer).fired
    said[2].delete()
    assert not judge(session, recognizer)
    alert.refresh_from_db()
    assert alert.fired_utterance_id == said[3].pk


# --- One open alert per rule and client ---------------------------------------------------------


def test_the_database_refuses_a_second_open_alert(ann, session, recognizer):
    series(session, volatility_z=[4, 4, 4])
    (alert,) = judge(session, recognizer).fired
    alert.pk, alert.public_id = None, "0" * 20
    with pytest.raises(IntegrityError), transaction.atomic():
        alert.save(force_insert=True)


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_of_two_sessions_that_fire_at_once_the_first_to_fire_leads(ann, recognizer, order):
    sessions = [factories.session(ann, NOW + timedelta(seconds=s)) for s in (0, 30)]
    for number in order:
        series(sessions[number], volatility_z=[4, 4, 4])
        judge(sessions[number], recognizer)
    (lead,) = Alert.objects.open()
    (part,) = Alert.objects.exclude(pk=lead.pk)
    assert (lead.session, part.part_of) == (sessions[0], lead)


def test_what_joins_an_open_alert_is_not_notified_again(ann, recognizer):
    channel()
    rule = Rule.objects.get(kind=Kind.VOLATILITY)
    actions.save_rule(rule, cool_down_seconds=0, reason="Tell all.", by=factories.TESTS, now=BEFORE + STEP)
    for seconds in (0, 30):
        each = factories.session(ann, NOW + timedelta(seconds=seconds))
        series(each, volatility_z=[4, 4, 4])
        judge(each, recognizer)
    assert sorted(Alert.objects.values_list("muted", flat=True)) == ["", Muted.JOINED]
    assert Notification.objects.count() == 1


def test_when_the_first_ends_the_other_is_the_open_one(ann, recognizer):
    sessions = [factories.session(ann, NOW + timedelta(seconds=s)) for s in (0, 30)]
    for each in sessions:
        series(each, volatility_z=[4, 4, 4])
        judge(each, recognizer)
    sessions[0].ended_at = SOON
    sessions[0].save()
    judge(sessions[0], recognizer)
    assert [alert.session for alert in Alert.objects.open()] == [sessions[1]]


def test_two_clients_may_each_have_an_open_alert(session, recognizer):
    others = factories.session(factories.client("Ben"))
    for each in (session, others):
        series(each, volatility_z=[4, 4, 4])
        judge(each, recognizer)
    assert Alert.objects.open().count() == 2


# --- Versions -----------------------------------------------------------------------------------


def test_a_session_keeps_the_terms_under_which_it_began(session, recognizer):
    rule = Rule.objects.get(kind=Kind.VOLATILITY)
    series(session, volatility_z=[4, 4, 4])
    judge(session, recognizer)
    actions.save_rule(
        rule, threshold=8, reason="Too many.", by=factories.TESTS, now=NOW + timedelta(minutes=2)
    )
    assert not judge(session, recognizer)
    assert Alert.objects.get().version.number == 1


def test_the_next_session_is_judged_by_the_new_terms(ann, recognizer):
    rule = Rule.objects.get(kind=Kind.VOLATILITY)
    actions.save_rule(rule, threshold=8, reason="Too many.", by=factories.TESTS, now=NOW)
    following = factories.session(ann, NOW + timedelta(minutes=1))
    series(following, volatility_z=[4, 4, 4, 9, 9, 9])
    (alert,) = judge(following, recognizer).fired
    assert (alert.version.number, place(following, alert.fired_at)) == (2, 5)
