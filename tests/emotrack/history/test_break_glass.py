"""An admin sees content only with a reason, for an hour, and never in secret."""

from datetime import timedelta

import pytest
from django.utils import timezone

from emotrack.accounts import actions as accounts
from emotrack.audit.models import AuditEvent
from emotrack.history import break_glass as glass
from emotrack.history.actions import Refused
from emotrack.history.models import BreakGlass, Client, Utterance
from tests.emotrack import factories

pytestmark = pytest.mark.django_db
WHY = "The counselor fell ill during a call."


@pytest.fixture
def dora():
    return factories.admin()


@pytest.fixture
def ann():
    return factories.client("Ann")


def reads(admin, client) -> bool:
    return client.content_visible_to(admin)


def test_it_opens_one_client_for_an_hour(dora, ann):
    eve, now = factories.client("Eve"), timezone.now()
    said = factories.utterance(factories.session(ann), text="Hello.")
    opened = glass.break_glass(client=ann, admin=dora, reason=WHY, now=now)
    assert opened.until == now + timedelta(hours=1)
    assert reads(dora, ann) and not reads(dora, eve)
    assert Utterance.objects.content_visible_to(dora).get() == said


def test_it_ends_by_itself(dora, ann):
    glass.break_glass(client=ann, admin=dora, reason=WHY, now=timezone.now() - timedelta(minutes=61))
    assert not reads(dora, ann)


def test_it_can_be_closed_before(dora, ann):
    glass.break_glass(client=ann, admin=dora, reason=WHY, now=timezone.now() - timedelta(minutes=5))
    assert glass.close_glass(client=ann, admin=dora, now=timezone.now())
    assert not reads(dora, ann)
    assert not glass.close_glass(client=ann, admin=dora, now=timezone.now())


@pytest.mark.parametrize("reason", ["", "          ", "because", "x" * 501])
def test_without_a_reason_it_stays_shut(reason, dora, ann):
    with pytest.raises(Refused):
        glass.break_glass(client=ann, admin=dora, reason=reason, now=timezone.now())
    assert not reads(dora, ann)


def test_opening_twice_does_not_make_it_longer(dora, ann):
    now = timezone.now()
    first = glass.break_glass(client=ann, admin=dora, reason=WHY, now=now)
    assert glass.break_glass(client=ann, admin=dora, reason=WHY, now=now + timedelta(minutes=30)) == first
    assert BreakGlass.objects.count() == 1


def test_whoever_is_no_admin_any_more_sees_nothing(dora, ann):
    factories.admin("ed")
    glass.break_glass(client=ann, admin=dora, reason=WHY, now=timezone.now())
    accounts.change_roles(dora, roles=[], by=factories.TESTS, now=factories.NOW)
    dora = type(dora).objects.get(pk=dora.pk)
    assert not reads(dora, ann) and not Client.objects.content_visible_to(dora).exists()


def test_the_log_says_that_it_was_opened_and_not_why(dora, ann):
    glass.break_glass(client=ann, admin=dora, reason=WHY, now=timezone.now())
    event = AuditEvent.objects.get(action="glass.broken")
    assert (event.actor, event.client) == ("dora", ann.public_id) and WHY not in str(event.detail)
    assert BreakGlass.objects.get().reason == WHY
