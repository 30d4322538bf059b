"""The numbers a rule may watch are found by name, and only where they may be judged."""

from dataclasses import fields

import numpy as np
import pytest

from analysis.measures import (
    MEASURES,
    AbsenceValues,
    RecentValues,
    RecognizerValues,
    SessionValues,
    measure,
    value_of,
)
from analysis.series import SessionTracker, Turn


def test_a_measure_is_read_from_what_the_tracker_gives():
    values = SessionTracker().add(Turn(0.0, 1.0, None, -0.3, 0.2, None, True))
    assert value_of("mood_level", values) == pytest.approx(-0.3)
    assert value_of("volatility_z", values) is None


def test_every_measure_can_be_read():
    utterance = SessionTracker().add(Turn(0.0, 1.0, None, -0.3, 0.2, None, True))
    session = SessionValues(0.1, 0.2, 0.3, 0.9)
    holders = {
        "utterance": [utterance, RecentValues()],
        "session": [session],
        "day": [AbsenceValues()],
        "month": [RecognizerValues()],
    }
    for name, watched in MEASURES.items():
        (holder,) = (one for one in holders[watched.granularity] if hasattr(one, watched.field))
        value_of(name, holder)
        assert watched.id == name


def test_every_value_that_is_given_has_a_name():
    watched = {m.field for m in MEASURES.values()}
    for holder in (RecentValues, SessionValues, AbsenceValues, RecognizerValues):
        assert {field.name for field in fields(holder)} <= watched


def test_a_share_of_the_latest_turns_is_no_value_of_one_turn():
    assert value_of("emotion_share", RecentValues(emotion_share=0.4)) == 0.4
    turn = SessionTracker().add(Turn(0.0, 1.0, None, -0.3, 0.2, None, True))
    with pytest.raises(ValueError, match="measure-granularity"):
        value_of("emotion_share", turn)


@pytest.mark.parametrize("dimension", ["valence", "arousal", "dominance"])
def test_every_dimension_can_be_watched_in_a_turn_and_in_a_session(dimension):
    watched = {m.granularity for m in MEASURES.values() if m.dimension == dimension}
    assert watched == {"utterance", "session"}


def test_the_level_of_dominance_is_that_of_the_tracker():
    values = SessionTracker().add(Turn(0.0, 1.0, None, None, None, 0.4, True))
    assert value_of("dominance_level", values) == pytest.approx(0.4)


def test_what_a_session_could_not_say_is_no_value():
    session = SessionValues(0.1, 0.2, 0.3, 0.9)
    assert value_of("reliable_change", session) is None
    assert value_of("session_coverage", session) == 0.9


def test_a_partial_window_is_never_judged():
    running = SessionTracker()
    for i in range(4):
        values = running.add(Turn(float(i), i + 0.5, np.array([1.0, i]), 0.1, 0.1, None, True))
    assert values.volatility is not None
    assert value_of("volatility", values) is None


def test_a_measure_that_is_not_there_is_named():
    with pytest.raises(ValueError, match="measure-unknown"):
        measure("joy")


def test_a_measure_of_sessions_is_not_read_from_an_utterance():
    values = SessionTracker().add(Turn(0.0, 1.0, None, -0.3, 0.2, None, True))
    with pytest.raises(ValueError, match="measure-granularity"):
        value_of("session_valence", values)
