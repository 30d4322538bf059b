"""Mail of what has been seen by then stays at home; programs are told all the same."""

from datetime import time, timedelta

import pytest

from emotrack.alerts import actions
from emotrack.alerts.delivery import channels
from emotrack.alerts.delivery.sending import deliver_due
from emotrack.alerts.delivery.telling import tell_fired
from emotrack.alerts.delivery.transports import Answer, TransportError
from emotrack.alerts.models import Attempt, Notification
from emotrack.history.actions import Conflict
from tests.emotrack import factories
from tests.emotrack.alerts import planted
from tests.emotrack.alerts.delivery.test_sending import Clock
from tests.emotrack.alerts.planted import BEFORE, NOW, channel, series

pytestmark = pytest.mark.django_db
MORNING = NOW + timedelta(hours=12)


class Taken:
    """A transport that takes everything, or what its script says."""

    def __init__(self, *script):
        self.script, self.sent = list(script), []

    def send(self, message):
        if self.script and (error := self.script.pop(0)):
            raise error
        self.sent.append(message)
        return Answer(200)


@pytest.fixture
def alice(settings):
    settings.EMAIL_SET_UP = True
    made = factories.counselor("alice")
    made.quiet_from, made.quiet_until, made.time_zone = time(0), time(23, 59), "UTC"
    made.save()
    channels.set_mail(made, on=True, address="alice@example.org", by=made.actor, now=NOW)
    return made


def fire(name, counselor):
    planted.rules(now=BEFORE)
    session = factories.session(factories.client(name, counselor), NOW - timedelta(minutes=5))
    series(session, volatility_z=[4, 4, 4])
    (alert,) = actions.evaluate(session, factories.recognizer(), now=NOW).fired
    return alert


@pytest.fixture
def alert(alice):
    return fire("Ann", alice)


def mailed(at):
    """How many mails went out, and the states of all notices by mail."""
    mail = Taken()
    deliver_due(Clock(at), by={"email": mail, "webhook": Taken()})
    rows = Notification.objects.filter(channel__kind="email").order_by("id")
    return len(mail.sent), [row.state for row in rows]


def after_quiet_hours():
    """A moment at which every mail that waits is due."""
    return Notification.objects.order_by("-due_at").first().due_at + timedelta(minutes=1)


def test_what_nobody_has_seen_is_mailed_once_the_quiet_hours_end(alert):
    assert mailed(NOW) == (0, ["waiting"])
    assert mailed(after_quiet_hours()) == (1, ["sent"])


def test_what_was_seen_during_the_quiet_hours_is_not_mailed(alert, alice):
    actions.acknowledge(alert, by=alice, now=NOW + timedelta(minutes=5))
    assert mailed(after_quiet_hours()) == (0, ["withdrawn"])
    notice = Notification.objects.get()
    assert (notice.attempts, notice.leased_until, Attempt.objects.count()) == (0, None, 0)
    with pytest.raises(Conflict, match="seen before it went out"):
        channels.replay(notice, by=alice.actor, now=MORNING)


def test_seen_by_a_colleague_is_seen(alert):
    actions.acknowledge(alert, by=factories.counselor("bob"), now=NOW + timedelta(minutes=5))
    assert mailed(after_quiet_hours()) == (0, ["withdrawn"])


def test_what_was_resolved_or_undone_or_snoozed_is_not_mailed(alert, alice):
    other, third = fire("Ben", alice), fire("Chen", alice)
    actions.resolve(alert, by=alice, now=NOW + timedelta(minutes=5))
    other.superseded_at = NOW
    other.save()
    due = after_quiet_hours()
    actions.snooze(third, by=alice, now=NOW + timedelta(minutes=5), until=due + timedelta(hours=1))
    assert mailed(due) == (0, ["withdrawn"] * 3)


def test_a_snooze_that_is_over_holds_nothing_back(alert, alice):
    actions.snooze(alert, by=alice, now=NOW + timedelta(minutes=5), until=NOW + timedelta(minutes=6))
    assert mailed(after_quiet_hours()) == (1, ["sent"])


def test_one_mail_tells_of_what_is_news_and_not_of_what_was_seen(alert, alice):
    fire("Ben", alice)
    actions.acknowledge(alert, by=alice, now=NOW + timedelta(minutes=5))
    assert mailed(after_quiet_hours()) == (1, ["withdrawn", "sent"])


def test_a_mail_that_failed_is_not_tried_again_once_its_alert_was_seen(alert, alice):
    due = after_quiet_hours()
    deliver_due(Clock(due), by={"email": Taken(TransportError("451 later"))})
    actions.acknowledge(alert, by=alice, now=due + timedelta(minutes=1))
    assert mailed(due + timedelta(hours=1)) == (0, ["withdrawn"])
    assert Attempt.objects.count() == 1


def test_a_webhook_hears_of_what_was_seen(alice):
    channel()
    alert = fire("Ann", alice)
    actions.acknowledge(alert, by=alice, now=NOW)
    hook = Taken()
    deliver_due(Clock(NOW + timedelta(minutes=1)), by={"webhook": hook, "email": Taken()})
    assert len(hook.sent) == 1


def test_what_is_withdrawn_is_no_backlog_and_no_dead_letter(alert, alice):
    actions.acknowledge(alert, by=alice, now=NOW)
    mailed(after_quiet_hours())
    assert not Notification.objects.undone().exists()
    assert not Notification.objects.dead().exists()
    tell_fired([alert], now=NOW)
    assert Notification.objects.count() == 1
