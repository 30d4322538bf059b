"""The audit log shows when somebody changed the past."""

import pytest

from emotrack.audit import actions as audit
from emotrack.audit.models import AuditEvent
from tests.emotrack.factories import NOW, TESTS

pytestmark = pytest.mark.django_db


def write(count: int) -> None:
    for number in range(count):
        audit.record("session.read", by=TESTS, now=NOW, subject=f"s{number}", count=number)


def test_a_sealed_chain_holds_over_several_rounds():
    for _ in range(3):
        write(4)
        assert audit.seal(now=NOW) == 4
    assert audit.first_broken_event() is None


@pytest.mark.parametrize("change", [{"actor": "mallory"}, {"detail": {"count": 9}}, {"subject": "s0"}])
def test_a_changed_event_breaks_the_chain_at_its_place(change):
    write(6)
    audit.seal(now=NOW)
    third = AuditEvent.objects.order_by("id")[2]
    AuditEvent.objects.filter(pk=third.pk).update(**change)
    assert audit.first_broken_event() == third


def test_a_deleted_event_breaks_the_chain_after_it():
    write(6)
    audit.seal(now=NOW)
    third, fourth = AuditEvent.objects.order_by("id")[2:4]
    third.delete()
    assert audit.first_broken_event() == fourth
