"""The pages on which an admin adds apps, and makes, replaces and revokes their keys."""

import re
from datetime import timedelta

import pytest
from django.test import Client as Browser
from django.utils import timezone

from emotrack.accounts.models import ApiKey, App
from tests.emotrack import factories


@pytest.fixture
def helpline(house):
    return factories.app(counselors=(house.alice,))


def token_on(answer) -> str:
    return re.search(r'value="(emo_[^"]+)"', answer.content.decode())[1]


def call(token: str, path: str = "/api/v1/clients") -> int:
    return Browser().get(path, headers={"authorization": f"Bearer {token}"}).status_code


def test_an_app_is_added_given_a_key_and_comes_in(dora, house):
    made = {
        "name": "Night line",
        "counselors": ["alice"],
        "consent_purposes": ["alerts"],
        "consent_version": "3",
    }
    assert dora.post("/apps", made).status_code == 302
    app = App.objects.get()
    assert list(app.default_counselors.all()) == [house.alice] and app.consent_purposes == ["alerts"]
    answer = dora.post(f"/apps/{app.public_id}/keys", {"scopes": ["read"], "days": "90"})
    assert call(token_on(answer)) == 200
    assert ApiKey.objects.get().expires_at > timezone.now() + timedelta(days=89)
    assert token_on(answer) not in dora.get(f"/apps/{app.public_id}").content.decode()


def test_a_rotated_key_and_its_successor_both_work_until_one_is_revoked(dora, helpline):
    old, token = factories.key(helpline)
    place = f"/apps/{helpline.public_id}/keys/{old.prefix}"
    answer = dora.post(place, {"to": "rotate"})
    assert "The old key goes on working for 7 days" in answer.content.decode()
    assert call(token) == call(token_on(answer)) == 200
    dora.post(place, {"to": "revoke"})
    assert (call(token), call(token_on(answer))) == (401, 200)
    shown = dora.post(place, {"to": "rotate"}, follow=True).content.decode()
    assert "not in force any more" in shown


@pytest.mark.parametrize(
    ("path", "sent", "said"),
    [
        ("/apps", {}, "This field is required"),
        ("/apps", {"name": "x", "consent_purposes": ["alerts"]}, "under which version"),
        ("/apps", {"name": "x", "counselors": ["charlie"]}, "charlie"),
        ("keys", {"days": "90"}, "Choose at least one"),
        ("keys", {"scopes": ["everything"]}, "everything"),
        ("keys", {"scopes": ["read"], "days": "12"}, "12"),
    ],
)
def test_what_is_wrong_is_said_and_nothing_is_made(path, sent, said, dora, helpline):
    answer = dora.post(f"/apps/{helpline.public_id}/keys" if path == "keys" else path, sent)
    assert answer.status_code == 422 and said in answer.content.decode()
    assert App.objects.count() == 1 and not ApiKey.objects.exists()


def test_a_key_is_only_changed_under_its_own_app(dora, helpline):
    key, _token = factories.key(factories.app("Other"))
    assert dora.post(f"/apps/{helpline.public_id}/keys/{key.prefix}", {"to": "revoke"}).status_code == 404
    key.refresh_from_db()
    assert key.revoked_at is None


def test_the_list_says_what_each_app_posted(dora, helpline, house):
    session = factories.session(house.ann, owner=helpline)
    for status in ("analyzed", "failed"):
        factories.utterance(session, received_at=timezone.now(), status=status)
    factories.key(helpline)
    assert "2 turns · 1 not read" in dora.get("/apps").content.decode()


def test_the_list_of_apps_costs_the_same_for_many(dora, django_assert_max_num_queries):
    for n in range(12):
        factories.key(factories.app(f"App {n}"))
    with django_assert_max_num_queries(14):
        dora.get("/apps")


def test_an_app_is_changed_on_its_page(dora, helpline):
    dora.post(f"/apps/{helpline.public_id}", {"name": "Day line"})
    helpline.refresh_from_db()
    assert (helpline.name, helpline.consent_purposes, helpline.default_counselors.count()) == (
        "Day line",
        [],
        0,
    )
