"""Scores become mood, readings and the seconds that made them."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from analysis.affect import (
    calibrate,
    contributions,
    decide_reading,
    frame_curve,
    normalized_entropy,
    project,
    softmax,
    top_label,
    window_scores,
)
from analysis.values import LABELS, Reading


def scores(**shares):
    """Nine scores; what the named labels leave over is spread evenly over the other affective ones."""
    rest = [label for label in LABELS if label not in shares and label not in ("other", "unknown")]
    left = 1.0 - sum(shares.values())
    return np.array([shares.get(label, left / len(rest) if label in rest else 0.0) for label in LABELS])


logits = arrays(np.float64, st.tuples(st.integers(1, 40), st.just(9)), elements=st.floats(-20, 20, width=32))


def test_one_vector_and_the_same_vector_in_a_table_have_the_same_mood():
    table = np.random.default_rng(1).dirichlet(np.full(9, 0.4), size=50)
    columns = project(table)
    for i, row in enumerate(table):
        one = project(row)
        assert (one.valence is None) == np.isnan(columns.valence[i])
        assert one.valence is None or one.valence == columns.valence[i]
        assert one.mass == columns.mass[i]


def test_other_and_unknown_weigh_nothing():
    assert project(scores(happy=0.3, sad=0.3, other=0.4)).valence == pytest.approx((0.81 - 0.63) / 2)


def test_a_mass_of_exactly_one_half_has_a_mood():
    assert project(scores(happy=0.5, unknown=0.5)).valence == pytest.approx(0.81)
    assert project(scores(happy=0.49, unknown=0.51)).valence is None


def test_missing_scores_have_no_mood_and_no_mass():
    missing = project(np.full(9, np.nan))
    assert (missing.valence, missing.mass) == (None, None)


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        (np.ones(8) / 8, "scores-shape"),
        (np.full(9, 0.2), "scores-sum"),
        (np.array([1.1, -0.1, 0, 0, 0, 0, 0, 0, 0]), "scores-negative"),
        (np.array([np.nan, 1, 0, 0, 0, 0, 0, 0, 0]), "scores-non-finite"),
        (np.array([np.inf, 0, 0, 0, 0, 0, 0, 0, 0]), "scores-non-finite"),
    ],
)
def test_scores_that_cannot_be_right_are_refused_by_name(bad, reason):
    with pytest.raises(ValueError, match=reason):
        project(bad)


@pytest.mark.parametrize(
    ("given_scores", "gate", "reading"),
    [
        (None, Reading.NO_SPEECH, Reading.NO_SPEECH),
        (scores(unknown=0.9), Reading.NO_SPEECH, Reading.NO_SPEECH),
        (scores(unknown=0.9), Reading.LOW_QUALITY, Reading.LOW_QUALITY),
        (scores(unknown=0.45, happy=0.4), None, Reading.UNKNOWN),
        (scores(other=0.31, unknown=0.3, happy=0.3), None, Reading.UNKNOWN),
        (scores(happy=0.45, other=0.3, unknown=0.25), None, Reading.UNKNOWN),
        (scores(happy=0.39, sad=0.3), None, Reading.AMBIGUOUS),
        (scores(happy=0.4, sad=0.3), Reading.OK, Reading.OK),
        (scores(neutral=0.8), None, Reading.OK),
    ],
)
def test_readings_follow_their_precedence(given_scores, gate, reading):
    assert decide_reading(given_scores, gate) is reading


def test_scores_may_be_absent_only_for_a_reason():
    with pytest.raises(ValueError, match="scores-missing"):
        decide_reading(None, Reading.OK)


@given(arrays(np.float64, 9, elements=st.floats(0.001, 1)))
def test_every_ok_reading_has_a_mood(raw):
    p = raw / raw.sum()
    assert decide_reading(p) is not Reading.OK or project(p).valence is not None


@given(arrays(np.float64, 9, elements=st.floats(0.001, 1)), st.floats(0.2, 5))
def test_calibration_keeps_the_order_and_undoes_itself(raw, temperature):
    p = raw / raw.sum()
    cooler = calibrate(p, temperature)
    assert cooler.sum() == pytest.approx(1)
    assert top_label(cooler) == top_label(p)
    np.testing.assert_allclose(calibrate(cooler, 1 / temperature), p, atol=1e-9)


def test_a_high_temperature_is_less_sure():
    assert calibrate(scores(happy=0.9), 2.0).max() < 0.9


def test_a_certain_score_survives_calibration():
    assert calibrate(scores(happy=1.0), 3.0)[LABELS.index("happy")] == 1.0


@given(arrays(np.float64, 9, elements=st.floats(0, 1)).filter(lambda a: a.sum() > 0.01))
def test_entropy_lies_between_certain_and_even(raw):
    assert 0 <= normalized_entropy(raw / raw.sum()) <= 1 + 1e-12


@given(logits)
def test_pushes_average_to_the_margin_of_the_utterance(frames):
    mean = frames.mean(axis=0)
    margin = mean[3] - np.delete(mean, 3).mean()
    assert contributions(frames, "happy").mean() == pytest.approx(margin, abs=1e-9)


@given(logits, st.floats(-50, 50))
def test_a_constant_on_a_frame_changes_neither_pushes_nor_scores(frames, shift):
    shifted = frames + shift * np.arange(len(frames))[:, None] / len(frames)
    np.testing.assert_allclose(contributions(shifted, "sad"), contributions(frames, "sad"), atol=1e-9)
    n = len(frames)
    np.testing.assert_allclose(window_scores(shifted, 0, n), window_scores(frames, 0, n), atol=1e-9)


def test_the_seconds_that_were_made_happy_push_happy_most():
    frames = np.zeros((100, 9))
    frames[40:50, LABELS.index("happy")] = 5.0
    pushed = contributions(frames, "happy")
    assert set(np.argsort(pushed)[-10:]) == set(range(40, 50))


@given(logits)
def test_windows_of_one_frame_are_that_frames_softmax(frames):
    starts, curve = frame_curve(frames, 1, 1)
    np.testing.assert_allclose(curve, softmax(frames), atol=1e-9)
    assert len(starts) == len(frames)


def test_an_utterance_shorter_than_a_window_has_no_curve():
    starts, curve = frame_curve(np.zeros((3, 9)), 5, 1)
    assert len(starts) == len(curve) == 0


@pytest.mark.parametrize(("start", "stop"), [(-1, 2), (2, 2), (0, 4)])
def test_a_window_outside_the_utterance_is_refused(start, stop):
    with pytest.raises(ValueError, match="window"):
        window_scores(np.zeros((3, 9)), start, stop)
