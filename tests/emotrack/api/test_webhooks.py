"""Webhooks and deliveries over REST: what is refused, what is shown, and what is never shown again."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from emotrack.alerts.models import Notification, NotificationChannel
from tests.emotrack import factories
from tests.emotrack.alerts.delivery.receiver import receiving
from tests.emotrack.alerts.delivery.test_sending import fire
from tests.emotrack.alerts.planted import channel
from tests.emotrack.api.conftest import Api

pytestmark = pytest.mark.django_db
BODY = {"name": "Desk", "url": "https://203.0.112.7/hook"}


@pytest.fixture
def local(settings):
    settings.WEBHOOK_ALLOW_HTTP = settings.WEBHOOK_ALLOW_PRIVATE = True


def notice_of(made, **facts):
    now = timezone.now()
    times = {"created_at": now, "queued_at": now, "due_at": now}
    return Notification.objects.create(alert=fire(), channel=made, kind="escalated", **(times | facts))


def test_a_secret_is_shown_once(api):
    made = api.post("webhooks", BODY).json()
    assert made["secret"].startswith("whsec_")
    assert NotificationChannel.objects.get().secret == made["secret"]
    assert "secret" not in api.get(f"webhooks/{made['id']}").json()
    assert made["secret"] not in api.get("webhooks").content.decode()


def test_an_apps_webhook_is_its_own_and_an_admins_is_for_all(api, house, charlie):
    own = api.post("webhooks", BODY).json()
    alls = Api(user=house.dora).post("webhooks", BODY | {"format": "alertmanager"}).json()
    assert (own["app"], alls["app"]) == (house.helpline.public_id, None)
    assert [item["id"] for item in api.get("webhooks").json()["items"]] == [own["id"]]
    assert charlie.get("webhooks").json()["items"] == []
    assert charlie.post(f"webhooks/{own['id']}/test").status_code == 404
    everybodys = Api(user=house.dora).get("webhooks").json()["items"]
    assert [item["id"] for item in everybodys] == [own["id"], alls["id"]]


@pytest.mark.parametrize(
    ("change", "status", "slug"),
    [
        ({"url": "http://example.com/"}, 422, "invalid-channel"),
        ({"url": "https://127.0.0.1/"}, 422, "invalid-channel"),
        ({"url": "https://[::ffff:10.0.0.1]/"}, 422, "invalid-channel"),
        ({"url": "https://169.254.169.254/latest"}, 422, "invalid-channel"),
        ({"url": ""}, 422, "empty"),
        ({"url": "https://x/" + "a" * 1000}, 422, "too-long"),
        ({"name": ""}, 422, "empty"),
        ({"format": "slack"}, 422, "not-a-choice"),
        ({"secret": "mine"}, 400, "unknown-field"),
        ({"url": 7}, 400, "wrong-type"),
    ],
)
def test_what_cannot_be_a_webhook_is_refused_and_nothing_is_kept(api, change, status, slug):
    answer = api.post("webhooks", BODY | change)
    assert (answer.status_code, answer.json()["type"]) == (status, f"/problems/{slug}")
    assert answer.json()["errors"][0]["pointer"] == f"/{next(iter(change))}"
    assert not NotificationChannel.objects.exists()


@pytest.mark.parametrize("on", [1, "true", None])
def test_a_switch_takes_true_and_false_only(api, house, on):
    made = channel(app=house.helpline)
    assert api.patch(f"webhooks/{made.public_id}", {"on": on}).status_code == 400


def test_it_is_switched_off_and_on_and_renamed(api, house):
    made = channel(app=house.helpline)
    waits = notice_of(made)
    off = api.patch(f"webhooks/{made.public_id}", {"on": False, "name": "Night desk"}).json()
    assert (off["on"], off["name"], off["waiting"], off["dead"]) == (False, "Night desk", 0, 1)
    again = api.patch(f"webhooks/{made.public_id}", {"on": False}).json()
    assert again["disabled_at"] == off["disabled_at"]
    on = api.patch(f"webhooks/{made.public_id}", {"on": True}).json()
    assert (on["on"], on["dead"]) == (True, 1)
    waits.refresh_from_db()
    assert waits.dead_at is not None


def test_what_was_deleted_is_gone_and_told_nothing(api, house):
    made = channel(app=house.helpline)
    assert api.delete(f"webhooks/{made.public_id}").status_code == 204
    for answer in (api.get(f"webhooks/{made.public_id}"), api.delete(f"webhooks/{made.public_id}")):
        assert answer.status_code == 404
    assert api.get("webhooks").json()["items"] == []


def test_a_new_secret_comes_with_the_time_that_both_sign(api, house):
    made = channel(app=house.helpline)
    answer = api.post(f"webhooks/{made.public_id}/rotate").json()
    made.refresh_from_db()
    assert answer["secret"] == made.secret
    assert made.secret_before_until - timezone.now() > timedelta(hours=23)


@pytest.mark.parametrize(("status", "taken"), [(200, True), (503, False)])
def test_a_test_says_how_it_went(api, house, local, status, taken):
    with receiving(status) as receiver:
        made = channel(receiver.url, app=house.helpline)
        answer = api.post(f"webhooks/{made.public_id}/test").json()
    assert (answer["taken"], answer["status"], answer["error"] is None) == (taken, status, taken)
    assert receiver.ids == [answer["delivery"]]
    listed = api.get("deliveries").json()["items"][0]
    assert (listed["id"], listed["kind"], len(listed["attempts"])) == (answer["delivery"], "test", 1)


def test_deliveries_are_filtered_and_paged(api, house):
    first, second = channel(app=house.helpline), channel(app=house.helpline)
    now = timezone.now()
    dead, sent, waits = notice_of(first, dead_at=now), notice_of(first, sent_at=now), notice_of(second)

    def ids(query=""):
        return [item["id"] for item in api.get(f"deliveries{query}").json()["items"]]

    kept = {row.public_id for row in (dead, sent, waits)}
    assert kept <= set(ids())
    assert set(ids("?state=dead")) == {dead.public_id} and sent.public_id in ids("?state=sent")
    assert first.public_id not in ids() and waits.public_id not in ids(f"?webhook={first.public_id}")
    page = api.get("deliveries?page_size=1").json()
    after = api.get(f"deliveries?page_size=1&cursor={page['next_cursor']}").json()
    assert page["items"][0]["id"] != after["items"][0]["id"]
    assert api.get("deliveries?state=lost").status_code == 422


def test_a_dead_letter_is_replayed_and_a_waiting_one_is_not(api, house):
    made = channel(app=house.helpline)
    dead = notice_of(made, dead_at=timezone.now(), last_error="The receiver answered 500.")
    again = api.post(f"deliveries/{dead.public_id}/replay")
    assert (again.status_code, again.json()["state"]) == (200, "waiting")
    twice = api.post(f"deliveries/{dead.public_id}/replay")
    assert (twice.status_code, twice.json()["type"]) == (409, "/problems/still-waiting")
    api.patch(f"webhooks/{made.public_id}", {"on": False})
    off = api.post(f"deliveries/{dead.public_id}/replay")
    assert (off.status_code, off.json()["type"]) == (409, "/problems/channel-disabled")


def test_all_dead_letters_are_replayed_at_once(api, house):
    made = channel(app=house.helpline)
    notice_of(made, dead_at=timezone.now())
    assert api.post(f"webhooks/{made.public_id}/replay").json() == {"replayed": 1}
    assert api.post(f"webhooks/{made.public_id}/replay").json() == {"replayed": 0}


def test_lists_take_as_many_queries_for_many_as_for_one(house):
    api = Api(user=house.dora)
    counts = []
    for _round in range(2):
        for _ in range(3):
            notice_of(channel(app=factories.app(f"App {NotificationChannel.objects.count()}")))
        for path in ("webhooks", "deliveries"):
            counts.append((path, _queries(api, path)))
    assert counts[:2] == counts[2:]


def _queries(api, path):
    with CaptureQueriesContext(connection) as caught:
        assert len(api.get(path).json()["items"]) >= 3
    return len(caught)
