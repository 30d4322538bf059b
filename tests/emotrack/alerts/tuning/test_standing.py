"""What people think of a rule's alerts, and what threshold that speaks for."""

from datetime import timedelta

import pytest

from analysis.shares import wilson
from emotrack.alerts import actions
from emotrack.alerts.models import Alert, Kind, Muted, Rule, Verdict
from emotrack.alerts.tuning.standing import RuleStanding, rule_standing, suggested_threshold
from emotrack.alerts.tuning.suggestion import NoSuggestion, Suggestion
from emotrack.audit.models import AuditEvent
from emotrack.history.actions import Refused
from tests.emotrack import factories
from tests.emotrack.alerts import planted
from tests.emotrack.alerts.lifecycle.test_session_rules import CALM, held, only
from tests.emotrack.alerts.lifecycle.test_session_rules import judge as judge_session
from tests.emotrack.alerts.planted import BEFORE, NOW, series

pytestmark = pytest.mark.django_db

HOUR = timedelta(hours=1)


@pytest.fixture
def alice():
    return factories.counselor("alice")


@pytest.fixture
def rule(db):
    planted.rules(now=BEFORE)
    return Rule.objects.get(shipped_as="volatility")


@pytest.fixture
def ann(alice):
    return factories.client("Ann", assigned_to=alice)


def fire(client, at=NOW, values=(4, 4, 4)):
    """An alert in a session of its own; told, whatever the cool-down."""
    session = factories.session(client, at - timedelta(minutes=5), ended_at=at)
    series(session, volatility_z=list(values))
    (alert,) = actions.evaluate(session, factories.recognizer(), now=at).fired
    Alert.objects.filter(pk=alert.pk).update(muted="")
    return alert


def standing(rule, viewer, now=NOW):
    return rule_standing([rule], viewer=viewer, now=now)[rule.pk]


def judge(alert, judgment, by, now=NOW):
    return actions.judge(alert, judgment=judgment, by=by, now=now)


# --- Verdicts -----------------------------------------------------------------------------------


def test_a_verdict_is_kept_changed_and_taken_back(rule, ann, alice):
    alert = fire(ann)
    for judgment in ("useful", "useful", "not_useful"):
        judge(alert, judgment, alice)
    assert [(v.person, v.judgment) for v in Verdict.objects.all()] == [(alice, "not_useful")]
    assert AuditEvent.objects.filter(action="alert.judged").count() == 2
    for _twice in range(2):
        actions.withdraw_verdict(alert, by=alice, now=NOW)
    assert not Verdict.objects.exists()
    assert AuditEvent.objects.filter(action="alert.verdict_withdrawn").count() == 1


def test_each_person_has_one(rule, ann, alice):
    alert = fire(ann)
    judge(alert, "useful", alice)
    judge(alert, "not_useful", factories.admin())
    assert Verdict.objects.count() == 2


def test_another_word_is_refused(rule, ann, alice):
    with pytest.raises(Refused):
        judge(fire(ann), "great", alice)
    assert not Verdict.objects.exists()


# --- How a rule stands --------------------------------------------------------------------------


def test_a_rule_that_never_fired_says_nothing(rule, alice):
    assert standing(rule, alice) == RuleStanding()
    assert (RuleStanding().precision, RuleStanding().interval) == (None, None)


def test_each_alert_counts_once_and_known_ones_beside(rule, ann, alice):
    bob = factories.admin("bob")
    alerts = [fire(ann, NOW + n * HOUR) for n in range(4)]
    judge(alerts[0], "useful", alice)
    judge(alerts[0], "not_useful", bob)  # of use to somebody
    judge(alerts[1], "not_useful", alice)
    judge(alerts[1], "already_known", bob)
    judge(alerts[2], "already_known", alice)
    found = standing(rule, alice, NOW + 5 * HOUR)
    assert (found.useful, found.not_useful, found.already_known) == (1, 1, 1)
    assert (found.precision, found.interval) == (0.5, wilson(1, 2))


def test_only_what_the_viewer_may_see_is_counted(rule, ann, alice):
    judge(fire(ann), "useful", alice)
    assert standing(rule, factories.counselor("bob")) == RuleStanding()
    assert standing(rule, factories.admin()).useful == 1
    assert standing(rule, factories.app("Foreign")) == RuleStanding()


def test_half_are_seen_within_the_median(rule, ann, alice):
    alerts = [fire(ann, NOW + n * HOUR) for n in range(5)]
    for alert, hours in zip(alerts[:3], (1, 5, 2), strict=True):
        actions.acknowledge(alert, by=alice, now=alert.created_at + hours * HOUR)
    found = standing(rule, alice, NOW + 20 * HOUR)
    assert (found.seen, found.told, found.median_ack_s) == (3, 5, 5 * 3600)


def test_there_is_no_median_while_most_were_not_seen(rule, ann, alice):
    alerts = [fire(ann, NOW + n * HOUR) for n in range(4)]
    actions.acknowledge(alerts[0], by=alice, now=NOW + HOUR)
    assert standing(rule, alice, NOW + 9 * HOUR).median_ack_s is None


def test_what_nobody_was_told_of_has_no_waiting_time(rule, ann, alice):
    alert = fire(ann)
    Alert.objects.filter(pk=alert.pk).update(muted=Muted.COOL_DOWN)
    found = standing(rule, alice)
    assert (found.told, found.fired_lately) == (0, 1)


@pytest.mark.parametrize(("count", "ignored"), [(9, False), (10, True)])
def test_from_ten_on_that_nobody_saw_nobody_acts_on_it(count, ignored, rule, ann, alice):
    for n in range(count):
        fire(ann, NOW + n * HOUR)
    assert standing(rule, alice, NOW + 24 * HOUR).nobody_acts is ignored


@pytest.mark.parametrize("deed", ["acknowledge", "useful", "not_useful", "long ago"])
def test_one_that_was_seen_or_of_use_is_enough(deed, rule, ann, alice):
    alerts = [fire(ann, NOW + n * HOUR) for n in range(10)]
    now = NOW + 24 * HOUR
    if deed == "acknowledge":
        actions.acknowledge(alerts[3], by=alice, now=now)
    elif deed == "long ago":
        now = NOW + timedelta(days=30, minutes=1)
    else:
        judge(alerts[3], deed, alice)
    assert standing(rule, alice, now).nobody_acts is (deed == "not_useful")


def test_all_rules_take_as_many_queries_as_one(rule, ann, alice, django_assert_num_queries):
    fire(ann)
    rules, one = list(Rule.objects.all()), [rule]
    rule_standing(one, viewer=alice, now=NOW)
    with django_assert_num_queries(2 + 1):  # and the roles of the viewer, once
        viewer = type(alice).objects.get(pk=alice.pk)
        viewer._roles = alice.roles
        rule_standing(rules, viewer=viewer, now=NOW)


# --- A threshold from verdicts ------------------------------------------------------------------


def test_verdicts_propose_a_line_that_the_rule_itself_would_follow(rule, ann, alice):
    highs = [(6, 6, 6), (5, 9, 5), (4.6, 4.8, 5.2), (5, 5, 5, 2, 9), (8, 8, 8), (7, 7, 7), (6, 5, 6)]
    lows = [(3.2, 9, 9), (3.1, 3.3, 3.2), (9, 3.34, 9)]
    for n, values in enumerate(highs + lows):
        alert = fire(ann, NOW + n * HOUR, values)
        judge(alert, "useful" if values in highs else "not_useful", alice)
    found = suggested_threshold(rule, viewer=alice)
    assert found == Suggestion(threshold=3.4, keeps=7, useful=7, drops=3, not_useful=3)


def test_a_suggestion_needs_verdicts_and_counts_no_foreign_ones(rule, ann, alice):
    for n in range(12):
        judge(
            fire(ann, NOW + n * HOUR, (6, 6, 6) if n % 2 else (3.2, 3.2, 3.2)),
            "useful" if n % 2 else "not_useful",
            alice,
        )
    assert suggested_threshold(rule, viewer=alice).threshold == 3.2
    assert suggested_threshold(rule, viewer=factories.counselor("bob")) is NoSuggestion.TOO_FEW


def test_a_rule_on_sessions_is_judged_by_its_own_series(rule, alice):
    low, recognizer = only(Kind.LOW_SESSION), factories.recognizer()
    for n in range(12):
        client = factories.client(f"Client {n}", assigned_to=alice)
        depth = -0.9 if n % 2 else -0.35
        for week, mean in enumerate([*CALM, depth]):
            judge_session(held(client, week, mean, recognizer), recognizer)
        alert = Alert.objects.get(client=client)
        judge(alert, "useful" if n % 2 else "not_useful", alice)
    found = suggested_threshold(low, viewer=alice)
    assert (found.keeps, found.drops) == (6, 6)
    peaks = Alert.objects.values_list("peak", flat=True)
    assert sorted(peaks)[5] < found.threshold <= sorted(peaks)[6]


@pytest.mark.parametrize("kind", [Kind.SILENCE, Kind.RECOGNIZER_DRIFT])
def test_silence_and_drift_have_no_line_to_suggest(kind, rule, alice):
    assert suggested_threshold(Rule.objects.get(kind=kind), viewer=alice) is NoSuggestion.NOT_FOR_KIND


def test_labels_of_many_alerts_are_read_at_once(rule, ann, alice, django_assert_max_num_queries):
    sad = only(Kind.EMOTION_SHARE)
    for n in range(12):
        alert = fire_at(ann, NOW + n * HOUR, sad)
        judge(alert, "useful", alice)
    with django_assert_max_num_queries(7):
        suggested_threshold(sad, viewer=alice)


def fire_at(client, at, rule):
    """An alert of any rule on turns, whatever it heard."""
    session = factories.session(client, at - timedelta(minutes=5), ended_at=at)
    spoken = series(session, volatility_z=[0, 0, 0])
    return Alert.objects.create(
        rule=rule, version=rule.current, client=client, session=session, severity="info", peak=1.0,
        recognizer=factories.recognizer(), pending_at=spoken[0].occurred_at, fired_at=spoken[1].occurred_at,
        fired_utterance=spoken[1], resolved_at=at, end_reason="recovered", baseline={}, created_at=at,
    )  # fmt: skip


def test_what_was_already_known_speaks_neither_way(rule, ann, alice):
    for n in range(12):
        judge(fire(ann, NOW + n * HOUR), "already_known", alice)
    assert suggested_threshold(rule, viewer=alice) is NoSuggestion.TOO_FEW


def test_a_suggestion_takes_as_many_queries_for_many_alerts(rule, ann, alice, django_assert_max_num_queries):
    for n in range(12):
        judge(fire(ann, NOW + n * HOUR), "useful", alice)
    with django_assert_max_num_queries(5):
        suggested_threshold(rule, viewer=alice)
