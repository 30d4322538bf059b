"""The series that rules on sessions watch."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from analysis.baseline import ARM_SESSIONS
from analysis.trend import session_trend
from emotrack.alerts.series.sessions import SURE, TREND_SESSIONS, Sessions

FIRST = datetime(2025, 3, 3, 10, tzinfo=UTC)


def sessions(days, means):
    starts = [FIRST + timedelta(days=float(day)) for day in days]
    return Sessions(
        client=1, recognizer=1, headline="valence", ids=range(len(starts)), started_at=starts,
        at=np.array([start.timestamp() for start in starts]), means=means, load_movement=lambda: None,
    )  # fmt: skip


def one_by_one(days, means):
    """The slope at each session, by the whole test each time."""
    told = np.full(len(days), np.nan)
    for i in range(len(days)):
        window = slice(max(0, i + 1 - TREND_SESSIONS), i + 1)
        if np.isnan(means[i]) or (~np.isnan(means[window])).sum() < ARM_SESSIONS:
            continue
        found = session_trend(days[window], means[window])
        if found.p is not None:
            told[i] = found.slope_per_week if found.p < SURE else 0.0
    return told


@pytest.mark.parametrize("seed", range(12))
def test_the_short_way_to_a_slope_ends_where_the_long_one_does(seed):
    random = np.random.default_rng(seed)
    days = np.sort(np.round(random.uniform(0, 300, 45)))
    carried = np.zeros(45)
    for i in range(1, 45):
        carried[i] = 0.5 * carried[i - 1] + random.normal(0, 0.1)
    means = np.round(carried - (seed % 3) * 0.001 * days, 1 + seed % 2)
    means[random.random(45) < 0.1] = np.nan
    told = sessions(days, means).values("trend_per_week")
    np.testing.assert_allclose(told, one_by_one(days, means), rtol=1e-9)
    assert (told == 0).any()


def test_where_no_time_passed_there_is_no_slope():
    assert np.isnan(sessions(np.zeros(12), np.arange(12.0)).values("trend_per_week")).all()


def test_a_fall_has_its_slope():
    told = sessions(7.0 * np.arange(20), -0.02 * np.arange(20)).values("trend_per_week")
    assert np.isnan(told[: ARM_SESSIONS - 1]).all()
    assert told[ARM_SESSIONS - 1 :] == pytest.approx(-0.02)
