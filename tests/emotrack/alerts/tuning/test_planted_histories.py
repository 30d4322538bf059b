"""The shipped rules on a year of people whose story is known: who must be found, and who left in peace."""

import pytest

from benchmarks.steady_histories import arrays
from emotrack.alerts.models import Kind, RuleVersion
from emotrack.alerts.rules.kinds import KINDS, Runs
from emotrack.alerts.tuning.chance import by_chance_per_week, fires, people

SEEDS = range(3000, 3006)
"""Other people than those on whom the shipped terms were chosen."""

SHIPPED_ON = [kind for kind, known in KINDS.items() if known.ships_on and known.runs is not Runs.MONTH]

FOUND_IN_ALL = {
    "drift": {Kind.LOW_SESSION, Kind.SUDDEN_DROP, Kind.TREND},
    "jump": {Kind.LOW_SESSION, Kind.SUDDEN_DROP, Kind.NEGATIVE_MOOD},
    "relapsing": {Kind.NEGATIVE_MOOD},
    "burst": {Kind.VOLATILITY},
    "oscillation": {Kind.NEGATIVE_MOOD},
}
FOUND_IN_MOST = {
    "jump": {Kind.TREND, Kind.FLATTENING},
    "relapsing": {Kind.SUDDEN_DROP},
    "two_styles": {Kind.VOLATILITY},
}
"""Half the people or more. Two styles are a jump each time one gives way to the other."""


def found(plot):
    """Kind to the number of people with at least one alert."""
    told = people(arrays(plot, SEEDS, 52))
    terms = {kind: RuleVersion(**KINDS[kind].defaults) for kind in SHIPPED_ON}
    return {kind: sum(fires(one, terms[kind], kind)[0] > 0 for one in told) for kind in SHIPPED_ON}


@pytest.mark.parametrize("plot", ["drift", "jump", "relapsing", "burst", "oscillation", "two_styles", "flat"])
def test_rules_find_what_was_planted_and_little_else(plot):
    counted, everybody = found(plot), len(SEEDS)
    in_all, in_most = FOUND_IN_ALL.get(plot, set()), FOUND_IN_MOST.get(plot, set())
    assert {kind for kind in in_all if counted[kind] < everybody} == set()
    assert {kind for kind in in_most if counted[kind] < everybody / 2} == set()
    beside = {kind: n for kind, n in counted.items() if kind not in in_all | in_most}
    assert sum(beside.values()) <= everybody * 3 / 2, beside
    assert max(beside.values()) <= everybody * 2 / 3, beside


@pytest.mark.parametrize("kind", SHIPPED_ON)
def test_where_nothing_happens_a_shipped_rule_fires_twice_in_three_years_at_most(kind):
    assert 52 * by_chance_per_week(RuleVersion(**KINDS[kind].defaults), kind, 1) < 2 / 3
