"""The pages on which an admin groups clients."""

import pytest

from emotrack.history.models import Cohort
from tests.emotrack import factories


def test_a_cohort_is_made_filled_and_thinned(dora, house):
    assert dora.post("/cohorts", {"name": "Evening group"}).status_code == 302
    cohort, eve = Cohort.objects.get(), factories.client("Eve")
    place = f"/cohorts/{cohort.public_id}"
    dora.post(place, {"to": "add", "client": [house.ann.public_id, eve.public_id]})
    assert set(cohort.clients.all()) == {house.ann, eve}
    dora.post(place, {"to": "remove", "client": [eve.public_id]})
    assert set(cohort.clients.all()) == {house.ann}
    assert dora.post(place, {"to": "rename", "name": "Night group", "description": "Late"}).status_code == 302
    cohort.refresh_from_db()
    assert (cohort.name, cohort.description) == ("Night group", "Late")


def test_a_deleted_cohort_comes_back_with_its_clients(dora, house):
    cohort = factories.cohort("Evening group", house.ann)
    shown = dora.post(f"/cohorts/{cohort.public_id}", {"to": "delete"}, follow=True).content.decode()
    assert "“Evening group” is deleted." in shown and not Cohort.objects.exists()
    dora.post("/cohorts/undo")
    back = Cohort.objects.get()
    assert back.name == "Evening group" and list(back.clients.all()) == [house.ann]
    assert "too late" in dora.post("/cohorts/undo", follow=True).content.decode()


def test_a_name_that_was_taken_meanwhile_is_said_when_undoing(dora):
    cohort = factories.cohort("Evening group")
    dora.post(f"/cohorts/{cohort.public_id}", {"to": "delete"})
    factories.cohort("evening GROUP")
    assert "Another cohort has this name" in dora.post("/cohorts/undo", follow=True).content.decode()
    assert Cohort.objects.count() == 1


@pytest.mark.parametrize("name", ["", "   ", "EVENING group", "x" * 101])
def test_a_bad_name_is_said_and_changes_nothing(name, dora):
    factories.cohort("Evening group")
    other = factories.cohort("Other")
    assert dora.post("/cohorts", {"name": name}).status_code == 422
    assert dora.post(f"/cohorts/{other.public_id}", {"to": "rename", "name": name}).status_code == 422
    assert set(Cohort.objects.values_list("name", flat=True)) == {"Evening group", "Other"}
