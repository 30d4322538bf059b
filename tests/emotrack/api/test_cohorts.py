"""What is told of a cohort: each person once, only those whom the caller may see, and nobody's name."""

from __future__ import annotations

from datetime import timedelta

import numpy as np
import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from emotrack.mood import actions as mood
from emotrack.mood.models import SessionMood
from tests.emotrack import factories
from tests.emotrack.api.conftest import Api
from tests.emotrack.api.posting import problem

pytestmark = pytest.mark.django_db


def member(name: str, share: float, house, *, sessions: int = 1, abstains: int = 0, mine: bool = True):
    """A client with sessions of six readings, all of one share of happiness."""
    client = factories.client(
        name, assigned_to=house.alice if mine else None, linked_to=house.helpline if mine else None
    )
    for week in range(sessions):
        start = timezone.now() - timedelta(weeks=sessions - week)
        session = factories.session(client, start)
        for turn in range(6 + abstains):
            shares = factories.scores(happy=share) if turn < 6 else factories.scores(unknown=0.9)
            factories.utterance(session, start + timedelta(seconds=20 * turn), shares=shares)
    mood.rebuild(client)
    return client


def own_mean(client) -> float:
    return float(np.mean(SessionMood.objects.filter(client=client).values_list("mean_valence", flat=True)))


def test_every_person_counts_once_however_often_they_came(api, house):
    people = [member("Ann", 0.9, house, sessions=5), member("Ben", 0.5, house), member("Cleo", 0.6, house)]
    cohort = factories.cohort("Evening group", *people)
    body = api.get(f"cohorts/{cohort.public_id}").json()
    figures = body["mood"]
    assert (body["name"], body["clients"], figures["heard"]) == ("Evening group", 3, 3)
    assert (figures["sessions"], figures["utterances"], figures["valid"], figures["coverage"]) == (
        7,
        42,
        42,
        1,
    )
    means = [own_mean(person) for person in people]
    assert figures["mean"] == {"value": pytest.approx(np.mean(means)), "n": 3, "reason": None}
    assert figures["median"]["value"] == pytest.approx(np.median(means))
    assert figures["sd"] == {"value": None, "n": 3, "reason": "too_few_values"}
    assert body["standings"] == {"lower": 0, "usual": 0, "higher": 0, "little": 3}


def test_a_person_of_whom_too_little_was_read_is_counted_but_not_averaged(api, house):
    people = [member(f"P{i}", 0.8, house) for i in range(3)] + [member("Mute", 0.5, house, abstains=6)]
    figures = api.get(f"cohorts/{factories.cohort('All', *people).public_id}").json()["mood"]
    assert (figures["heard"], figures["mean"]["n"], figures["utterances"], figures["valid"]) == (4, 3, 30, 24)
    assert figures["mean"]["value"] == pytest.approx(own_mean(people[0]))


def test_only_clients_whom_the_caller_may_see_are_counted(api, house):
    mine, others = member("Ann", 0.9, house), [member(f"P{i}", 0.5, house, mine=False) for i in range(3)]
    cohort = factories.cohort("Evening group", mine, *others)
    body = api.get(f"cohorts/{cohort.public_id}").json()
    assert (body["clients"], body["mood"]["heard"], body["mood"]["mean"]["value"]) == (1, 1, None)
    assert api.get("cohorts").json()["items"] == [
        {
            "id": cohort.public_id,
            "name": "Evening group",
            "description": "",
            "created_at": "2026-03-02T12:00:00Z",
            "clients": 1,
        }
    ]
    seen_by_admin = Api(user=house.dora).get(f"cohorts/{cohort.public_id}")
    assert seen_by_admin.json()["clients"] == 4
    content = seen_by_admin.content.decode()
    assert not any(said in content for one in [mine, *others] for said in (one.public_id, one.code, "Ann"))
    assert Api(user=house.dora).get("cohorts").json()["items"][0]["clients"] == 4


def test_the_erased_are_not_counted(api, house):
    ann, gone = member("Ann", 0.9, house), member("Gone", 0.5, house)
    cohort = factories.cohort("Evening group", ann, gone)
    gone.erased_at = timezone.now()
    gone.save()
    assert api.get(f"cohorts/{cohort.public_id}").json()["clients"] == 1
    assert api.get("cohorts").json()["items"][0]["clients"] == 1


def test_a_span_leaves_out_what_lies_before(api, house):
    people = [member(f"P{i}", 0.8, house, sessions=3) for i in range(3)]
    after = (timezone.now() - timedelta(days=10)).isoformat().replace("+00:00", "Z")
    figures = api.get(f"cohorts/{factories.cohort('All', *people).public_id}?after={after}").json()["mood"]
    assert figures["sessions"] == 3


def test_a_cohort_of_which_nothing_was_heard_says_so(api, house):
    cohort = factories.cohort("Quiet", house.ann)
    body = api.get(f"cohorts/{cohort.public_id}").json()
    assert (body["series"], body["mood"], body["clients"]) == (None, None, 1)


def test_a_cohort_without_a_client_of_the_callers_is_not_there(api, house):
    cohort = factories.cohort("Others", factories.client("Zoe"))
    problem(api.get(f"cohorts/{cohort.public_id}"), 404, "not-found")
    assert api.get("cohorts").json()["items"] == []


def test_more_people_cost_no_more_queries(api, house):
    def queries(count: int) -> int:
        people = [member(f"P{i}", 0.8, house) for i in range(count)]
        address = f"cohorts/{factories.cohort(f'Group of {count}', *people).public_id}"
        api.get(address)
        with CaptureQueriesContext(connection) as counted:
            assert api.get(address).json()["clients"] == count
        return len(counted)

    assert queries(2) == queries(7)
