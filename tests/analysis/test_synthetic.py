"""Invented histories hold what they say was planted, and look like something that could be."""

from itertools import pairwise

import numpy as np
import pytest

from analysis.affect import decide_reading
from analysis.baseline import SessionBaseline, usual
from analysis.series import SessionTracker, replay
from analysis.synthetic import STORIES, TYPICAL_DISTANCE, story, synthetic_card
from analysis.trend import session_trend
from analysis.values import Reading

CARD = synthetic_card()


def client_turns(history):
    return [turn for session in history.sessions for turn in session.turns if turn.speaker == "client"]


def session_means(history):
    return np.array([np.mean([t.valence for t in s.series() if t.ok]) for s in history.sessions])


def days(history):
    return np.array([session.day for session in history.sessions])


def mood_values(history):
    """Every session's values against the baseline of the sessions before it, as the product computes them."""
    earlier, result = [], []
    for session in history.sessions:
        baseline = SessionBaseline(window_distance=usual(earlier))
        values = replay(session.series(), SessionTracker(baseline, CARD.center, CARD.typical_distance))
        earlier += [v.window_distance for v in values if v.window_distance is not None]
        result.append(values)
    return result


@pytest.fixture(scope="module")
def told():
    return {name: story(name, 5) for name in STORIES}


def same(left, right):
    return all(
        a.text == b.text
        and a.start_s == b.start_s
        and a.reading == b.reading
        and np.array_equal(a.scores, b.scores)
        and np.array_equal(a.embedding, b.embedding)
        for a, b in zip(client_turns(left), client_turns(right), strict=True)
    )


def test_the_same_seed_tells_the_same_story(told):
    assert same(told["volatile"], story("volatile", 5))


def test_another_seed_tells_another(told):
    assert [t.text for t in client_turns(told["nothing"])] != [
        t.text for t in client_turns(story("nothing", 6))
    ]


@pytest.mark.parametrize("name", STORIES)
def test_sessions_look_like_weekly_meetings(told, name):
    for session in told[name].sessions:
        assert 30 <= len(session.turns) <= 60
        assert 40 * 60 <= session.duration_s <= 50 * 60
        assert all(a.start_s + a.duration_s <= b.start_s for a, b in pairwise(session.turns))
        assert session.turns[-1].start_s + session.turns[-1].duration_s <= session.duration_s


@pytest.mark.parametrize("name", [name for name in STORIES if name != "too_little"])
def test_a_year_has_holidays_and_most_turns_give_a_reading(told, name):
    history = told[name]
    assert 40 <= len(history.sessions) < 52
    readings = [turn.reading for turn in client_turns(history)]
    assert 0.75 <= readings.count(Reading.OK) / len(readings) <= 0.97
    assert {Reading.NO_SPEECH, Reading.LOW_QUALITY, Reading.UNKNOWN} <= set(readings)


@pytest.mark.parametrize("name", STORIES)
def test_scores_and_readings_belong_together(told, name):
    for turn in client_turns(told[name])[:200]:
        if turn.reading is Reading.NO_SPEECH:
            assert turn.scores is turn.embedding is None
        elif turn.reading is not Reading.LOW_QUALITY:
            assert decide_reading(turn.scores) is turn.reading
            assert turn.embedding.shape == (CARD.dimension,)
            assert np.array_equal(turn.embedding.astype(np.float16).astype(np.float32), turn.embedding)


def test_the_counselor_is_never_scored(told):
    counselors = [t for s in told["flat"].sessions for t in s.turns if t.speaker == "counselor"]
    assert counselors
    assert all(t.scores is t.embedding is t.reading is None and t.text for t in counselors)


def test_improving_improves_and_a_drift_goes_down(told):
    rising = session_trend(days(told["improving"]), session_means(told["improving"]))
    falling = session_trend(days(told["drift"]), session_means(told["drift"]))
    assert rising.low_per_week > 0
    assert rising.p < 0.001
    assert falling.high_per_week < 0


@pytest.mark.parametrize("name", ["jump", "relapsing"])
def test_a_fall_happens_where_the_truth_says(told, name):
    means, at = session_means(told[name]), told[name].truth.change_at
    assert means[at : at + 5].mean() < means[at - 5 : at].mean() - 0.25


def test_an_oscillation_has_its_period(told):
    weeks = days(told["oscillation"]) / 7
    means = session_means(told["oscillation"])
    power = {
        period: abs(np.exp(-2j * np.pi * weeks / period) @ (means - means.mean())) for period in range(3, 21)
    }
    assert max(power, key=power.get) == told["oscillation"].truth.period_weeks


def test_session_means_follow_the_planted_levels(told):
    history = told["improving"]
    assert np.corrcoef(session_means(history), history.truth.levels)[0, 1] > 0.9


def test_flat_moves_less_than_nothing_at_all(told):
    def width(name):
        return np.mean([np.std([t.valence for t in s.series() if t.ok]) for s in told[name].sessions])

    assert width("flat") < 0.5 * width("nothing")


def test_two_styles_are_two_groups_of_embeddings(told):
    turns = [t for t in client_turns(told["two_styles"]) if t.reading is Reading.OK]
    rows, styles = np.array([t.embedding for t in turns]), np.array([t.style for t in turns])
    centers = np.array([rows[styles == k].mean(axis=0) for k in (0, 1)])
    nearest = ((rows[:, None] - centers) ** 2).sum(axis=2).argmin(axis=1)
    assert (nearest == styles).mean() > 0.9


def test_too_little_is_too_little(told):
    assert session_trend(days(told["too_little"]), session_means(told["too_little"])).slope_per_week is None


def test_the_truth_names_the_turns_of_every_burst(told):
    history = told["burst"]
    assert len(history.truth.bursts) >= 5
    for index, first, last in history.truth.bursts:
        turns = [t for t in history.sessions[index].turns if t.speaker == "client"]
        assert [t.planted for t in turns] == [first <= k <= last for k in range(len(turns))]


def test_the_robust_z_stands_out_in_planted_bursts_only(told):
    history, values = told["burst"], mood_values(told["burst"])
    inside = [
        values[i][k].volatility_z
        for i, first, last in history.truth.bursts
        for k in range(first + 4, last + 1)
        if values[i][k].volatility_z is not None
    ]
    calm = [v.volatility_z for row in mood_values(told["nothing"]) for v in row if v.volatility_z is not None]
    assert np.median(inside) > 3
    assert np.mean(np.array(calm) > 3) < 0.03


def test_the_card_knows_the_typical_window_distance():
    medians = [
        np.median([v.window_distance for row in mood_values(history) for v in row if v.window_distance])
        for history in (story("nothing", seed, 20, talk=False) for seed in range(8))
    ]
    assert np.median(medians) == pytest.approx(TYPICAL_DISTANCE, rel=0.2)


def test_words_vary(told):
    session = told["improving"].sessions[3]
    words = [turn.text for turn in session.turns]
    assert len(set(words)) > 0.7 * len(words)


@pytest.mark.parametrize(("name", "weeks"), [("cheerful", 10), ("nothing", 0)])
def test_a_story_that_cannot_be_told_is_refused(name, weeks):
    with pytest.raises(ValueError, match="story"):
        story(name, 1, weeks)


@pytest.mark.parametrize("name", STORIES)
@pytest.mark.parametrize("weeks", [1, 2, 9])
def test_short_histories_can_be_told(name, weeks):
    assert len(story(name, 1, weeks, talk=False).sessions) >= 1
