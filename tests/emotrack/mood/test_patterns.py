"""Patterns of a client are found, kept, and known again; what is like an utterance is found."""

from datetime import timedelta

import numpy as np
import pytest

from analysis.clusters import Reason
from emotrack.history.models import Client, Embedding
from emotrack.mood import actions as mood
from emotrack.mood import patterns
from emotrack.mood.embeddings import heard, heard_utterances
from emotrack.mood.likeness import alike
from emotrack.mood.models import MoodCluster, PatternFit, PatternMembership
from tests.emotrack import factories as make

pytestmark = pytest.mark.django_db

STYLES = np.random.default_rng(5).normal(size=(4, 24)) * 2
LABELS = ("happy", "sad", "angry", "neutral")


def say(session, styles, seed=0, noise=0.3) -> list:
    """Utterances of the session, each in one of the styles."""
    rng = np.random.default_rng(seed)
    return [
        make.utterance(
            session,
            shares=make.scores(**{LABELS[style]: 0.7}),
            embedding=STYLES[style] + rng.normal(size=24) * noise,
            by=make.recognizer(dimension=24),
        )
        for style in styles
    ]


@pytest.fixture
def ann() -> Client:
    return make.client("Ann")


@pytest.fixture
def session(ann):
    return make.session(ann)


def refresh(client) -> PatternFit:
    return patterns.refresh_patterns(client, make.recognizer(), now=make.NOW)


def standing(fit) -> dict[str, str]:
    """Public id of each pattern by its strongest label."""
    return {c.labels[0]["label"]: c.public_id for c in fit.clusters.filter(retired_at=None)}


def test_two_planted_styles_become_two_patterns_with_their_members(ann, session):
    said = say(session, [0, 1] * 30)
    fit = refresh(ann)
    assert (fit.reason, fit.n) == ("", 60)
    found = {u.pattern.cluster.labels[0]["label"] for u in _again(said[::2])}
    assert found == {"happy"}
    assert set(standing(fit)) == {"happy", "sad"}


def _again(utterances) -> list:
    return list(type(utterances[0]).objects.filter(pk__in=[u.pk for u in utterances]))


def test_each_pattern_has_its_medoid_and_three_more_examples(ann, session):
    say(session, [0, 1] * 30)
    for cluster in refresh(ann).clusters.all():
        ranks = (
            cluster.memberships.exclude(typical=None).order_by("typical").values_list("typical", flat=True)
        )
        assert list(ranks) == [0, 1, 2, 3]


@pytest.mark.parametrize(
    ("styles", "reason"),
    [([0, 1] * 10, Reason.TOO_FEW), ([0] * 60, Reason.NOT_SEPARATED), ([], Reason.TOO_FEW)],
)
def test_without_distinct_patterns_the_reason_is_kept_and_nothing_else(ann, session, styles, reason):
    say(session, styles, noise=1)
    fit = refresh(ann)
    assert (fit.reason, fit.clusters.count(), fit.mean) == (reason, 0, None)


def test_only_the_clients_own_readings_count(ann, session):
    say(session, [0, 1] * 15)
    for _ in range(20):
        make.utterance(session, speaker="counselor", text="Hello.")
        make.utterance(session, shares=make.scores(unknown=0.9), embedding=STYLES[2], by=make.recognizer())
        make.utterance(session, shares=make.scores(sad=0.9), by=make.recognizer())
    assert heard_utterances(ann, make.recognizer()).count() == 30
    assert refresh(ann).n == 30


def test_embeddings_come_oldest_first_across_blocks(ann, session, monkeypatch):
    monkeypatch.setattr("emotrack.mood.embeddings.BLOCK_ROWS", 4)
    late = say(session, [0] * 5)
    early = make.utterance(
        session, session.started_at - timedelta(hours=1), embedding=STYLES[1], by=make.recognizer()
    )
    said = heard(ann, make.recognizer())
    assert said.ids.tolist() == [early.pk, *(u.pk for u in late)]
    np.testing.assert_array_equal(said.embeddings[0], STYLES[1].astype(np.float16))
    np.testing.assert_allclose(said.scores.sum(axis=1), 1)


# --- Over time --------------------------------------------------------------------------------------------


def test_a_new_utterance_joins_its_pattern_without_a_fit(ann, session):
    say(session, [0, 1] * 30)
    first = refresh(ann)
    fresh = say(session, [1, 0, 0], seed=8)
    again = refresh(ann)
    assert (again.pk, again.n) == (first.pk, 60)
    labels = [u.pattern.cluster.labels[0]["label"] for u in _again(fresh)]
    assert labels == ["sad", "happy", "happy"]
    assert all(u.pattern.novel == (u.pattern.distance > first.radius) for u in _again(fresh))


def test_a_fifth_more_utterances_ask_for_a_new_fit(ann, session):
    say(session, [0, 1] * 30)
    refresh(ann)
    say(session, [0, 1] * 5 + [0], seed=3)
    assert refresh(ann).n == 60
    say(session, [1], seed=4)
    assert refresh(ann).n == 72


def test_a_new_style_asks_for_a_new_fit_before_the_history_has_grown_by_a_fifth(ann, session):
    say(session, [0, 1] * 75)
    refresh(ann)
    strange = say(session, [2] * 24, seed=3)
    assert refresh(ann).n == 174
    assert {u.pattern.cluster.labels[0]["label"] for u in _again(strange)} == {"angry"}


def test_patterns_keep_their_ids_when_they_are_found_again(ann, session):
    say(session, [0, 1] * 30)
    before = standing(refresh(ann))
    say(session, [2] * 40 + [1] * 10, seed=3)
    after = standing(refresh(ann))
    assert set(after) == {"happy", "sad", "angry"}
    assert {label: after[label] for label in before} == before


def test_a_pattern_that_comes_back_is_the_one_it_was(ann, session):
    old = say(session, [0, 1] * 30)
    before = standing(refresh(ann))
    for utterance in old[1::2]:
        utterance.delete()
    fit = refresh(ann)
    assert (fit.reason, standing(fit)) == (Reason.TOO_FEW, {})
    say(session, [1] * 30, seed=9)
    assert standing(refresh(ann)) == before


def letters(fit) -> dict[str, str]:
    """Letter of each pattern by its strongest label."""
    return {c.labels[0]["label"]: c.letter for c in fit.clusters.filter(retired_at=None)}


def test_letters_stay_when_the_sizes_swap(ann, session):
    say(session, [0] * 40 + [1] * 20)
    fit = refresh(ann)
    assert letters(fit) == {"happy": "A", "sad": "B"}
    say(session, [1] * 60, seed=3)
    swapped = refresh(ann)
    assert swapped.n == 120
    assert [c.letter for c in swapped.clusters.filter(retired_at=None).order_by("place")] == ["B", "A"]
    assert letters(swapped) == {"happy": "A", "sad": "B"}


def test_the_letter_of_a_vanished_pattern_is_not_given_to_another(ann, session):
    old = say(session, [0, 1] * 30)
    refresh(ann)
    for utterance in old[1::2]:
        utterance.delete()
    say(session, [2] * 30, seed=3)
    assert letters(refresh(ann)) == {"happy": "A", "angry": "C"}
    say(session, [1] * 30, seed=4)
    assert letters(refresh(ann)) == {"happy": "A", "angry": "C", "sad": "B"}


def test_when_all_letters_were_given_the_pattern_gone_longest_loses_its_own(ann, session):
    say(session, [0, 1] * 30)
    fit = refresh(ann)
    for number, letter in enumerate("CDEFGHIJKLMNOPQRSTUVWXYZ"):
        gone = MoodCluster(
            fit=fit, found_at=make.NOW, retired_at=make.NOW + timedelta(days=(number - 5) % 24)
        )
        gone.place, gone.letter, gone.center = 0, letter, -STYLES[3].astype(np.float32)
        gone.save()
    say(session, [2] * 30, seed=3)
    assert letters(refresh(ann)) == {"happy": "A", "sad": "B", "angry": "H"}
    assert fit.clusters.get(letter="H").retired_at is None
    assert fit.clusters.filter(letter="").count() == 1


def pattern_state(client) -> list:
    """All that is kept of a client's patterns but for the names that chance gives."""
    fit = PatternFit.objects.get(client=client)
    members = PatternMembership.objects.filter(cluster__fit=fit).order_by("utterance__occurred_at")
    rows = members.values_list("utterance__occurred_at", "cluster__letter", "distance", "novel", "typical")
    return [fit.n, fit.reason, fit.silhouette, fit.agreement, fit.radius, *rows]


def test_an_utterance_that_is_added_and_deleted_leaves_no_trace_in_the_patterns(ann, session):
    say(session, [0, 1] * 30)
    refresh(ann)
    before = pattern_state(ann)
    extra = say(session, [1, 2, 0], seed=8)
    refresh(ann)
    assert pattern_state(ann) != before
    for utterance in extra:
        utterance.delete()
    refresh(ann)
    assert pattern_state(ann) == before


@pytest.mark.parametrize("seed", range(3))
def test_the_order_of_arrival_does_not_matter_to_the_patterns(seed):
    def said_by(name: str, order) -> list:
        client = make.client(name)
        session = make.session(client)
        rng = np.random.default_rng(4)
        rows = [STYLES[i % 2] + rng.normal(size=24) * 0.3 for i in range(70)]
        for batch in (order[order < 60], order[order >= 60]):
            for place in batch:
                make.utterance(
                    session,
                    session.started_at + timedelta(seconds=10 * int(place)),
                    shares=make.scores(**{LABELS[place % 2]: 0.7}),
                    embedding=rows[place],
                    by=make.recognizer(dimension=24),
                )
            refresh(client)
        return pattern_state(client)

    shuffled = np.random.default_rng(seed).permutation(70)
    assert said_by("Ben", shuffled) == said_by("Ann", np.arange(70))


def test_an_utterance_that_is_deleted_or_changes_hands_leaves_its_pattern(ann, session):
    said = say(session, [0, 1] * 30)
    refresh(ann)
    said[0].delete()
    said[1].speaker = "counselor"
    said[1].save()
    refresh(ann)
    assert PatternMembership.objects.count() == 58


def test_what_is_deleted_while_patterns_are_found_is_left_out(ann, session, monkeypatch):
    said = say(session, [0, 1] * 30)
    find = patterns.find_patterns

    def find_slowly(*arguments, **options):
        found = find(*arguments, **options)
        said[0].delete()
        return found

    monkeypatch.setattr(patterns, "find_patterns", find_slowly)
    refresh(ann)
    assert PatternMembership.objects.count() == 59


def test_each_recognizer_has_its_own_patterns(ann, session):
    say(session, [0, 1] * 30)
    refresh(ann)
    other = patterns.refresh_patterns(ann, make.recognizer("2"), now=make.NOW)
    assert (other.n, other.reason) == (0, Reason.TOO_FEW)
    assert PatternFit.objects.get(recognizer=make.recognizer()).n == 60


# --- The recurring look -----------------------------------------------------------------------------------


def test_every_changed_series_is_looked_at_once(ann, session):
    for utterance in say(session, [0, 1] * 30):
        mood.refresh(utterance)
    assert patterns.look_again(now=make.NOW) == 1
    assert patterns.look_again(now=make.NOW) == 0
    assert len(standing(PatternFit.objects.get())) == 2
    mood.refresh(say(session, [0])[0])
    assert patterns.look_again(now=make.NOW) == 1
    assert PatternMembership.objects.count() == 61


def test_a_series_that_fails_keeps_no_other_from_its_look(ann, session):
    broken = make.session(make.client("Ben"))
    for utterance in say(broken, [0] * 2) + say(session, [0, 1] * 30):
        mood.refresh(utterance)
    wrong = Embedding.objects.filter(utterance__session=broken).first()
    wrong.vector = np.ones(7)
    wrong.save()
    with pytest.raises(ExceptionGroup):
        patterns.look_again(now=make.NOW)
    assert PatternFit.objects.get().client == ann


def test_an_erased_client_is_not_looked_at(ann, session):
    mood.refresh(say(session, [0])[0])
    Client.objects.filter(pk=ann.pk).update(erased_at=make.NOW, wrapped_key=None)
    assert patterns.look_again(now=make.NOW) == 0


# --- What is kept -----------------------------------------------------------------------------------------


def test_centers_and_directions_are_sealed(ann, session):
    say(session, [0, 1] * 30)
    fit = refresh(ann)
    raw = PatternFit.objects.filter(pk=fit.pk).values_list("mean", "axes").get()
    center = MoodCluster.objects.values_list("center", flat=True).first()
    for sealed in (*raw, center):
        assert len(sealed.data) % 4 == 1  # version, nonce and tag: 29 bytes more than the numbers
    kept = PatternFit.objects.get()
    np.testing.assert_allclose(kept.mean, heard(ann, make.recognizer()).embeddings.mean(axis=0), atol=2e-3)


def test_the_map_shows_the_two_styles_apart(ann, session):
    say(session, [0, 1] * 30)
    found = patterns.map_of(refresh(ann), heard(ann, make.recognizer()))
    apart = np.linalg.norm(found.positions[::2].mean(axis=0) - found.positions[1::2].mean(axis=0))
    assert apart == pytest.approx(np.linalg.norm(STYLES[0] - STYLES[1]), rel=0.05)
    assert found.explained[0] > 0.5


# --- Likeness ---------------------------------------------------------------------------------------------


def test_the_most_alike_come_first_and_never_the_utterance_itself(ann, session):
    said = say(session, [0, 1] * 10)
    found = alike(said[0], [ann], count=5)
    assert {one.utterance.pk for one in found} <= {u.pk for u in said[2::2]}
    similarity = [one.similarity for one in found]
    assert similarity == sorted(similarity, reverse=True)
    assert len(found) == 5


def test_blocks_end_in_the_same_neighbors(ann, session, monkeypatch):
    said = say(session, [0, 1] * 10)
    whole = [one.utterance.pk for one in alike(said[0], [ann], count=7)]
    monkeypatch.setattr("emotrack.mood.embeddings.BLOCK_ROWS", 3)
    assert [one.utterance.pk for one in alike(said[0], [ann], count=7)] == whole


def test_others_are_found_only_among_the_clients_given(ann, session):
    said = say(session, [0])
    ben = make.client("Ben")
    other = say(make.session(ben), [0])
    assert [one.utterance for one in alike(said[0], [ann, ben], count=5)] == other
    assert alike(said[0], [ann], count=5) == []


def test_another_series_is_never_compared(ann, session):
    said = say(session, [0, 0])
    make.utterance(session, embedding=STYLES[0], by=make.recognizer("2", dimension=24))
    assert [one.utterance for one in alike(said[0], [ann], count=5)] == said[1:]


def test_an_utterance_without_embedding_is_like_nothing(ann, session):
    say(session, [0, 0])
    assert alike(make.utterance(session, by=make.recognizer()), [ann], count=5) == []
