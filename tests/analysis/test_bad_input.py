"""Every measure of a series has a defined answer or a named error for whatever history it is given."""

import math
import re
from dataclasses import fields, is_dataclass

import numpy as np
import pytest

from analysis import dynamics, trend
from analysis.baseline import usual
from analysis.changes import changes
from analysis.home_base import dwelling
from analysis.inertia import inertia
from analysis.movement import acute_changes, timed_movement, tmssd
from analysis.reliable_change import reliable_change
from analysis.series import SessionTracker, Turn
from analysis.thinning import thin
from analysis.volatility import consecutive_distances, volatility_index

RNG = np.random.default_rng(1)
MANY = 100_000
WAVE = np.sin(np.arange(40) / 3)

VALUES = {
    "empty": [],
    "one value": [0.2],
    "two values": [0.1, 0.4],
    "constant": [0.3] * 40,
    "ties": [0.1] * 39 + [0.2],
    "all missing": [np.nan] * 40,
    "every other missing": np.where(np.arange(40) % 2, np.nan, WAVE),
    "infinite": [0.1, np.inf] * 20,
    "tiny": WAVE * 1e-300,
    "1e5 points": RNG.normal(size=MANY),
}

TIMES = {
    "unsorted": np.arange(40.0)[::-1],
    "all at once": np.zeros(40),
    "duplicates": np.arange(40) // 2 * 60.0,
    "one huge gap": np.where(np.arange(40) < 20, 0, 1e9) + np.arange(40) * 60.0,
    "missing": np.where(np.arange(40) == 7, np.nan, np.arange(40.0)),
    "too few": np.arange(39.0),
}

REFUSED = object()

MEASURES = {
    "describe": lambda x, t: dynamics.describe(x),
    "autocorrelation": lambda x, t: dynamics.autocorrelation(x),
    "lag correlation": lambda x, t: dynamics.lag_correlation(x),
    "tmssd": lambda x, t: timed_movement(x, t),
    "acute changes": lambda x, t: acute_changes(x),
    "inertia": lambda x, t: inertia(x, t),
    "home base": lambda x, t: dwelling(x),
    "changes": lambda x, t: changes(x),
    "usual": lambda x, t: usual(x),
    "reliable change": lambda x, t: reliable_change(x, x),
    "level": lambda x, t: trend.ewma(t, x, 300.0),
    "plain trend": lambda x, t: trend.mann_kendall(t, x, carry_over=False),
    "session trend": lambda x, t: trend.session_trend(t, x),
    "tau": lambda x, t: trend.kendall_tau(t, x),
    "thinning": lambda x, t: thin(t, x, 10),
}


def numbers_in(answer):
    """Every float of an answer, however deep."""
    if is_dataclass(answer):
        return [x for f in fields(answer) for x in numbers_in(getattr(answer, f.name))]
    if isinstance(answer, tuple | list):
        return [x for part in answer for x in numbers_in(part)]
    return [answer] if isinstance(answer, float) else []


def answer_of(measure, values, times):
    """The answer, or ``REFUSED`` where the input was refused by a named error."""
    try:
        return MEASURES[measure](values, times)
    except ValueError as error:
        assert re.match(r"[a-z]+(-[a-z]+)*: ", str(error)), error
        return REFUSED


@pytest.mark.parametrize("measure", MEASURES)
@pytest.mark.parametrize("history", [name for name in VALUES if name != "1e5 points"])
def test_whatever_the_values_no_figure_is_infinite(measure, history):
    values = VALUES[history]
    answer = answer_of(measure, values, np.arange(len(values)) * 60.0)
    assert not any(math.isinf(x) for x in numbers_in(answer))
    assert (answer is REFUSED) == (history == "infinite")


@pytest.mark.parametrize("measure", MEASURES)
def test_an_infinite_value_is_refused_by_name(measure):
    with pytest.raises(ValueError, match=r"^[a-z]+(-[a-z]+)*: "):
        MEASURES[measure](VALUES["infinite"], np.arange(40) * 60.0)


@pytest.mark.parametrize("measure", MEASURES)
@pytest.mark.parametrize("clock", TIMES)
def test_whatever_the_times_no_figure_is_infinite(measure, clock):
    assert not any(math.isinf(x) for x in numbers_in(answer_of(measure, WAVE, TIMES[clock])))


@pytest.mark.parametrize("measure", ["tmssd", "inertia", "level", "thinning"])
@pytest.mark.parametrize("clock", ["unsorted", "missing", "too few"])
def test_times_that_cannot_be_right_are_refused_where_order_matters(measure, clock):
    with pytest.raises(ValueError, match=r"^[a-z]+(-[a-z]+)*: "):
        MEASURES[measure](WAVE, TIMES[clock])


@pytest.mark.parametrize("measure", [name for name in MEASURES if name != "session trend"])
def test_a_hundred_thousand_values_are_answered(measure):
    answer = answer_of(measure, VALUES["1e5 points"], np.arange(MANY) * 60.0)
    assert answer is not REFUSED


def test_one_huge_gap_is_no_carry_over_and_no_movement_per_time():
    gap = TIMES["one huge gap"]
    assert inertia(WAVE, gap).n == 39
    assert math.isfinite(tmssd(WAVE, gap))


@pytest.mark.parametrize(
    "rows", [np.empty((0, 4)), np.zeros((1, 4)), np.full((9, 4), np.nan), np.zeros((9, 4))]
)
def test_embeddings_that_say_nothing_have_no_volatility_or_none_at_all(rows):
    found = volatility_index(rows)
    assert len(found) == len(rows)
    assert np.isnan(found[:1]).all()
    assert not (found[1:] > 0).any()


def test_a_change_of_dimension_within_a_history_is_refused_by_name():
    with pytest.raises(ValueError, match="embeddings-shape"):
        consecutive_distances([[1.0, 2.0], [1.0, 2.0, 3.0]])
    tracker = SessionTracker()
    tracker.add(Turn(0.0, 1.0, np.ones(4), 0.1, 0.1, 0.1, True))
    with pytest.raises(ValueError, match="turn-dimension"):
        tracker.add(Turn(2.0, 3.0, np.ones(5), 0.1, 0.1, 0.1, True))
