"""The pages on which an admin lets people in and shows them out."""

import re

import pytest
from axes.models import AccessAttempt
from django.conf import settings
from django.test import Client as Browser
from django.utils import timezone

from emotrack.accounts import actions as accounts
from emotrack.accounts.models import Role, User
from emotrack.audit.models import AuditEvent
from tests.emotrack import factories


def link_on(answer) -> str:
    return re.search(r'value="http://testserver(/welcome/[^"]+)"', answer.content.decode())[1]


def test_an_invited_counselor_chooses_a_password_and_comes_in(dora):
    answer = dora.post("/people/invite", {"username": "eve", "roles": ["counselor"]})
    assert answer.status_code == 200 and "no-store" in answer["Cache-Control"]
    eve = Browser()
    step = eve.get(link_on(answer), follow=True)
    chosen = {"new_password1": "four words are long", "new_password2": "four words are long"}
    assert eve.post(step.redirect_chain[-1][0], chosen).status_code == 302
    assert eve.post("/sign-in", {"username": "eve", "password": "four words are long"}).status_code == 302
    assert eve.get("/").status_code == 200
    assert "does not open any more" in Browser().get(link_on(answer), follow=True).content.decode()


def test_the_link_is_nowhere_once_the_answer_is_gone(dora):
    answer = dora.post("/people/invite", {"username": "eve", "roles": ["counselor"]})
    token = link_on(answer).split("/")[-1]
    for path in ("/people", "/people/of/eve"):
        assert token not in dora.get(path).content.decode()
    assert token not in str(list(AuditEvent.objects.values("subject", "detail")))


@pytest.mark.parametrize(
    ("sent", "said"),
    [
        ({"username": "ALICE", "roles": ["counselor"]}, "a user of that name already"),
        ({"username": "eve"}, "Choose a role"),
        ({"username": "eve", "roles": ["king"]}, "king"),
        ({"username": "e v e", "roles": ["admin"]}, "valid username"),
        ({"username": "eve", "roles": ["admin"], "email": "eve"}, "valid email"),
    ],
)
def test_what_is_wrong_with_an_invitation_is_said_and_nobody_is_added(sent, said, dora):
    answer = dora.post("/people/invite", sent)
    assert answer.status_code == 422 and said in answer.content.decode()
    assert not User.objects.filter(username="eve").exists()


def test_a_closed_account_is_signed_out_at_once(dora, alice):
    assert alice.get("/").status_code == 200
    dora.post("/people/of/alice/access", {"to": "close"})
    assert alice.get("/").status_code == 302
    dora.post("/people/of/alice/access", {"to": "open"})
    assert "Active" in dora.get("/people/of/alice").content.decode()


def test_the_link_of_a_closed_account_opens_nothing(dora, house):
    accounts.close_account(house.bob, by=factories.TESTS, now=factories.NOW)
    link = accounts.invitation_for(house.bob, by=factories.TESTS, now=factories.NOW)
    shown = Browser().get(f"/welcome/{link.uid}/{link.token}", follow=True).content.decode()
    assert "does not open any more" in shown


def test_the_last_admin_can_neither_leave_nor_be_closed(dora):
    answer = dora.post("/people/of/dora", {"roles": ["counselor"]})
    assert answer.status_code == 422 and "Somebody must be admin" in answer.content.decode()
    shown = dora.post("/people/of/dora/access", {"to": "close"}, follow=True).content.decode()
    assert "last admin" in shown and User.objects.get(username="dora").is_active


def test_roles_are_changed_on_the_page(dora):
    dora.post("/people/of/alice", {"roles": ["admin", "counselor"]})
    assert User.objects.get(username="alice").roles == {Role.ADMIN, Role.COUNSELOR}
    dora.post("/people/of/alice", {})
    assert User.objects.get(username="alice").roles == frozenset()


def test_a_lock_out_shows_and_is_lifted(dora):
    AccessAttempt.objects.create(
        username="alice", ip_address="10.0.0.1", attempt_time=timezone.now(),
        failures_since_start=settings.AXES_FAILURE_LIMIT,
    )  # fmt: skip
    assert "Locked out" in dora.get("/people").content.decode()
    dora.post("/people/of/alice/access", {"to": "lift"})
    assert "Locked out" not in dora.get("/people").content.decode()


def test_the_list_of_people_costs_the_same_for_many(dora, django_assert_max_num_queries):
    for n in range(12):
        factories.counselor(f"c{n}")
    with django_assert_max_num_queries(14):
        dora.get("/people")
