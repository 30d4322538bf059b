"""Shares over the latest observations, with the interval that so few allow."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest

from analysis.shares import abstained_share, emotion_share, incongruence_share, recent_share, wilson

HITS = st.lists(st.sampled_from([0.0, 1.0, float("nan")]), max_size=60)


@given(st.integers(1, 200), st.data())
def test_the_interval_agrees_with_scipy(n, data):
    count = data.draw(st.integers(0, n))
    peer = binomtest(count, n).proportion_ci(method="wilson")
    assert wilson(count, n) == pytest.approx((peer.low, peer.high), abs=1e-12)


@given(HITS)
def test_the_running_share_agrees_with_counting(hits):
    found = recent_share(hits)
    seen = []
    for i, hit in enumerate(hits):
        if np.isnan(hit):
            assert np.isnan([found.value[i], found.low[i], found.high[i]]).all() and found.n[i] == 0
            continue
        seen = [*seen, hit][-20:]
        assert found.n[i] == len(seen)
        if len(seen) < 10:
            assert np.isnan(found.value[i])
        else:
            assert found.value[i] == pytest.approx(np.mean(seen))
            assert (found.low[i], found.high[i]) == pytest.approx(wilson(int(sum(seen)), len(seen)))


@given(HITS)
def test_gaps_change_nothing_around_them(hits):
    x = np.array(hits)
    counted = ~np.isnan(x)
    assert np.array_equal(recent_share(x).value[counted], recent_share(x[counted]).value, equal_nan=True)


def test_a_share_of_one_emotion():
    labels = [None, *["sad"] * 9, None, "happy", *["sad"] * 12]
    found = emotion_share(labels, "sad")
    assert np.isnan(found.value[9]) and np.isnan(found.value[10])
    assert found.value[11] == 0.9 and found.n[11] == 10
    assert found.value[-1] == 0.95 and found.n[-1] == 20
    assert found.low[-1] > 0.5 > emotion_share(["sad"] * 7 + ["happy"] * 3, "sad").low[-1]


def test_turns_without_a_reading_count_among_all():
    found = abstained_share([True] * 6 + [False] * 5)
    assert np.isnan(found.value[8])
    assert found.value[9:] == pytest.approx([0.4, 5 / 11])


def test_tone_against_words_counts_only_where_both_are_there():
    found = incongruence_share([None] * 30 + [True, False] * 5)
    assert np.isnan(found.value[:39]).all() and found.value[39] == 0.5 and found.n[39] == 10


@pytest.mark.parametrize(
    ("call", "slug"),
    [
        (lambda: emotion_share(["sad"], "unknown"), "share-label"),
        (lambda: recent_share([0.5]), "share-hits"),
        (lambda: recent_share([1.0], window=5), "share-window"),
        (lambda: recent_share([np.inf]), "dynamics-values"),
        (lambda: wilson(3, 2), "share-counts"),
    ],
)
def test_bad_input_is_named(call, slug):
    with pytest.raises(ValueError, match=slug):
        call()


def test_no_utterances_no_shares():
    assert len(recent_share([]).value) == 0
