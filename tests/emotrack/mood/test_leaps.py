"""What counts as a leap is measured on the people of a recognizer, and a stated guess before that."""

from datetime import timedelta

import numpy as np
import pytest

from analysis.movement import ACUTE_STEP
from emotrack.history.models import Client
from emotrack.mood import actions as mood
from emotrack.mood import leaps, patterns
from emotrack.mood.leaps import leap_lines, leap_steps, refresh_leap_lines
from emotrack.mood.models import LeapLines, MoodPoint
from emotrack.mood.movement import Span, movements
from tests.emotrack import factories as make

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _few_are_enough(monkeypatch):
    monkeypatch.setattr(leaps, "FEWEST_PEOPLE", 3)
    monkeypatch.setattr(leaps, "MIN_POPULATION_STEPS", 60)
    monkeypatch.setattr("analysis.movement.MIN_POPULATION_STEPS", 60)


def people(count: int, turns: int = 25) -> list[Client]:
    rng, made = np.random.default_rng(3), []
    for person in range(count):
        client = make.client(f"Person {person}")
        for week in range(2):
            session = make.session(client, started_at=make.NOW + timedelta(weeks=week))
            for turn in range(turns):
                share = float(rng.uniform(0.5, 0.9))
                shares = make.scores(happy=share) if turn % 9 else make.scores(unknown=0.9)
                make.utterance(session, session.started_at + timedelta(seconds=10 * turn), shares=shares)
        mood.rebuild(client)
        made.append(client)
    return made


def steps_by_hand() -> np.ndarray:
    """|steps| of valence, walked one by one."""
    found, last = [], None
    for p in MoodPoint.objects.order_by("session_id", "occurred_at", "utterance_id"):
        if last is not None and last.session_id == p.session_id and None not in (last.valence, p.valence):
            found.append(abs(p.valence - last.valence))
        last = p
    return np.array(found)


def test_the_line_is_what_nine_in_ten_steps_stay_below():
    people(4)
    lines = refresh_leap_lines(make.recognizer(), now=make.NOW)
    steps = steps_by_hand()
    assert (lines.people, lines.steps) == (4, len(steps))
    assert lines.valence == pytest.approx(np.quantile(steps, 0.9))
    assert lines.valence != lines.arousal


@pytest.mark.parametrize(("count", "turns"), [(2, 40), (4, 8), (0, 0)])
def test_too_few_people_or_steps_leave_the_guess(count, turns):
    people(count, turns)
    assert refresh_leap_lines(make.recognizer(), now=make.NOW) is None
    assert leap_steps(leap_lines(make.recognizer())) == (ACUTE_STEP,) * 3


def test_the_erased_are_not_measured():
    gone = people(3)[0]
    Client.objects.filter(pk=gone.pk).update(erased_at=make.NOW, wrapped_key=None)
    assert refresh_leap_lines(make.recognizer(), now=make.NOW) is None


def test_the_line_is_measured_again_after_a_month():
    people(3)
    first = refresh_leap_lines(make.recognizer(), now=make.NOW)
    people(1)
    soon = refresh_leap_lines(make.recognizer(), now=make.NOW + timedelta(days=29))
    later = refresh_leap_lines(make.recognizer(), now=make.NOW + timedelta(days=30))
    assert (first.people, soon.people, later.people) == (3, 3, 4)


def test_leaps_are_counted_by_the_measured_line():
    ann = people(3)[0]
    (guessed,) = movements(ann, make.recognizer(), Span())
    own = np.array([p.valence for p in MoodPoint.objects.filter(client=ann).order_by("occurred_at")], float)
    steps = np.abs(np.diff(own.reshape(2, -1), axis=1))
    assert guessed.leaps is None
    assert guessed.profile.valence.acute.value == np.mean(steps[~np.isnan(steps)] >= ACUTE_STEP)
    patterns.look_again(now=make.NOW)
    (measured,) = movements(ann, make.recognizer(), Span())
    assert measured.leaps == LeapLines.objects.get()
    line = measured.leaps.valence
    assert measured.profile.valence.acute.value == np.mean(steps[~np.isnan(steps)] >= line)
    assert measured.profile.valence.acute.value != guessed.profile.valence.acute.value
