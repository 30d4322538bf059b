"""Which emotion follows which, and how mixed they are."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis.affect import AFFECT_LABELS
from analysis.transitions import entropy_of_counts, mix, transitions

SAD, HAPPY = AFFECT_LABELS.index("sad"), AFFECT_LABELS.index("happy")
labels = st.lists(st.sampled_from([*AFFECT_LABELS, None]), max_size=40)


def test_a_planted_order_is_found():
    found = transitions(["sad", "sad", "happy"] * 10)
    assert (found.counts[SAD, SAD], found.counts[SAD, HAPPY], found.counts[HAPPY, SAD]) == (10, 10, 9)
    assert found.shares[SAD, [SAD, HAPPY]].tolist() == [0.5, 0.5]


def test_a_row_with_fewer_than_ten_exits_has_no_shares():
    found = transitions(["sad", "sad", "happy"] * 10)
    assert (found.exits[HAPPY], np.isnan(found.shares[HAPPY]).all()) == (9, True)


def test_an_abstention_breaks_the_chain():
    assert transitions(["sad", None, "happy"]).counts.sum() == 0


def test_no_chain_spans_two_sessions():
    assert transitions(["sad", "happy", "sad"], sessions=[1, 2, 2]).counts.sum() == 1


def test_too_little_has_a_reason_and_its_coverage():
    found = transitions(["sad", None])
    assert (found.reason, found.coverage) == ("too_few_exits", 0.5)
    assert transitions([]).coverage is None


@given(labels)
def test_no_transition_is_lost_or_invented(sequence):
    wanted = sum(a is not None and b is not None for a, b in pairwise(sequence))
    found = transitions(sequence)
    assert found.counts.sum() == found.exits.sum() == wanted


def test_seven_labels_alike_are_fully_mixed_and_one_alone_is_not():
    assert mix(list(AFFECT_LABELS) * 10).value == 1.0
    assert mix(["sad"] * 20).value == 0.0


def test_small_samples_are_corrected_toward_their_truth():
    """Miller–Madow: the plain entropy of 20 draws from seven alike labels is too low by .08 on average."""
    rng = np.random.default_rng(1)
    counts = rng.multinomial(20, np.full(7, 1 / 7), size=2_000)
    plain = [-(p[p > 0] * np.log(p[p > 0])).sum() / np.log(7) for p in counts / 20]
    corrected = [entropy_of_counts(row, 7) for row in counts]
    assert np.mean(plain) < 0.93
    assert np.mean(corrected) == pytest.approx(0.98, abs=0.02)


def test_mix_waits_for_twenty_utterances():
    assert (mix(["sad"] * 19 + [None] * 10).reason, mix(["sad"] * 20).reason) == ("too_few_values", None)


@given(st.lists(st.integers(0, 50), min_size=7, max_size=7).filter(any), st.permutations(range(7)))
def test_mix_knows_no_order_of_labels(counts, order):
    shuffled = [counts[i] for i in order]
    assert entropy_of_counts(shuffled, 7) == pytest.approx(entropy_of_counts(counts, 7))
    assert 0 <= entropy_of_counts(counts, 7) <= 1


@pytest.mark.parametrize(
    ("call", "reason"),
    [
        (lambda: transitions(["sad", "unknown"]), "transitions-label"),
        (lambda: transitions(["sad", "joy"]), "transitions-label"),
        (lambda: transitions(["sad"], sessions=[1, 2]), "dynamics-sessions"),
        (lambda: entropy_of_counts([1, -1], 7), "entropy-counts"),
        (lambda: entropy_of_counts([1, 2, 3], 2), "entropy-counts"),
    ],
)
def test_bad_input_is_refused_by_name(call, reason):
    with pytest.raises(ValueError, match=reason):
        call()


def test_nothing_counted_is_not_defined():
    assert np.isnan(entropy_of_counts([], 7))
