"""What recurs among the people of a cohort is how they move, not whose voice it is."""

from datetime import timedelta

import numpy as np
import pytest
from django.utils import timezone

from emotrack.history.models import Client, Embedding
from emotrack.mood import actions as mood
from emotrack.mood import cohort_patterns
from emotrack.mood.cohort_patterns import find_cohort_patterns, look_again
from emotrack.mood.models import CohortPatterns
from tests.emotrack import factories as make
from tests.emotrack.api.conftest import Api, house  # noqa: F401

pytestmark = pytest.mark.django_db

STYLES = np.random.default_rng(5).normal(size=(2, 24)) * 2
LABELS = ("happy", "sad")


def people(count: int, each: int = 12) -> list[Client]:
    """People with voices far apart, each speaking in the same two ways."""
    rng, made = np.random.default_rng(2), []
    for person in range(count):
        client = make.client(f"Person {person}")
        session, voice = make.session(client), rng.normal(size=24) * 20
        for turn in range(each):
            make.utterance(
                session,
                shares=make.scores(**{LABELS[turn % 2]: 0.7}),
                embedding=voice + STYLES[turn % 2] + rng.normal(size=24) * 0.3,
                by=make.recognizer(dimension=24),
            )
        mood.rebuild(client)
        made.append(client)
    return made


def test_two_ways_of_sounding_are_found_in_everybody_and_no_voice_is_one():
    cohort = make.cohort("Evening group", *people(8))
    fit = find_cohort_patterns(cohort, now=make.NOW)
    assert (fit.reason, fit.people, fit.n) == ("", 8, 96)
    assert {cluster["labels"][0]["label"] for cluster in fit.clusters} == {"happy", "sad"}
    assert [(cluster["members"], cluster["people"]) for cluster in fit.clusters] == [(48, 8), (48, 8)]


def test_below_eight_people_nothing_is_told():
    gone, *_rest = everybody = people(8, each=6)
    cohort = make.cohort("Evening group", *everybody)
    Client.objects.filter(pk=gone.pk).update(erased_at=make.NOW, wrapped_key=None)
    fit = find_cohort_patterns(cohort, now=make.NOW)
    assert (fit.reason, fit.people, fit.clusters) == ("too_few_people", 7, [])


def test_nobody_heard_is_nothing_stored():
    assert find_cohort_patterns(make.cohort("Quiet", make.client()), now=make.NOW) is None


def test_a_cohort_is_looked_at_once_a_day_and_one_that_fails_keeps_no_other(monkeypatch):
    monkeypatch.setattr(cohort_patterns, "FEWEST_PEOPLE", 1)
    ann, ben = people(2, each=4)
    first, second = make.cohort("First", ann), make.cohort("Second", ben)
    wrong = Embedding.objects.filter(utterance__client=ann).first()
    wrong.vector = np.ones(7)
    wrong.save()
    with pytest.raises(ExceptionGroup):
        look_again(now=make.NOW)
    assert CohortPatterns.objects.get().cohort == second
    first.delete()
    assert look_again(now=make.NOW + timedelta(hours=23)) == 0
    assert look_again(now=make.NOW + timedelta(hours=24)) == 1


def test_the_door_tells_those_who_may_see_everybody(house):  # noqa: F811
    everybody = people(8)
    cohort = make.cohort("Evening group", house.ann, *everybody)
    address = f"cohorts/{cohort.public_id}/clusters"
    dora, alice = Api(user=house.dora), Api(user=house.alice)
    assert dora.get(address).json()["state"] == "not_looked_yet"
    find_cohort_patterns(cohort, now=timezone.now())
    told = dora.get(address)
    assert (told.json()["state"], told.json()["people"]) == ("found", 8)
    assert not any(client.public_id in told.content.decode() for client in everybody)
    hidden = alice.get(address).json()
    assert (hidden["state"], hidden["clusters"], hidden["people"]) == ("not_all_visible", [], None)
