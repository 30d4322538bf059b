"""Cohorts: who is in them, who may see them, and what is refused."""

import pytest

from emotrack.audit.models import AuditEvent
from emotrack.history import cohorts
from emotrack.history.actions import Conflict, Refused
from emotrack.history.models import Client, Cohort, CohortMembership
from tests.emotrack import factories as make

pytestmark = pytest.mark.django_db
HOW = {"by": make.TESTS, "now": make.NOW}


def test_a_client_is_in_a_cohort_once():
    ann, evening = make.client("Ann"), make.cohort("Evening group")
    first = cohorts.put_in_cohort(cohort=evening, client=ann, **HOW)
    assert cohorts.put_in_cohort(cohort=evening, client=ann, **HOW) == first
    assert list(evening.clients.all()) == [ann]
    assert AuditEvent.objects.filter(action="cohort.joined", client=ann.public_id).count() == 1


def test_taking_out_is_told_once():
    ann = make.client("Ann")
    evening = make.cohort("Evening group", ann)
    assert cohorts.take_out_of_cohort(cohort=evening, client=ann, **HOW)
    assert not cohorts.take_out_of_cohort(cohort=evening, client=ann, **HOW)
    assert AuditEvent.objects.filter(action="cohort.left").count() == 1


def test_a_deleted_cohort_leaves_its_clients():
    ann = make.client("Ann")
    evening = make.cohort("Evening group", ann)
    cohorts.delete_cohort(evening, **HOW)
    assert Client.objects.filter(pk=ann.pk).exists() and not CohortMembership.objects.exists()
    assert AuditEvent.objects.get(action="cohort.deleted").detail == {"members": 1}


def test_a_cohort_is_renamed():
    evening = make.cohort("Evening group")
    cohorts.rename_cohort(evening, name=" Morning group ", description="Tuesdays", **HOW)
    evening.refresh_from_db()
    assert (evening.name, evening.description) == ("Morning group", "Tuesdays")
    cohorts.rename_cohort(evening, name="morning GROUP", **HOW)  # its own name is no other's
    evening.refresh_from_db()
    assert (evening.name, evening.description) == ("morning GROUP", "Tuesdays")


@pytest.mark.parametrize("name", ["Evening group", "EVENING group "])
def test_a_name_that_another_has_is_refused_and_nothing_is_written(name):
    make.cohort("Evening group")
    other = make.cohort("Other")
    with pytest.raises(Conflict, match="cohort-name-taken"):
        make.cohort(name)
    with pytest.raises(Conflict, match="cohort-name-taken"):
        cohorts.rename_cohort(other, name=name, **HOW)
    assert other.name == "Other" and Cohort.objects.count() == 2
    assert AuditEvent.objects.filter(action="cohort.made").count() == 2


@pytest.mark.parametrize(
    ("fields", "slug"),
    [
        ({"name": "  "}, "empty"),
        ({"name": "x" * 101}, "too-long"),
        ({"name": "x", "description": "y" * 1001}, "too-long"),
    ],
)
def test_no_name_or_too_long_a_text_is_refused(fields, slug):
    with pytest.raises(Refused, match=slug):
        cohorts.make_cohort(**fields, **HOW)


def test_nobody_who_was_erased_is_put_in():
    gone = make.client("Gone")
    gone.erased_at = make.NOW
    gone.save()
    with pytest.raises(Refused, match="client-erased"):
        cohorts.put_in_cohort(cohort=make.cohort("Evening group"), client=gone, **HOW)


def test_a_cohort_is_seen_by_those_who_see_one_of_its_clients():
    alice, bob, helpline = make.counselor("alice"), make.counselor("bob"), make.app()
    ann, ben = make.client("Ann", assigned_to=alice), make.client("Ben", assigned_to=alice)
    evening, empty = make.cohort("Evening group", ann, ben), make.cohort("Nobody yet")
    assert list(Cohort.objects.visible_to(alice)) == [evening]
    assert not Cohort.objects.visible_to(bob).exists()
    assert not Cohort.objects.visible_to(helpline).exists()
    assert set(Cohort.objects.visible_to(make.admin())) == {evening, empty}
    linked = make.cohort("Linked", make.client("Cleo", linked_to=helpline))
    assert list(Cohort.objects.visible_to(helpline)) == [linked]
    alice.is_active = False
    assert not Cohort.objects.visible_to(alice).exists()
