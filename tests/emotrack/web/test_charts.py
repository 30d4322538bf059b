"""The figures hold what they were given, in the right places, and Plotly accepts them."""

import json
import re
from itertools import pairwise

import plotly.graph_objects as go
import pytest

from analysis.values import LABELS
from emotrack.web.alert_chart import Moments, Watched, alert_figure
from emotrack.web.charts import STACK_ORDER, session_figure
from emotrack.web.client_charts import Line, Meeting, client_figure, cuts_whiskers, limits, mix_figure
from emotrack.web.timeline import Episode, Timeline, Turn, Words, blocks_of, clock, runs_of, signed
from tests.emotrack.factories import NOW, scores

CALM = scores(neutral=0.8).tolist()
SAD = scores(sad=0.6).tolist()


def turn(at_s, value=0.0, reading="ok", shares=CALM, **more):
    read = reading == "ok"
    return Turn(
        at_s, at_s + 4, f"turn{at_s}", reading, shares=shares, value=value if read else None,
        level=value if read else None, hover=f"at {at_s}", **more
    )  # fmt: skip


def timeline(turns, **more):
    return Timeline(turns, turns[-1].end_s if turns else 0.0, more.pop("words", Words()), **more)


def traces(figure, name):
    return [trace for trace in figure["data"] if trace.get("name") == name]


def accepted(figure):
    """The figure after Plotly's own check, colors filled in as the browser would."""
    return go.Figure(json.loads(re.sub(r'"\$[\w./-]+"', '"#123456"', json.dumps(figure, allow_nan=False))))


FULL = timeline(
    [turn(0, 0.1, z=0.2), turn(10, -0.4, shares=SAD, z=4.0, half_width=0.1), turn(20, reading="no_speech")]
    + [turn(30, reading="unknown", reason="fits no label"), turn(60, 0.2, z=1.0, half_width=0.1)],
    episodes=[Episode(8, 12, 30, 50, "warning", "▲ More changeable")],
    usual=(-0.2, 0.2),
    threshold=3.0,
    recovery=2.0,
    wave=[(0, 1, 0.5, True), (1, 1, 0.2, False)],
)


@pytest.mark.parametrize("told", [FULL, timeline([]), timeline([turn(0)])], ids=["full", "empty", "one"])
def test_plotly_accepts_a_session(told):
    assert accepted(session_figure(told)).layout.xaxis.range[0] <= 0


def test_every_turn_can_be_found_by_the_pointer():
    found = traces(session_figure(FULL), "hover")[0]
    assert [data[0] for data in found["customdata"]] == [t.id for t in FULL.turns]


def test_no_line_runs_through_a_stretch_without_reading():
    levels = traces(session_figure(FULL), "level")
    assert [trace["x"] for trace in levels] == [[2.0, 12.0], [62.0]]


def test_one_abstention_alone_does_not_break_the_line():
    runs = runs_of([turn(0), turn(10, reading="ambiguous"), turn(20)])
    assert [len(run) for run in runs] == [2]


def test_a_long_silence_breaks_the_line():
    runs = runs_of([turn(0), turn(10), turn(20), turn(30), turn(200)])
    assert [len(run) for run in runs] == [4, 1]


def test_sparse_turns_are_joined_at_their_own_pace():
    assert len(runs_of([turn(at) for at in range(0, 700, 100)])) == 1


def test_a_stretch_without_reading_is_a_block_with_its_reason():
    assert blocks_of(FULL.turns) == [(20, 34, "")]
    rects = [s for s in session_figure(FULL)["layout"]["shapes"] if s.get("fillcolor") == "$sunken"]
    assert {(s["x0"], s["x1"]) for s in rects} == {(20, 34)}


def test_the_ribbon_shows_the_strongest_label_as_high_as_its_share():
    turns = [turn(at, shares=SAD if at % 20 else CALM) for at in range(0, 600, 10)]
    sad = traces(session_figure(timeline(turns)), "sad")[0]
    assert set(sad["y"]) == {max(SAD)}


def test_an_abstention_is_a_hollow_stub_in_the_ribbon():
    stub = traces(session_figure(FULL), "none")[0]
    assert len(stub["y"]) == 2 and stub["marker"]["color"] == "$surface"


def test_close_up_the_ribbon_stacks_all_shares_with_the_strongest_at_the_foot():
    figure = session_figure(timeline([turn(0, shares=SAD), turn(10, shares=SAD)]), 960, visible_s=60)
    bars = {label: traces(figure, label)[0] for label in STACK_ORDER}
    assert bars["sad"]["base"] == [0.0, 0.0]
    tops = max(base + y for bar in bars.values() for base, y in zip(bar["base"], bar["y"], strict=True))
    assert tops == pytest.approx(1.0, abs=1e-6)


def test_the_area_above_the_threshold_starts_and_ends_on_it():
    area = traces(session_figure(FULL), "above")[0]
    assert min(area["y"]) == 3.0 and max(area["y"]) == 4.0


def test_without_a_usual_the_plain_index_is_drawn_and_no_alert_line():
    figure = session_figure(timeline([turn(0, index=2.0), turn(10, index=3.0)], threshold=3.0))
    assert traces(figure, "index")[0]["y"] == [2.0, 3.0]
    assert not [s for s in figure["layout"]["shapes"] if s.get("line", {}).get("color") == "$critical"]


def test_volatility_is_dotted_up_to_the_first_whole_window():
    turns = [turn(10 * k, z=float(k), partial=k < 3) for k in range(5)]
    figure = session_figure(timeline(turns))
    (early,), (whole,) = traces(figure, "partial"), traces(figure, "z")
    assert early["y"] == [0.0, 1.0, 2.0, 3.0] and "dash" in early["line"]
    assert whole["y"] == [3.0, 4.0] and "dash" not in whole["line"]
    short = session_figure(timeline(turns[:3]))
    assert traces(short, "partial")[0]["y"] == [0.0, 1.0, 2.0] and traces(short, "z") == []


def test_an_alert_is_dotted_then_solid_then_outlined():
    shapes = [s for s in session_figure(FULL)["layout"]["shapes"] if "$warning" in json.dumps(s)]
    assert [(s["type"], s["x0"], s["x1"]) for s in shapes] == [
        ("line", 8, 12),
        ("rect", 12, 30),
        ("rect", 30, 50),
    ]


def test_every_lane_has_a_name_and_a_place():
    lanes = session_figure(FULL)["layout"]["meta"]["lanes"]
    assert len(lanes) == 5 and [lane["top"] for lane in lanes] == sorted(lane["top"] for lane in lanes)


def test_zoomed_in_the_clock_has_finer_ticks():
    long = timeline([turn(at) for at in range(0, 3000, 20)])
    assert len(session_figure(long, 960, 60)["layout"]["xaxis"]["tickvals"]) > 10 * len(
        session_figure(long, 960)["layout"]["xaxis"]["tickvals"]
    )


def lane_px(figure, axis):
    low, high = figure["layout"][axis]["domain"]
    return (high - low) * figure["layout"]["meta"]["px"]


def test_on_a_tall_screen_the_curves_grow_and_the_bars_of_alerts_do_not():
    usual, tall = session_figure(FULL), session_figure(FULL, height_px=760)
    assert usual["layout"]["height"] < tall["layout"]["height"] <= 761
    assert lane_px(tall, "yaxis2") > 1.3 * lane_px(usual, "yaxis2")
    assert lane_px(tall, "yaxis5") == pytest.approx(lane_px(usual, "yaxis5"))


@pytest.mark.parametrize("height_px", [-50, 0, 300])
def test_on_a_low_screen_the_chart_keeps_its_height(height_px):
    low = session_figure(FULL, height_px=height_px)["layout"]["height"]
    assert low == session_figure(FULL)["layout"]["height"]


def test_two_alerts_close_together_never_write_over_each_other():
    words = "▲ More changeable than usual · fired 5:20"
    episodes = [Episode(at, at, None, at + 20, "warning", words) for at in (10, 40)]
    figure = session_figure(Timeline([turn(i * 10) for i in range(12)], 120, Words(), episodes), 700)
    places = [note for note in figure["layout"]["annotations"] if note["text"] == words]
    bars = [s for s in figure["layout"]["shapes"] if s.get("fillcolor") == "$warning"]
    for note in places:
        width = len(words) * 6.2 / (700 / 120)
        left = note["x"] - (width if note["xanchor"] == "right" else 0)
        assert all(bar["x1"] <= left or bar["x0"] >= left + width for bar in bars)


def test_letters_never_crowd():
    figure = session_figure(
        timeline([turn(at, shares=CALM if at % 20 else SAD) for at in range(0, 3000, 10)]), 300
    )
    xs = [a["x"] for a in figure["layout"]["annotations"] if a.get("y") == 1.16]
    assert all((b - a) * 300 / 3000 > 14 for a, b in pairwise(xs))


@pytest.mark.parametrize(("value", "text"), [(-0.126, "−0.13"), (0.5, "+0.50"), (-0.001, "0.00")])
def test_numbers_carry_a_real_sign(value, text):
    assert signed(value) == text


def test_times_are_read_as_on_a_player():
    assert [clock(s) for s in (0, 61, 3725)] == ["0:00", "1:01", "1:02:05"]


# --- A client's page ----------------------------------------------------------------------------


def meeting(mean, level=None, half_width=0.1):
    return Meeting(NOW, mean, level, half_width, "words", "id")


def test_plotly_accepts_a_clients_year():
    figure = client_figure(
        [meeting(0.1, 0.1), meeting(None), meeting(-0.4, -0.1), meeting(-0.5, -0.2)],
        (-0.2, 0.2),
        Line(NOW, NOW, 0.1, -0.2),
    )
    assert len(accepted(figure).data) == 5


def test_a_session_that_says_too_little_is_a_cross_and_breaks_the_level():
    figure = client_figure(
        [meeting(0.1, 0.1), meeting(0.2, 0.1), meeting(None), meeting(0.3, 0.2), meeting(0.1, 0.2)],
        None,
        None,
    )
    assert len(traces(figure, "too little to say")[0]["x"]) == 1
    assert [len(trace["x"]) for trace in traces(figure, "level")] == [2, 2]


@pytest.mark.parametrize(("mean", "color"), [(-0.5, "$neg2"), (0.0, "$text"), (0.5, "$pos2")])
def test_the_last_session_is_colored_only_outside_the_usual(mean, color):
    figure = client_figure([meeting(0.0, 0.0), meeting(mean, 0.0)], (-0.2, 0.2), None)
    assert traces(figure, "last session")[0]["marker"]["color"] == color


def test_wide_intervals_leave_the_curve_readable_and_are_said_to_be_cut():
    said = [meeting(mean, mean, half_width=0.9) for mean in (-0.1, 0.1, 0.3)]
    low, high = limits(said, (-0.1, 0.2))
    assert high - low < 1.0 and low < -0.1 and high > 0.3
    assert cuts_whiskers(said, (low, high))


def test_ordinary_intervals_are_shown_whole():
    said = [meeting(mean, mean, half_width=0.08) for mean in (-0.1, 0.1, 0.3)]
    assert not cuts_whiskers(said, limits(said, (-0.1, 0.2)))


def test_a_steady_client_is_not_blown_up_to_look_restless():
    low, high = limits([meeting(0.0, half_width=0.01), meeting(0.02, half_width=0.01)], None)
    assert high - low >= 0.5


def test_a_months_bars_add_up_to_the_whole():
    names = {label: label for label in LABELS}
    figure = mix_figure(["Jan", "Feb"], [CALM, SAD], names, names)
    accepted(figure)
    totals = [sum(trace["y"][i] for trace in figure["data"]) for i in range(2)]
    assert totals == pytest.approx([1.0, 1.0], abs=1e-6)


# --- An alert's page ----------------------------------------------------------------------------

MOMENTS = Moments(30, 60, 200, "began", "fired", "ended")
WORDS = {"fires": "fires", "ends": "ends", "usual": "usual"}


@pytest.mark.parametrize("above", [True, False])
def test_plotly_accepts_the_reason_of_an_alert(above):
    sign = 1 if above else -1
    watched = Watched(
        [0, 30, 60, 90], [0.0, 4.0 * sign, 5.0 * sign, 1.0], 3.0 * sign, 2.0 * sign, above, (-1, 1)
    )
    figure = alert_figure(watched, MOMENTS, WORDS)
    accepted(figure)
    area = next(trace for trace in figure["data"] if trace.get("fill"))
    beyond = min if above else max
    assert beyond(area["y"]) == 3.0 * sign


def test_the_curve_of_an_alert_breaks_at_a_long_silence():
    watched = Watched([0, 30, 900], [0.0, 1.0, 1.0], 3.0, 2.0, True)
    curves = [t for t in alert_figure(watched, MOMENTS, WORDS)["data"] if t["mode"] == "lines+markers"]
    assert [len(curve["x"]) for curve in curves] == [2, 1]


def test_an_alert_that_goes_on_has_no_end():
    going_on = Moments(30, 60, None, "began", "fired", "")
    watched = Watched([0, 30, 60], [0.0, 4.0, 5.0], 3.0, 2.0, True)
    verticals = [
        s for s in alert_figure(watched, going_on, WORDS)["layout"]["shapes"] if s.get("yref") == "paper"
    ]
    assert len(verticals) == 2
