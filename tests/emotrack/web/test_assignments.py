"""The page on which an admin says who sees whom."""

import pytest

from emotrack.audit.models import AuditEvent
from emotrack.history.models import Client
from tests.emotrack import factories


def sees(user) -> set[str]:
    return set(Client.objects.visible_to(user).values_list("code", flat=True))


def change(browser, to, counselor, *clients):
    sent = {"to": to, "counselor": counselor, "client": [client.public_id for client in clients]}
    return browser.post("/assignments", sent, follow=True).content.decode()


def test_several_clients_are_assigned_at_once_and_it_can_be_undone(dora, house):
    eve, fay = factories.client("Eve"), factories.client("Fay")
    assert "bob now sees 2 more clients." in change(dora, "assign", "bob", eve, fay)
    assert sees(house.bob) == {eve.code, fay.code}
    assert "Undone." in dora.post("/assignments/undo", follow=True).content.decode()
    assert sees(house.bob) == set()
    assert "too late" in dora.post("/assignments/undo", follow=True).content.decode()


def test_undo_takes_back_only_what_was_new(dora, house):
    eve = factories.client("Eve")
    assert "alice now sees 1 client." in change(dora, "assign", "alice", house.ann, eve)
    dora.post("/assignments/undo")
    assert sees(house.alice) == {house.ann.code}


def test_taking_a_client_off_closes_it_at_once(dora, alice, house):
    assert alice.get(f"/clients/{house.ann.public_id}").status_code == 200
    assert "alice no longer sees 1 client." in change(dora, "unassign", "alice", house.ann)
    assert alice.get(f"/clients/{house.ann.public_id}").status_code == 404
    assert AuditEvent.objects.filter(action="client.unassigned", client=house.ann.public_id).count() == 1


@pytest.mark.parametrize(
    ("to", "counselor", "whom"),
    [("assign", "dora", 1), ("assign", "", 1), ("assign", "bob", 0), ("eat", "bob", 1)],
)
def test_what_is_incomplete_or_no_counselor_changes_nothing(to, counselor, whom, dora, house):
    assert "Nothing was changed." in change(dora, to, counselor, *[house.ann][:whom])
    assert sees(house.bob) == set() and sees(house.alice) == {house.ann.code}


def test_what_was_so_already_is_said(dora, house):
    assert "That was so already." in change(dora, "assign", "alice", house.ann)


def test_the_list_narrows_by_code_counselor_nobody_and_cohort(dora, house):
    eve = factories.client("Eve")
    group = factories.cohort("Group", eve)

    def shown(query):
        page = dora.get(f"/assignments?{query}").content.decode()
        return {client.code for client in (house.ann, eve) if f">{client.code}<" in page}

    assert shown("") == {house.ann.code, eve.code}
    assert shown("counselor=alice") == {house.ann.code}
    assert shown("counselor=-") == {eve.code}
    assert shown(f"cohort={group.public_id}") == {eve.code}
    assert shown(f"code={eve.code.lower()}") == {eve.code}
    assert shown("code=zzzz") == set()


def test_an_admin_who_counsels_nobody_reads_no_name_here(dora):
    assert "Secretname" not in dora.get("/assignments").content.decode()


def test_the_list_costs_the_same_for_many(dora, house, django_assert_max_num_queries):
    for n in range(15):
        factories.client(f"C{n}", assigned_to=house.bob)
    with django_assert_max_num_queries(16):
        dora.get("/assignments")
