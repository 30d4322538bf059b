"""Patterns: planted styles are found and kept; clouds, noise and too little give a reason instead."""

import numpy as np
import pytest
from sklearn.metrics import adjusted_rand_score, silhouette_samples

from analysis.clusters import (
    Reason,
    find_patterns,
    find_population_patterns,
    lifts,
    match_patterns,
    own_basis,
    refit_due,
    without_person,
)
from analysis.partitions import adjusted_rand, best_partition, cosine_silhouette
from analysis.projection import fit_basis, unit_rows
from analysis.synthetic import story
from analysis.values import LABELS


def told(name: str, seed: int = 0, weeks: int = 8):
    """Embeddings, scores and styles of an invented person's utterances that gave a reading."""
    history = story(name, seed, weeks, talk=False)
    turns = [
        turn
        for session in history.sessions
        for turn in session.turns
        if turn.speaker == "client" and turn.reading == "ok"
    ]
    return (
        np.array([turn.embedding for turn in turns]),
        np.array([turn.scores for turn in turns]),
        [turn.style for turn in turns],
    )


def around(centers: np.ndarray, n: int, seed: int = 0, noise: float = 0.35):
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, len(centers), n)
    return centers[labels] + rng.normal(size=(n, centers.shape[1])) * noise, labels


@pytest.fixture(scope="module")
def centers():
    return np.random.default_rng(9).normal(size=(4, 64))


# --- What is found ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(3))
def test_two_planted_styles_are_found_and_named(seed):
    embeddings, scores, styles = told("two_styles", seed)
    found = find_patterns(embeddings, scores)
    assert found.reason is None
    assert adjusted_rand(np.array(styles), found.labels) == 1
    named = {pattern.lifts[0].label for pattern in found.patterns}
    assert "happy" in named
    assert named & {"sad", "fearful"}


def test_three_planted_patterns_come_largest_first_with_their_shares(centers):
    rows = np.concatenate([around(centers[i : i + 1], n, i)[0] for i, n in enumerate((30, 60, 90))])
    found = find_patterns(rows)
    assert [pattern.members for pattern in found.patterns] == [90, 60, 30]
    assert [round(pattern.share, 3) for pattern in found.patterns] == [0.5, 0.333, 0.167]
    assert set(found.labels[:30]) == {2}


def test_typical_utterances_lie_nearest_to_the_middle(centers):
    rows, labels = around(centers[:2], 60)
    rows[np.flatnonzero(labels == 0)[:4]] = centers[0] + np.eye(4, 64) * 1e-3
    found = find_patterns(rows)
    planted = set(np.flatnonzero(labels == 0)[:4].tolist())
    assert planted in [set(pattern.typical) for pattern in found.patterns]
    assert all(pattern.medoid == pattern.typical[0] for pattern in found.patterns)


def test_the_same_history_gives_the_same_patterns(centers):
    rows, _labels = around(centers, 120)
    first, again = find_patterns(rows), find_patterns(rows.copy())
    np.testing.assert_array_equal(first.labels, again.labels)
    assert (first.silhouette, first.agreement) == (again.silhouette, again.agreement)


def test_order_scale_and_shift_do_not_change_the_patterns(centers):
    rows, labels = around(centers, 120)
    shuffled = np.random.default_rng(3).permutation(120)
    found = find_patterns(rows[shuffled] * 7 - 30)
    assert adjusted_rand(labels[shuffled], found.labels) == 1


def test_the_populations_directions_are_used_about_the_persons_own_mean(centers):
    rows, labels = around(centers[:2], 80)
    population = fit_basis(np.concatenate([around(centers, 300)[0], -around(centers, 300)[0]]))
    found = find_patterns(rows + 50, basis=population)
    assert adjusted_rand(labels, found.labels) == 1
    np.testing.assert_array_equal(found.basis.axes, population.axes)


def test_the_variance_explained_is_the_persons_and_not_the_populations():
    rng = np.random.default_rng(0)
    population = fit_basis(rng.normal(size=(500, 3)) * [9, 3, 1])
    rows = rng.normal(size=(400, 3)) * [1, 1, 2]
    found = own_basis(rows, population).explained
    np.testing.assert_allclose(found, [1 / 6, 1 / 6, 4 / 6], atol=0.05)


# --- What is not ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["nothing", "improving", "jump", "flat", "drift"])
def test_a_history_without_styles_has_no_patterns(name):
    embeddings, scores, _styles = told(name, weeks=20)
    found = find_patterns(embeddings, scores)
    assert found.reason in {Reason.NOT_SEPARATED, Reason.LIKE_A_CLOUD}
    assert found.patterns == ()
    assert found.assigner is None


@pytest.mark.parametrize("dimension", [8, 64])
@pytest.mark.parametrize("n", [40, 150])
def test_noise_has_no_patterns(dimension, n):
    reasons = {
        find_patterns(np.random.default_rng(seed).normal(size=(n, dimension))).reason for seed in range(4)
    }
    assert None not in reasons


def test_a_cloud_that_is_long_in_one_direction_is_not_two_patterns():
    rows = np.random.default_rng(0).normal(size=(300, 20)) * np.r_[6, np.ones(19)]
    found = find_patterns(rows)
    assert found.reason is Reason.LIKE_A_CLOUD
    assert found.silhouette > 0.25
    assert found.chance == pytest.approx(found.silhouette, abs=0.1)


def test_what_is_parted_in_another_way_each_time_is_not_shown():
    """Sixteen small groups, all equally far from one another: any eight clusters are as good as others."""
    rows = np.repeat(np.eye(16), 6, axis=0) + np.random.default_rng(0).normal(size=(96, 16)) * 0.05
    found = find_patterns(rows)
    assert found.reason is Reason.NOT_STABLE
    assert found.silhouette > found.chance + 0.2
    assert found.agreement < 0.6


def test_a_few_odd_utterances_are_no_pattern_and_hide_none(centers):
    rows = np.concatenate([around(centers[i : i + 1], n, i, 0.05)[0] for i, n in enumerate((58, 58, 4))])
    assert len(best_partition(unit_rows(rows - rows.mean(axis=0)))[0]) == 3
    found = find_patterns(rows)
    assert len(found.patterns) == 2
    assert adjusted_rand(np.repeat([0, 1], 58), found.labels[:116]) == 1


def test_a_pattern_of_fewer_than_five_is_not_shown():
    found = find_patterns(np.repeat([[1.0, 0.0], [0.0, 1.0]], [44, 4], axis=0))
    assert (found.reason, found.n, found.patterns) == (Reason.TOO_SMALL, 48, ())


@pytest.mark.parametrize(("n", "reason"), [(0, Reason.TOO_FEW), (39, Reason.TOO_FEW), (40, None)])
def test_forty_utterances_are_needed(centers, n, reason):
    rows, _labels = around(centers[:2], 40)
    assert find_patterns(rows[:n]).reason is reason


def test_a_constant_history_has_no_spread():
    assert find_patterns(np.full((60, 8), 3.0)).reason is Reason.NO_SPREAD


def test_two_ends_of_a_single_direction_are_no_patterns():
    """At unit length, whatever varies in one direction alone is two points."""
    found = find_patterns(np.repeat([[1.0, 0.0], [0.0, 1.0]], 30, axis=0))
    assert (found.reason, found.silhouette, found.chance) == (Reason.LIKE_A_CLOUD, 1, 1)


def test_many_copies_of_three_utterances_are_three_patterns():
    found = find_patterns(np.repeat(np.eye(3), 30, axis=0))
    assert [pattern.members for pattern in found.patterns] == [30, 30, 30]


@pytest.mark.parametrize(
    ("rows", "scores", "said"),
    [
        (np.full((50, 4), np.nan), None, "NaN or infinity"),
        (np.full((50, 4), np.inf), None, "NaN or infinity"),
        (np.ones(50), None, r"\(n, D\)"),
        (np.ones((50, 4)), np.full((49, 9), 1 / 9), "nine scores for each"),
        (np.ones((50, 4)), np.full((50, 9), np.nan), "nine scores for each"),
        (np.ones((50, 4)), np.full((50, 9), 1.0), "scores-sum"),
    ],
)
def test_bad_input_is_named(rows, scores, said):
    with pytest.raises(ValueError, match=said):
        find_patterns(rows, scores)


# --- Measures of partitions -------------------------------------------------------------------------------


def test_the_silhouette_without_pairs_agrees_with_scikit_learn():
    rng = np.random.default_rng(0)
    points, labels = unit_rows(rng.normal(size=(90, 6))), rng.integers(0, 4, 90)
    labels[labels == 3] = 2
    labels[0] = 3  # alone in its cluster
    peer = silhouette_samples(points, labels, metric="cosine")
    np.testing.assert_allclose(cosine_silhouette(points, labels), peer, atol=1e-12)


def test_the_adjusted_rand_index_agrees_with_scikit_learn():
    rng = np.random.default_rng(0)
    left, right = rng.integers(0, 4, 200), rng.integers(0, 3, 200)
    assert adjusted_rand(left, right) == pytest.approx(adjusted_rand_score(left, right), abs=1e-12)
    assert adjusted_rand(left, left) == 1


def test_a_label_is_named_by_how_much_more_it_is_heard_and_never_when_it_is_rare():
    usual = np.zeros((4, 9))
    usual[:, LABELS.index("neutral")] = [0.8, 0.8, 0.3, 0.3]
    usual[:, LABELS.index("sad")] = [0.1, 0.1, 0.4, 0.4]
    usual[:, LABELS.index("angry")] = [0.06, 0.06, 0.12, 0.12]
    usual[:, LABELS.index("fearful")] = [0, 0, 0.04, 0.04]
    usual[:, LABELS.index("unknown")] = 1 - usual.sum(axis=1)
    found = lifts(usual[2:], usual)
    assert [(lift.label, round(lift.lift, 3)) for lift in found] == [("sad", 1.6), ("angry", 1.333)]
    assert found[0].share == pytest.approx(0.4)


# --- Over time --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("n", [60, 300])
def test_new_utterances_join_their_pattern_and_few_are_novel(centers, n):
    rows, labels = around(centers[:3], n)
    found = find_patterns(rows)
    place = [int(found.labels[labels == i][0]) for i in range(3)]
    fresh, truth = around(centers[:3], 200, seed=5)
    assigned = [found.assigner.assign(row) for row in fresh]
    assert [a.pattern for a in assigned] == [place[i] for i in truth]
    assert np.mean([a.novel for a in assigned]) < 0.12


def test_a_new_way_of_sounding_is_novel(centers):
    found = find_patterns(around(centers[:3], 150)[0])
    strange, _labels = around(centers[3:], 50, seed=5)
    assert all(found.assigner.assign(row).novel for row in strange)


def test_an_utterance_of_another_dimension_is_never_assigned(centers):
    found = find_patterns(around(centers[:3], 150)[0])
    with pytest.raises(ValueError, match="embedding-dimension"):
        found.assigner.assign(np.ones(63))


@pytest.mark.parametrize(
    ("fitted", "assigned", "novel", "due"),
    [
        (100, 19, 19, False),
        (100, 20, 0, True),
        (1000, 20, 2, False),
        (1000, 20, 3, True),
        (1000, 199, 19, False),
        (1000, 200, 0, True),
        (0, 0, 0, False),
    ],
)
def test_patterns_are_looked_for_again_after_growth_or_novelty(fitted, assigned, novel, due):
    assert refit_due(fitted=fitted, assigned=assigned, novel=novel) is due


def test_a_pattern_keeps_its_identity_when_it_is_found_again(centers):
    first = find_patterns(around(centers[:3], 120, seed=1)[0])
    again = find_patterns(around(centers[[2, 0, 3, 1]], 200, seed=2)[0])
    before, after = ([p.center for p in found.patterns] for found in (first, again))
    pairs = match_patterns(before, after)
    assert sorted(place for place in pairs if place is not None) == [0, 1, 2]
    for new, old in enumerate(pairs):
        like = (unit_rows(np.array(after)) @ (centers - centers[:3].mean(axis=0)).T)[new].argmax()
        kin = (unit_rows(np.array(before)) @ (centers - centers[:3].mean(axis=0)).T)[old or 0].argmax()
        assert like == (3 if old is None else kin)


def test_nothing_before_means_that_all_are_new():
    assert match_patterns([], [np.ones(3)]) == [None]
    assert match_patterns([np.ones(3)], []) == []


def test_opposite_centers_are_never_the_same_pattern():
    assert match_patterns([np.array([1.0, 0])], [np.array([-1.0, 0])]) == [None]


# --- Many people ------------------------------------------------------------------------------------------


def test_without_a_persons_mean_people_cannot_be_told_apart():
    rng = np.random.default_rng(0)
    people = np.repeat([3, 8, 5], 20)
    voices = {3: 10, 8: -10, 5: 4}
    rows = rng.normal(size=(60, 6)) + np.array([voices[p] for p in people])[:, None]
    left = without_person(rows, people)
    for person in voices:
        np.testing.assert_allclose(left[people == person].mean(axis=0), 0, atol=1e-5)


def test_population_patterns_are_moods_and_not_speakers(centers):
    rng = np.random.default_rng(4)
    rows, moods = around(centers[:2], 240)
    people = np.repeat(np.arange(6), 40)
    rows = rows + rng.normal(size=(6, 64))[people] * 8
    assert adjusted_rand(people, find_patterns(rows).labels) == 1
    assert adjusted_rand(moods, find_population_patterns(rows, people).labels) > 0.95


def test_each_embedding_needs_its_person():
    with pytest.raises(ValueError, match="one person for each"):
        without_person(np.ones((3, 2)), [1, 2])


def test_a_pattern_that_keeps_its_utterances_is_the_same_wherever_the_mean_has_gone():
    before, after = (
        [np.array([1.0, 0.0]), np.array([0.0, 1.0])],
        [np.array([0.0, -1.0]), np.array([-1.0, 0.0])],
    )
    assert match_patterns(before, after) == [None, None]
    assert match_patterns(before, after, [[0.9, 0.0], [0.1, 0.4]]) == [0, None]
