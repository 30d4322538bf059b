"""The home base card draws what was found and says where the last sessions lie."""

from datetime import UTC, datetime, timedelta

import pytest

from analysis.home_base import HomeBase
from emotrack.mood.home import Beginning, beginning_of, share_at_home
from emotrack.mood.models import MoodPoint
from emotrack.mood.movement import Span
from emotrack.web.client_cards import home_words, last_words
from emotrack.web.home_base_chart import Home, Place, home_base_figure
from tests.emotrack import factories
from tests.emotrack.web.test_charts import accepted, traces

WORDS = {"valence": "unpleasant to pleasant", "arousal": "calm to agitated"}
HOME = Home((0.1, -0.1), (0.2, 0.1))


def places(n, valence=0.1, arousal=-0.1):
    return [Place(valence, arousal, f"day {i}", f"session{i}") for i in range(n)]


@pytest.mark.parametrize("n", [0, 1, 40])
@pytest.mark.parametrize("home", [None, HOME], ids=["forming", "home"])
def test_plotly_accepts_the_plane(n, home):
    accepted(home_base_figure(places(n), home, WORDS))


def test_the_last_three_sessions_are_diamonds():
    figure = home_base_figure(places(10), HOME, WORDS)
    assert traces(figure, "last sessions")[0]["customdata"] == ["session7", "session8", "session9"]
    assert len(traces(figure, "sessions")[0]["x"]) == 7


def test_the_ellipse_reaches_one_radius_from_the_center_on_either_axis():
    ellipse = traces(home_base_figure(places(4), HOME, WORDS), "home base")[0]
    assert (min(ellipse["x"]), max(ellipse["x"])) == pytest.approx((-0.1, 0.3))
    assert (min(ellipse["y"]), max(ellipse["y"])) == pytest.approx((-0.2, 0.0))


def test_the_arrow_leads_from_home_to_the_mean_of_the_last_three():
    figure = home_base_figure(places(5) + places(3, -0.4, 0.3), HOME, WORDS)
    arrow = figure["layout"]["annotations"][0]
    assert (arrow["ax"], arrow["ay"]) == HOME.center
    assert (arrow["x"], arrow["y"]) == pytest.approx((-0.4, 0.3))


def test_a_home_that_is_forming_is_not_drawn():
    figure = home_base_figure(places(5), None, WORDS)
    assert not traces(figure, "home base")
    assert figure["layout"]["annotations"] == []


def test_everything_drawn_lies_within_the_axes():
    figure = home_base_figure(places(3, -0.9, 0.8), HOME, WORDS)
    for axis in ("x", "y"):
        low, high = figure["layout"][f"{axis}axis"]["range"]
        assert all(low < at < high for trace in figure["data"] for at in trace[axis])


def test_a_home_that_is_forming_says_how_many_are_to_go():
    assert "34 of 60" in home_words(Beginning(34), None, None, places(5))
    assert "26 to go" in home_words(Beginning(34), None, None, places(5))


def test_a_home_says_what_it_rests_on_and_how_much_of_the_time_shown_lies_in_it():
    day = datetime(2026, 3, 2, 12, tzinfo=UTC)
    settled = Beginning(80, HomeBase(0.1, 0.2), HomeBase(0.0, 0.1), day, day + timedelta(days=21))
    said = home_words(settled, 0.68, HOME, places(5)).replace("\N{NARROW NO-BREAK SPACE}", " ")
    assert "68 %" in said and "first 60 stretches" in said and "within it" in said
    assert "2 Mar 2026 to 23 Mar 2026" in said


def turns(session, values):
    """Readings that lie at these places of valence."""
    for i, value in enumerate(values):
        at = session.started_at + timedelta(seconds=10 * i)
        turn = factories.utterance(session, at)
        MoodPoint.objects.create(
            client=session.client, recognizer=factories.recognizer(), session=session, utterance=turn,
            occurred_at=at, ended_at=at, reading="ok", valence=value, arousal=value / 2,
        )  # fmt: skip


@pytest.fixture
def settled(db):
    """Two sessions around 0 with 32 stretches each, then one far below."""
    ann = factories.client()
    for week in range(2):
        session = factories.session(ann, factories.NOW + timedelta(weeks=week))
        turns(session, [0.1 * (-1) ** i for i in range(36)])
    turns(factories.session(ann, factories.NOW + timedelta(weeks=3)), [-0.8] * 10)
    return ann


def test_home_rests_on_the_beginning_of_the_whole_history_whatever_is_shown(settled):
    home = beginning_of(settled, factories.recognizer())
    assert home.n == 64 + 6 and home.valence.center == pytest.approx(0, abs=0.02)
    assert home.since == factories.NOW
    assert home.until == factories.NOW + timedelta(weeks=1, seconds=10 * 31)
    assert home.arousal.radius == pytest.approx(home.valence.radius / 2)


def test_a_time_shown_that_lies_elsewhere_is_not_at_home(settled):
    recognizer = factories.recognizer()
    base = beginning_of(settled, recognizer).valence
    late = Span(factories.NOW + timedelta(weeks=2))
    assert share_at_home(settled, recognizer, late, base, "valence") == 0.0
    assert share_at_home(settled, recognizer, Span(), base, "valence") > 0.5
    never = Span(factories.NOW + timedelta(weeks=9))
    assert share_at_home(settled, recognizer, never, base, "valence") is None


def test_a_short_history_has_no_home_and_counts_its_stretches(db):
    ann = factories.client()
    turns(factories.session(ann), [0.1] * 14)
    assert beginning_of(ann, factories.recognizer()) == Beginning(10)


def test_many_short_sessions_are_all_read_before_a_home_is_called_missing(db, monkeypatch):
    monkeypatch.setattr("emotrack.mood.home.FIRST_LOOK", 10)
    ann = factories.client()
    for day in range(13):
        turns(factories.session(ann, factories.NOW + timedelta(days=day)), [0.1, 0.2] * 5)
    assert beginning_of(ann, factories.recognizer()).valence is not None


@pytest.mark.parametrize(
    ("place", "said"),
    [
        ((-0.4, 0.3), "outside it: less pleasant and more agitated."),
        ((-0.4, -0.1), "outside it: less pleasant."),
        ((0.1, -0.4), "outside it: calmer."),
        ((0.28, -0.02), "outside it: more pleasant."),
    ],
)
def test_the_last_sessions_are_said_to_lie_where_they_lie(place, said):
    assert last_words(HOME, place).endswith(said)


def test_a_home_without_width_is_left_by_any_other_place():
    assert "less pleasant" in last_words(Home((0.0, 0.0), (0.0, 0.0)), (-0.1, 0.0))
    assert "within it" in last_words(Home((0.0, 0.0), (0.0, 0.0)), (0.0, 0.0))
