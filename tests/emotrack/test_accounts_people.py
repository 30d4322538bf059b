"""People are let in by a link, given roles and shown out; somebody always stays admin."""

from datetime import timedelta

import pytest
from django.contrib.auth.tokens import default_token_generator

from emotrack.accounts import actions as accounts
from emotrack.accounts.models import Role, User
from emotrack.audit.models import AuditEvent
from tests.emotrack import factories as make

pytestmark = pytest.mark.django_db

BY = {"by": make.TESTS, "now": make.NOW}


def test_an_invitation_opens_once_a_password_is_chosen_by_it():
    user, invitation = accounts.invite(username="eve", roles=[Role.COUNSELOR], email="eve@example.org", **BY)
    assert user.is_invited and default_token_generator.check_token(user, invitation.token)
    user.set_password(make.PASSWORD)
    user.save()
    assert not user.is_invited and not default_token_generator.check_token(user, invitation.token)


def test_roles_are_replaced_and_the_change_is_on_record():
    user = make.counselor()
    make.admin()
    accounts.change_roles(user, roles=[Role.ADMIN], **BY)
    assert User.objects.get(pk=user.pk).roles == {Role.ADMIN}
    accounts.change_roles(user, roles=[Role.ADMIN], **BY)
    assert AuditEvent.objects.filter(action="user.roles_changed").count() == 1


@pytest.mark.parametrize("way", ["roles", "closed"])
def test_the_last_admin_stays(way):
    dora, closed = make.admin(), make.admin("ed")
    accounts.close_account(closed, **BY)
    with pytest.raises(accounts.LastAdmin):
        if way == "roles":
            accounts.change_roles(dora, roles=[Role.COUNSELOR], **BY)
        else:
            accounts.close_account(dora, **BY)
    dora = User.objects.get(pk=dora.pk)
    assert dora.is_active and dora.is_admin


def test_a_closed_account_can_be_opened_again():
    make.admin()
    user = make.counselor()
    accounts.close_account(user, **BY)
    assert not User.objects.get(pk=user.pk).is_active
    accounts.open_account(user, **BY)
    assert User.objects.get(pk=user.pk).is_active


def test_a_rotated_key_goes_on_for_a_week_beside_the_new_one():
    row, token = make.key(make.app(), expires_at=make.NOW + timedelta(days=90))
    new, new_token = accounts.rotate_key(row, by=make.TESTS, now=make.NOW + timedelta(days=80))
    row.refresh_from_db()
    assert row.expires_at == make.NOW + timedelta(days=87) and row.replaced_by == new
    assert new.scopes == row.scopes and new.expires_at == make.NOW + timedelta(days=170)
    on = make.NOW + timedelta(days=86)
    assert accounts.key_for(token, now=on) == row and accounts.key_for(new_token, now=on) == new
    assert accounts.key_for(token, now=make.NOW + timedelta(days=88)) is None


def test_a_key_that_ends_before_the_overlap_does_not_live_longer_by_being_rotated():
    row, _token = make.key(make.app(), expires_at=make.NOW + timedelta(days=2))
    accounts.rotate_key(row, **BY)
    row.refresh_from_db()
    assert row.expires_at == make.NOW + timedelta(days=2)


@pytest.mark.parametrize("state", ["revoked", "ended", "rotated"])
def test_what_is_not_in_force_is_not_rotated(state):
    row, _token = make.key(make.app(), expires_at=make.NOW + timedelta(days=1))
    now = make.NOW
    if state == "revoked":
        accounts.revoke_key(row, **BY)
    elif state == "rotated":
        accounts.rotate_key(row, **BY)
    else:
        now += timedelta(days=2)
    with pytest.raises(accounts.KeyNotInForce):
        accounts.rotate_key(row, by=make.TESTS, now=now)
