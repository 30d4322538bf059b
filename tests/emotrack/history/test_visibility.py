"""Who sees whom."""

import pytest

from emotrack.history.models import Client, Utterance
from tests.emotrack import factories as make

pytestmark = pytest.mark.django_db


@pytest.fixture
def alice():
    return make.counselor("alice")


@pytest.fixture
def ann(alice):
    return make.client("Ann", assigned_to=alice)


def test_a_counselor_sees_the_clients_assigned_to_her(alice, ann):
    make.client("Zoe")
    assert list(Client.objects.visible_to(alice)) == [ann]


def test_charlie_sees_nobody(ann):
    charlie = make.counselor("charlie")
    assert not Client.objects.visible_to(charlie).exists()


def test_a_counselor_who_left_sees_nobody(alice, ann):
    alice.is_active = False
    assert not Client.objects.visible_to(alice).exists()


def test_an_admin_sees_everyone_but_opens_no_content(ann):
    dora = make.admin()
    assert list(Client.objects.visible_to(dora)) == [ann]
    assert not ann.content_visible_to(dora)


def test_an_app_sees_the_clients_it_is_linked_to(ann):
    helpline, other = make.app(), make.app("Other")
    ben = make.client("Ben", linked_to=helpline)
    make.utterance(make.session(ben))
    assert list(Client.objects.visible_to(helpline)) == [ben]
    assert Utterance.objects.visible_to(helpline).count() == 1
    assert not Utterance.objects.visible_to(other).exists()


def test_somebody_without_a_role_sees_nobody(ann):
    nobody = make.accounts.create_user(
        username="nora", password=make.PASSWORD, roles=[], by=make.TESTS, now=make.NOW
    )
    assert not Client.objects.visible_to(nobody).exists()
