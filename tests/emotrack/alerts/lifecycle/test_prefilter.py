"""Most rules are spared judging most sessions: nothing that could fire is passed over, and calm is cheap."""

from datetime import UTC, datetime, timedelta
from itertools import groupby

import numpy as np
import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from hypothesis import given
from hypothesis import strategies as st

from emotrack.alerts import actions
from emotrack.alerts.judging.decide import Terms, episodes
from emotrack.alerts.models import Kind, RuleVersion
from emotrack.alerts.rules.book import book
from emotrack.alerts.rules.kinds import Runs
from emotrack.alerts.series.points import COLUMNS, Points
from tests.emotrack import factories
from tests.emotrack.alerts.planted import BEFORE, NOW, series

START = datetime(2026, 3, 2, 9, tzinfo=UTC)
LEVEL = COLUMNS.index("level")


def points(levels):
    columns = np.full((len(levels), len(COLUMNS)), np.nan)
    columns[:, LEVEL] = [np.nan if level is None else level for level in levels]
    return Points(
        utterances=range(len(levels)),
        occurred_at=[START + timedelta(minutes=i) for i in range(len(levels))],
        pairs=np.full(len(levels), 4),
        ok=[True] * len(levels),
        columns=columns,
        load_labels=list,
        load_differing=list,
    )


levels = st.lists(st.none() | st.integers(-4, 4).map(lambda n: n / 4), max_size=30)


@given(levels, st.integers(-4, 4).map(lambda n: n / 4), st.integers(1, 6), st.booleans())
def test_so_many_in_a_row_are_found_as_by_counting(values, line, in_a_row, above):
    beyond = [v > line if above else v < line for v in values if v is not None]
    longest = max((len(list(run)) for yes, run in groupby(beyond) if yes), default=0)
    reaches = points(values).reaches("mood_level", "", line, above=above, in_a_row=in_a_row)
    assert reaches == (longest >= in_a_row)


@given(
    levels,
    st.integers(-4, 4).map(lambda n: n / 4),
    st.none() | st.integers(1, 6),
    st.none() | st.integers(0, 600),
)
def test_what_fires_is_never_passed_over(values, line, for_count, for_seconds):
    version = RuleVersion(for_count=for_count, for_seconds=for_seconds)
    series = points(values)
    terms = Terms(line, line, above=False, for_count=for_count, for_seconds=for_seconds)
    if any(one.fired for one in episodes(series.at, series.values("mood_level"), terms)):
        assert series.reaches("mood_level", "", line, above=False, in_a_row=version.least_in_a_row)


@pytest.mark.django_db
def test_a_calm_turn_costs_three_queries_however_many_rules_there_are():
    session, recognizer = factories.session(factories.client()), factories.recognizer()
    series(session, volatility_z=[0.5] * 30)
    for n in range(20):
        actions.create_rule(
            kind=Kind.VOLATILITY, reason="More.", by=factories.TESTS, now=BEFORE,
            threshold=3.0 + n / 10,
            recovery_threshold=2.0,
        )  # fmt: skip
    actions.evaluate(session, recognizer, now=NOW)
    with CaptureQueriesContext(connection) as asked:
        actions.evaluate(session, recognizer, now=NOW)
    assert len([one for one in asked if one["sql"].startswith("SELECT")]) == 3


@pytest.mark.django_db
def test_rules_are_watched_by_those_whom_they_are_for_and_as_they_stood():
    ann, ben = factories.client(), factories.client()
    evening = factories.cohort("Evening", ben)
    terms = {"kind": Kind.VOLATILITY, "reason": "Watch.", "by": factories.TESTS, "now": BEFORE}
    terms |= {"recovery_threshold": 2.0}
    for_all = actions.create_rule(**terms, threshold=3.0)
    for_ann = actions.create_rule(**terms, client=ann, threshold=2.5)
    for_cohort = actions.create_rule(**terms, cohort=evening, threshold=2.6)
    actions.save_rule(for_all, reason="Fewer.", by=factories.TESTS, now=NOW, threshold=4.0)

    def lines(client, began_at):
        watches = book().watches(client.pk, Runs.TURN, began_at)
        found = {rule.pk: version.threshold for watch in watches for rule, version in watch.rules}
        assert [watch.mildest for watch in watches] == [min(found.values())]
        return found

    assert lines(ann, BEFORE) == {for_all.pk: 3.0, for_ann.pk: 2.5}
    assert lines(ben, BEFORE) == {for_all.pk: 3.0, for_cohort.pk: 2.6}
    assert lines(ben, NOW) == {for_all.pk: 4.0, for_cohort.pk: 2.6}
