"""What becomes of an alert: seen, snoozed, resolved by hand and reopened, told again when nobody looks."""

import threading
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.db import close_old_connections, connection, transaction

from emotrack.alerts import actions
from emotrack.alerts.lifecycle.snoozing import snoozed_until, tomorrow_morning
from emotrack.alerts.models import Alert, EndReason, Muted, Notification, Snooze
from emotrack.audit.models import AuditEvent
from emotrack.history.actions import Conflict, Refused
from emotrack.history.models import Client
from emotrack.pipeline.upkeep import JOBS
from tests.emotrack import factories
from tests.emotrack.alerts import planted
from tests.emotrack.alerts.planted import BEFORE, NOW, channel, series

pytestmark = pytest.mark.django_db

HOUR = timedelta(hours=1)


@pytest.fixture
def alice():
    return factories.counselor("alice")


@pytest.fixture
def ann(alice):
    planted.rules(now=BEFORE)
    return factories.client("Ann", assigned_to=alice)


def fire(client, at=NOW, end=None):
    """An alert of the rule on changeability in a session that began five minutes before, still going on."""
    session = factories.session(client, at - timedelta(minutes=5), ended_at=end)
    series(session, volatility_z=[4, 4, 4])
    (alert,) = actions.evaluate(session, factories.recognizer(), now=at).fired
    return alert


@pytest.fixture
def alert(ann):
    return fire(ann)


def deeds(action):
    return AuditEvent.objects.filter(action=f"alert.{action}").count()


def attention(now=NOW):
    return list(Alert.objects.for_attention(now).waiting())


# --- Resolved by hand ---------------------------------------------------------------------------


def test_resolving_takes_it_off_the_list_and_counts_as_seen(alert, alice):
    actions.resolve(alert, by=alice, now=NOW)
    alert.refresh_from_db()
    assert (alert.closed_at, alert.closed_by, alert.acknowledged_by) == (NOW, alice, alice)
    assert attention() == [] and alert.resolved_at is None
    assert deeds("resolved_by_hand") == 1


def test_resolving_again_keeps_the_first(alert, alice):
    actions.resolve(alert, by=alice, now=NOW)
    again = actions.resolve(alert, by=factories.counselor("bob"), now=NOW + HOUR)
    assert (again.closed_at, again.closed_by) == (NOW, alice) and deeds("resolved_by_hand") == 1


def test_resolving_survives_another_judgment_of_the_session(alert, alice):
    actions.resolve(alert, by=alice, now=NOW)
    alert.session.ended_at = NOW + HOUR
    alert.session.save()
    actions.evaluate(alert.session, alert.recognizer, now=NOW + HOUR)
    alert.refresh_from_db()
    assert (alert.closed_at, alert.end_reason) == (NOW, "session_ended")


def test_a_session_that_gives_cause_meanwhile_fires_anew(alert, alice, ann):
    actions.resolve(alert, by=alice, now=NOW)
    other = fire(ann, NOW + HOUR)
    assert other.part_of is None and attention(NOW + HOUR) == [other]


def test_reopening_takes_it_back_and_the_first_to_fire_leads_again(alert, alice, ann):
    actions.resolve(alert, by=alice, now=NOW)
    other = fire(ann, NOW + HOUR)
    actions.reopen(alert, by=alice, now=NOW + HOUR)
    other.refresh_from_db()
    alert.refresh_from_db()
    assert (alert.closed_at, alert.part_of, other.part_of, alert.acknowledged_by) == (
        None,
        None,
        alert,
        alice,
    )
    assert deeds("reopened") == 1


def test_what_had_joined_is_resolved_and_reopened_with_it(alert, alice, ann):
    part = fire(ann, NOW + timedelta(minutes=1))
    assert part.part_of == alert
    actions.resolve(alert, by=alice, now=NOW)
    part.refresh_from_db()
    assert part.closed_at == NOW
    actions.reopen(alert, by=alice, now=NOW)
    part.refresh_from_db()
    assert (part.closed_at, part.part_of) == (None, alert)


def test_reopening_what_is_open_changes_nothing(alert, alice):
    actions.reopen(alert, by=alice, now=NOW)
    assert deeds("reopened") == 0


def test_what_is_over_and_seen_cannot_be_resolved(alert, alice):
    Alert.objects.update(
        resolved_at=NOW, end_reason=EndReason.RECOVERED, acknowledged_at=NOW, acknowledged_by=alice
    )
    with pytest.raises(Conflict) as caught:
        actions.resolve(alert, by=alice, now=NOW)
    assert caught.value.slug == "alert-over"


@pytest.mark.parametrize("deed", ["resolve", "snooze"])
def test_what_late_data_has_undone_is_beyond_deeds(deed, alert, alice):
    Alert.objects.update(superseded_at=NOW)
    more = {"until": NOW + HOUR} if deed == "snooze" else {}
    with pytest.raises(Conflict) as caught:
        getattr(actions, deed)(alert, by=alice, now=NOW, **more)
    assert caught.value.slug == "alert-superseded"


# --- Snooze -------------------------------------------------------------------------------------


def test_a_snooze_holds_back_until_its_end_and_not_longer(alert, alice):
    actions.snooze(alert, by=alice, now=NOW, until=NOW + HOUR)
    just_before = NOW + HOUR - timedelta(seconds=1)
    assert attention(just_before) == [] and list(Alert.objects.snoozed(just_before)) == [alert]
    assert attention(NOW + HOUR) == [alert] and list(Alert.objects.snoozed(NOW + HOUR)) == []


def test_what_fires_under_a_snooze_is_kept_and_nobody_is_told(alert, alice, ann):
    channel()
    Alert.objects.update(resolved_at=NOW, end_reason=EndReason.RECOVERED)
    actions.snooze(alert, by=alice, now=NOW, until=NOW + 40 * HOUR)
    meanwhile = fire(ann, NOW + 30 * HOUR)  # the cool-down of a day is over
    assert meanwhile.muted == Muted.SNOOZED and not Notification.objects.exists()
    assert attention(NOW + 40 * HOUR) == [meanwhile, alert]


def test_a_snooze_of_one_client_mutes_no_other(alert, alice):
    channel()
    actions.snooze(alert, by=alice, now=NOW, until=NOW + HOUR)
    assert fire(factories.client("Eve", assigned_to=alice)).muted == ""


def test_until_the_next_session_ends_with_it_and_with_no_earlier_one(alert, alice, ann):
    actions.snooze(alert, by=alice, now=NOW, until_next_session=True)
    factories.session(ann, NOW - 3 * HOUR)
    assert attention(NOW + 48 * HOUR) == []
    factories.session(ann, NOW + 24 * HOUR)
    assert attention(NOW + 24 * HOUR) == [alert]
    assert snoozed_until(alert.rule_id, ann.pk, NOW + 24 * HOUR) is None


def test_without_a_next_session_it_ends_after_thirty_days(alert, alice):
    actions.snooze(alert, by=alice, now=NOW, until_next_session=True)
    month = timedelta(days=30)
    assert attention(NOW + month - HOUR) == [] and attention(NOW + month) == [alert]


def test_a_snooze_can_be_undone_and_undone_twice(alert, alice):
    actions.snooze(alert, by=alice, now=NOW, until=NOW + HOUR)
    for _twice in range(2):
        actions.end_snooze(alert, by=alice, now=NOW)
    assert attention() == [alert] and deeds("snooze_ended") == 1


def test_another_end_replaces_the_first_and_the_same_changes_nothing(alert, alice):
    for hours in (1, 2, 2):
        actions.snooze(alert, by=alice, now=NOW, until=NOW + hours * HOUR)
    (standing,) = Snooze.objects.filter(ended_at=None)
    assert standing.until == NOW + 2 * HOUR and Snooze.objects.count() == 2 and deeds("snoozed") == 2


def test_one_that_ran_out_stands_in_nobodys_way(alert, alice):
    actions.snooze(alert, by=alice, now=NOW, until=NOW + HOUR)
    actions.snooze(alert, by=alice, now=NOW + 5 * HOUR, until=NOW + 6 * HOUR)
    assert attention(NOW + 5 * HOUR) == []


@pytest.mark.parametrize(
    "end",
    [
        {},
        {"until": NOW},
        {"until": NOW - HOUR},
        {"until": NOW + timedelta(days=30, seconds=1)},
        {"until": NOW + HOUR, "until_next_session": True},
    ],
)
def test_a_snooze_needs_one_end_ahead_and_at_most_thirty_days(end, alert, alice):
    with pytest.raises(Refused) as caught:
        actions.snooze(alert, by=alice, now=NOW, **end)
    assert (caught.value.slug, caught.value.pointer) == ("snooze-end", "/until")
    assert not Snooze.objects.exists()


def test_what_a_person_resolved_is_reopened_before_it_is_snoozed(alert, alice):
    actions.resolve(alert, by=alice, now=NOW)
    with pytest.raises(Conflict) as caught:
        actions.snooze(alert, by=alice, now=NOW, until=NOW + HOUR)
    assert caught.value.slug == "alert-resolved"


def test_tomorrow_is_tomorrow_where_the_reader_is():
    zone = ZoneInfo("Europe/Berlin")
    late = datetime(2026, 3, 28, 23, 30, tzinfo=UTC)  # already the 29th there, the night the clocks change
    assert tomorrow_morning(late, zone).astimezone(UTC) == datetime(2026, 3, 30, 6, 0, tzinfo=UTC)
    early = datetime(2026, 3, 28, 12, 0, tzinfo=UTC)
    assert tomorrow_morning(early, zone).astimezone(UTC) == datetime(2026, 3, 29, 6, 0, tzinfo=UTC)


# --- Escalation ---------------------------------------------------------------------------------


def test_a_warning_that_nobody_sees_is_told_again_once(alert):
    channel()
    assert actions.escalate_waiting(now=NOW + 24 * HOUR - timedelta(seconds=1)) == 0
    assert actions.escalate_waiting(now=NOW + 24 * HOUR) == 1
    assert actions.escalate_waiting(now=NOW + 48 * HOUR) == 0
    assert [n.kind for n in Notification.objects.all()] == ["escalated"] and deeds("escalated") == 1


@pytest.mark.parametrize(("severity", "hours"), [("critical", 4), ("warning", 24), ("info", None)])
def test_each_severity_has_its_hours(severity, hours, alert):
    Alert.objects.update(severity=severity)
    told = [h for h in range(49) if actions.escalate_waiting(now=NOW + h * HOUR)]
    assert told == ([] if hours is None else [hours])


def test_the_hours_can_be_set_and_switched_off(alert, settings):
    settings.ESCALATE_WARNING_HOURS = 0
    assert actions.escalate_waiting(now=NOW + 1000 * HOUR) == 0
    settings.ESCALATE_WARNING_HOURS = 2
    assert actions.escalate_waiting(now=NOW + 2 * HOUR) == 1


@pytest.mark.parametrize(
    "facts",
    [
        {"acknowledged_at": NOW},
        {"closed_at": NOW},
        {"superseded_at": NOW},
        {"historical_at": NOW},
        {"muted": Muted.COOL_DOWN},
        {"resolved_at": NOW, "end_reason": EndReason.CONSENT_WITHDRAWN},
    ],
)
def test_what_was_seen_or_never_told_or_may_not_be_is_not_told_again(facts, alert):
    Alert.objects.update(**facts)
    assert actions.escalate_waiting(now=NOW + 100 * HOUR) == 0


def test_an_alert_that_ended_by_itself_still_waits_for_eyes(alert):
    Alert.objects.update(resolved_at=NOW, end_reason=EndReason.RECOVERED)
    assert actions.escalate_waiting(now=NOW + 24 * HOUR) == 1


def test_the_hours_begin_anew_when_a_snooze_ends(alert, alice, ann):
    actions.snooze(alert, by=alice, now=NOW, until=NOW + 30 * HOUR)
    told = [h for h in range(80) if actions.escalate_waiting(now=NOW + h * HOUR)]
    assert told == [54]


def test_also_when_it_ended_with_the_next_session(alert, alice, ann):
    actions.snooze(alert, by=alice, now=NOW, until_next_session=True)
    factories.session(ann, NOW + 10 * HOUR)
    told = [h for h in range(80) if actions.escalate_waiting(now=NOW + h * HOUR)]
    assert told == [34]


def test_judging_again_does_not_make_it_tell_again(alert):
    actions.escalate_waiting(now=NOW + 24 * HOUR)
    alert.session.ended_at = NOW + HOUR
    alert.session.save()
    actions.evaluate(alert.session, alert.recognizer, now=NOW + 25 * HOUR)
    assert actions.escalate_waiting(now=NOW + 26 * HOUR) == 0


def test_the_schedule_looks_for_them():
    assert JOBS["escalate unseen alerts"].run is actions.escalate_waiting


# --- At once ------------------------------------------------------------------------------------


def at_once(*deeds):
    """Run each in a thread of its own, all from the same moment on; what each raised."""
    start, errors = threading.Barrier(len(deeds)), []

    def run(deed):
        start.wait(10)
        try:
            deed()
        except Exception as error:
            errors.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=(deed,)) for deed in deeds]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    close_old_connections()
    return errors


@pytest.mark.django_db(transaction=True)
def test_two_who_acknowledge_at_once_leave_one_record(alert, alice):
    bob = factories.counselor("bob")
    errors = at_once(
        *[lambda who=who: actions.acknowledge(alert, by=who, now=NOW) for who in (alice, bob) * 3]
    )
    alert.refresh_from_db()
    assert errors == [] and deeds("acknowledged") == 1
    assert alert.acknowledged_by.username == AuditEvent.objects.get(action="alert.acknowledged").actor


@pytest.mark.django_db(transaction=True)
def test_snoozed_while_it_is_resolved_ends_resolved_whichever_came_first(alert, alice):
    errors = at_once(
        lambda: actions.resolve(alert, by=alice, now=NOW),
        lambda: actions.snooze(alert, by=alice, now=NOW, until=NOW + HOUR),
    )
    alert.refresh_from_db()
    assert alert.closed_at == NOW and attention() == []
    assert [e.slug for e in errors] == ([] if Snooze.objects.exists() else ["alert-resolved"])


@pytest.mark.django_db(transaction=True)
def test_acknowledged_while_the_session_is_judged_stays_acknowledged(alert, alice):
    session = alert.session
    session.ended_at = NOW
    session.save()

    def judge():
        with transaction.atomic():
            Client.objects.select_for_update().get(pk=session.client_id)
            actions.evaluate(session, alert.recognizer, now=NOW)

    assert at_once(judge, lambda: actions.acknowledge(alert, by=alice, now=NOW)) == []
    alert.refresh_from_db()
    assert (alert.acknowledged_by, alert.end_reason) == (alice, "session_ended")


@pytest.mark.django_db(transaction=True)
def test_two_workers_escalate_once(alert):
    channel()
    later = NOW + 24 * HOUR
    errors = at_once(*[lambda: actions.escalate_waiting(now=later)] * 3)
    assert errors == [] and deeds("escalated") == 1 and Notification.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_two_who_snooze_at_once_leave_one_snooze(alert, alice):
    errors = at_once(
        *[
            lambda hours=hours: actions.snooze(alert, by=alice, now=NOW, until=NOW + hours * HOUR)
            for hours in (1, 2, 3)
        ]
    )
    assert errors == [] and Snooze.objects.filter(ended_at=None).count() == 1
