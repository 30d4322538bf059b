"""Reference case 15: the minutes in which Prometheus says pending and firing, for the same values."""

import csv
import json
from pathlib import Path

import pytest

from emotrack.alerts.judging.decide import Terms, episodes

CASES = Path(__file__).resolve().parents[3] / "reference"
EXPECTED = json.loads((CASES / "expected" / "15_rule_state_machine.json").read_text())
MINUTE = 60.0


def values():
    with (CASES / "inputs" / "rules.csv").open() as file:
        return [float(row["value"]) for row in csv.DictReader(file)]


def seconds(text):
    return int(text.removesuffix("m")) * MINUTE if text else 0.0


def terms_of(rule):
    return Terms(0.7, 0.7, for_seconds=seconds(rule["for"]), keep_firing_seconds=seconds(rule["keep"]))


@pytest.fixture(params=EXPECTED["rules"])
def case(request):
    series = values()
    at = [minute * MINUTE for minute in range(len(series))]
    found = episodes(at, series, terms_of(EXPECTED["rules"][request.param]))
    return found, EXPECTED["timeline"][request.param]


def minutes(spans):
    return [m for begin, end in spans for m in range(int(begin / MINUTE), int(end / MINUTE))]


END = len(values()) * MINUTE


def test_it_fires_in_the_same_minutes(case):
    found, expected = case
    firing = [(e.fired_at, END if e.ended_at is None else e.ended_at) for e in found if e.fired]
    assert minutes(firing) == expected["firing_minutes"]


def test_it_is_pending_in_the_same_minutes(case):
    found, expected = case
    pending = [
        (e.pending_at, e.fired_at if e.fired else END if e.ended_at is None else e.ended_at) for e in found
    ]
    assert minutes(pending) == expected["pending_minutes"]


def test_it_fires_as_often(case):
    found, expected = case
    assert sum(e.fired for e in found) == expected["firings"]
