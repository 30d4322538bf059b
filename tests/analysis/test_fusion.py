"""Voice and words that agree are pooled; those that contradict each other are kept apart."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis.recognition.fusion import conflict, fuse, linear_pool, log_pool, opposed, precision_weighted
from analysis.values import LABELS

shares = st.lists(st.floats(0, 1), min_size=5, max_size=5).filter(lambda x: sum(x) > 0.01)


def mostly(label, share=0.92):
    scores = np.full(9, (1 - share) / 8)
    scores[LABELS.index(label)] = share
    return scores


def probabilities(weights):
    return np.array(weights) / sum(weights)


def test_a_voice_and_words_that_agree_become_surer_together():
    found = fuse(mostly("happy", 0.6), mostly("happy", 0.6))
    assert not found.incongruent
    assert LABELS[found.scores.argmax()] == "happy"
    assert found.scores.sum() == pytest.approx(1)


def test_a_happy_word_in_a_sad_voice_keeps_both_apart():
    found = fuse(mostly("sad"), mostly("happy"))
    assert found.incongruent
    assert found.scores == pytest.approx(mostly("sad"))
    assert found.valence_audio < 0 < found.valence_text


def test_words_that_say_nothing_about_affect_never_conflict():
    found = fuse(mostly("sad"), mostly("unknown"))
    assert (found.distance, found.valence_text, found.incongruent) == (None, None, False)


@pytest.mark.parametrize(
    ("voice", "words", "conflicting"),
    [(-0.31, 0.3, True), (-0.3, 0.3, False), (0.1, 0.9, False), (-0.9, 0.0, False), (None, 0.9, False)],
)
def test_valences_conflict_across_zero_and_far_apart(voice, words, conflicting):
    assert opposed(voice, words) is conflicting


@given(shares, shares)
def test_a_conflict_is_mutual_and_within_its_range(one, other):
    p, q = probabilities(one), probabilities(other)
    assert 0 <= float(conflict(p, q)) <= 1
    assert float(conflict(p, q)) == pytest.approx(float(conflict(q, p)))
    assert float(conflict(p, p)) == 0


@given(shares, shares)
def test_a_weight_of_one_is_the_voice_alone(one, other):
    p, q = probabilities(one), probabilities(other)
    assert log_pool(p, q, 1.0) == pytest.approx(p, abs=1e-5)
    assert linear_pool(p, q, 1.0) == pytest.approx(p)


@given(shares, st.permutations(range(5)))
def test_pools_do_not_know_the_order_of_labels(one, order):
    p, q = probabilities(one), np.array([0.5, 0.2, 0.1, 0.1, 0.1])
    assert log_pool(p, q)[order] == pytest.approx(log_pool(p[order], q[order]))


@pytest.mark.parametrize(
    ("call", "reason"),
    [
        (lambda: log_pool([0.5, 0.5], [1.0, 0.0, 0.0]), "fusion-shape"),
        (lambda: log_pool([0.5, 0.6], [0.5, 0.5]), "fusion-probabilities"),
        (lambda: conflict([np.nan, 1.0], [0.5, 0.5]), "fusion-probabilities"),
        (lambda: log_pool([0.5, 0.5], [0.5, 0.5], 1.1), "fusion-weight"),
        (lambda: linear_pool([0.5, 0.5], [0.5, 0.5], float("nan")), "fusion-weight"),
        (lambda: precision_weighted(0.1, 0.2, 0.0, 0.0), "fusion-precision"),
        (lambda: fuse(np.full(9, np.nan), mostly("sad")), "fusion-shape"),
        (lambda: fuse([mostly("sad")], [mostly("sad")]), "fusion-shape"),
    ],
)
def test_bad_input_is_refused_by_name(call, reason):
    with pytest.raises(ValueError, match=reason):
        call()
