"""Rules on sessions and on recent turns; and that the way there leaves no trace."""

import random
from dataclasses import asdict
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from analysis.baseline import SessionBaseline
from emotrack.alerts import actions
from emotrack.alerts.models import Alert, EndReason, Kind, Muted, Rule
from emotrack.alerts.tuning.backtest import backtest
from emotrack.history import actions as history
from emotrack.mood.models import SessionMood
from tests.emotrack import factories
from tests.emotrack.alerts import planted
from tests.emotrack.alerts.planted import ARMED, NOW, point

pytestmark = pytest.mark.django_db
LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)
FIRST = datetime(2025, 3, 3, 10, tzinfo=UTC)
WEEK = timedelta(weeks=1)
CALM = [0.1, 0.12, 0.05, 0.16, 0.08, 0.11, 0.02, 0.14, 0.09, 0.13, 0.06, 0.1]
LOW = [-0.6, -0.55, -0.62, -0.58]


@pytest.fixture(autouse=True)
def rules():
    planted.rules(now=LONG_AGO)


def only(kind, **terms):
    """Leave that rule alone on, with these terms from the beginning."""
    for other in Rule.objects.exclude(kind=kind).filter(enabled_at__isnull=False):
        actions.disable_rule(other, by=factories.TESTS, now=LONG_AGO)
    rule = Rule.objects.get(kind=kind)
    actions.enable_rule(rule, by=factories.TESTS, now=LONG_AGO)
    if terms:
        actions.save_rule(rule, reason="For this test.", by=factories.TESTS, now=LONG_AGO, **terms)
    return rule


def held(client, week, mean, recognizer, *, ended=True):
    """A session of 50 minutes in that week with that mean."""
    began = FIRST + week * WEEK
    end = began + timedelta(minutes=50)
    session = factories.session(client, began, ended_at=end if ended else None)
    SessionMood.objects.create(
        client=client, session=session, recognizer=recognizer, started_at=began, mean_valence=mean,
        utterances=30, valid=30, baseline=asdict(SessionBaseline(sessions=week)),
    )  # fmt: skip
    return session


def judge(session, recognizer, *, late=timedelta(minutes=1), **more):
    now = (session.ended_at or session.started_at) + late
    return actions.evaluate(session, recognizer, now=now, **more)


def told():
    """What stands, free of ids: kind, week in which it fired, end and state."""
    rows = Alert.objects.standing().select_related("rule", "session").order_by("fired_at", "id")
    return [(a.rule.kind, (a.session.started_at - FIRST) // WEEK, a.end_reason, a.state) for a in rows]


def lived(client, means, recognizer):
    sessions = [held(client, week, mean, recognizer) for week, mean in enumerate(means)]
    for session in sessions:
        judge(session, recognizer)
    return sessions


# --- What is found ------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", [Kind.LOW_SESSION, Kind.SUDDEN_DROP, Kind.RELIABLE_CHANGE])
def test_a_fall_far_below_the_usual_sessions_fires(ann, recognizer, kind):
    only(kind)
    lived(ann, CALM + LOW[:1], recognizer)
    assert told() == [(kind, len(CALM), "", "firing")]


@pytest.mark.parametrize("kind", [Kind.LOW_SESSION, Kind.SUDDEN_DROP, Kind.RELIABLE_CHANGE, Kind.TREND])
def test_calm_sessions_fire_nothing(ann, recognizer, kind):
    only(kind)
    lived(ann, CALM, recognizer)
    assert told() == []


def test_a_rise_is_no_alert(ann, recognizer):
    only(Kind.LOW_SESSION)
    lived(ann, CALM + [0.7, 0.7], recognizer)
    assert told() == []


def test_with_seven_earlier_sessions_nothing_is_judged(ann, recognizer):
    only(Kind.RELIABLE_CHANGE)
    lived(ann, CALM[:7] + LOW[:1], recognizer)
    assert told() == []
    lived(factories.client("Ben"), CALM[:8] + LOW[:1], recognizer)
    assert [what for what, *_ in told()] == [Kind.RELIABLE_CHANGE]


def test_a_trend_fires_once_it_has_been_seen_twice(ann, recognizer):
    only(Kind.TREND)
    lived(ann, [0.5 - 0.07 * week for week in range(12)], recognizer)
    assert told() == [(Kind.TREND, 8, "", "firing")]  # judged from the eighth on, so the ninth is the second


def test_less_movement_than_in_nineteen_of_twenty_sessions_fires_after_two(ann, recognizer):
    only(Kind.FLATTENING)
    lively = np.random.default_rng(3)
    for week in range(24):
        session = held(ann, week, 0.1, recognizer)
        step = 0.01 if week >= 22 else 0.3 + 0.05 * lively.random()
        for i in range(12):
            point(session, i, recognizer, valence=step * (-1) ** i / 2)
        judge(session, recognizer)
    assert told() == [(Kind.FLATTENING, 23, "", "firing")]


def test_an_open_session_is_not_judged_as_a_whole(ann, recognizer):
    only(Kind.RELIABLE_CHANGE)
    lived(ann, CALM, recognizer)
    assert not judge(held(ann, len(CALM), -0.6, recognizer, ended=False), recognizer)


def test_an_alert_on_sessions_names_its_session_and_no_turn(ann, recognizer):
    only(Kind.RELIABLE_CHANGE)
    last = lived(ann, CALM + LOW[:1], recognizer)[-1]
    alert = Alert.objects.get()
    assert (alert.session, alert.fired_utterance, alert.fired_at) == (last, None, last.ended_at)
    assert alert.peak < -1.96


def test_it_ends_with_the_session_that_is_back_to_usual(ann, recognizer):
    only(Kind.RELIABLE_CHANGE)
    lived(ann, CALM + LOW[:1] + CALM[:1], recognizer)
    assert told() == [(Kind.RELIABLE_CHANGE, len(CALM), EndReason.RECOVERED, "resolved")]


def test_one_that_ended_idly_an_hour_ago_is_still_news(ann, recognizer):
    only(Kind.RELIABLE_CHANGE)
    lived(ann, CALM, recognizer)
    session = held(ann, len(CALM), -0.6, recognizer)
    (alert,) = judge(session, recognizer, late=timedelta(minutes=70)).fired
    assert alert.muted == ""


def test_what_is_imported_is_historical(ann, recognizer):
    only(Kind.RELIABLE_CHANGE)
    lived(ann, CALM, recognizer)
    (alert,) = judge(held(ann, len(CALM), -0.6, recognizer), recognizer, imported=True).fired
    assert alert.muted == Muted.HISTORICAL


def test_another_recognizer_starts_a_new_series_and_ends_the_alert(ann, recognizer):
    only(Kind.LOW_SESSION)
    lived(ann, CALM + LOW[:1], recognizer)
    other = factories.recognizer("2")
    judge(held(ann, len(CALM) + 1, 0.1, other), other)
    assert told() == [(Kind.LOW_SESSION, len(CALM), EndReason.SERIES_ENDED, "resolved")]


def test_a_rule_made_today_tells_of_what_goes_on_and_not_of_the_past(ann, recognizer):
    rule = only(Kind.RELIABLE_CHANGE)
    actions.disable_rule(rule, by=factories.TESTS, now=NOW)
    lived(ann, CALM + LOW[:1] + CALM[:2], recognizer)
    actions.enable_rule(rule, by=factories.TESTS, now=NOW)
    judge(held(ann, len(CALM) + 3, 0.1, recognizer), recognizer)
    assert told() == []


def test_an_edit_while_it_fires_neither_loses_nor_doubles_the_alert(ann, recognizer):
    rule = only(Kind.RELIABLE_CHANGE)
    sessions = lived(ann, CALM + LOW[:1], recognizer)
    saved = sessions[-1].ended_at + timedelta(days=1)
    actions.save_rule(
        rule, threshold=-3.5, recovery_threshold=-3, reason="Less.", by=factories.TESTS, now=saved
    )
    judge(held(ann, len(CALM) + 1, 0.1, recognizer), recognizer)
    assert told() == [(Kind.RELIABLE_CHANGE, len(CALM), EndReason.RECOVERED, "resolved")]
    assert Alert.objects.get().version.number == 1


def test_turn_rules_leave_the_alerts_on_sessions_alone(ann, recognizer):
    only(Kind.RELIABLE_CHANGE)
    last = lived(ann, CALM + LOW[:1], recognizer)[-1]
    actions.enable_rule(Rule.objects.get(kind=Kind.VOLATILITY), by=factories.TESTS, now=LONG_AGO)
    for i in range(3):
        point(last, i, recognizer, volatility_z=9.0)
    SessionMood.objects.filter(session=last).update(baseline=asdict(ARMED))
    judge(last, recognizer)
    assert sorted(kind for kind, *_ in told()) == [Kind.RELIABLE_CHANGE, Kind.VOLATILITY]


# --- The way there leaves no trace --------------------------------------------------------------

STORY = CALM + LOW + CALM + [-0.5, 0.1, -0.7, -0.7] + CALM[:3]


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("kind", [Kind.LOW_SESSION, Kind.RELIABLE_CHANGE])
def test_any_order_of_arrival_ends_in_the_same_alerts(ann, recognizer, kind, seed):
    only(kind)
    lived(ann, STORY, recognizer)
    expected = [fact[1:] for fact in told()]
    ben = factories.client("Ben")
    order = list(enumerate(STORY))
    random.Random(seed).shuffle(order)
    for week, mean in order:
        held(ben, week, mean, recognizer)
        changed = [
            mood.session
            for mood in SessionMood.objects.filter(client=ben, started_at__gte=FIRST + week * WEEK)
        ]
        actions.evaluate_all(changed, recognizer, now=FIRST + 60 * WEEK)
    found = Alert.objects.standing().filter(client=ben).order_by("fired_at")
    assert [((a.session.started_at - FIRST) // WEEK, a.end_reason, a.state) for a in found] == expected
    assert expected


def test_judging_again_changes_nothing(ann, recognizer):
    only(Kind.RELIABLE_CHANGE)
    sessions = lived(ann, STORY, recognizer)
    before = list(Alert.objects.order_by("id").values())
    for session in sessions:
        assert not judge(session, recognizer)
    assert list(Alert.objects.order_by("id").values()) == before


def test_a_session_that_vanishes_takes_its_alert_along(ann, recognizer):
    only(Kind.RELIABLE_CHANGE)
    *_, calm, low = lived(ann, CALM + LOW[:1], recognizer)
    SessionMood.objects.filter(session=low).delete()
    judge(calm, recognizer)
    assert (told(), Alert.objects.get().state) == ([], "superseded")


@pytest.mark.parametrize("kind", [Kind.LOW_SESSION, Kind.SUDDEN_DROP, Kind.RELIABLE_CHANGE])
def test_a_preview_finds_what_the_live_rule_finds(ann, recognizer, kind):
    rule = only(kind)
    lived(ann, STORY, recognizer)
    found = backtest(rule.current, kind, since=FIRST, until=FIRST + 60 * WEEK).episodes
    live = Alert.objects.order_by("fired_at").values_list("session", "fired_at", "resolved_at", "peak")
    assert [(e.session, e.fired_at, e.ended_at, e.peak) for e in found] == list(live)


def test_a_preview_counts_only_what_fired_in_its_span(ann, recognizer):
    rule = only(Kind.RELIABLE_CHANGE)
    lived(ann, STORY, recognizer)
    whole = backtest(rule.current, rule.kind, since=FIRST, until=FIRST + 60 * WEEK)
    late = backtest(rule.current, rule.kind, since=FIRST + 20 * WEEK, until=FIRST + 60 * WEEK)
    assert 0 < late.count < whole.count
    assert late.armed == {ann.pk}


# --- Cohorts ------------------------------------------------------------------------------------


def test_a_rule_for_a_cohort_looks_at_its_clients_only(ann, recognizer):
    only(Kind.RELIABLE_CHANGE)
    actions.disable_rule(Rule.objects.get(kind=Kind.RELIABLE_CHANGE), by=factories.TESTS, now=LONG_AGO)
    cohort, ben = factories.cohort("New", ann), factories.client("Ben")
    rule = actions.create_rule(
        kind=Kind.RELIABLE_CHANGE, cohort=cohort, threshold=-1.96, recovery_threshold=-1.0,
        reason="The new group.", by=factories.TESTS, now=LONG_AGO,
    )  # fmt: skip
    for client in (ann, ben):
        lived(client, CALM + LOW[:1], recognizer)
    assert list(Alert.objects.values_list("client", "rule")) == [(ann.pk, rule.pk)]


def test_a_rule_of_a_cohort_that_was_deleted_watches_nobody(ann, recognizer):
    only(Kind.LOW_SESSION)
    cohort = factories.cohort("New", ann)
    rule = actions.create_rule(
        kind=Kind.RELIABLE_CHANGE, cohort=cohort, threshold=-1.96, recovery_threshold=-1.0,
        reason="The new group.", by=factories.TESTS, now=LONG_AGO,
    )  # fmt: skip
    cohort.delete()
    rule.refresh_from_db()
    lived(ann, CALM + LOW[:1], recognizer)
    assert rule.watches_nobody
    assert not Alert.objects.filter(rule=rule).exists()


# --- Recent turns -------------------------------------------------------------------------------


def labeled(session, recognizer, labels):
    for i, label in enumerate(labels):
        spoken = point(session, i, recognizer, level=0.0)
        spoken.scores = factories.scores(**{label: 0.9})
        spoken.reading = "ok"
        spoken.save()


def test_one_label_in_most_of_the_last_turns_fires(ann, recognizer):
    only(Kind.EMOTION_SHARE)
    session = factories.session(ann)
    labeled(session, recognizer, ["neutral"] * 5 + ["sad"] * 20)
    (alert,) = actions.evaluate(session, recognizer, now=NOW + timedelta(minutes=9)).fired
    assert alert.rule.kind == Kind.EMOTION_SHARE


def test_half_of_the_turns_are_within_chance(ann, recognizer):
    only(Kind.EMOTION_SHARE)
    session = factories.session(ann)
    labeled(session, recognizer, ["neutral", "sad"] * 12)
    assert not actions.evaluate(session, recognizer, now=NOW + timedelta(minutes=9))


def test_turns_without_a_reading_are_told_to_admins_only(ann, recognizer):
    only(Kind.LOW_QUALITY)
    session, alice, dora = factories.session(ann), factories.counselor(), factories.admin()
    history.assign(client=ann, counselor=alice, by=factories.TESTS, now=NOW)
    for i in range(20):
        point(session, i, recognizer, level=0.0 if i % 3 == 0 else None)
    (alert,) = actions.evaluate(session, recognizer, now=NOW + timedelta(minutes=9)).fired
    assert alert.version.tells == ["admins"]
    assert list(Alert.objects.visible_to(dora)) == [alert]
    assert list(Alert.objects.visible_to(alice)) == []
