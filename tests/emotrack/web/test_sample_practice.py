"""The sample practice tells the stories that were planted, and its recent alerts are theirs."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from analysis.baseline import session_baseline
from analysis.series import SessionTracker
from analysis.synthetic import story, synthetic_card
from analysis.volatility import WINDOW_PAIRS
from emotrack.alerts.judging.decide import Terms, episodes
from emotrack.alerts.models import Kind
from emotrack.alerts.rules.kinds import KINDS
from emotrack.mood.queries import SessionPoint, standing
from emotrack.sample.practice import STORIES, _weekday

ALERTS = {"Ben": {Kind.VOLATILITY}, "Kim": {Kind.VOLATILITY}}
STANDS = {"Ann": -1, "Chen": -1, "Dana": 1, "Farah": -1}


class Heard:
    """One client's sessions as the product reads them: alerts of the last one, and where they stand."""

    def __init__(self, plot: str, seed: int) -> None:
        self.card = synthetic_card()
        self.past: dict[str, list] = {
            key: [] for key in ("valence", "arousal", "volatility", "window_distance", "session_valence")
        }
        self.points, self.alerts = [], set()
        for session in story(plot, seed).sessions:
            self._hear(session)
        self.standing = standing(self.points)

    def _hear(self, session) -> None:
        baseline = session_baseline(**{key: values[-200:] for key, values in self.past.items()})
        tracker = SessionTracker(baseline, self.card.center, self.card.typical_distance)
        heard = [(turn, tracker.add(turn)) for turn in session.series()]
        ends = session.day * 86400 + session.duration_s
        self.alerts = set(_alerts(baseline, heard, ends))
        self._remember(session, heard)

    def _remember(self, session, heard) -> None:
        values = [turn.valence for turn, _mood in heard if turn.ok]
        full = [mood for _turn, mood in heard if mood.window_pairs == WINDOW_PAIRS]
        self.past["valence"] += values
        self.past["arousal"] += [turn.arousal for turn, _mood in heard if turn.ok]
        self.past["volatility"] += [m.volatility for m in full if m.volatility is not None]
        self.past["window_distance"] += [m.window_distance for m in full if m.window_distance is not None]
        self.past["session_valence"].append(float(np.mean(values)))
        at = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(days=session.day)
        self.points.append(
            SessionPoint("", at, float(np.mean(values)), float(np.std(values)), len(values), len(heard))
        )


def _alerts(baseline, heard, ends):
    at = [turn.start_s for turn, _mood in heard]
    if baseline.window_distance.armed:
        z = [m.volatility_z if m.window_pairs == WINDOW_PAIRS else None for _turn, m in heard]
        if _fires(at, z, _terms(Kind.VOLATILITY), ends):
            yield Kind.VOLATILITY
    if baseline.valence.armed:
        level = [mood.level if turn.ok else None for turn, mood in heard]
        if _fires(at, level, _terms(Kind.NEGATIVE_MOOD, baseline.valence.band()[0]), ends):
            yield Kind.NEGATIVE_MOOD


def _terms(kind, own_line=np.inf) -> Terms:
    shipped = KINDS[kind].defaults
    line = min(shipped["threshold"], own_line)
    return Terms(
        threshold=line,
        recovery=line + shipped["recovery_threshold"] - shipped["threshold"],
        above=KINDS[kind].above,
        for_count=shipped["for_count"],
        for_seconds=shipped.get("for_seconds"),
        keep_firing_seconds=shipped["keep_firing_seconds"],
    )


def _fires(at, values, terms, ends) -> bool:
    series = np.array([np.nan if value is None else value for value in values])
    return any(episode.fired for episode in episodes(np.array(at), series, terms, ends_at=ends))


@pytest.fixture(scope="module")
def practice():
    return {name.split()[0]: Heard(plot, seed) for name, plot, seed, _days in STORIES}


def test_the_alerts_of_the_last_sessions_are_those_of_the_stories(practice):
    assert {name: heard.alerts for name, heard in practice.items() if heard.alerts} == ALERTS


def test_who_changed_is_who_was_meant_to(practice):
    assert {name: h.standing.side for name, h in practice.items() if h.standing.side} == STANDS


def test_who_came_three_times_says_too_little_yet(practice):
    assert [name for name, h in practice.items() if h.standing.kind == "little"] == ["Lior"]


@pytest.mark.parametrize(("day", "moved"), [(20, 20), (21, 20), (22, 20), (23, 23)])
def test_no_invented_session_falls_on_a_weekend(day, moved):
    assert _weekday(datetime(2026, 11, day, tzinfo=UTC)).day == moved
