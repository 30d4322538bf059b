"""What is sent to whom: two formats of webhooks, signed by one secret or two, and never any content."""

import json
from datetime import timedelta

import pytest

from emotrack.alerts.delivery import channels
from emotrack.alerts.delivery.messages import fingerprint, message_of
from emotrack.alerts.delivery.telling import tell_escalated, tell_resolved
from emotrack.alerts.delivery.transports.webhook import Webhook, signature
from emotrack.alerts.models import Attempt, Notification, NotificationChannel
from emotrack.audit.models import AuditEvent
from emotrack.history.actions import Conflict, Refused
from tests.emotrack import factories
from tests.emotrack.alerts.delivery.receiver import receiving
from tests.emotrack.alerts.delivery.test_sending import fire
from tests.emotrack.alerts.planted import NOW, channel, trouble

pytestmark = pytest.mark.django_db
LATER = NOW + timedelta(minutes=10)


@pytest.fixture
def local(settings):
    settings.WEBHOOK_ALLOW_HTTP = settings.WEBHOOK_ALLOW_PRIVATE = True
    settings.SITE_URL = "https://emotrack.example"


def body(kind, **about):
    notice = Notification.objects.get(kind=kind, **about)
    return json.loads(message_of(notice, NOW).body)


# --- Alertmanager -------------------------------------------------------------------------------

ALERTMANAGER_FIELDS = {
    "version", "groupKey", "truncatedAlerts", "status", "receiver", "groupLabels", "commonLabels",
    "commonAnnotations", "externalURL", "alerts",
}  # fmt: skip
ALERT_FIELDS = {"status", "labels", "annotations", "startsAt", "endsAt", "generatorURL", "fingerprint"}
"""As Prometheus' documentation of the webhook receiver lists them."""


def test_alertmanager_gets_what_its_receivers_take(local):
    channel(format="alertmanager")
    alert = fire()
    sent = body("fired")
    assert set(sent) == ALERTMANAGER_FIELDS
    assert (sent["version"], sent["status"], sent["receiver"]) == ("4", "firing", "Front desk")
    assert sent["externalURL"] == "https://emotrack.example/"
    (one,) = sent["alerts"]
    assert set(one) == ALERT_FIELDS
    assert one["labels"] == sent["commonLabels"] == {
        "alertname": "volatility", "severity": "warning",
        "client": alert.client.public_id, "rule": alert.rule.public_id,
    }  # fmt: skip
    assert (one["startsAt"], one["endsAt"]) == (alert.fired_at.isoformat(), "0001-01-01T00:00:00Z")
    assert one["generatorURL"] == f"https://emotrack.example/alerts/{alert.public_id}"


def test_alertmanager_pairs_the_end_with_its_beginning(local):
    channel(format="alertmanager")
    alert = fire()
    first = body("fired")["alerts"][0]
    alert.resolved_at, alert.end_reason = LATER, "recovered"
    alert.save()
    tell_resolved([alert], now=LATER)
    last = body("resolved")["alerts"][0]
    assert (last["status"], last["endsAt"]) == ("resolved", LATER.isoformat())
    assert last["fingerprint"] == first["fingerprint"]


def test_an_alert_that_late_data_undid_ends_in_alertmanager_too(local):
    channel(format="alertmanager")
    alert = fire()
    alert.superseded_at = LATER
    alert.save()
    tell_resolved([alert], now=LATER)
    assert body("resolved")["alerts"][0]["endsAt"] == LATER.isoformat()


def test_a_fingerprint_is_of_the_labels_alone():
    assert fingerprint({"a": "1", "b": "2"}) == fingerprint({"b": "2", "a": "1"})
    assert fingerprint({"a": "1"}) != fingerprint({"a": "2"})
    assert len(fingerprint({})) == 16


@pytest.mark.parametrize("format", ["standard", "alertmanager"])
def test_no_format_tells_what_was_said_or_whose_name_it_is(local, format):
    channel(format=format)
    alert = fire()
    alert.rule.name = "Secret rule"
    alert.rule.save()
    tell_escalated([alert], now=NOW)
    for kind in ("fired", "escalated"):
        sent = json.dumps(body(kind))
        assert alert.client.public_id in sent
        for secret in ('"Ann"', alert.client.code, "Secret rule", str(alert.peak)):
            assert secret not in sent


def test_troubles_of_the_service_name_no_client(local):
    standard, manager = channel(), channel(format="alertmanager")
    trouble("backlog", now=NOW, waiting=3)
    sent = body("fired", channel=standard)
    assert (sent["type"], sent["data"]["kind"]) == ("system.fired", "backlog")
    assert body("fired", channel=manager)["commonLabels"] == {
        "alertname": "emotrack_backlog", "severity": "warning",
    }  # fmt: skip


# --- Secrets ------------------------------------------------------------------------------------


def test_for_a_day_after_a_change_both_secrets_sign(local):
    made = channel()
    old = made.secret
    new = channels.rotate_secret(made, by=factories.TESTS, now=NOW)
    fire()
    made = NotificationChannel.objects.get()
    assert made.secrets_at(NOW + timedelta(hours=23)) == (new, old)
    assert made.secrets_at(NOW + timedelta(hours=24)) == (new,)
    with receiving() as receiver:
        message = message_of(Notification.objects.get(), NOW)
        Webhook(allow_http=True, allow_private=True).send(
            type(message)(message.id, receiver.url, message.secrets, message.body, NOW)
        )
    ((headers, sent),) = receiver.calls
    stamp = int(NOW.timestamp())
    assert headers["webhook-signature"].split(" ") == [
        signature(secret, message.id, stamp, sent) for secret in (new, old)
    ]
    assert new not in str(list(AuditEvent.objects.values())) and old not in str(
        list(AuditEvent.objects.values())
    )


# --- The test button ----------------------------------------------------------------------------


@pytest.mark.parametrize("format", ["standard", "alertmanager"])
def test_a_test_is_sent_now_and_signed_like_any_other(local, format):
    with receiving() as receiver:
        made = channel(receiver.url, format=format)
        tried = channels.send_test(made, by=factories.TESTS, now=NOW, clock=lambda: NOW)
    ((headers, sent),) = receiver.calls
    assert headers["webhook-signature"] == signature(
        made.secret, headers["webhook-id"], int(NOW.timestamp()), sent
    )
    assert (tried.status, tried.error) == (200, "")
    assert Notification.objects.get().sent_at == NOW
    assert "test" in sent.decode()


def test_a_test_that_fails_says_how_and_is_not_tried_again(local):
    with receiving(500, 200) as receiver:
        made = channel(receiver.url)
        tried = channels.send_test(made, by=factories.TESTS, now=NOW, clock=lambda: NOW)
    assert (tried.status, tried.error) == (500, "The receiver answered 500.")
    assert Notification.objects.get().dead_at == NOW
    assert len(receiver.calls) == 1


def test_an_answer_is_shown_as_one_short_line_of_plain_text(local, monkeypatch):
    from emotrack.alerts.delivery.transports import webhook

    class Response:
        def read(self, most):
            return ("<b>no\x1b[31m such\u202e hook</b>" + "x" * 500 + "\nsecond").encode()[:most]

    line = webhook._first_line(Response())
    assert len(line) == 120 and line.isascii() and line.isprintable() and line.startswith("<b>no?[31m such")


def test_a_test_into_a_private_network_is_refused(settings):
    settings.WEBHOOK_ALLOW_HTTP = True
    with receiving() as receiver:
        tried = channels.send_test(channel(receiver.url), by=factories.TESTS, now=NOW)
    assert receiver.calls == [] and "private" in tried.error


# --- Changing channels --------------------------------------------------------------------------


def test_a_new_address_is_checked_before_it_is_kept(local, settings):
    made = channel("http://localhost:9/")
    settings.WEBHOOK_ALLOW_PRIVATE = False
    with pytest.raises(Refused):
        channels.change_channel(made, by=factories.TESTS, now=NOW, url="http://localhost:8/")
    channels.change_channel(made, by=factories.TESTS, now=NOW, name="Night desk", format="alertmanager")
    made.refresh_from_db()
    assert (made.name, made.url, made.format) == ("Night desk", "http://localhost:9/", "alertmanager")
    assert AuditEvent.objects.get(action="channel.changed").detail == {"fields": ["format", "name"]}


def test_what_was_removed_is_told_nothing_and_can_be_brought_back(local):
    made = channel()
    channels.remove_channel(made, by=factories.TESTS, now=NOW)
    fire()
    assert not NotificationChannel.objects.visible_to(factories.admin()).exists()
    assert not Notification.objects.exists()
    channels.restore_channel(made, by=factories.TESTS, now=NOW)
    made.refresh_from_db()
    assert (made.removed_at, made.disabled_at) == (None, None)


def test_all_dead_letters_of_a_channel_are_replayed_at_once(local):
    made, other = channel(), channel("http://other/")
    fire()
    Notification.objects.update(dead_at=NOW, attempts=8)
    assert channels.replay_dead(made, by=factories.TESTS, now=LATER) == 1
    assert channels.replay_dead(made, by=factories.TESTS, now=LATER) == 0
    mine = made.notifications.get()
    assert (mine.dead_at, mine.attempts, mine.queued_at) == (None, 0, LATER)
    assert other.notifications.get().dead_at == NOW
    channels.disable_channel(made, reason="", by=factories.TESTS, now=LATER)
    with pytest.raises(Conflict):
        channels.replay_dead(made, by=factories.TESTS, now=LATER)


def test_a_test_is_not_among_the_dead_letters_that_are_replayed(local):
    with receiving(500) as receiver:
        made = channel(receiver.url)
        channels.send_test(made, by=factories.TESTS, now=NOW, clock=lambda: NOW)
    assert channels.replay_dead(made, by=factories.TESTS, now=LATER) == 0
    assert Attempt.objects.count() == 1
