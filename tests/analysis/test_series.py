"""A session's memory: in order, resumed or replayed, it ends in the same bits."""

import math

import numpy as np
import pandas
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis.baseline import SessionBaseline, Usual
from analysis.series import LEVEL_HALF_LIFE_S, Level, Levels, SessionTracker, Turn, replay
from analysis.volatility import MAX_GAP_S, volatility_index

BASELINE = SessionBaseline(sessions=9, window_distance=Usual(120, 0.3, 0.05), valence=Usual(200, 0.1, 0.1))
CENTER = np.full(6, 0.25, dtype=np.float32)


def stored(vector):
    """An embedding as it comes back from storage."""
    return np.asarray(vector).astype(np.float16).astype(np.float32)


def turn(start_s, embedding=None, valence=0.1, ok=True, length_s=4.0):
    return Turn(start_s, start_s + length_s, embedding, valence, 0.2, None, ok)


@st.composite
def sessions(draw):
    """Turns in order: readings and abstentions, missing embeddings and moods, short and long pauses, ties."""
    n = draw(st.integers(1, 25))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    pauses = draw(st.lists(st.sampled_from([0.0, 3.0, 20.5, 400.0, MAX_GAP_S + 10]), min_size=n, max_size=n))
    oks = draw(st.lists(st.integers(0, 4), min_size=n, max_size=n))
    starts = 1_700_000_000.0 + np.cumsum(pauses)
    return [
        Turn(
            float(start),
            float(start) + 2.0,
            None if ok == 1 else stored(rng.normal(size=6)),
            None if ok == 2 else float(rng.uniform(-1, 1)),
            float(rng.uniform(-1, 1)),
            None,
            ok != 0,
        )
        for start, ok in zip(starts, oks, strict=True)
    ]


def tracker():
    return SessionTracker(BASELINE, CENTER, 0.3)


@given(sessions(), st.data())
def test_a_resumed_session_goes_on_with_the_same_bits(turns, data):
    whole = replay(turns, tracker())
    cut = data.draw(st.integers(0, len(turns)))
    recent = [t for t in turns[:cut] if t.ok and t.embedding is not None][-5:]
    levels = whole[cut - 1].levels if cut else Levels()
    resumed = SessionTracker.resume(BASELINE, CENTER, 0.3, recent_turns=recent, levels=levels)
    assert [resumed.add(t) for t in turns[cut:]] == whole[cut:]


@given(sessions(), st.randoms(use_true_random=False))
def test_any_order_of_arrival_ends_in_the_same_series(turns, random):
    turns = [t for i, t in enumerate(turns) if i == 0 or t.start_s > turns[i - 1].start_s]
    shuffled = list(turns)
    random.shuffle(shuffled)
    assert replay(shuffled, tracker()) == replay(turns, tracker())


@given(sessions())
def test_an_abstention_leaves_no_trace_in_the_others(turns):
    whole = replay(turns, tracker())
    kept = [values for t, values in zip(turns, whole, strict=True) if t.ok]
    assert replay([t for t in turns if t.ok], tracker()) == kept


def test_an_abstention_has_no_values():
    values = tracker().add(turn(0.0, stored(np.ones(6)), ok=False))
    assert (values.volatility, values.level, values.volatility_z) == (None, None, None)
    assert values.z_missing == "no_reading"


def test_the_incremental_index_is_the_whole_history_one():
    rows = stored(np.random.default_rng(5).normal(size=(40, 32)))
    values = replay([turn(10.0 * i, row) for i, row in enumerate(rows)], SessionTracker())
    found = [math.nan if v.volatility is None else v.volatility for v in values]
    np.testing.assert_allclose(found, volatility_index(rows), rtol=1e-6)
    assert [v.volatility_partial for v in values] == [True] * 4 + [False] * 36


def test_the_level_is_the_one_pandas_computes():
    rng = np.random.default_rng(6)
    starts, valence = np.cumsum(rng.uniform(1, 200, size=60)), rng.uniform(-1, 1, size=60)
    values = replay(
        [turn(s, valence=float(v)) for s, v in zip(starts, valence, strict=True)], SessionTracker()
    )
    times = pandas.to_datetime(starts * 1e9, unit="ns")
    halflife = pandas.Timedelta(seconds=LEVEL_HALF_LIFE_S)
    peer = pandas.Series(valence).ewm(halflife=halflife, times=times).mean()
    np.testing.assert_allclose([v.level for v in values], peer, rtol=1e-6)


def test_a_value_five_minutes_old_weighs_half():
    level = Level().after(1.0, 0.0).after(0.0, 300.0)
    assert level.value == pytest.approx(0.5 / 1.5)


def test_a_pause_longer_than_half_an_hour_makes_the_window_partial():
    starts = [0, 10, 20, 30, 34 + MAX_GAP_S + 1]
    rows = stored(np.eye(6))
    values = replay([turn(float(s), rows[i]) for i, s in enumerate(starts)], tracker())
    assert (values[-1].window_pairs, values[-1].volatility_partial) == (3, True)
    assert (values[-1].volatility_z, values[-1].z_missing) == (None, "partial_window")


def test_a_pause_of_exactly_half_an_hour_does_not():
    starts = [0, 10, 20, 30, 34 + MAX_GAP_S]
    rows = stored(np.eye(6))
    values = replay([turn(float(s), rows[i]) for i, s in enumerate(starts)], tracker())
    assert values[-1].window_pairs == 4


def test_the_z_is_the_distance_from_the_persons_own_usual():
    rows = stored(np.eye(6))
    values = replay([turn(10.0 * i, rows[i]) for i in range(5)], SessionTracker(BASELINE, None, 0.3))
    assert values[-1].window_distance == pytest.approx(1.0)
    assert values[-1].volatility_z == pytest.approx((1.0 - 0.3) / (1.4826 * 0.05))


@pytest.mark.parametrize("baseline", [None, SessionBaseline(window_distance=Usual(49, 0.3, 0.05))])
def test_there_is_no_z_before_fifty_windows_are_known(baseline):
    rows = stored(np.eye(6))
    values = replay([turn(10.0 * i, rows[i]) for i in range(5)], SessionTracker(baseline, None, 0.3))
    assert (values[-1].volatility_z, values[-1].z_missing) == (None, "baseline_forming")
    assert values[-1].volatility is not None


def test_the_same_voice_five_times_is_still():
    values = replay([turn(10.0 * i, stored(np.ones(6))) for i in range(5)], tracker())
    assert (values[-1].volatility, values[-1].window_distance) == (0.0, 0.0)


def test_a_turn_without_an_embedding_moves_the_level_and_not_the_window():
    rows = stored(np.eye(6))
    running = tracker()
    for i in range(4):
        running.add(turn(10.0 * i, rows[i]))
    without = running.add(turn(40.0, None, valence=-0.9))
    assert (without.volatility, without.z_missing) == (None, "no_embedding")
    assert without.level < 0.1
    assert running.add(turn(50.0, rows[4])).window_pairs == 4


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        (turn(-1.0), "turn-order"),
        (turn(math.nan), "turn-time"),
        (turn(5.0, length_s=-1.0), "turn-time"),
        (turn(5.0, valence=1.2), "turn-mood"),
        (turn(5.0, valence=math.nan), "turn-mood"),
        (turn(5.0, np.ones(7)), "turn-dimension"),
        (turn(5.0, np.array([1, 2, 3, 4, 5, np.nan])), "turn-embedding"),
    ],
)
def test_a_turn_that_cannot_be_right_is_refused_by_name_and_changes_nothing(bad, reason):
    running, untouched = tracker(), tracker()
    for each in (running, untouched):
        each.add(turn(0.0, stored(np.eye(6)[0])))
    with pytest.raises(ValueError, match=reason):
        running.add(bad)
    following = turn(9.0, stored(np.eye(6)[1]))
    assert running.add(following) == untouched.add(following)


@given(st.lists(st.floats(0, 1e4), min_size=2, max_size=20))
def test_numpy_numbers_and_python_numbers_end_in_the_same_bits(pauses):
    starts = np.cumsum(pauses)
    plain = replay([turn(float(s)) for s in starts], tracker())
    numpy_ones = replay([turn(s, valence=np.float64(0.1)) for s in starts], tracker())
    assert [v.level for v in plain] == [v.level for v in numpy_ones]
    assert all(type(v.level) is float for v in numpy_ones)


def test_the_recognizers_center_is_taken_off_before_angles_are_measured():
    center = np.full(6, 10.0, dtype=np.float32)
    rows = [stored(center + (row if i % 2 else -row)) for i, row in enumerate([np.eye(6)[0]] * 5)]
    values = replay(
        [turn(10.0 * i, row) for i, row in enumerate(rows)], SessionTracker(BASELINE, center, 0.3)
    )
    assert values[-1].window_distance == pytest.approx(2.0)
