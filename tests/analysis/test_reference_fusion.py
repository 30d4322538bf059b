"""Reference case 17: pools, conflict and intervals agree with scipy and statsmodels."""

import pytest

from analysis.recognition.fusion import conflict, linear_pool, log_pool, precision_weighted
from analysis.shares import wilson
from tests.analysis.reference import expected, numbers

CASE = expected("17_fusion_share")
AUDIO, TEXT = numbers(CASE["p_audio"]), numbers(CASE["p_text"])


def close(value):
    return pytest.approx(value, rel=0, abs=1e-9)


@pytest.mark.parametrize("weight", list(CASE["log_opinion_pool_by_audio_weight"]))
def test_log_pools_agree(weight):
    wanted = numbers(CASE["log_opinion_pool_by_audio_weight"][weight])
    assert log_pool(AUDIO, TEXT, float(weight)) == close(wanted)


def test_linear_pools_agree():
    assert linear_pool(AUDIO, TEXT) == close(numbers(CASE["linear_pool_0.5"]))


def test_distances_between_tone_and_words_agree():
    assert conflict(AUDIO, TEXT) == close(numbers(CASE["js_distance_base2"]))


def test_one_row_is_pooled_as_it_is_among_others():
    assert log_pool(AUDIO[0], TEXT[0]).tolist() == log_pool(AUDIO, TEXT)[0].tolist()
    assert float(conflict(AUDIO[0], TEXT[0])) == float(conflict(AUDIO, TEXT)[0])


def test_valences_weighted_by_their_precision_agree():
    case = CASE["valence_precision_weighted"]
    found = precision_weighted(case["v_audio"], case["v_text"], case["w_audio"], case["w_text"])
    assert found == close(case["v"])


@pytest.mark.parametrize(("counts", "wanted"), list(CASE["wilson_95"].items()))
def test_wilson_intervals_agree(counts, wanted):
    assert list(wilson(*map(int, counts.split("/")))) == close(wanted)
