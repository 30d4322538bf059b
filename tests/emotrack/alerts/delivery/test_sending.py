"""Notices arrive at least once, or lie as dead letters that can be replayed."""

import json
from datetime import timedelta

import pytest

from emotrack.alerts import actions
from emotrack.alerts.delivery import channels, sending
from emotrack.alerts.delivery.sending import LEASE, deliver_due, take
from emotrack.alerts.delivery.transports import Answer, TransportError
from emotrack.alerts.delivery.transports.webhook import Webhook
from emotrack.alerts.models import Alert, Notification, NotificationChannel
from emotrack.audit.models import AuditEvent
from emotrack.history.actions import Conflict, Refused
from tests.emotrack import factories
from tests.emotrack.alerts import planted
from tests.emotrack.alerts.delivery.receiver import receiving
from tests.emotrack.alerts.planted import BEFORE, NOW, channel, series


class Clock:
    def __init__(self, now=NOW):
        self.now = now

    def __call__(self):
        return self.now


class Receiver:
    """A transport that answers as told: an error to raise, else it takes the message."""

    def __init__(self, *script, default=None):
        self.script, self.default, self.taken, self.asked = list(script), default, [], []

    def send(self, message):
        self.asked.append((message.sent_at, message.id))
        error = self.script.pop(0) if self.script else self.default
        if error:
            raise error
        self.taken.append(message)
        return Answer(200)


def deliver(clock, receiver):
    return deliver_due(clock, by={"webhook": receiver})


def fire(now=NOW):
    """An alert through the default rule, with one notice for each channel that there is."""
    planted.rules(now=BEFORE)
    session = factories.session(factories.client(), now - timedelta(minutes=5))
    series(session, volatility_z=[4, 4, 4])
    (alert,) = actions.evaluate(session, factories.recognizer(), now=now).fired
    return alert


@pytest.fixture
def notice(db):
    made = channel()
    fire()
    return Notification.objects.get(channel=made)


def refreshed(notice):
    notice.refresh_from_db()
    return notice


# --- One attempt --------------------------------------------------------------------------------


def test_what_is_due_is_sent_once(notice):
    receiver, clock = Receiver(), Clock()
    assert (deliver(clock, receiver), deliver(clock, receiver)) == (1, 0)
    assert [message.id for message in receiver.taken] == [notice.public_id]
    assert refreshed(notice).sent_at == NOW


def test_the_message_holds_ids_and_links_and_no_content(notice):
    receiver = Receiver()
    deliver(Clock(), receiver)
    alert = notice.alert
    body = json.loads(receiver.taken[0].body)
    assert body["type"] == "alert.fired"
    assert body["data"] == {
        "alert": alert.public_id,
        "client": alert.client.public_id,
        "session": alert.session.public_id,
        "links": {
            "alert": f"/api/v1/alerts/{alert.public_id}",
            "session": f"/api/v1/sessions/{alert.session.public_id}",
        },
    }


def test_it_waits_for_its_time(notice):
    assert deliver(Clock(NOW - timedelta(seconds=1)), Receiver()) == 0


def test_attempts_follow_the_published_schedule_and_end_as_a_dead_letter(notice, monkeypatch):
    monkeypatch.setattr(sending, "JITTER", 0)
    receiver, clock = Receiver(default=TransportError("500")), Clock()
    for _ in range(8):
        clock.now = max(clock.now, refreshed(notice).due_at)
        deliver(clock, receiver)
    hours = [round((at - NOW) / timedelta(hours=1), 3) for at, _id in receiver.asked]
    assert hours == [0, 0.001, 0.085, 0.585, 2.585, 7.585, 17.585, 24]
    assert {message_id for _at, message_id in receiver.asked} == {notice.public_id}
    assert refreshed(notice).dead_at == NOW + timedelta(hours=24)


def test_jitter_is_at_most_a_tenth(notice):
    deliver(Clock(), Receiver(TransportError("500")))
    assert timedelta(seconds=5) <= refreshed(notice).due_at - NOW <= timedelta(seconds=5.5)


def test_a_receiver_that_asks_for_time_gets_it(notice):
    deliver(Clock(), Receiver(TransportError("429", retry_after_s=900)))
    assert refreshed(notice).due_at == NOW + timedelta(seconds=900)


def test_a_permanent_error_is_a_dead_letter_at_once(notice):
    deliver(Clock(), Receiver(TransportError("refused", permanent=True)))
    assert (refreshed(notice).dead_at, notice.last_error) == (NOW, "refused")
    assert AuditEvent.objects.filter(action="notification.dead", subject=notice.public_id).exists()


def test_a_receiver_that_is_gone_switches_its_channel_off(notice):
    later = Notification.objects.create(
        alert=notice.alert, channel=notice.channel, kind="resolved",
        created_at=NOW, queued_at=NOW, due_at=NOW + timedelta(hours=1),
    )  # fmt: skip
    deliver(Clock(), Receiver(TransportError("410", gone=True)))
    assert NotificationChannel.objects.get().disabled_at == NOW
    assert (refreshed(notice).dead_at, refreshed(later).dead_at) == (NOW, NOW)


def test_a_bug_in_a_sender_is_a_failed_attempt_not_a_loop(notice, caplog):
    deliver(Clock(), Receiver(ZeroDivisionError()))
    assert (refreshed(notice).sent_at, notice.last_error) == (None, "ZeroDivisionError in the sender.")
    assert notice.due_at > NOW


def test_one_receiver_that_fails_holds_up_no_other(db):
    bad, good = channel("http://bad/"), channel("http://good/")
    fire()

    class Picky:
        def send(self, message):
            if message.url == bad.url:
                raise TransportError("500")
            return Answer(200)

    deliver_due(Clock(), by={"webhook": Picky()})
    assert [n.channel for n in Notification.objects.filter(sent_at__isnull=False)] == [good]


def test_every_attempt_stands_in_the_log_with_its_code(notice):
    receiver = Receiver(TransportError("500", answer=Answer(500)), TransportError("No answer: TimeoutError."))
    clock = Clock()
    for _ in range(3):
        clock.now = max(clock.now, refreshed(notice).due_at)
        deliver(clock, receiver)
    tries = notice.tries.values_list("status", "error")
    assert list(tries) == [(500, "500"), (None, "No answer: TimeoutError."), (200, "")]
    assert notice.tries.last().at == clock.now


def test_a_service_that_was_down_for_days_tries_more_than_once(notice):
    clock, receiver = Clock(NOW + timedelta(days=3)), Receiver(TransportError("500"), TransportError("500"))
    while refreshed(notice).sent_at is None:
        assert notice.dead_at is None
        clock.now = max(clock.now, notice.due_at)
        deliver(clock, receiver)
    assert notice.attempts == 3


def test_an_end_waits_for_its_beginning(notice):
    end = Notification.objects.create(
        alert=notice.alert, channel=notice.channel, kind="resolved", created_at=NOW, queued_at=NOW, due_at=NOW
    )
    receiver, clock = Receiver(TransportError("500")), Clock()
    assert deliver(clock, receiver) == 1
    assert deliver(clock, receiver) == 0
    clock.now = refreshed(notice).due_at
    assert deliver(clock, receiver) == 2
    assert [message.id for message in receiver.taken] == [notice.public_id, end.public_id]


def test_an_end_goes_out_though_its_beginning_is_a_dead_letter(notice):
    Notification.objects.update(dead_at=NOW)
    Notification.objects.create(
        alert=notice.alert, channel=notice.channel, kind="resolved", created_at=NOW, queued_at=NOW, due_at=NOW
    )
    assert deliver(Clock(), Receiver()) == 1


def test_a_notice_from_a_clock_that_ran_ahead_is_not_kept_back(notice):
    ahead = NOW + timedelta(days=400)
    Notification.objects.update(created_at=ahead, queued_at=ahead, due_at=ahead)
    assert deliver(Clock(), Receiver()) == 1


def test_a_receiver_that_fails_in_every_way_is_told_in_the_end(db, monkeypatch):
    """Nobody there, a reset, a 500, a 429 that asks for time, an answer that never ends; then it takes it."""
    monkeypatch.setattr(sending, "JITTER", 0)
    clock, way = Clock(), {"webhook": Webhook(allow_http=True, allow_private=True, deadline_s=0.5)}
    with receiving("hang_up", 500, 429, 0.05, 204, headers={"Retry-After": "7200"}) as receiver:
        made = channel("http://127.0.0.1:1/")
        fire()
        notice = Notification.objects.get()
        while refreshed(notice).sent_at is None:
            assert notice.dead_at is None
            clock.now = max(clock.now, notice.due_at)
            assert deliver_due(clock, by=way) == 1
            NotificationChannel.objects.filter(pk=made.pk).update(url=receiver.url)
    assert receiver.ids == [notice.public_id] * 5
    assert list(notice.tries.values_list("status", flat=True)) == [None, None, 500, 429, None, 204]
    waited = list(notice.tries.values_list("at", flat=True))
    assert waited[4] - waited[3] >= timedelta(hours=2)


@pytest.mark.parametrize(("ahead", "muted"), [(timedelta(days=400), ""), (-timedelta(hours=1), "cool_down")])
def test_an_alert_told_by_a_clock_that_ran_ahead_keeps_no_rule_still(notice, ahead, muted):
    Alert.objects.update(created_at=NOW + ahead, resolved_at=NOW, end_reason="recovered")
    session = factories.session(notice.alert.client, NOW - timedelta(minutes=4))
    series(session, volatility_z=[4, 4, 4])
    (again,) = actions.evaluate(session, factories.recognizer(), now=NOW).fired
    assert again.muted == muted


# --- Leases -------------------------------------------------------------------------------------


def test_a_leased_notice_is_nobody_elses(notice):
    assert take(NOW) is not None
    assert take(NOW) is None


def test_when_the_lease_has_run_out_the_next_sender_takes_it(notice):
    take(NOW)
    assert take(NOW + LEASE).pk == notice.pk


def test_while_a_notice_is_on_its_way_its_channel_waits_and_others_do_not(notice):
    other = channel("http://other/")
    now = {"created_at": NOW, "queued_at": NOW, "due_at": NOW}
    Notification.objects.create(alert=notice.alert, channel=notice.channel, kind="resolved", **now)
    Notification.objects.create(alert=notice.alert, channel=other, kind="fired", **now)
    assert take(NOW).pk == notice.pk
    assert take(NOW).channel == other
    assert take(NOW) is None


def test_a_notice_queued_just_as_its_channel_was_switched_off_stays(notice):
    NotificationChannel.objects.update(disabled_at=NOW)
    assert take(NOW) is None


def test_a_lease_from_a_clock_that_ran_ahead_does_not_hold(notice):
    take(NOW)
    Notification.objects.update(leased_until=NOW + timedelta(days=400))
    assert take(NOW).pk == notice.pk


def test_a_sender_whose_clock_is_a_little_behind_does_not_take_what_another_has(notice):
    take(NOW + timedelta(seconds=2))
    assert take(NOW + timedelta(seconds=1)) is None


def test_a_late_failure_does_not_undo_what_another_sender_marked(notice):
    slow = take(NOW)
    deliver(Clock(NOW + LEASE), Receiver())
    sending.failed(slow, TransportError("500"), NOW + LEASE)
    assert (refreshed(notice).sent_at, notice.last_error) == (NOW + LEASE, "")


def test_a_late_failure_does_not_take_the_lease_of_the_sender_that_has_it_now(notice):
    slow = take(NOW)
    take(NOW + LEASE)
    sending.failed(slow, TransportError("500"), NOW + LEASE)
    assert (refreshed(notice).leased_until, notice.due_at) == (NOW + 2 * LEASE, NOW)


# --- Replay -------------------------------------------------------------------------------------


def test_a_dead_letter_is_replayed_under_the_same_id_with_a_new_day(notice):
    deliver(Clock(), Receiver(TransportError("no", permanent=True)))
    later = NOW + timedelta(days=9)
    channels.replay(notice, by=factories.TESTS, now=later)
    receiver = Receiver(TransportError("500"))
    clock = Clock(later)
    deliver(clock, receiver)
    assert (refreshed(notice).dead_at, notice.attempts) == (None, 1)
    clock.now = notice.due_at
    deliver(clock, receiver)
    assert [message.id for message in receiver.taken] == [notice.public_id]


def test_what_still_waits_is_not_replayed(notice):
    with pytest.raises(Conflict):
        channels.replay(notice, by=factories.TESTS, now=NOW)


def test_nothing_is_replayed_into_a_channel_that_is_off(notice):
    sending.disable_channel(notice.channel, reason="Moved.", by=factories.TESTS, now=NOW)
    with pytest.raises(Conflict):
        channels.replay(notice, by=factories.TESTS, now=NOW)
    channels.enable_channel(notice.channel, by=factories.TESTS, now=NOW)
    assert channels.replay(notice, by=factories.TESTS, now=NOW).due_at == NOW


# --- Channels -----------------------------------------------------------------------------------


def test_the_secret_of_a_channel_is_sealed(db, settings):
    settings.WEBHOOK_ALLOW_HTTP = settings.WEBHOOK_ALLOW_PRIVATE = True
    made, secret = channels.create_channel(
        name="Desk", url="http://127.0.0.1:9/", by=factories.TESTS, now=NOW
    )
    stored = NotificationChannel.objects.get(pk=made.pk)
    assert stored.secret == secret
    assert secret.encode() not in bytes(stored.sealed_secret)
    assert secret not in str(list(AuditEvent.objects.values()))


@pytest.mark.parametrize("url", ["http://example.com/", "https://127.0.0.1/", "https://x/" + "a" * 1000])
def test_an_address_that_may_not_be_called_is_refused_at_once(db, url):
    with pytest.raises(Refused) as caught:
        channels.create_channel(name="Desk", url=url, by=factories.TESTS, now=NOW)
    assert (caught.value.slug, caught.value.pointer) == ("invalid-channel", "/url")
    assert not NotificationChannel.objects.exists()
