"""The seconds that are marked are those that pushed."""

import numpy as np
import pytest

from analysis.values import LABELS
from emotrack.web.sparks import sparkline
from emotrack.web.why import why
from tests.emotrack.factories import NOW

ANGRY = LABELS.index("angry")


def frames(pushes):
    logits = np.zeros((len(pushes), len(LABELS)))
    logits[:, ANGRY] = pushes
    return logits


def test_planted_seconds_are_found():
    found = why(frames([0, 0, 5, 5, 0, 0, 0, 0]), 1.0, 0.5, "angry", np.zeros(0), 8.0)
    assert found.spans == [(2.0, 4.0)]


def test_bars_are_marked_where_the_planted_seconds_are():
    found = why(frames([0, 0, 5, 5, 0, 0, 0, 0]), 1.0, 0.5, "angry", np.ones(400), 8.0)
    marked = [i for i, bar in enumerate(found.bars) if bar.pushes]
    assert (min(marked), max(marked)) == (24, 47)


def test_a_turn_that_pushes_evenly_marks_nothing():
    assert why(frames([2] * 6), 2.0, 1.0, "angry", np.zeros(0), 4.0).spans == []


def test_a_very_short_turn_says_that_it_is_too_short():
    assert why(frames([1, 2]), 2.0, 1.0, "angry", np.zeros(0), 1.5) is None


def test_the_drawing_stays_within_its_frame():
    found = why(frames(np.linspace(-3, 8, 40)), 2.0, 1.0, "angry", np.random.default_rng(1).random(900), 21.0)
    points = [tuple(map(float, p.split(","))) for p in found.curve.split()]
    assert all(0 <= x <= 330 and 0 <= y <= 62 for x, y in points)
    assert all(bar.y >= 0 and bar.y + bar.height <= 36 for bar in found.bars)


def test_a_client_without_sessions_has_an_empty_curve():
    from emotrack.mood.queries import standing

    spark = sparkline([], standing([]), NOW)
    assert spark.lines == [] and spark.last is None and not spark.usual


@pytest.mark.parametrize("label", LABELS)
def test_every_label_can_be_explained(label):
    assert why(np.eye(9)[:, :9].repeat(2, axis=0), 2.0, 1.0, label, np.zeros(0), 9.0) is not None
