"""Rules over REST: made, changed in versions, tried out before they are saved."""

from datetime import timedelta

import pytest
from django.utils import timezone

from emotrack.accounts.models import Scope
from emotrack.alerts.models import Alert, Kind, Rule
from tests.emotrack import factories
from tests.emotrack.alerts import planted
from tests.emotrack.alerts.planted import series
from tests.emotrack.api.conftest import Api

pytestmark = pytest.mark.django_db


@pytest.fixture
def dora(client):
    """An admin in a browser's place: the REST door with a session."""
    client.force_login(factories.admin())
    return client


@pytest.fixture
def rule():
    planted.rules(now=timezone.now() - timedelta(days=200))
    return Rule.objects.get(kind=Kind.VOLATILITY)


def send(http, method, path, body):
    return getattr(http, method)(f"/api/v1/{path}", body, content_type="application/json")


def places(answer):
    return sorted(error["pointer"] for error in answer.json()["errors"])


def heard(client, z):
    began = timezone.now() - timedelta(days=20)
    session = factories.session(client, began, ended_at=began + timedelta(hours=1))
    series(session, volatility_z=z)
    return session


def test_a_kind_is_made_as_it_ships(dora):
    made = send(dora, "post", "rules", {"kind": "sudden_drop", "reason": "A second one."})
    assert made.status_code == 201
    told = made.json()
    assert (told["threshold"], told["scope"], told["version"], told["tells"]) == (
        4.1,
        "everyone",
        1,
        ["counselors"],
    )
    assert dora.get(f"/api/v1/rules/{told['id']}").json() == told


def test_a_rule_is_for_one_client_or_a_cohort(dora):
    ann = factories.client()
    cohort = factories.cohort("New", ann)
    made = send(dora, "post", "rules", {"kind": "volatility", "reason": "Her.", "client": ann.public_id})
    assert (made.json()["scope"], made.json()["client"]) == ("client", ann.public_id)
    made = send(dora, "post", "rules", {"kind": "volatility", "reason": "Them.", "cohort": cohort.public_id})
    assert (made.json()["scope"], made.json()["cohort"]) == ("cohort", cohort.public_id)


def test_a_change_is_a_version_with_its_reason(dora, rule):
    changed = send(dora, "patch", f"rules/{rule.public_id}", {"threshold": 4, "reason": "Too many."})
    assert (changed.json()["version"], changed.json()["threshold"], changed.json()["saved_by"]) == (
        2,
        4,
        "dora",
    )


def test_a_change_needs_a_reason(dora, rule):
    refused = send(dora, "patch", f"rules/{rule.public_id}", {"threshold": 4})
    assert (refused.status_code, places(refused)) == (422, ["/reason"])
    assert rule.versions.count() == 1


def test_it_is_switched_off_and_on(dora, rule):
    assert send(dora, "patch", f"rules/{rule.public_id}", {"enabled": False}).json()["enabled_at"] is None
    assert send(dora, "patch", f"rules/{rule.public_id}", {"enabled": True}).json()["enabled_at"]
    assert rule.versions.count() == 1


def test_everything_that_is_wrong_is_said_at_once(dora, rule):
    body = {"threshold": 1, "recovery_threshold": 2, "tells": [], "active_from": 480, "reason": ""}
    refused = send(dora, "patch", f"rules/{rule.public_id}", body)
    assert refused.status_code == 422
    assert places(refused) == ["/active_until", "/reason", "/recovery_threshold", "/tells"]


@pytest.mark.parametrize("number", ["NaN", "Infinity", "1e999"])
def test_a_line_that_is_no_number_is_refused(dora, rule, number):
    body = f'{{"threshold": {number}, "reason": "x"}}'
    answer = dora.patch(f"/api/v1/rules/{rule.public_id}", body, content_type="application/json")
    assert answer.status_code == 400
    assert rule.versions.count() == 1


def test_a_client_that_is_not_there_is_named(dora):
    body = {"kind": "volatility", "reason": "x", "client": "0" * 20}
    refused = send(dora, "post", "rules", body)
    assert (refused.status_code, places(refused)) == (422, ["/client"])
    assert not Rule.objects.exists()


def test_a_backtest_counts_what_would_have_fired(dora, rule):
    ann = factories.client()
    session = heard(ann, [4, 4, 4])
    told = dora.get(f"/api/v1/rules/{rule.public_id}/backtest?days=30").json()
    assert (told["count"], told["people"], told["clients_judged"]) == (1, 1, 1)
    assert told["episodes"][0]["client"] == ann.public_id
    assert told["episodes"][0]["session"] == session.public_id
    assert 0 < told["by_chance_per_week"] < 0.2


def test_a_draft_is_tried_and_nothing_is_kept(dora, rule):
    heard(factories.client(), [4, 4, 4])
    told = send(dora, "post", f"rules/{rule.public_id}/backtest", {"threshold": 5}).json()
    assert told["count"] == 0
    assert (rule.versions.count(), Alert.objects.count()) == (1, 0)


def test_a_wrong_draft_is_refused(dora, rule):
    refused = send(dora, "post", f"rules/{rule.public_id}/backtest", {"threshold": 1})
    assert (refused.status_code, places(refused)) == (422, ["/recovery_threshold"])


def test_a_backtest_sees_only_the_callers_clients(rule):
    helpline = factories.app()
    api = Api(factories.key(helpline, (Scope.RULES,))[1])
    heard(factories.client("Ann", linked_to=helpline), [4, 4, 4])
    heard(factories.client("Ben"), [4, 4, 4])
    assert api.get(f"/api/v1/rules/{rule.public_id}/backtest").json()["count"] == 1


def test_an_app_makes_rules_for_its_own_clients_only(rule):
    helpline = factories.app()
    api = Api(factories.key(helpline, (Scope.RULES,))[1])
    own, foreign = factories.client("Ann", linked_to=helpline), factories.client("Ben")
    body = {"kind": "volatility", "reason": "x"}
    assert api.post("/api/v1/rules", body).status_code == 403
    assert api.post("/api/v1/rules", body | {"client": foreign.public_id}).status_code == 422
    made = api.post("/api/v1/rules", body | {"client": own.public_id})
    assert made.status_code == 201
    assert api.patch(f"/api/v1/rules/{made.json()['id']}", {"enabled": False}).status_code == 200
    assert api.patch(f"/api/v1/rules/{rule.public_id}", {"enabled": False}).status_code == 403
