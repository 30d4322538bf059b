"""What people do with alerts over REST: idempotent, undone, and refused with a reason."""

from datetime import timedelta

import pytest
from django.utils import timezone

from emotrack.alerts.models import Alert, EndReason, Snooze, Verdict
from tests.emotrack import factories
from tests.emotrack.api.conftest import Api
from tests.emotrack.api.test_access import _alert

DAY = timedelta(days=1)


@pytest.fixture
def alert(house):
    return _alert(house, factories.utterance(house.session))


@pytest.fixture
def alice(house):
    return Api(user=house.alice)


def problem(answer):
    return answer.status_code, answer.json()["type"].removeprefix("/problems/")


def test_resolved_reopened_and_both_twice(alice, alert):
    for _twice in range(2):
        answer = alice.post(f"alerts/{alert.public_id}/resolve")
        assert answer.status_code == 200
    first = answer.json()
    assert first["closed_by"] == first["acknowledged_by"] == "alice" and first["resolved_at"] is None
    for _twice in range(2):
        answer = alice.delete(f"alerts/{alert.public_id}/resolve")
        assert (answer.status_code, answer.json()["closed_at"]) == (200, None)


def test_what_is_over_and_seen_is_not_resolved(alice, alert):
    now = timezone.now()
    Alert.objects.update(resolved_at=now, end_reason=EndReason.RECOVERED, acknowledged_at=now)
    assert problem(alice.post(f"alerts/{alert.public_id}/resolve")) == (409, "alert-over")


@pytest.mark.parametrize(("path", "body"), [("resolve", None), ("snooze", {"until_event": "next_session"})])
def test_what_late_data_has_undone_is_refused(path, body, alice, alert):
    Alert.objects.update(superseded_at=timezone.now())
    assert problem(alice.post(f"alerts/{alert.public_id}/{path}", body)) == (409, "alert-superseded")


def test_snoozed_until_a_time_then_until_the_next_session_then_not(alice, alert):
    end = (timezone.now() + DAY).replace(microsecond=0)
    snooze = alice.post(f"alerts/{alert.public_id}/snooze", {"until": end.isoformat()}).json()["snooze"]
    assert (snooze["until"], snooze["until_event"], snooze["by"]) == (
        end.isoformat().replace("+00:00", "Z"), None, "alice",
    )  # fmt: skip
    again = alice.post(f"alerts/{alert.public_id}/snooze", {"until_event": "next_session"}).json()
    assert again["snooze"]["until_event"] == "next_session"
    assert Snooze.objects.filter(ended_at=None).count() == 1
    for _twice in range(2):
        assert alice.delete(f"alerts/{alert.public_id}/snooze").json()["snooze"] is None


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({}, (422, "snooze-end")),
        ({"until": "2020-01-01T00:00:00Z"}, (422, "snooze-end")),
        ({"until": "2199-01-01T00:00:00Z"}, (422, "snooze-end")),
        ({"until": "2199-01-01T00:00:00Z", "until_event": "next_session"}, (422, "snooze-end")),
        ({"until": "2199-01-01T00:00:00"}, (422, "timestamp-naive")),
        ({"until": 5}, (400, "wrong-type")),
        ({"until_event": "never"}, (422, "not-a-choice")),
        ({"for": "ever"}, (400, "unknown-field")),
    ],
)
def test_a_snooze_needs_an_end_that_can_be(body, expected, alice, alert):
    assert problem(alice.post(f"alerts/{alert.public_id}/snooze", body)) == expected
    assert not Snooze.objects.exists()


def test_a_resolved_one_is_not_snoozed(alice, alert):
    alice.post(f"alerts/{alert.public_id}/resolve")
    answer = alice.post(f"alerts/{alert.public_id}/snooze", {"until_event": "next_session"})
    assert problem(answer) == (409, "alert-resolved")


def test_verdicts_are_given_changed_counted_and_taken_back(alice, house, alert):
    dora = Api(user=house.dora)
    alice.post(f"alerts/{alert.public_id}/verdict", {"verdict": "useful"})
    alice.post(f"alerts/{alert.public_id}/verdict", {"verdict": "already_known"})
    answer = dora.post(f"alerts/{alert.public_id}/verdict", {"verdict": "not_useful"}).json()
    assert answer["verdicts"] == {"useful": 0, "not_useful": 1, "already_known": 1}
    assert answer["verdict"] == "not_useful"
    assert alice.get(f"alerts/{alert.public_id}").json()["verdict"] == "already_known"
    assert dora.delete(f"alerts/{alert.public_id}/verdict").json()["verdict"] is None
    assert Verdict.objects.count() == 1


def test_an_app_sees_the_counts_and_gives_no_verdict(api, alice, alert):
    alice.post(f"alerts/{alert.public_id}/verdict", {"verdict": "useful"})
    shown = api.get(f"alerts/{alert.public_id}").json()
    assert (shown["verdicts"]["useful"], shown["verdict"]) == (1, None)


@pytest.mark.parametrize("body", [{}, {"verdict": "great"}, {"verdict": None}])
def test_another_verdict_is_refused(body, alice, alert):
    assert alice.post(f"alerts/{alert.public_id}/verdict", body).status_code in (400, 422)
    assert not Verdict.objects.exists()


def listed(api, query):
    return [line["id"] for line in api.get(f"alerts?{query}").json()["items"]]


def test_the_list_by_state_severity_and_rule(alice, alert):
    one = [alert.public_id]
    assert listed(alice, "state=open") == listed(alice, "state=unseen") == one
    assert listed(alice, f"severity=warning&rule={alert.rule.public_id}") == one
    assert listed(alice, "severity=critical") == listed(alice, "rule=nothing") == []
    alice.post(f"alerts/{alert.public_id}/snooze", {"until_event": "next_session"})
    assert (listed(alice, "state=snoozed"), listed(alice, "state=unseen")) == (one, [])
    alice.delete(f"alerts/{alert.public_id}/snooze")
    alice.post(f"alerts/{alert.public_id}/resolve")
    assert (listed(alice, "state=past"), listed(alice, "state=open")) == (one, [])


def test_a_longer_list_takes_no_more_queries(alice, house, alert, django_assert_max_num_queries):
    for _more in range(5):
        Alert.objects.filter(pk=_alert(house, factories.utterance(house.session)).pk).update()
    alice.post(f"alerts/{alert.public_id}/verdict", {"verdict": "useful"})
    with django_assert_max_num_queries(8):
        assert len(listed(alice, "")) == 6


def test_how_a_rule_stands(alice, api, alert):
    alice.post(f"alerts/{alert.public_id}/verdict", {"verdict": "useful"})
    shown = api.get(f"rules/{alert.rule.public_id}/standing").json()
    assert (shown["useful"], shown["precision"], shown["told"], shown["acknowledged"]) == (1, 1.0, 1, 0)
    assert 0 < shown["precision_low"] < shown["precision_high"] == 1.0
    assert (shown["suggested"], shown["why_not_suggested"]) == (None, "too_few")


def test_a_rule_for_somebody_elses_client_is_not_there(house, alert):
    alert.rule.scope, alert.rule.client = "client", house.ann
    alert.rule.save()
    assert Api(user=house.alice).get(f"rules/{alert.rule.public_id}/standing").status_code == 200
    assert problem(Api(user=house.bob).get(f"rules/{alert.rule.public_id}/standing")) == (404, "not-found")
