"""The audit log's chain holds though rows become visible in another order than they were numbered."""

from __future__ import annotations

from datetime import timedelta

import pytest

from emotrack.audit import actions as audit
from emotrack.audit.models import AuditEvent
from tests.emotrack import factories as make

pytestmark = pytest.mark.django_db


def event(number: int) -> AuditEvent:
    made = audit.record("client.read", by=make.TESTS, now=make.NOW, subject=str(number))
    AuditEvent.objects.filter(pk=made.pk).update(id=number)
    return AuditEvent.objects.get(pk=number)


def seal(minute: int) -> None:
    audit.seal(now=make.NOW + timedelta(minutes=minute))


def test_an_event_whose_transaction_took_longer_is_chained_where_it_came_in():
    for number in (1001, 1003):
        event(number)
    seal(1)
    event(1002)  # numbered before 1003 and committed after it was sealed
    seal(2)
    event(1004)
    seal(3)
    assert audit.first_broken_event() is None


def test_a_change_in_such_an_event_still_shows():
    event(1001), event(1003)
    seal(1)
    late = event(1002)
    seal(2)
    AuditEvent.objects.filter(pk=late.pk).update(actor="somebody else")
    assert audit.first_broken_event() == late


def test_a_clock_that_was_set_back_does_not_break_the_chain():
    for number, minute in [(1001, 5), (1002, 3), (1003, 3)]:
        event(number)
        seal(minute)
    assert audit.first_broken_event() is None
