"""Who is told of what rules found, and when nobody is."""

from datetime import timedelta

import pytest
from django.db import transaction

from emotrack.alerts.models import Alert, EndReason, Muted, Notification
from emotrack.audit.models import AuditEvent
from emotrack.mood.models import MoodPoint
from tests.emotrack import factories
from tests.emotrack.alerts import planted
from tests.emotrack.alerts.lifecycle.test_evaluation import SOON, judge
from tests.emotrack.alerts.planted import BEFORE, NOW, channel, series

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def rules():
    planted.rules(now=BEFORE)


def test_a_channel_is_told_that_it_began_and_that_it_ended(session, recognizer):
    channel()
    series(session, volatility_z=[4, 4, 4])
    judge(session, recognizer)
    session.ended_at = SOON
    judge(session, recognizer)
    assert list(Notification.objects.values_list("kind", "due_at")) == [("fired", SOON), ("resolved", SOON)]


def test_a_channel_of_an_app_hears_only_of_the_apps_clients(recognizer):
    mine, other = factories.app("Mine"), factories.app("Other")
    own, foreign = channel(app=mine), channel(app=other)
    session = factories.session(factories.client("Ann", linked_to=mine))
    series(session, volatility_z=[4, 4, 4])
    judge(session, recognizer)
    assert (own.notifications.count(), foreign.notifications.count()) == (1, 0)


def test_a_channel_that_is_off_is_not_told(session, recognizer):
    channel(disabled_at=NOW)
    series(session, volatility_z=[4, 4, 4])
    judge(session, recognizer)
    assert not Notification.objects.exists()


def test_what_is_found_an_hour_late_is_history_and_nobody_is_notified(session, recognizer):
    channel()
    series(session, volatility_z=[4, 4, 4])
    late = NOW + timedelta(minutes=61)
    (alert,) = judge(session, recognizer, now=late).fired
    assert (alert.historical_at, alert.muted) == (late, Muted.HISTORICAL)
    assert not Notification.objects.exists()


def test_what_is_imported_is_history_however_fresh(session, recognizer):
    channel()
    series(session, volatility_z=[4, 4, 4])
    (alert,) = judge(session, recognizer, imported=True).fired
    assert (alert.muted, Notification.objects.count()) == (Muted.HISTORICAL, 0)


def test_a_second_episode_within_the_cool_down_is_an_alert_without_a_notice(session, recognizer):
    channel()
    series(session, volatility_z=[4, 4, 4] + [0] * 8 + [4, 4, 4])
    first, second = judge(session, recognizer).fired
    assert (first.muted, second.muted) == ("", Muted.COOL_DOWN)
    assert set(Notification.objects.values_list("alert", "kind")) == {
        (first.pk, "fired"),
        (first.pk, "resolved"),
    }


def test_after_the_cool_down_there_is_a_notice_again(ann, session, recognizer):
    channel()
    next_day = NOW + timedelta(hours=25)
    for begins in (NOW, next_day):
        each = factories.session(ann, begins, ended_at=begins + timedelta(minutes=20))
        series(each, volatility_z=[4, 4, 4])
        judge(each, recognizer, now=begins + timedelta(minutes=10))
    assert Notification.objects.filter(kind="fired").count() == 2


def test_an_alert_that_was_muted_does_not_prolong_the_quiet(ann, session, recognizer):
    muted = []
    for hours in (0, 20, 30):
        begins = NOW + timedelta(hours=hours)
        each = factories.session(ann, begins, ended_at=begins + timedelta(minutes=20))
        series(each, volatility_z=[4, 4, 4])
        (alert,) = judge(each, recognizer, now=begins + timedelta(minutes=10)).fired
        muted.append(alert.muted)
    assert muted == ["", Muted.COOL_DOWN, ""]


def test_a_receiver_that_was_told_hears_when_late_data_undoes_it(session, recognizer):
    channel()
    said = series(session, volatility_z=[4, 4, 4])
    judge(session, recognizer)
    MoodPoint.objects.filter(utterance=said[0]).update(volatility_z=0)
    judge(session, recognizer)
    assert list(Notification.objects.values_list("kind", flat=True)) == ["fired", "resolved"]


def test_a_notice_waits_for_the_transaction(session, recognizer):
    channel()
    series(session, volatility_z=[4, 4, 4])
    with pytest.raises(RuntimeError), transaction.atomic():
        judge(session, recognizer)
        raise RuntimeError
    assert not Alert.objects.exists() and not Notification.objects.exists()


def test_withdrawn_consent_ends_what_is_open_and_lets_nothing_fire(session, recognizer):
    series(session, volatility_z=[4, 4, 4])
    judge(session, recognizer)
    (alert,) = judge(session, recognizer, muted=True).resolved
    assert alert.end_reason == EndReason.CONSENT_WITHDRAWN
    assert not judge(session, recognizer, muted=True)


def test_what_was_told_stands_in_the_audit_log(ann, session, recognizer):
    series(session, volatility_z=[4, 4, 4])
    (alert,) = judge(session, recognizer).fired
    event = AuditEvent.objects.get(action="alert.fired")
    assert (event.subject, event.client) == (alert.public_id, ann.public_id)
