"""The mood series is the same whether it grew in order, out of order, or was rebuilt."""

from datetime import timedelta

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from emotrack.history.models import Client
from emotrack.mood import actions as mood
from emotrack.mood.models import MoodPoint, SessionMood
from tests.emotrack import factories as make

pytestmark = pytest.mark.django_db

POINT = [f.attname for f in MoodPoint._meta.fields if f.attname != "id"]
SESSION = [f.attname for f in SessionMood._meta.fields if f.attname != "id"]


def series_of(client: Client) -> tuple[list, list]:
    points = MoodPoint.objects.filter(client=client).order_by("occurred_at", "utterance_id")
    sessions = SessionMood.objects.filter(client=client).order_by("started_at", "session_id")
    return list(points.values_list(*POINT)), list(sessions.values_list(*SESSION))


def a_year_in_small(client: Client, *, sessions: int = 4, turns: int = 16, seed: int = 7) -> list:
    """Utterances in order, in sessions a week apart; every seventh gives no reading."""
    rng = np.random.default_rng(seed)
    made = []
    for week in range(sessions):
        session = make.session(client, started_at=make.NOW + timedelta(weeks=week))
        for turn in range(turns):
            shares = rng.dirichlet([0.3] * 4 + [1] + [0.01] + [0.3] * 2 + [0.01]).astype(np.float32)
            if turn % 7 == 6:
                shares = make.scores(unknown=0.9)
            at = session.started_at + timedelta(seconds=15 * turn)
            made.append(make.utterance(session, at, shares=shares, embedding=rng.normal(size=8)))
    return made


def test_growing_in_order_equals_a_rebuild():
    client = make.client()
    for utterance in a_year_in_small(client):
        mood.refresh(utterance)
    grown = series_of(client)
    mood.rebuild(client)
    assert series_of(client) == grown
    assert len(grown[0]) == 64


@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(order=st.permutations(range(24)))
def test_any_order_of_arrival_ends_in_the_same_series(order):
    client = make.client()
    utterances = a_year_in_small(client, sessions=3, turns=8)
    for place in order:
        mood.refresh(utterances[place])
    grown = series_of(client)
    mood.rebuild(client)
    assert series_of(client) == grown


def test_an_abstention_is_a_gap_and_not_a_zero():
    client = make.client()
    session = make.session(client)
    mood.refresh(make.utterance(session, shares=make.scores(unknown=0.9)))
    point = MoodPoint.objects.get()
    assert (point.valence, point.level, point.volatility, point.reading) == (None, None, None, "unknown")
    assert SessionMood.objects.get().coverage == 0


def test_the_baseline_of_a_session_comes_from_earlier_sessions_only():
    client = make.client()
    for utterance in a_year_in_small(client, sessions=2):
        mood.refresh(utterance)
    first, second = SessionMood.objects.order_by("started_at")
    assert first.baseline["valence"]["n"] == 0
    assert second.baseline["valence"]["n"] == first.valid


def test_z_appears_once_fifty_windows_stand_behind_it():
    client = make.client()
    utterances = a_year_in_small(client, sessions=12)
    for utterance in utterances:
        mood.refresh(utterance)
    by_session = [SessionMood.objects.get(session=utterances[16 * week].session) for week in range(12)]
    armed = [m.baseline["window_distance"]["n"] >= 50 for m in by_session]
    seen = [m.peak_volatility_z is not None for m in by_session]
    assert armed == seen
    assert any(armed) and not all(armed)


def test_another_recognizer_starts_another_series():
    client = make.client()
    session = make.session(client)
    mood.refresh(make.utterance(session, by=make.recognizer("1")))
    mood.refresh(make.utterance(session, by=make.recognizer("2")))
    assert SessionMood.objects.filter(session=session).count() == 2


def test_words_without_a_reading_enter_no_series():
    session = make.session(make.client())
    assert mood.refresh(make.utterance(session, speaker="counselor", text="Hello.")) == []
    assert not MoodPoint.objects.exists()


def test_a_session_that_turns_out_to_be_earlier_takes_its_place_in_the_order():
    client = make.client()
    utterances = a_year_in_small(client, sessions=3, turns=6)
    for utterance in utterances:
        mood.refresh(utterance)
    last = utterances[-1].session
    last.started_at = make.NOW - timedelta(weeks=1)
    last.save()
    early = make.utterance(last, last.started_at, embedding=np.ones(8))
    mood.refresh(early)
    grown = series_of(client)
    mood.rebuild(client)
    assert series_of(client) == grown
    assert grown[1][0][SESSION.index("session_id")] == last.pk
