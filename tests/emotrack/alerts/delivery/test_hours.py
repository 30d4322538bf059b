"""A rule's active hours and a person's quiet hours: from the alert to when its notices go out."""

from datetime import UTC, datetime, time, timedelta

import pytest

from emotrack.alerts import actions
from emotrack.alerts.delivery import channels
from emotrack.alerts.delivery.sending import deliver_due
from emotrack.alerts.delivery.transports import Answer
from emotrack.alerts.models import Kind, Notification, Rule
from tests.emotrack import factories
from tests.emotrack.alerts import planted
from tests.emotrack.alerts.delivery.test_sending import Clock
from tests.emotrack.alerts.planted import channel, series

pytestmark = pytest.mark.django_db
LONG_AGO = datetime(2026, 1, 5, tzinfo=UTC)
SATURDAY = datetime(2026, 3, 7, 20, tzinfo=UTC)
MONDAY = datetime(2026, 3, 9, tzinfo=UTC)
OFFICE = {"active_days": [0, 1, 2, 3, 4], "active_from": 9 * 60, "active_until": 17 * 60}


class Taking:
    """Takes whatever it is sent."""

    def __init__(self):
        self.taken = []

    def send(self, message):
        self.taken.append(message)
        return Answer(200)


@pytest.fixture
def alice(settings):
    settings.TIME_ZONE, settings.EMAIL_SET_UP = "UTC", True
    made = factories.counselor("alice")
    made.time_zone, made.quiet_from, made.quiet_until = "UTC", time(18), time(10, 30)
    made.save()
    channels.set_mail(made, on=True, address="alice@example.org", by=made.actor, now=LONG_AGO)
    channel()
    return made


def fires(alice, at=SATURDAY, **terms):
    """An alert of a rule with these terms; when each channel's notice is due."""
    planted.rules(now=LONG_AGO)
    rule = Rule.objects.get(kind=Kind.VOLATILITY)
    actions.save_rule(rule, reason="Hours.", by=factories.TESTS, now=LONG_AGO, **terms)
    session = factories.session(factories.client("Ann", alice), at - timedelta(minutes=5))
    series(session, volatility_z=[4, 4, 4])
    (alert,) = actions.evaluate(session, factories.recognizer(), now=at).fired
    assert alert.version == rule.current
    return dict(Notification.objects.values_list("channel__kind", "due_at"))


def test_without_hours_a_webhook_hears_at_once_and_a_person_after_the_quiet_ones(alice):
    assert fires(alice) == {"webhook": SATURDAY, "email": datetime(2026, 3, 8, 10, 30, tzinfo=UTC)}


def test_outside_the_active_hours_all_wait_and_a_person_for_both(alice):
    due = fires(alice, **OFFICE)
    assert due == {"webhook": MONDAY.replace(hour=9), "email": MONDAY.replace(hour=10, minute=30)}


def test_nothing_goes_out_before_it_is_due_and_everything_then(alice):
    fires(alice, **OFFICE)
    hook, mail, sent = Taking(), Taking(), []
    for minutes in range(-60, 121, 30):
        clock = Clock(MONDAY.replace(hour=9) + timedelta(minutes=minutes))
        deliver_due(clock, by={"webhook": hook, "email": mail})
        sent.append((len(hook.taken), len(mail.taken)))
    assert sent == [(0, 0), (0, 0), (1, 0), (1, 0), (1, 0), (1, 1), (1, 1)]


@pytest.mark.parametrize(("any_time", "webhook"), [(True, SATURDAY), (False, MONDAY.replace(hour=9))])
def test_a_critical_one_leaves_nobody_in_peace_unless_the_rule_says_so(alice, any_time, webhook):
    due = fires(alice, **OFFICE, severity="critical", critical_any_time=any_time)
    assert due == {"webhook": webhook, "email": webhook}


def test_an_edit_of_the_hours_while_a_notice_waits_leaves_it_its_own(alice):
    due = fires(alice, **OFFICE)
    rule = Rule.objects.get(kind=Kind.VOLATILITY)
    actions.save_rule(rule, reason="Any time.", by=factories.TESTS, now=SATURDAY, active_from=None,
                      active_until=None, active_days=list(range(7)))  # fmt: skip
    assert dict(Notification.objects.values_list("channel__kind", "due_at")) == due


def test_a_clock_that_is_set_back_sends_nothing_twice_and_one_set_forward_loses_nothing(alice):
    fires(alice, **OFFICE)
    hook, mail = Taking(), Taking()
    for days in (0, 9, -30, 3, 400):
        deliver_due(Clock(SATURDAY + timedelta(days=days)), by={"webhook": hook, "email": mail})
    assert (len(hook.taken), len(mail.taken)) == (1, 1)
