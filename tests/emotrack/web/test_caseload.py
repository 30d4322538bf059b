"""The caseload's orders and choices, and the door for clients whom no app has spoken of."""

from datetime import timedelta

import pytest
from django.utils import timezone

from emotrack.audit.models import AuditEvent
from emotrack.history import cohorts
from emotrack.history import models as history
from emotrack.history.models import Assignment, Client
from emotrack.mood.models import SessionMood
from emotrack.privacy.models import Consent
from tests.emotrack import factories
from tests.emotrack.web.test_access import alert_of


def heard(name, house, *, days_ago, valid=18):
    client = factories.client(name, assigned_to=house.alice)
    at = timezone.now() - timedelta(days=days_ago)
    session = factories.session(client, at)
    SessionMood.objects.create(
        client=client, session=session, recognizer=factories.recognizer(), started_at=at, utterances=20,
        valid=valid, mean_valence=0.1, sd_valence=0.1, mean_scores=[1 / 9] * 9,
    )  # fmt: skip
    return client


@pytest.fixture
def three(house):
    Client.objects.filter(pk=house.ann.pk).delete()
    heard("zoe", house, days_ago=3, valid=20)
    heard("Ben", house, days_ago=40, valid=8)
    heard("Émile", house, days_ago=1, valid=14)
    factories.client("Never", assigned_to=house.alice)


def names(browser, query=""):
    return [line.name for part in browser.get(f"/{query}").context["groups"] for line in part.lines]


def test_by_name_capitals_do_not_matter(alice, three):
    assert names(alice, "?sort=name") == ["Ben", "Never", "zoe", "Émile"]


def test_who_was_never_heard_comes_before_who_was_heard_long_ago(alice, three):
    assert names(alice, "?sort=contact") == ["Never", "Ben", "zoe", "Émile"]


def test_the_lowest_coverage_comes_first_and_none_at_all_last(alice, three):
    assert names(alice, "?sort=coverage") == ["Ben", "Émile", "zoe", "Never"]


def test_an_order_that_there_is_not_is_that_of_attention(alice, three):
    assert names(alice, "?sort=shoe-size") == names(alice) != names(alice, "?sort=coverage")


def test_the_parts_are_counted_in_every_order(alice, three):
    for query in ("", "?sort=name"):
        parts = {slug: count for slug, _title, count in alice.get(f"/{query}").context["parts"]}
        assert parts == {"little": 4}


def test_a_cohort_shows_its_own(alice, three):
    by = {"by": factories.TESTS, "now": timezone.now()}
    cohort = cohorts.make_cohort(name="Tuesday group", **by)
    ben = next(c for c in Client.objects.all() if c.name == "Ben")
    cohorts.put_in_cohort(cohort=cohort, client=ben, **by)
    assert "Tuesday group" in alice.get("/").content.decode()
    assert names(alice, f"?cohort={cohort.public_id}") == ["Ben"]


def test_a_cohort_of_strangers_is_neither_offered_nor_obeyed(alice, house, three):
    by = {"by": factories.TESTS, "now": timezone.now()}
    cohort = cohorts.make_cohort(name="Strangers", **by)
    cohorts.put_in_cohort(cohort=cohort, client=factories.client("Chen"), **by)
    assert "Strangers" not in alice.get("/").content.decode()
    assert len(names(alice, f"?cohort={cohort.public_id}")) == 4


def test_one_who_is_both_may_see_only_their_own(house, three):
    from emotrack.accounts.models import RoleGrant
    from tests.emotrack.web.conftest import signed_in

    factories.client("Of nobody")
    RoleGrant.objects.create(user=house.alice, role="admin", granted_at=timezone.now())
    both = signed_in(type(house.alice).objects.get(pk=house.alice.pk))
    assert len(names(both)) == 5 and len(names(both, "?whose=mine")) == 4


def test_a_counselor_is_not_asked_whose(alice, three):
    assert "Whose clients" not in alice.get("/").content.decode()


def test_open_alerts_are_a_choice_while_there_are_any(alice, house):
    assert "Open alerts" not in alice.get("/").content.decode()
    alert_of(house.session)
    shown = alice.get("/").content.decode()
    assert "Open alerts" in shown and shown.count(" data-alerts") == 2


def test_a_long_part_begins_with_its_first_lines_and_brings_all_when_asked(alice, house):
    Client.objects.filter(pk=house.ann.pk).delete()
    for i in range(30):
        factories.client(f"Client {i:02}", assigned_to=house.alice)
    shown = alice.get("/").content.decode()
    assert shown.count('class="line"') == 25 and shown.count("Show 5 more") == 2
    assert "<b>Too little to say</b> · 30" in shown
    shown = alice.get("/?all=1").content.decode()
    assert shown.count('class="line"') == 30 and "data-more" not in shown


# --- A new client -------------------------------------------------------------------------------


def test_a_counselor_adds_a_client_of_their_own_with_consents(alice, house):
    body = {"name": "Farah", "purposes": ["voice_emotion", "alerts"], "version": "2026-07"}
    answer = alice.post("/clients/new", body)
    client = Client.objects.latest("id")
    assert answer.url == f"/clients/{client.public_id}" and client.name == "Farah"
    assert [a.counselor for a in Assignment.objects.filter(client=client)] == [house.alice]
    given = Consent.objects.filter(client=client).values_list("purpose", "version", "recorded_by")
    assert sorted(given) == [
        ("alerts", "2026-07", house.alice.pk),
        ("voice_emotion", "2026-07", house.alice.pk),
    ]
    actions = AuditEvent.objects.filter(client=client.public_id).values_list("action", flat=True)
    assert {"client.created", "client.assigned", "consent.given"} <= set(actions)


def test_a_consent_without_its_text_adds_nobody(alice, house):
    before = Client.objects.count()
    answer = alice.post("/clients/new", {"name": "Farah", "purposes": ["alerts"]})
    assert answer.status_code == 422 and "Write which text" in answer.content.decode()
    assert Client.objects.count() == before


def test_a_client_may_have_no_name(alice):
    alice.post("/clients/new", {})
    client = Client.objects.latest("id")
    assert client.name is None
    assert client.code in alice.get("/").content.decode()


def test_an_admin_adds_a_client_whom_nobody_counsels_yet(dora):
    dora.post("/clients/new", {"name": "Farah"})
    assert not Assignment.objects.filter(client=Client.objects.latest("id")).exists()


def test_who_has_no_role_adds_nobody(charlie):
    before = Client.objects.count()
    assert charlie.post("/clients/new", {"name": "Farah"}).status_code == 403
    assert Client.objects.count() == before


def test_two_clients_never_share_a_code(db, monkeypatch):
    taken = factories.client("Ann").code
    drawn = iter([taken, taken, "Q7-Z9Z"])
    monkeypatch.setattr(history, "new_code", lambda: next(drawn))
    second = Client(created_at=factories.NOW, code=taken)
    second.save()
    assert second.code == "Q7-Z9Z"
