"""Late, amended and deleted utterances end in the series that a rebuild makes, at a cost that stays small."""

from datetime import timedelta

import numpy as np
import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from emotrack.history.models import Utterance
from emotrack.mood import actions as mood
from emotrack.mood.models import MoodPoint, SessionMood
from tests.emotrack import factories as make
from tests.emotrack.mood.test_actions import a_year_in_small, series_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def short_memory(monkeypatch):
    """A usual of 12 values that is armed from 6 on, so that short histories have all there is."""
    monkeypatch.setattr("analysis.baseline.BASELINE_VALUES", 12)
    monkeypatch.setattr("emotrack.mood.baselines.BASELINE_VALUES", 12)
    monkeypatch.setattr("analysis.baseline.ARM_UTTERANCE_VALUES", 6)
    monkeypatch.setattr("emotrack.mood.actions.SESSIONS_AT_ONCE", 2)


def assert_equals_a_rebuild(client):
    grown = series_of(client)
    mood.rebuild(client)
    assert series_of(client) == grown


OPERATIONS = st.lists(
    st.tuples(st.sampled_from(["late", "delete", "amend", "silence", "earlier"]), st.integers(0, 63)),
    min_size=1,
    max_size=5,
)


@settings(
    max_examples=8,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(operations=OPERATIONS)
def test_whatever_happens_to_a_history_it_equals_a_rebuild(short_memory, operations):
    client = make.client()
    utterances = a_year_in_small(client, sessions=8, turns=8)
    late = {place for name, place in operations if name == "late"}
    for place, utterance in enumerate(utterances):
        if place not in late:
            mood.refresh(utterance)
    for name, place in operations:
        _happen(name, utterances[place])
    assert MoodPoint.objects.filter(client=client, volatility_z__isnull=False).exists()
    assert_equals_a_rebuild(client)


def _happen(name: str, utterance: Utterance) -> None:
    utterance = (
        Utterance.objects.select_related("session__client", "recognizer").filter(pk=utterance.pk).first()
    )
    if utterance is None:
        return
    session, recognizer = utterance.session, utterance.recognizer
    if name == "late":
        mood.refresh(utterance)
        return
    if name == "delete":
        utterance.delete()
    elif name == "amend":
        utterance.occurred_at += timedelta(seconds=40)
        utterance.save()
    elif name == "silence":
        utterance.speaker = "counselor"
        utterance.save()
    else:
        session.started_at -= timedelta(days=10)
        session.save()
    mood.replay_from_session(session, recognizer)


def test_an_utterance_that_is_added_and_deleted_was_never_there():
    client = make.client()
    for utterance in a_year_in_small(client, sessions=6):
        mood.refresh(utterance)
    before = series_of(client)
    first = client.sessions.order_by("started_at").first()
    late = make.utterance(first, first.started_at + timedelta(seconds=20), embedding=np.ones(8))
    mood.refresh(late)
    assert series_of(client) != before
    late.delete()
    mood.replay_from_session(first, make.recognizer())
    assert series_of(client) == before


def test_a_session_of_which_nothing_is_left_leaves_the_series(short_memory):
    client = make.client()
    for utterance in a_year_in_small(client, sessions=4, turns=8):
        mood.refresh(utterance)
    second = client.sessions.order_by("started_at")[1]
    second.utterances.all().delete()
    changed = mood.replay_from_session(second, make.recognizer())
    assert not SessionMood.objects.filter(session=second).exists()
    assert second not in changed and changed
    assert_equals_a_rebuild(client)


def test_sessions_whose_usual_stays_are_left_alone(short_memory):
    client = make.client()
    for utterance in a_year_in_small(client, sessions=12, turns=8):
        mood.refresh(utterance)
    sessions = list(client.sessions.order_by("started_at"))
    last = list(MoodPoint.objects.filter(session=sessions[-1]).order_by("pk").values_list("pk", flat=True))
    late = make.utterance(sessions[0], embedding=np.ones(8))
    changed = mood.refresh(late)
    assert changed == sessions[: len(changed)]
    assert 1 < len(changed) < 11
    assert (
        list(MoodPoint.objects.filter(session=sessions[-1]).order_by("pk").values_list("pk", flat=True))
        == last
    )
    assert_equals_a_rebuild(client)


def _queries_of_a_late_utterance(sessions: int) -> int:
    client = make.client()
    for utterance in a_year_in_small(client, sessions=sessions, turns=8):
        mood.refresh(utterance)
    late = make.utterance(client.sessions.order_by("started_at").first(), embedding=np.ones(8))
    with CaptureQueriesContext(
        connection,
    ) as counted:
        mood.refresh(late)
    return len(counted)


def test_a_late_utterance_costs_no_more_queries_in_a_longer_history(short_memory):
    few = _queries_of_a_late_utterance(10)
    assert few == _queries_of_a_late_utterance(30)
    assert few < 40


def test_dominance_is_kept_beside_valence_and_arousal():
    client = make.client()
    for utterance in a_year_in_small(client, sessions=2):
        mood.refresh(utterance)
    first, second = SessionMood.objects.order_by("started_at")
    points = [p for p in MoodPoint.objects.filter(session=first.session) if p.reading == "ok"]
    assert first.mean_dominance == pytest.approx(np.mean([p.dominance for p in points]))
    assert first.sd_dominance == pytest.approx(np.std([p.dominance for p in points], ddof=1))
    assert all(-1 <= p.level_dominance <= 1 for p in points)
    assert second.baseline["dominance"]["n"] == first.valid
