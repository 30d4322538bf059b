"""Rules: what they ship with, what may be saved, and what is kept of every change."""

import math

import pytest
from django.db import transaction

from emotrack.alerts import actions
from emotrack.alerts.models import Alert, EndReason, Kind, Rule, RuleVersion
from emotrack.alerts.rules.book import book
from emotrack.alerts.rules.kinds import KINDS
from emotrack.alerts.rules.terms import InvalidTerms
from emotrack.audit.models import AuditEvent
from tests.emotrack import factories
from tests.emotrack.alerts import planted
from tests.emotrack.alerts.planted import BEFORE, NOW, series

pytestmark = pytest.mark.django_db
DORA = factories.TESTS


@pytest.fixture(autouse=True)
def rules():
    planted.rules(now=BEFORE)


@pytest.fixture
def volatility():
    return Rule.objects.get(kind=Kind.VOLATILITY)


@pytest.fixture
def low_mood():
    return Rule.objects.get(kind=Kind.NEGATIVE_MOOD)


def save(rule, reason="Too many alerts.", **terms):
    return actions.save_rule(rule, reason=reason, by=DORA, now=NOW, **terms)


def refused(rule, **terms):
    with pytest.raises(InvalidTerms) as caught:
        save(rule, **terms)
    assert rule.versions.count() == 1
    return caught.value


def test_every_installation_starts_with_one_rule_of_each_kind():
    assert sorted(Rule.objects.values_list("kind", flat=True)) == sorted(Kind)
    off = Rule.objects.filter(enabled_at=None).values_list("kind", flat=True)
    assert sorted(off) == [kind for kind in sorted(Kind) if not KINDS[kind].ships_on]


def test_two_of_them_watch_every_turn():
    Rule.objects.all().delete()
    actions.ensure_default_rules(now=BEFORE)
    volatility, low_mood = (Rule.objects.get(kind=kind) for kind in (Kind.VOLATILITY, Kind.NEGATIVE_MOOD))
    terms = volatility.current
    assert (terms.measure, terms.threshold, terms.recovery_threshold, terms.for_count) == (
        "volatility_z", 3, 2, 4,
    )  # fmt: skip
    terms = low_mood.current
    assert (terms.measure, terms.threshold, terms.usual_spreads, terms.for_count, terms.for_seconds) == (
        "mood_level", -0.3, 1, 12, None,
    )  # fmt: skip
    assert volatility.enabled_at and low_mood.enabled_at


def test_a_second_start_leaves_what_the_admin_did(volatility):
    save(volatility, threshold=4)
    actions.disable_rule(volatility, by=DORA, now=NOW)
    assert actions.ensure_default_rules(now=NOW) == []
    volatility.refresh_from_db()
    assert (volatility.enabled_at, volatility.current.threshold, Rule.objects.count()) == (
        None, 4, len(Kind),
    )  # fmt: skip


def test_a_change_is_a_new_version_with_its_reason(volatility):
    version = save(volatility, threshold=4.5)
    assert (version.number, version.threshold, version.for_count) == (2, 4.5, 3)
    assert (version.reason, version.saved_by, version.saved_at) == ("Too many alerts.", DORA.name, NOW)
    assert volatility.versions.get(number=1).threshold == 3
    assert AuditEvent.objects.filter(action="rule.saved", subject=volatility.public_id).count() == 2


def test_saving_without_a_change_saves_nothing(volatility):
    assert save(volatility, threshold=3.0).number == 1


@pytest.mark.parametrize(
    ("terms", "field"),
    [
        ({"threshold": math.nan}, "threshold"),
        ({"threshold": math.inf}, "threshold"),
        ({"threshold": "3"}, "threshold"),
        ({"threshold": True}, "threshold"),
        ({"threshold": -1.0}, "threshold"),
        ({"recovery_threshold": None}, "recovery_threshold"),
        ({"recovery_threshold": 3.5}, "recovery_threshold"),
        ({"for_count": 0}, "for_count"),
        ({"for_count": 2.5}, "for_count"),
        ({"for_count": True}, "for_count"),
        ({"for_seconds": 10**9}, "for_seconds"),
        ({"keep_firing_seconds": None}, "keep_firing_seconds"),
        ({"cool_down_seconds": -1}, "cool_down_seconds"),
        ({"severity": "loud"}, "severity"),
        ({"measure": "mood_level"}, "measure"),
        ({"measure": "nonsense"}, "measure"),
        ({"usual_spreads": 1.0}, "usual_spreads"),
        ({"also_off_headline": "yes"}, "also_off_headline"),
        ({"reason": "  "}, "reason"),
        ({"reason": "x" * 501}, "reason"),
        ({"color": "red"}, "color"),
        ({"label": "sad"}, "label"),
        ({"tells": []}, "tells"),
        ({"tells": "admins"}, "tells"),
        ({"tells": ["everybody"]}, "tells"),
        ({"active_days": []}, "active_days"),
        ({"active_days": [7]}, "active_days"),
        ({"active_days": [True]}, "active_days"),
        ({"active_from": 480}, "active_until"),
        ({"active_until": 480}, "active_from"),
        ({"active_from": 480, "active_until": 480}, "active_until"),
        ({"active_from": 480, "active_until": 1440}, "active_until"),
        ({"critical_any_time": 1}, "critical_any_time"),
    ],
)
def test_terms_that_cannot_be_meant_are_refused_beside_their_field(volatility, terms, field):
    error = refused(volatility, **terms)
    assert (list(error.errors), error.pointer, error.slug) == ([field], f"/{field}", "invalid-terms")


def test_everything_that_is_wrong_is_said_at_once(volatility):
    assert set(refused(volatility, threshold=math.nan, for_count=0, reason="").errors) == {
        "threshold", "for_count", "reason",
    }  # fmt: skip


def test_for_low_mood_the_order_of_the_lines_is_the_other_one(low_mood):
    assert list(refused(low_mood, recovery_threshold=-0.5).errors) == ["recovery_threshold"]
    assert save(low_mood, threshold=-0.5, recovery_threshold=-0.5).number == 2


def test_a_mood_outside_its_scale_is_refused(low_mood):
    assert list(refused(low_mood, threshold=-1.5).errors) == ["threshold"]


def test_switching_a_rule_off_ends_what_it_holds_open(volatility):
    session = factories.session(factories.client())
    series(session, volatility_z=[4, 4, 4])
    actions.evaluate(session, factories.recognizer(), now=NOW)
    actions.disable_rule(volatility, by=DORA, now=NOW)
    assert list(Alert.objects.values_list("end_reason", "resolved_at")) == [(EndReason.RULE_OFF, NOW)]


def test_switching_twice_is_recorded_once(volatility):
    for switch in (actions.disable_rule, actions.disable_rule, actions.enable_rule, actions.enable_rule):
        switch(volatility, by=DORA, now=NOW)
    events = AuditEvent.objects.filter(subject=volatility.public_id, action__endswith="abled")
    assert list(events.values_list("action", flat=True)) == ["rule.disabled", "rule.enabled"]


def test_a_version_once_saved_is_never_overwritten(volatility):
    save(volatility, threshold=4)
    save(volatility, threshold=5)
    assert list(RuleVersion.objects.filter(rule=volatility).values_list("number", "threshold")) == [
        (1, 3), (2, 4), (3, 5),
    ]  # fmt: skip


def test_hours_and_who_is_told_are_part_of_the_version(volatility):
    version = save(volatility, active_days=[4, 0], active_from=480, active_until=1140, tells=["admins"])
    assert (version.active_days, version.active_from, version.active_until) == ([0, 4], 480, 1140)
    assert version.tells == ["admins"]


def test_a_rule_on_one_emotion_names_one_of_the_seven():
    rule = Rule.objects.get(kind=Kind.EMOTION_SHARE)
    for label in ("", "joyful", "unknown"):
        assert list(refused(rule, label=label).errors) == ["label"]


def test_a_rule_on_the_sound_tells_admins_only():
    rule = Rule.objects.get(kind=Kind.LOW_QUALITY)
    assert list(refused(rule, tells=["counselors", "admins"]).errors) == ["tells"]


def test_a_rule_on_sessions_counts_sessions_not_time():
    assert list(refused(Rule.objects.get(kind=Kind.TREND), for_seconds=60).errors) == ["for_seconds"]


def make(kind=Kind.VOLATILITY, **more):
    terms = {"threshold": 3, "recovery_threshold": 2, "reason": "For her.", "by": DORA, "now": NOW}
    return actions.create_rule(kind=kind, **(terms | more))


def wrong(kind=Kind.VOLATILITY, **more):
    before = Rule.objects.count()
    with pytest.raises(InvalidTerms) as caught:
        make(kind, **more)
    assert Rule.objects.count() == before
    return list(caught.value.errors)


def test_a_rule_for_somebody_who_was_erased_is_refused():
    ann = factories.client()
    ann.erased_at = NOW
    ann.save()
    assert wrong(client=ann) == ["client"]


def test_a_rule_is_for_a_client_or_a_cohort():
    assert wrong(client=factories.client(), cohort=factories.cohort()) == ["scope"]


def test_a_rule_on_the_recognizer_is_for_everyone():
    assert wrong(Kind.RECOGNIZER_DRIFT, client=factories.client()) == ["scope"]


def test_a_rule_of_no_known_kind_is_refused():
    assert wrong("telepathy") == ["kind"]


def test_a_name_that_is_too_long_is_told_with_the_rest():
    assert wrong(name="x" * 101, threshold=math.nan) == ["name", "threshold"]


def test_each_process_keeps_the_rules_until_one_changes(volatility, django_assert_num_queries):
    book()
    with django_assert_num_queries(1):
        assert volatility in book().rules
    actions.disable_rule(volatility, by=DORA, now=NOW)
    assert volatility not in book().rules
    save(volatility, threshold=4)
    actions.enable_rule(volatility, by=DORA, now=NOW)
    (kept,) = [rule for rule in book().rules if rule == volatility]
    assert kept.version_at(NOW).threshold == 4


def test_a_change_that_is_rolled_back_leaves_the_rules_as_they_were(volatility):
    before = book()
    with pytest.raises(InvalidTerms), transaction.atomic():
        actions.disable_rule(volatility, by=DORA, now=NOW)
        assert volatility not in book().rules
        wrong_terms = {"threshold": math.nan}
        save(volatility, **wrong_terms)
    assert [rule.pk for rule in book().rules] == [rule.pk for rule in before.rules]
