"""Reference case 04: home base and displacements agree with the code that defined them."""

import csv

import numpy as np
import pytest

from analysis.home_base import displacements, emotiondynamics_summary, home_base
from tests.analysis.reference import ROOT, expected

CASE = expected("04_ued_1d")
SERIES = ("a", "b", "c")
NAMES = {0: "HOME", 1: "HIGH", -1: "LOW"}
ALL, LONG = "ued_synth_disp_length_min1", "ued_synth_disp_length_min3"


@pytest.fixture(scope="module")
def smoothed():
    with (ROOT / "inputs" / "ued_synth.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    return {name: np.array([float(r["valence"]) for r in rows if r["id"] == name]) for name in SERIES}


def close(value):
    return pytest.approx(value, rel=0, abs=1e-9, nan_ok=True)


@pytest.mark.parametrize("name", SERIES)
def test_band_states_and_distances_agree(smoothed, name):
    base = home_base(smoothed[name], None)
    assert [NAMES[s] for s in base.side(smoothed[name]).tolist()] == CASE[ALL][name]["state"]
    assert base.distance(smoothed[name]) == close(np.array(CASE[ALL][name]["dist_home_base"]))


@pytest.mark.parametrize("name", SERIES)
def test_displacements_are_numbered_alike(smoothed, name):
    found = _found(smoothed[name])
    numbers = np.full(len(smoothed[name]), np.nan)
    for number, d in enumerate(found, 1):
        numbers[d.start : d.stop] = number
    assert numbers == close(np.array(CASE[ALL][name]["disp_num"], dtype=np.float64))


@pytest.mark.parametrize("minimum", [1, 3])
@pytest.mark.parametrize("name", SERIES)
def test_listed_displacements_agree(smoothed, name, minimum):
    listed = CASE[f"ued_synth_disp_length_min{minimum}"][name]["displacements"]
    found = {i: d for i, d in enumerate(_found(smoothed[name]), 1) if d.length >= minimum}
    assert sorted(found) == [row["disp_num"] for row in listed]
    for row in listed:
        d = found[row["disp_num"]]
        assert (d.length, NAMES[d.side]) == (row["disp_length"], row["state"])
        assert d.peak == close(row["peak_dist"])
        assert d.rise_rate == (None if row["rise_rate"] is None else close(row["rise_rate"]))
        assert d.recovery_rate == (None if row["recovery_rate"] is None else close(row["recovery_rate"]))


@pytest.mark.parametrize("minimum", [1, 3])
@pytest.mark.parametrize("name", SERIES)
def test_counts_and_averages_agree_with_its_habits(smoothed, name, minimum):
    wanted = CASE[f"ued_synth_disp_length_min{minimum}"][name]["summary"]
    found = emotiondynamics_summary(smoothed[name], minimum)
    assert found == {key.removeprefix("valence_"): close(value) for key, value in wanted.items()}


def test_without_its_habits_a_leap_across_the_band_is_two_displacements(smoothed):
    series = smoothed["c"]
    base = home_base(series, None)
    assert len(displacements(series, base)) == len(_found(series)) + 1


def _found(series):
    return displacements(series, home_base(series, None), compat_emotiondynamics=True)
