"""Reference cases 01 and 16: the projection and the scores of windows agree with R, pandas and scipy."""

import numpy as np
import pytest

from analysis import affect
from analysis.values import LABELS
from tests.analysis.reference import arrays, expected, numbers, table


@pytest.fixture(scope="module")
def case():
    return expected("01_vad_projection")


@pytest.fixture(scope="module")
def scores():
    columns = table("scores9")
    return np.column_stack([columns[label] for label in LABELS])


@pytest.mark.parametrize(
    ("field", "key"),
    [
        ("mass", "affect_mass"),
        ("valence", "valence"),
        ("arousal", "arousal"),
        ("dominance", "dominance"),
    ],
)
def test_the_projection_agrees_with_r(case, scores, field, key):
    np.testing.assert_allclose(getattr(affect.project(scores), field), numbers(case[key]), rtol=0, atol=1e-9)


@pytest.mark.parametrize(("column", "dimension"), list(enumerate(["valence", "arousal", "dominance"])))
def test_the_spread_agrees_with_r(case, scores, column, dimension):
    found = affect.spread(scores)[:, column]
    np.testing.assert_allclose(found, numbers(case[f"{dimension}_spread"]), rtol=0, atol=1e-9)


def test_the_entropy_over_nine_labels_agrees_with_r(case, scores):
    np.testing.assert_allclose(affect.entropy(scores), numbers(case["entropy_nats_9"]), rtol=0, atol=1e-9)
    found = affect.normalized_entropy(scores)
    np.testing.assert_allclose(found, numbers(case["entropy_norm_9"]), rtol=0, atol=1e-9)


def test_the_coordinates_are_those_of_the_case(case):
    assert {label: tuple(point) for label, point in case["coords"].items()} == affect.PAD


def test_the_scores_of_windows_agree_with_pandas():
    case, logits = expected("16_frame_curves"), arrays("frames")["logits"]
    starts, curve = affect.frame_curve(logits, case["window_frames"], case["hop_frames"])
    np.testing.assert_allclose(curve, case["curve"], rtol=0, atol=1e-9)
    np.testing.assert_allclose(starts / case["frame_rate_hz"], case["window_start_s"], rtol=0, atol=1e-9)


def test_the_whole_utterance_is_one_window():
    case, logits = expected("16_frame_curves"), arrays("frames")["logits"]
    found = affect.window_scores(logits, 0, len(logits))
    np.testing.assert_allclose(found, case["utterance_scores"], rtol=0, atol=1e-9)
