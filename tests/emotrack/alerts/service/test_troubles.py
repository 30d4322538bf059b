"""Troubles with the service: raised when seen twice, told once, over by themselves."""

import shutil
from datetime import timedelta
from types import SimpleNamespace

import pytest

from emotrack.alerts.delivery import channels
from emotrack.alerts.delivery.sending import deliver_due
from emotrack.alerts.delivery.telling import tell_fired
from emotrack.alerts.delivery.transports.trial import Trial
from emotrack.alerts.models import Alert, Notification, NotificationChannel, Rule, SystemAlert, Trouble
from emotrack.alerts.service import checks
from emotrack.alerts.service.checks import LOOKS, check_service
from emotrack.alerts.service.trial import TrialBroken, send_trial, trial_state
from emotrack.alerts.service.troubles import observe
from emotrack.audit.actions import record, seal
from emotrack.history.models import Utterance
from emotrack.recognition import RecognizerStatus
from tests.emotrack import factories
from tests.emotrack.alerts.delivery.test_sending import Clock, fire
from tests.emotrack.alerts.planted import NOW, channel

pytestmark = pytest.mark.django_db
MINUTE = timedelta(minutes=1)


def look(*found, kind=Trouble.BACKLOG, start=NOW):
    """Checks a minute apart that found this; what is said to go on after each."""
    said = []
    for n, detail in enumerate(found):
        observe(kind, detail, now=start + n * MINUTE)
        said.append(SystemAlert.objects.open().count())
    return said


BAD, WELL = {"waiting": 3}, None


@pytest.mark.parametrize(
    ("found", "said"),
    [
        ((WELL, WELL), [0, 0]),
        ((BAD, WELL, BAD, WELL), [0, 0, 0, 0]),
        ((BAD, BAD, BAD), [0, 1, 1]),
        ((BAD, BAD, WELL, BAD, WELL), [0, 1, 1, 1, 1]),
        ((BAD, BAD, WELL, WELL, WELL), [0, 1, 1, 0, 0]),
        ((BAD, BAD, WELL, WELL, BAD, BAD), [0, 1, 1, 0, 0, 1]),
    ],
)
def test_what_is_said_after_each_look(found, said):
    assert look(*found) == said


def test_it_is_told_once_to_admins_and_to_webhooks_that_belong_to_no_app(settings):
    settings.EMAIL_SET_UP = True
    ours, theirs = channel("http://127.0.0.1:9/"), channel("http://127.0.0.1:9/", app=factories.app())
    for person in (factories.admin("dora"), factories.counselor("alice")):
        channels.set_mail(person, on=True, address="x@example.org", by=person.actor, now=NOW)
    look(BAD, BAD, BAD, WELL, BAD, WELL, WELL)
    told = Notification.objects.order_by("id").values_list("channel__name", "kind")
    assert sorted(told) == [("Front desk", "fired"), ("Front desk", "resolved"), ("dora", "fired")]
    assert not theirs.notifications.exists() and ours.notifications.count() == 2


def test_it_is_for_admins_only():
    look(BAD, BAD)
    assert SystemAlert.objects.visible_to(factories.admin()).count() == 1
    assert not SystemAlert.objects.visible_to(factories.counselor()).exists()
    assert not SystemAlert.objects.visible_to(factories.app()).exists()


# --- What is looked at --------------------------------------------------------------------------


def found(kind, now=NOW):
    return LOOKS[kind](now)


def stood_in(monkeypatch, status):
    monkeypatch.setattr(checks, "service", lambda: SimpleNamespace(status=lambda: status))


def test_a_recognizer_that_does_not_answer(monkeypatch):
    stood_in(monkeypatch, RecognizerStatus(True, "planted 1", 0))
    assert found(Trouble.RECOGNIZER) is None
    stood_in(monkeypatch, RecognizerStatus(False, "No weights.", 0))
    assert found(Trouble.RECOGNIZER) == {"sentence": "No weights."}


def test_a_backlog_whose_oldest_waits_too_long():
    said = factories.utterance(factories.session(factories.client()))
    waits = Utterance.objects.filter(pk=said.pk)
    waits.update(status="queued", received_at=NOW - timedelta(minutes=10))
    assert found(Trouble.BACKLOG) is None
    assert found(Trouble.BACKLOG, NOW + MINUTE) == {"waiting": 1, "minutes": 11}


def test_dead_letters_of_today_and_notices_that_no_sender_takes():
    channel()
    fire()
    notice = Notification.objects.filter(alert__isnull=False)
    assert found(Trouble.DELIVERIES) is None
    assert found(Trouble.DELIVERIES, NOW + timedelta(minutes=11)) == {"dead": 0, "overdue": 1}
    notice.update(dead_at=NOW, last_error="The receiver answered 500.")
    assert found(Trouble.DELIVERIES, NOW + timedelta(hours=1)) == {"dead": 1, "overdue": 0}
    assert found(Trouble.DELIVERIES, NOW + timedelta(hours=25)) is None


def test_what_a_person_switched_off_is_no_trouble():
    made = channel()
    fire()
    channels.disable_channel(made, reason="Moved.", by=factories.TESTS, now=NOW)
    assert found(Trouble.DELIVERIES, NOW + timedelta(hours=1)) is None


def test_a_disk_that_is_nearly_full(monkeypatch, settings):
    settings.DISK_FREE_MB = 500
    monkeypatch.setattr(shutil, "disk_usage", lambda path: SimpleNamespace(free=499 << 20))
    assert found(Trouble.DISK) == {"free_mb": 499}
    settings.DISK_FREE_MB = 499
    assert found(Trouble.DISK) is None


def test_an_audit_log_that_nobody_seals():
    record("something.done", by=factories.TESTS, now=NOW - timedelta(minutes=6))
    assert found(Trouble.AUDIT) == {"minutes": 6}
    seal(now=NOW)
    assert found(Trouble.AUDIT) is None


@pytest.mark.parametrize("kind", ["recognizer_drift", "low_quality"])
def test_what_rules_find_about_the_sound_is_one_trouble_and_no_notice_per_client(kind):
    look = Trouble.DRIFT if kind == "recognizer_drift" else Trouble.LOW_QUALITY
    assert found(look) is None
    channel()
    for _client in range(2):
        alert = fire()
        rule = Rule.objects.create(kind=kind, created_at=NOW)
        Alert.objects.filter(pk=alert.pk).update(rule=rule)
        Notification.objects.all().delete()
        tell_fired([Alert.objects.get(pk=alert.pk)], now=NOW)
        assert not Notification.objects.exists()
    assert found(look) == {"clients": 2}
    Alert.objects.update(resolved_at=NOW, end_reason="recovered")
    assert found(look) is None


def test_a_look_that_breaks_costs_no_other_and_is_not_silent(monkeypatch):
    def breaks(now):
        raise ZeroDivisionError

    looks = {Trouble.DISK: breaks, Trouble.BACKLOG: lambda now: BAD}
    monkeypatch.setattr(checks, "LOOKS", looks)
    for n in range(2):
        with pytest.raises(RuntimeError, match="disk"):
            check_service(now=NOW + n * MINUTE)
    assert [row.kind for row in SystemAlert.objects.open()] == ["backlog"]


# --- The trial ----------------------------------------------------------------------------------


def test_a_trial_goes_the_whole_way_and_is_nobodys_alert():
    send_trial(now=NOW)
    assert not trial_state(NOW).missing and trial_state(NOW).arrived_at is None
    assert deliver_due(Clock(), by={"trial": Trial()}) == 1
    assert trial_state(NOW).arrived_at == NOW
    notice = Notification.objects.get()
    assert (notice.alert, notice.trouble, notice.tries.get().status) == (None, None, 200)
    assert not NotificationChannel.objects.visible_to(factories.admin()).exists()


def test_a_trial_that_does_not_arrive_is_missed_after_two_periods():
    send_trial(now=NOW)
    assert found(Trouble.TRIAL, NOW + timedelta(hours=2)) is None
    assert found(Trouble.TRIAL, NOW + timedelta(minutes=121)) == {"minutes": 121}
    deliver_due(Clock(NOW + timedelta(minutes=121)), by={"trial": Trial()})
    assert found(Trouble.TRIAL, NOW + timedelta(minutes=122)) is None


def test_a_trial_whose_signature_does_not_hold_does_not_count(monkeypatch):
    from emotrack.alerts.delivery.transports import webhook

    send_trial(now=NOW)
    monkeypatch.setattr(webhook, "signature", lambda *parts: "v1,wrong")
    deliver_due(Clock(), by={"trial": Trial()})
    assert trial_state(NOW).arrived_at is None
    assert Notification.objects.get().last_error == "The receiver answered 400."


def test_a_state_machine_that_does_not_fire_sends_no_trial(monkeypatch):
    monkeypatch.setattr("emotrack.alerts.service.trial.episodes", lambda *series: [])
    with pytest.raises(TrialBroken):
        send_trial(now=NOW)
    assert not Notification.objects.exists()


def test_trials_can_be_switched_off_and_old_ones_are_forgotten(settings):
    send_trial(now=NOW)
    send_trial(now=NOW + timedelta(days=8))
    assert Notification.objects.count() == 1
    settings.TRIAL_EVERY_MINUTES = 0
    send_trial(now=NOW + timedelta(days=9))
    assert Notification.objects.count() == 1
    assert found(Trouble.TRIAL, NOW + timedelta(days=99)) is None
