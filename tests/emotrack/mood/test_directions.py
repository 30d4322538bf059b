"""Directions are learned over many people, about each one's own mean, and sealed by the installation."""

from datetime import timedelta

import numpy as np
import pytest

from emotrack import crypto
from emotrack.history.models import Client
from emotrack.mood import actions as mood
from emotrack.mood import directions, patterns
from emotrack.mood.directions import population_basis, refresh_directions
from emotrack.mood.models import PatternDirections, PatternFit
from tests.emotrack import factories as make

pytestmark = pytest.mark.django_db

DIMENSION = 12
MOVES = np.linalg.qr(np.random.default_rng(1).normal(size=(DIMENSION, 2)))[0].T


@pytest.fixture(autouse=True)
def _few_are_enough(monkeypatch):
    monkeypatch.setattr(directions, "FEWEST_PEOPLE", 3)
    monkeypatch.setattr(directions, "FEWEST_UTTERANCES", 30)


def people(count: int, each: int = 15) -> list[Client]:
    """People whose voices differ widely, and who move along the same two directions."""
    rng, made = np.random.default_rng(2), []
    for person in range(count):
        client = make.client(f"Person {person}")
        session = make.session(client)
        voice = rng.normal(size=DIMENSION) * 20
        for _ in range(each):
            moved = voice + rng.normal(size=2) * [3, 2] @ MOVES + rng.normal(size=DIMENSION) * 0.05
            make.utterance(session, embedding=moved, by=make.recognizer(dimension=DIMENSION))
        mood.rebuild(client)
        made.append(client)
    return made


def test_how_people_move_is_learned_and_not_how_their_voices_differ():
    people(4)
    refresh_directions(make.recognizer(), now=make.NOW)
    found = population_basis(make.recognizer()).axes[:2]
    np.testing.assert_allclose(np.linalg.svd(found @ MOVES.T)[1], 1, atol=1e-2)


@pytest.mark.parametrize(("count", "each"), [(2, 20), (3, 9), (0, 0)])
def test_too_few_people_or_utterances_teach_nothing(count, each):
    people(count, each)
    assert refresh_directions(make.recognizer(), now=make.NOW) is None
    assert population_basis(make.recognizer()) is None


def test_the_erased_teach_nothing():
    gone = people(3)[0]
    Client.objects.filter(pk=gone.pk).update(erased_at=make.NOW, wrapped_key=None)
    assert refresh_directions(make.recognizer(), now=make.NOW) is None


def test_directions_are_learned_again_after_a_month():
    people(3)
    first = refresh_directions(make.recognizer(), now=make.NOW)
    people(1)
    soon = refresh_directions(make.recognizer(), now=make.NOW + timedelta(days=29))
    later = refresh_directions(make.recognizer(), now=make.NOW + timedelta(days=30))
    assert (first.people, soon.people, later.people) == (3, 3, 4)


def test_directions_open_with_the_installations_key_at_their_place_only(settings):
    people(3)
    kept = refresh_directions(make.recognizer(), now=make.NOW)
    other = make.recognizer("2", DIMENSION)
    PatternDirections.objects.filter(pk=kept.pk).update(recognizer=other)
    with pytest.raises(crypto.SealBroken):
        population_basis(other)


def test_a_persons_patterns_are_told_along_the_directions_of_all():
    clients = people(3, each=45)
    patterns.look_again(now=make.NOW)
    session = clients[0].sessions.first()
    rng = np.random.default_rng(3)
    for turn in range(60):
        style = MOVES[turn % 2] * 40 + rng.normal(size=DIMENSION) * 0.5
        make.utterance(session, embedding=style, by=make.recognizer())
    fit = patterns.find_anew(clients[0], make.recognizer(), now=make.NOW)
    axes = PatternFit.objects.get(pk=fit.pk).axes
    assert axes is not None
    np.testing.assert_array_equal(axes, population_basis(make.recognizer()).axes.ravel())
