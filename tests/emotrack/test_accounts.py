"""Keys open what they should, for as long as they should."""

from datetime import timedelta

import pytest

from emotrack.accounts import actions as accounts
from emotrack.accounts.models import ApiKey
from tests.emotrack import factories as make

pytestmark = pytest.mark.django_db


def test_a_key_opens_and_its_secret_is_not_stored():
    row, token = make.key(make.app())
    assert accounts.key_for(token, now=make.NOW) == row
    assert token.split("_")[2].encode() not in bytes(ApiKey.objects.get().secret_sha256)


@pytest.mark.parametrize(
    "change",
    [lambda t: t[:-1] + "01"[t.endswith("0")], lambda t: "emo_x_y", lambda t: "", lambda t: t + "_z"],
)
def test_another_token_opens_nothing(change):
    _row, token = make.key(make.app())
    assert accounts.key_for(change(token), now=make.NOW) is None


def test_a_revoked_key_stops_at_once():
    row, token = make.key(make.app())
    accounts.revoke_key(row, by=make.TESTS, now=make.NOW)
    assert accounts.key_for(token, now=make.NOW) is None


def test_an_expired_key_stops():
    _row, token = make.key(make.app(), expires_at=make.NOW + timedelta(days=1))
    assert accounts.key_for(token, now=make.NOW) is not None
    assert accounts.key_for(token, now=make.NOW + timedelta(days=1)) is None


def test_last_use_is_noted_at_most_once_a_minute():
    row, token = make.key(make.app())
    for seconds in (0, 30, 61):
        accounts.key_for(token, now=make.NOW + timedelta(seconds=seconds))
    row.refresh_from_db()
    assert row.last_used_at == make.NOW + timedelta(seconds=61)
