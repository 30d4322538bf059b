"""Reference cases 03, 03c, 05 and 05b: dynamics and trend agree with R."""

import math

import numpy as np
import pytest

from analysis import dynamics
from analysis.trend import kendall_tau, mann_kendall, theil_sen
from tests.analysis.reference import expected, inputs_json, table


@pytest.fixture(scope="module")
def daily():
    return table("series_daily")["valence"]


@pytest.fixture(scope="module")
def irregular():
    return table("series_irregular")


CASE = expected("03_affect_dynamics")
DAILY = {
    "mean": dynamics.mean,
    "sd": dynamics.sd,
    "var": lambda x: dynamics.sd(x) ** 2,
    "mssd": dynamics.mssd,
    "rmssd": dynamics.rmssd,
    "mssd_lag2": lambda x: dynamics.mssd(x, lag=2),
    "mad_1.4826": dynamics.mad,
    "median": dynamics.median,
    "iqr_type7": lambda x: dynamics.quantile(x, 0.75) - dynamics.quantile(x, 0.25),
    "autoR_lag1": dynamics.lag_correlation,
    "von_neumann_ratio": lambda x: dynamics.mssd(x) / dynamics.sd(x) ** 2,
}


def close(value, tolerance=1e-9):
    return pytest.approx(value, rel=0, abs=tolerance)


@pytest.mark.parametrize("key", DAILY)
def test_the_daily_series_agrees_with_r(daily, key):
    assert DAILY[key](daily) == close(CASE["daily"][key])


def test_autocorrelations_agree_with_r(daily):
    found = [dynamics.autocorrelation(daily, lag) for lag in range(1, 8)]
    assert found == close(CASE["daily"]["acf1_to_7"])


@pytest.mark.parametrize(("name", "value"), list(CASE["daily"]["quantiles_type7"].items()))
def test_quantiles_agree_with_r(daily, name, value):
    assert dynamics.quantile(daily, float(name.rstrip("%")) / 100) == close(value)


@pytest.mark.parametrize("session", sorted(CASE["sessions_valence"]))
def test_each_session_agrees_with_r(irregular, session):
    case = CASE["sessions_valence"][session]
    values = irregular["valence"][irregular["session"] == float(session)]
    assert len(dynamics.valid(values)) == case["n"]
    assert len(dynamics.pair_differences(values)) == case["npairs"]
    assert dynamics.mean(values) == close(case["mean"])
    assert dynamics.sd(values) == close(case["sd"])
    assert dynamics.mssd(values) == close(case["mssd_pairs"])
    assert dynamics.mssd(values, divisor="values") == close(case["mssd_psych"])


def test_the_pooled_movement_within_sessions_agrees(irregular):
    found = dynamics.mssd(irregular["valence"], irregular["session"])
    assert found == close(CASE["pooled_within_session_mssd"])


EDGES = expected("03c_edges")
EDGE_FUNCTIONS = {
    "n": lambda x: len(dynamics.valid(x)),
    "n_pairs_adjacent": lambda x: len(dynamics.pair_differences(x)),
    "mean": dynamics.mean,
    "sd": dynamics.sd,
    "mssd_pairs": dynamics.mssd,
    "mssd_psych_divisor": lambda x: dynamics.mssd(x, divisor="values"),
    "mad_1.4826": dynamics.mad,
    "acf1": dynamics.autocorrelation,
}


@pytest.mark.parametrize("key", EDGE_FUNCTIONS)
@pytest.mark.parametrize("name", [name for name in EDGES if name != "peer"])
def test_short_constant_tied_and_missing_series_agree_with_r(name, key):
    values = np.array(inputs_json("edge_series")[name], dtype=np.float64)
    wanted = EDGES[name][key]
    found = EDGE_FUNCTIONS[key](values)
    assert math.isnan(found) if wanted is None else found == close(wanted, 1e-12)


def test_kendalls_tau_and_the_plain_test_agree_with_r(daily):
    case, index = expected("05_trend_R"), np.arange(len(daily))
    test = mann_kendall(index, daily, carry_over=False)
    assert kendall_tau(index, daily) == close(case["kendall_tau_b"])
    assert test.z == close(case["z_continuity"])
    assert test.p == close(case["p"])


def test_the_test_that_allows_for_carry_over_agrees(daily):
    case, index = expected("05b_mk_ar1")["daily"], np.arange(len(daily))
    test = mann_kendall(index, daily)
    assert test.s == case["S"]
    assert test.variance == close(case["var_S"], 1e-6)
    assert test.phi == close(case["phi_bias_corrected"])
    assert test.inflation == close(case["inflation"])
    assert test.z == close(case["z"])
    assert test.p == close(case["p"])
    assert theil_sen(index, daily).value == close(case["sen_slope"])
