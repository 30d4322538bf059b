"""Senders as real threads and processes: killed, many at once, or told to stop."""

import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from django.db import connection
from django.utils import timezone

from emotrack.alerts.delivery import sending
from emotrack.alerts.delivery.sending import LEASE, DeliveryLoop, deliver_due
from emotrack.alerts.delivery.transports.webhook import Webhook, signature
from emotrack.alerts.models import Attempt, Notification
from tests.emotrack.alerts import planted
from tests.emotrack.alerts.delivery.receiver import receiving
from tests.emotrack.alerts.delivery.test_sending import Clock, Receiver, deliver, fire, refreshed
from tests.emotrack.alerts.planted import BEFORE, channel

ROOT = Path(__file__).resolve().parents[4]


def run_until_killed(moment):
    # The child is a process of its own: what it must see has to be committed, and it needs our secrets.
    child = subprocess.run(
        [
            sys.executable,
            "-m",
            "tests.emotrack.alerts.delivery.killed_sender",
            connection.settings_dict["NAME"],
            moment,
        ],
        env=os.environ | {"DJANGO_SETTINGS_MODULE": "emotrack.settings"},
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert child.returncode == -9, child.stderr


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(("moment", "arrivals"), [("before", 1), ("after", 2)])
def test_a_sender_killed_in_the_middle_loses_nothing(moment, arrivals):
    with receiving() as receiver:
        made = channel(receiver.url)
        fire(timezone.now())
        notice = Notification.objects.get()
        run_until_killed(moment)
        assert refreshed(notice).sent_at is None
        real = {"webhook": Webhook(allow_http=True, allow_private=True)}
        assert deliver_due(timezone.now, by=real) == 0
        assert deliver_due(lambda: timezone.now() + LEASE, by=real) == 1
    assert receiver.ids == [notice.public_id] * arrivals
    for headers, body in receiver.calls:
        stamp = int(headers["webhook-timestamp"])
        assert headers["webhook-signature"] == signature(made.secret, notice.public_id, stamp, body)


@pytest.mark.django_db(transaction=True)
def test_the_loop_sends_what_is_committed_and_stops_when_told():
    stop = threading.Event()
    with receiving() as receiver:
        loop = DeliveryLoop(by={"webhook": Webhook(allow_http=True, allow_private=True)})
        thread = threading.Thread(target=loop.run_forever, args=[stop])
        thread.start()
        try:
            channel(receiver.url)
            fire(timezone.now())
            assert receiver.came.wait(20)
        finally:
            stop.set()
            sending.wake()
            thread.join(20)
    assert not thread.is_alive()
    assert Notification.objects.get().sent_at is not None


@pytest.mark.django_db(transaction=True)
def test_a_sender_that_is_told_to_stop_finishes_its_call_and_takes_no_more():
    for number in range(4):
        channel(f"http://receiver-{number}/")
    fire(timezone.now())
    stop = threading.Event()

    class Stopped(Receiver):
        def send(self, message):
            stop.set()
            return super().send(message)

    receiver = Stopped()
    DeliveryLoop(by={"webhook": receiver}).run_forever(stop)
    assert len(receiver.taken) == Notification.objects.filter(sent_at__isnull=False).count() == 1
    assert not Notification.objects.undone().filter(leased_until__isnull=False).exists()


@pytest.mark.django_db(transaction=True)
def test_two_senders_at_once_send_each_notice_once():
    for number in range(12):
        channel(f"http://receiver-{number}/")
    fire()
    receiver, clock = Receiver(), Clock()
    senders = [threading.Thread(target=send_and_close, args=[clock, receiver]) for _ in range(3)]
    for sender in senders:
        sender.start()
    for sender in senders:
        sender.join()
    assert sorted(m.id for m in receiver.taken) == sorted(
        Notification.objects.values_list("public_id", flat=True)
    )


@pytest.mark.django_db(transaction=True)
def test_under_load_each_notice_is_attempted_once_and_none_is_left():
    """Senders run while other threads commit alerts; nothing but the commit and their own look wakes them."""
    alerts, receivers, makers = 24, 5, 3
    for number in range(receivers):
        channel(f"http://receiver-{number}/")
    planted.rules(now=BEFORE)
    everything = threading.Event()

    class Counter(Receiver):
        def send(self, message):
            answer = super().send(message)
            if len(self.taken) >= alerts * receivers:
                everything.set()
            return answer

    counter, stop = Counter(), threading.Event()
    senders = [threading.Thread(target=DeliveryLoop(by={"webhook": counter}).run_forever, args=[stop])
               for _ in range(3)]  # fmt: skip
    committing = [threading.Thread(target=fire_and_close, args=[alerts // makers]) for _ in range(makers)]
    for thread in senders + committing:
        thread.start()
    try:
        assert everything.wait(120)
    finally:
        stop.set()
        sending.wake()
        for thread in senders + committing:
            thread.join(30)
    attempted = [message.id for message in counter.taken]
    assert len(attempted) == len(set(attempted)) == Notification.objects.count() == alerts * receivers
    assert not Notification.objects.undone().exists()
    assert Attempt.objects.filter(error="").count() == alerts * receivers


def fire_and_close(times):
    try:
        for _ in range(times):
            fire(timezone.now())
    finally:
        connection.close()


@pytest.mark.django_db(transaction=True)
def test_a_receiver_that_hangs_holds_one_sender_however_many_choose_at_once():
    hanging = channel("http://hangs/")
    for _ in range(8):
        fire()
    together, let_go, inside, idle = threading.Barrier(4), threading.Event(), [], []

    class Hangs(Receiver):
        def send(self, message):
            inside.append(message.id)
            let_go.wait(20)
            return super().send(message)

    receiver = Hangs()

    def look_once():
        try:
            together.wait(30)
            if deliver_due(Clock(), by={"webhook": receiver}, limit=1) == 0:
                idle.append(1)
            if len(idle) == 3:
                let_go.set()
        finally:
            connection.close()

    senders = [threading.Thread(target=look_once) for _ in range(4)]
    for sender in senders:
        sender.start()
    for sender in senders:
        sender.join(60)
    assert len(inside) == hanging.notifications.filter(sent_at__isnull=False).count() == 1


def send_and_close(clock, receiver):
    try:
        while deliver(clock, receiver):
            pass
    finally:
        connection.close()
