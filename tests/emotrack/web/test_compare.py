"""Comparisons: words first, chance measured on what was compared, and silence where there is too little."""

from datetime import timedelta

import numpy as np
import pytest
from django.utils import timezone
from scipy import stats

from emotrack.audit.models import AuditEvent
from emotrack.history.models import Recognizer
from emotrack.mood.models import SessionMood
from emotrack.mood.queries import SessionPoint
from emotrack.web import comparison
from emotrack.web.compare_chart import Curve, overlay_figure
from tests.emotrack import factories
from tests.emotrack.web.conftest import say
from tests.emotrack.web.test_charts import accepted, traces

WORDS = {"start": "start", "end": "end"}


def point(mean, *, week=0, valid=20, utterances=20):
    at = timezone.now() - timedelta(weeks=week)
    return SessionPoint(f"s{week}", at, mean, 0.1, valid, utterances, [1 / 9] * 9, 1.0)


def weeks(*means):
    return [point(mean, week=len(means) - i) for i, mean in enumerate(means)]


# --- Verdicts -----------------------------------------------------------------------------------


def test_two_sessions_that_differ_by_far_are_said_to_differ_beyond_chance():
    rng = np.random.default_rng(1)
    verdict = comparison.sessions_compared(
        (point(0.3), point(-0.3)), rng.normal(0.3, 0.1, 40), rng.normal(-0.3, 0.1, 40)
    )
    assert verdict.sure and verdict.low < verdict.difference < verdict.high < 0
    assert comparison.sentence(verdict, "valence").startswith(
        "Lower in B than in A. The difference is larger"
    )
    assert "from turn to turn" in comparison.figures(verdict, "valence")


def test_a_difference_within_the_noise_could_be_chance():
    rng = np.random.default_rng(2)
    verdict = comparison.sessions_compared(
        (point(0.0), point(0.02)), rng.normal(0.0, 0.4, 20), rng.normal(0.02, 0.4, 20)
    )
    assert not verdict.sure
    assert comparison.sentence(verdict, "arousal").endswith("Could be chance.")


@pytest.mark.parametrize("counts", [(4, 40), (40, 4), (0, 0)])
def test_too_few_readings_give_no_difference(counts):
    sides = [np.linspace(-1, 1, n) for n in counts]
    verdict = comparison.sessions_compared((point(0.0), point(0.0)), *sides)
    assert verdict.difference is None and "each needs 5" in verdict.missing
    assert comparison.sentence(verdict, "valence") == "Too little to compare."


def test_a_session_that_was_hardly_read_is_not_compared():
    values = np.random.default_rng(3).normal(size=20)
    verdict = comparison.sessions_compared((point(0.1), point(0.5, valid=8)), values, values + 0.5)
    assert verdict.difference is None and "of B’s 40 %" in verdict.missing.replace("\u202f", " ")


def test_equal_sessions_are_the_same():
    verdict = comparison.Verdict("turns", 0.001, -0.1, 0.1)
    assert comparison.sentence(verdict, "valence") == "The same on both sides."


def test_sessions_without_any_variation_have_no_chance_to_measure():
    verdict = comparison.sessions_compared((point(0.1), point(0.5)), np.full(9, 0.1), np.full(9, 0.5))
    assert not verdict.sure and verdict.low is None
    assert "Nothing varies" in comparison.figures(verdict, "valence")


def test_two_periods_are_compared_by_their_sessions_with_students_interval():
    a, b = weeks(0.3, 0.1, 0.25, 0.15, 0.2, 0.1), weeks(-0.2, -0.4, -0.25, -0.35, -0.3, -0.4)
    verdict = comparison.periods_compared(a, b)
    welch = stats.ttest_ind([p.mean for p in b], [p.mean for p in a], equal_var=False).confidence_interval()
    assert verdict.sure
    assert (verdict.low, verdict.high) == pytest.approx((welch.low, welch.high), abs=0.02)


def test_periods_of_unread_sessions_are_not_compared():
    b = [point(0.9, week=i, valid=3) for i in range(9)]
    verdict = comparison.periods_compared(weeks(0.1, 0.2, 0.1, 0.2, 0.1), b)
    assert verdict.difference is None and "B 0 sessions that say enough" in verdict.missing


def test_a_session_is_held_against_its_past_with_the_interval_of_one_day():
    past = weeks(*np.random.default_rng(5).normal(0.1, 0.1, 12))
    verdict = comparison.held_against_past(past, point(-0.6))
    means = np.array([p.mean for p in past])
    half = stats.t.ppf(0.975, 11) * means.std(ddof=1) * np.sqrt(1 + 1 / 12)
    assert (verdict.low, verdict.high) == pytest.approx(
        (-0.6 - means.mean() - half, -0.6 - means.mean() + half)
    )
    assert verdict.sure


def test_a_short_past_says_how_many_sessions_are_to_go():
    verdict = comparison.held_against_past(weeks(0.1, 0.2, 0.3), point(-0.6))
    assert verdict.difference is None and "3 of 8" in verdict.missing and "5 to go" in verdict.missing


def test_a_session_that_says_too_little_is_not_held_against_anything():
    verdict = comparison.held_against_past(weeks(*[0.1, 0.2] * 5), point(-0.6, valid=2))
    assert verdict.difference is None and "says too little" in verdict.missing


# --- Figure -------------------------------------------------------------------------------------


def curve(name, n=30):
    return Curve([i / max(n - 1, 1) for i in range(n)], [0.1] * n, [0.05] * n, ["x"] * n, ["id"] * n, name)


@pytest.mark.parametrize("n", [0, 1, 30, 200])
def test_plotly_accepts_the_curves(n):
    accepted(overlay_figure(curve("A", n), curve("B", n), (-0.1, 0.1), WORDS))


def test_a_gap_breaks_the_line_and_its_interval():
    values = [0.1, 0.2, None, 0.1, 0.2]
    gappy = Curve([0, 0.2, 0.5, 0.8, 1], values, [0.1] * 5, [""] * 5, [""] * 5, "B")
    figure = overlay_figure(None, gappy, None, WORDS)
    assert len(traces(figure, "interval")) == 2
    (line,) = traces(figure, "B")
    assert line["y"] == values and line["connectgaps"] is False


# --- Page ---------------------------------------------------------------------------------------


@pytest.fixture
def base(house):
    return f"/clients/{house.ann.public_id}/compare"


@pytest.fixture
def two_sessions(house):
    """A glad session a week before a sad one, both well read."""
    made = []
    for ago, shares in ((8, {"happy": 0.7}), (1, {"sad": 0.8})):
        session = factories.session(house.ann, timezone.now() - timedelta(days=ago))
        rng = np.random.default_rng(ago)
        for i in range(12):
            name, share = next(iter(shares.items()))
            some = factories.scores(**{name: share + 0.1 * rng.random()})
            say(session, 1, start=session.started_at + timedelta(seconds=30 * i), shares=some)
        made.append(session)
    return made


def test_two_sessions_side_by_side_with_words_first(alice, base, two_sessions):
    a, b = two_sessions
    answer = alice.get(f"{base}?mode=sessions&a={a.public_id}&b={b.public_id}")
    assert answer.context["sentence"].startswith("Lower in B than in A.")
    bells = {bell.label: bell for bell in answer.context["found"].dumbbells}
    assert bells["happy"].a > bells["happy"].b and bells["sad"].a < bells["sad"].b
    rows = {row.name: row for row in answer.context["found"].rows}
    assert rows["Mean valence"].words == "more than chance alone would give"
    assert rows["Turns"].a == rows["Turns"].b == "12"


def test_turned_round_the_difference_changes_its_sign(alice, base, two_sessions):
    a, b = (session.public_id for session in two_sessions)
    there = alice.get(f"{base}?a={a}&b={b}").context["found"].verdict
    back = alice.get(f"{base}?a={b}&b={a}").context["found"].verdict
    assert (back.difference, back.low, back.high) == pytest.approx(
        (-there.difference, -there.high, -there.low)
    )


def test_without_a_choice_the_last_two_sessions_are_compared(alice, base, house, two_sessions):
    sides = alice.get(base).context["found"]
    assert sides.b.points[0].session == house.session.public_id
    assert sides.a.points[0].session == two_sessions[1].public_id


def test_one_session_cannot_be_compared(alice, base):
    assert "Two sessions are needed; there is 1." in alice.get(base).content.decode()


@pytest.mark.parametrize("query", ["mode=horoscope", "a=00000000000000000000", "series=999999"])
def test_what_there_is_not_is_not_found(query, alice, base, two_sessions):
    assert alice.get(f"{base}?{query}").status_code == 404


def test_another_clients_session_cannot_be_chosen(alice, house, base, two_sessions):
    strange = factories.session(factories.client("Chen", assigned_to=house.alice))
    say(strange, 6)
    assert alice.get(f"{base}?a={strange.public_id}").status_code == 404


def year_of(client, means):
    for i, mean in enumerate(means):
        at = timezone.now() - timedelta(days=4 * (len(means) - i) + 1)
        SessionMood.objects.create(
            client=client, session=factories.session(client, at), recognizer=factories.recognizer(),
            started_at=at, utterances=20, valid=18, mean_valence=mean, sd_valence=0.1,
            mean_scores=[1 / 9] * 9,
        )  # fmt: skip


def test_the_last_thirty_days_stand_against_the_thirty_before(alice, house, base):
    SessionMood.objects.all().delete()
    year_of(house.ann, [0.3, 0.2, 0.35, 0.25, 0.3, 0.2, 0.3, -0.3, -0.2, -0.35, -0.25, -0.3, -0.2, -0.3])
    answer = alice.get(f"{base}?mode=periods")
    assert answer.context["sentence"].startswith("Lower in B than in A. The difference is larger")
    assert len(answer.context["found"].b.points) >= 7


def test_days_in_the_wrong_order_are_told_beside_the_field(alice, house, base):
    days = "a_from=2026-03-01&a_to=2026-02-01&b_from=2026-03-01&b_to=2026-04-01"
    answer = alice.get(f"{base}?mode=periods&{days}")
    assert answer.status_code == 422 and "This day lies before the first." in answer.content.decode()


def test_an_empty_period_is_said_to_be_empty(alice, house, base):
    days = "a_from=2001-03-01&a_to=2001-03-02&b_from=2001-04-01&b_to=2001-04-01"
    shown = alice.get(f"{base}?mode=periods&{days}").content.decode()
    assert "No session in either period." in shown and "Too little to compare." in shown


def test_a_session_against_the_own_past(alice, house, base):
    SessionMood.objects.all().delete()
    year_of(house.ann, [0.3, 0.2, 0.35, 0.25, 0.3, 0.2, 0.3, 0.2, 0.25, -0.5])
    answer = alice.get(f"{base}?mode=past")
    assert "9 earlier sessions" in answer.content.decode()
    assert answer.context["sentence"].startswith("Lower in B than in A. The difference is larger")


def test_arousal_is_compared_in_its_own_words(alice, base, two_sessions):
    Recognizer.objects.update(headline="arousal")
    said = alice.get(base).context["sentence"]
    assert said.split(" in B")[0] in ("Calmer", "More agitated", "The same on both sides.")


def test_a_comparison_is_on_record_once(alice, base, two_sessions):
    alice.get(base)
    alice.get(f"{base}?mode=past")
    assert AuditEvent.objects.filter(action="client.compared").count() == 1


def test_a_client_who_was_never_heard_has_nothing_to_compare(alice, house):
    new = factories.client("New", assigned_to=house.alice)
    assert "Nothing heard yet" in alice.get(f"/clients/{new.public_id}/compare").content.decode()


def test_comparing_asks_no_more_for_a_long_past(alice, house, base, django_assert_max_num_queries):
    year_of(house.ann, [0.1, 0.2] * 20)
    for mode in ("sessions", "periods", "past"):
        with django_assert_max_num_queries(24):
            alice.get(f"{base}?mode={mode}")
