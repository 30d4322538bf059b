"""The state machine on planted series."""

import math
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from emotrack.alerts.judging.decide import EndReason, State, Terms, advance, episodes

NAN = math.nan
MINUTE = 60.0


def run(values, terms, *, ends_at=None, step=MINUTE):
    return episodes([i * step for i in range(len(values))], values, terms, ends_at=ends_at)


def terms(threshold=3.0, recovery=2.0, **rest):
    return Terms(threshold, recovery, **rest)


def test_nothing_beyond_the_threshold_is_no_episode():
    assert run([1, 2, 3, 2.9], terms()) == []


def test_a_value_on_the_threshold_is_not_beyond_it():
    assert run([3, 3, 3], terms(for_count=1)) == []


def test_it_fires_at_the_value_that_completes_the_count():
    (episode,) = run([0, 4, 5, 4, 4], terms(for_count=3))
    assert (episode.pending_index, episode.fired_index, episode.fired_at) == (1, 3, 3 * MINUTE)
    assert episode.state is State.FIRING


def test_one_value_on_the_safe_side_resets_the_count():
    first, second = run([4, 4, 1, 4, 4], terms(for_count=3))
    assert (first.fired, first.end_reason, first.ended_at) == (False, EndReason.NOT_SUSTAINED, 2 * MINUTE)
    assert second.state is State.PENDING


def test_a_missing_reading_neither_counts_nor_resets():
    (episode,) = run([4, NAN, 4, NAN, NAN, 4], terms(for_count=3))
    assert episode.fired_index == 5


def test_time_alone_sustains():
    (episode,) = run([4, 4, 4, 4], terms(for_seconds=3 * MINUTE))
    assert episode.fired_index == 3


def test_with_count_and_time_the_first_to_be_met_fires():
    by_count = run([4] * 4, terms(for_count=2, for_seconds=3 * MINUTE))[0]
    by_time = run([4] * 4, terms(for_count=9, for_seconds=2 * MINUTE))[0]
    assert (by_count.fired_index, by_time.fired_index) == (1, 2)


def test_with_neither_the_first_value_fires():
    assert run([0, 4], terms())[0].fired_index == 1


def test_between_the_lines_a_firing_episode_goes_on():
    (episode,) = run([4, 2.5, 2.1, 2.9, 2.5], terms())
    assert episode.state is State.FIRING


def test_behind_the_recovery_line_it_ends():
    (episode,) = run([4, 2.5, 2.0], terms())
    assert (episode.end_reason, episode.ended_at) == (EndReason.RECOVERED, 2 * MINUTE)


def test_it_keeps_firing_for_its_time_after_recovery():
    (episode,) = run([4, 0, 0, 0], terms(keep_firing_seconds=2 * MINUTE))
    assert (episode.recovering_at, episode.ended_at) == (1 * MINUTE, 3 * MINUTE)


def test_while_it_recovers_it_is_one_episode_with_what_comes_back():
    (episode,) = run([4, 0, 4, 0, 0, 0], terms(keep_firing_seconds=2 * MINUTE))
    assert (episode.recovering_at, episode.ended_at) == (3 * MINUTE, 5 * MINUTE)


def test_recovering_is_a_state_of_its_own():
    (episode,) = run([4, 0], terms(keep_firing_seconds=9 * MINUTE))
    assert episode.state is State.RECOVERING


def test_firing_ends_with_the_session():
    (episode,) = run([4, 4], terms(), ends_at=500.0)
    assert (episode.end_reason, episode.ended_at) == (EndReason.SESSION_ENDED, 500.0)


def test_pending_never_fires_because_the_session_ended():
    (episode,) = run([4, 4], terms(for_count=3), ends_at=500.0)
    assert (episode.fired, episode.end_reason) == (False, EndReason.NOT_SUSTAINED)


def test_a_session_that_ended_before_its_last_value_ends_with_that_value():
    (episode,) = run([4, 4], terms(), ends_at=10.0)
    assert episode.ended_at == MINUTE


def test_the_peak_is_the_most_extreme_value():
    (episode,) = run([4, 9, 5, NAN, 1], terms())
    assert (episode.peak, episode.peak_index) == (9, 1)


def test_below_is_the_mirror_of_above():
    above = run([0, 4, 5, 2.5, 1], terms(for_count=2))
    below = run([0, -4, -5, -2.5, -1], Terms(-3, -2, above=False, for_count=2))
    assert [(e.fired_index, e.ended_at, e.peak) for e in below] == [
        (e.fired_index, e.ended_at, -e.peak) for e in above
    ]


def test_an_empty_series_has_no_episodes():
    assert run([], terms(), ends_at=5.0) == []


def test_a_series_of_missing_readings_has_no_episodes():
    assert run([NAN, NAN], terms(), ends_at=5.0) == []


@pytest.mark.parametrize(
    "wrong",
    [
        {"threshold": NAN},
        {"recovery": math.inf},
        {"recovery": 3.5},
        {"above": False},
        {"for_count": 0},
        {"for_seconds": -1},
        {"keep_firing_seconds": NAN},
    ],
)
def test_terms_that_cannot_be_meant_are_refused(wrong):
    with pytest.raises(ValueError, match="terms-"):
        terms(**wrong)


@pytest.mark.parametrize(("at", "values"), [([0, 1], [4]), ([1, 0], [4, 4]), ([0], [math.inf]), ([NAN], [4])])
def test_points_that_cannot_be_right_are_refused(at, values):
    with pytest.raises(ValueError, match="points-"):
        episodes(at, values, terms())


# --- Properties ---------------------------------------------------------------------------------

some_terms = st.builds(
    lambda line, gap, sign, count, seconds, keep: Terms(
        sign * line, sign * (line - gap), sign > 0, count, seconds, keep
    ),
    st.integers(0, 4),
    st.integers(0, 2),
    st.sampled_from([1, -1]),
    st.none() | st.integers(1, 4),
    st.none() | st.integers(0, 6),
    st.integers(0, 6),
)
some_points = st.lists(
    st.tuples(st.integers(0, 3), st.none() | st.integers(-6, 6)), min_size=1, max_size=40
).map(lambda steps: (np.cumsum([s for s, _ in steps]), [NAN if v is None else float(v) for _, v in steps]))


def one_at_a_time(at, values, terms, current=None, first=0):
    """The plainest reading of the definition: every value in turn."""
    over = []
    for i, (t, v) in enumerate(zip(at, values, strict=True), first):
        if math.isnan(v):
            continue
        current = advance(current, terms, index=i, at=float(t), value=v)
        if current is not None and current.ended_at is not None:
            over, current = [*over, current], None
    return over, current


@given(some_points, some_terms, st.integers(0, 40))
def test_a_restart_at_any_point_changes_nothing(points, terms, cut):
    at, values = points
    before, current = one_at_a_time(at[:cut], values[:cut], terms)
    after, current = one_at_a_time(at[cut:], values[cut:], terms, current, min(cut, len(at)))
    assert episodes(at, values, terms) == before + after + ([current] if current else [])


@given(some_points, some_terms, st.integers(0, 40))
def test_what_has_ended_is_never_changed_by_what_comes_later(points, terms, cut):
    at, values = points
    early = [e for e in episodes(at[:cut], values[:cut], terms) if e.ended_at is not None]
    assert episodes(at, values, terms)[: len(early)] == early


@given(some_points, some_terms)
def test_missing_readings_change_nothing(points, terms):
    at, values = points
    valid = ~np.isnan(values)
    told = [(e.pending_at, e.fired_at, e.ended_at, e.peak) for e in episodes(at, values, terms)]
    without = episodes(at[valid], np.array(values)[valid], terms)
    assert told == [(e.pending_at, e.fired_at, e.ended_at, e.peak) for e in without]


@given(some_points, some_terms)
def test_episodes_follow_one_another_and_never_overlap(points, terms):
    found = episodes(*points, terms)
    assert all(a.ended_at is not None and a.ended_at <= b.pending_at for a, b in pairwise(found))


@given(st.lists(st.floats(2.0, 3.0, exclude_min=True), min_size=1, max_size=30))
def test_inside_the_band_nothing_flaps(band):
    quiet = run([0, *band], terms())
    (firing,) = run([4, *band], terms())
    assert quiet == []
    assert (firing.state, firing.fired_index) == (State.FIRING, 0)


@given(some_points, some_terms, st.randoms())
def test_the_same_points_in_any_order_of_arrival_give_the_same_episodes(points, terms, random):
    at = np.arange(len(points[0]))
    rows = list(zip(at, points[1], strict=True))
    random.shuffle(rows)
    rows.sort(key=lambda row: row[0])
    assert episodes([t for t, _ in rows], [v for _, v in rows], terms) == episodes(at, points[1], terms)
