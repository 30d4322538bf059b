"""The figures card and what has changed: numbers with what they rest on, or how many are to go."""

import math
from datetime import timedelta

import numpy as np
import pytest

from analysis.profile import dimension_profile
from emotrack.mood.movement import Span
from emotrack.mood.queries import SessionPoint, standing
from emotrack.web.client_cards import last_session_words, reach_of, shift_of
from emotrack.web.client_charts import Meeting, client_figure
from emotrack.web.figures_card import figure_lines
from emotrack.web.timeline import signed
from tests.emotrack.factories import NOW
from tests.emotrack.web.test_charts import accepted


def lines(values):
    n = len(values)
    return figure_lines(dimension_profile(values, np.arange(n) * 60.0, np.zeros(n)))


def point(number, mean=0.1, valid=10, utterances=10):
    return SessionPoint(f"s{number}", NOW + timedelta(days=7 * number), mean, 0.1, valid, utterances)


def test_every_figure_stands_with_what_it_rests_on():
    values = np.tile([0.1, 0.3], 15)
    mean, spread, movement, carried, leaps = lines(values)
    assert (mean.value, mean.rests) == ("+0.20", "30 turns")
    assert spread.value == f"{values.std(ddof=1):.2f}"
    assert (movement.value, movement.rests) == ("0.20", "29 pairs of turns")
    assert (carried.value, carried.reason) == ("", "Gone before the next turn.")
    assert leaps.value.startswith("0")
    assert "95 % interval" in leaps.rests


def test_too_little_gives_the_count_to_go_instead_of_a_number():
    mean, spread, movement, carried, leaps = lines([0.1, 0.2, 0.3])
    assert mean.value == "+0.20"
    assert (spread.value, spread.reason) == ("", "Insufficient data: 3 of 5 turns, 2 to go.")
    assert movement.reason == "Insufficient data: 2 of 10 pairs of turns, 8 to go."
    assert carried.reason == leaps.reason == "Insufficient data: 2 of 20 pairs of turns, 18 to go."


def test_a_mood_that_never_moves_says_so():
    assert lines([0.2] * 40)[3].reason == "Every turn of a session reads the same."


def test_a_slow_mood_gives_a_half_life_near_the_planted_one():
    noise, values = np.random.default_rng(3), [0.0]
    kept = 2 ** (-1 / 3)
    for _ in range(2000):
        values.append(kept * values[-1] + noise.normal() * 0.1 * math.sqrt(1 - kept**2))
    assert float(lines(values)[3].value.removesuffix(" min")) == pytest.approx(3.0, abs=0.5)


def test_the_cards_reach_back_over_no_more_turns_than_they_can_bear():
    reach = reach_of([point(i, valid=900, utterances=1000) for i in range(20)])
    assert [p.session for p in reach.points] == [f"s{i}" for i in range(15, 20)]
    assert reach.span.after == reach.points[0].started_at


def test_one_session_larger_than_the_reach_is_kept():
    assert len(reach_of([point(0), point(1, utterances=9000)]).points) == 1


def test_a_short_history_is_reached_as_a_whole():
    reach = reach_of([point(0), point(1)])
    assert reach.span == Span(reach.points[0].started_at, None) and len(reach.points) == 2


def test_a_planted_jump_is_drawn_and_said():
    noise = np.random.default_rng(1).normal(scale=0.03, size=40)
    points = [point(i, float(x + (0.3 if i < 25 else -0.3))) for i, x in enumerate(noise)]
    shift = shift_of(points)
    assert shift.start.date() == points[25].started_at.date()
    assert shift.mean == pytest.approx(-0.3, abs=0.05)
    assert f"{signed(shift.mean)} since" in shift.words
    meetings = [Meeting(p.started_at, p.mean, p.mean, None, "", p.session) for p in points]
    figure = client_figure(meetings, None, None, shift)
    accepted(figure)
    assert shift.label in [said["text"] for said in figure["layout"]["annotations"]]


@pytest.mark.parametrize("points", [[], [point(i, 0.1 * (-1) ** i) for i in range(29)]])
def test_below_thirty_sessions_no_change_is_looked_for(points):
    assert shift_of(points) is None


def test_sessions_that_say_too_little_are_no_part_of_a_change():
    noise = np.random.default_rng(1).normal(scale=0.03, size=60)
    mute = [point(i, float(x + (-3.0 if i % 2 else 0.0)), 3 if i % 2 else 10) for i, x in enumerate(noise)]
    assert shift_of(mute) is None


def test_a_session_far_off_the_others_is_more_than_chance():
    others = [point(i, 0.1 + 0.02 * (-1) ** i) for i in range(12)]
    assert last_session_words([*others, point(12, -0.4)]).endswith("More than chance alone would give.")
    assert last_session_words([*others, point(12, 0.11)]).endswith("Could be chance.")


@pytest.mark.parametrize(("low", "verdict"), [(-0.1, "earlier ones."), (-0.6, "chance alone would give.")])
def test_a_steady_change_is_never_called_chance(low, verdict):
    """Each low session alone may lie within what days differ; seven in a row do not."""
    others = [point(i, 0.1 + (0.02, -0.25, 0.1, -0.1, 0.2, -0.02)[i % 6]) for i in range(18)]
    run = [point(18 + i, low - 0.005 * i) for i in range(7)]
    assert standing([*others, *run]).kind == "steady"
    said = last_session_words([*others, *run])
    assert "of 18 earlier ones" in said and said.endswith(verdict)


def test_below_eight_earlier_sessions_nothing_is_said_of_the_last():
    assert last_session_words([point(i, 0.1 * i) for i in range(8)]) == ""


@pytest.mark.parametrize(("jump", "side"), [(8, "left"), (30, "right")])
def test_the_label_of_a_change_stays_on_the_chart(jump, side):
    noise = np.random.default_rng(1).normal(scale=0.03, size=40)
    points = [point(i, float(x + (0.3 if i < jump else -0.3))) for i, x in enumerate(noise)]
    shift = shift_of(points)
    meetings = [Meeting(p.started_at, p.mean, p.mean, None, "", p.session) for p in points]
    said = client_figure(meetings, None, None, shift)["layout"]["annotations"]
    assert [one["xanchor"] for one in said if one["text"] == shift.label] == [side]
