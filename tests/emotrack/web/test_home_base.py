"""The home base card draws what was found and says where the last sessions lie."""

import pytest

from analysis.home_base import Dwelling, HomeBase
from emotrack.web.client_cards import home_words, last_words
from emotrack.web.home_base_chart import Home, Place, home_base_figure
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
    dwelling = Dwelling(None, (), 34, 1.0, reason="home_base_forming")
    assert "34 of 60" in home_words(dwelling, None, places(5))
    assert "26 to go" in home_words(dwelling, None, places(5))


def test_a_home_says_how_much_of_the_mood_lies_in_it():
    dwelling = Dwelling(HomeBase(0.1, 0.2), (), 80, 1.0, home_share=0.68)
    assert "68 %" in home_words(dwelling, HOME, places(5)).replace("\N{NARROW NO-BREAK SPACE}", " ")
    assert "first 60 stretches" in home_words(dwelling, HOME, places(5))
    assert "within it" in home_words(dwelling, HOME, places(5))


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
