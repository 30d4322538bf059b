"""The lanes of a session's figure beside the curves: bins, frames, tone and words, notes, what is hidden."""

import numpy as np
import pytest

from analysis.values import LABELS
from emotrack.history.models import FrameLogits
from emotrack.web.charts import session_figure
from emotrack.web.figure_svg import figure_svg, light_colors
from emotrack.web.frame_push import pushes
from emotrack.web.lane_words import hidden_words
from emotrack.web.ribbon import BIN_PX
from emotrack.web.timeline import Mark, Push, Said
from tests.emotrack import factories
from tests.emotrack.web.test_charts import CALM, FULL, SAD, accepted, timeline, traces, turn


def lane_names(figure):
    return [lane["title"] for lane in figure["layout"]["meta"]["lanes"]]


def named(figure, start):
    return [a for a in figure["layout"]["annotations"] if a.get("name", "").startswith(start)]


CROWDED = timeline([turn(at, shares=SAD if at % 200 < 100 else CALM) for at in range(0, 6000, 10)])


def test_turns_closer_than_three_pixels_are_mean_shares_of_bins():
    figure = session_figure(CROWDED, width_px=600)
    sad, neutral = traces(figure, "sad")[0], traces(figure, "neutral")[0]
    assert len(sad["x"]) == 600 / BIN_PX and sad["width"] == pytest.approx(BIN_PX * 5994 / 600 * 0.86)
    mean = np.mean([SAD, CALM], axis=0)
    assert np.mean(sad["y"]) == pytest.approx(mean[LABELS.index("sad")], abs=0.03)
    assert np.mean(neutral["y"]) == pytest.approx(mean[LABELS.index("neutral")], abs=0.03)


def test_the_shares_of_a_bin_fill_it():
    bars = [t for t in session_figure(CROWDED, width_px=600)["data"] if t.get("name") in LABELS]
    assert len(bars) == 9
    assert np.sum([bar["y"] for bar in bars], axis=0) == pytest.approx(1, abs=1e-3)


def test_a_closer_look_tells_the_turns_apart_again():
    figure = session_figure(CROWDED, width_px=600, visible_s=600, window=(0, 1800))
    shown = sorted(traces(figure, "sad")[0]["x"] + traces(figure, "neutral")[0]["x"])
    assert shown[:3] == [2.0, 12.0, 22.0] and len(shown) == 182
    assert traces(figure, "unknown") == []


def test_a_window_draws_only_what_lies_in_it_and_one_turn_on_either_side():
    figure = session_figure(CROWDED, 600, visible_s=600, window=(1005, 2800))
    (found,) = traces(figure, "hover")
    assert (found["customdata"][0][1], found["customdata"][-1][1]) == (1000, 2810)
    assert figure["layout"]["meta"]["window"] == (1005, 2800)
    assert min(figure["layout"]["xaxis"]["tickvals"]) >= 900


def test_a_window_without_any_turn_is_empty_and_no_error():
    figure = session_figure(FULL, visible_s=60, window=(1000, 1060))
    assert traces(figure, "hover")[0]["x"] == []
    accepted(figure)


def test_the_height_of_the_mood_lane_is_the_same_in_every_window():
    def scale(**more):
        axes = session_figure(FULL, **more)["layout"]
        return next(a["range"] for name, a in axes.items() if name.startswith("yaxis") and "ticktext" in a)

    assert scale() == scale(visible_s=10, window=(50, 70))


def test_more_turns_than_pixels_keep_the_deepest_point_and_the_bytes_down():
    turns = [turn(at, value=-0.9 if at == 7770 else 0.1 * np.sin(at)) for at in range(0, 100_000, 10)]
    (dots,) = traces(session_figure(timeline(turns), width_px=500), "turns")
    assert len(dots["x"]) <= 1000 and -0.9 in dots["y"]


def test_frames_are_drawn_in_their_labels_color_with_a_gap_between_turns():
    told = timeline(
        [turn(0), turn(10)],
        pushes=[
            Push("neutral", np.array([0.0, 1.0]), np.array([0.5, -1.0])),
            Push("sad", np.array([10.0]), np.array([1.0])),
        ],
    )
    figure = session_figure(told)
    (why,) = traces(figure, "why neutral")
    assert (why["x"], why["y"]) == ([0.0, 0.0, 1.0, 1.0, None], [0.0, 0.5, -1.0, 0.0, None])
    assert why["fillcolor"].startswith("$e-neutral") and traces(figure, "why sad")[0]["fillcolor"].startswith(
        "$e-sad"
    )
    accepted(figure)


def test_without_words_there_is_no_lane_to_hold_the_tone_against():
    assert "tone" not in lane_names(session_figure(timeline([turn(0), turn(10)])))


def test_words_stand_under_the_tone_with_a_sign_where_they_differ():
    said = [Said(0, 4, "a", 0.5, apart=True), Said(10, 14, "b", None), Said(20, 24, "c", 0.05, hover="c")]
    told = timeline([turn(0, 0.3, valence=-0.5), turn(10, 0.9, valence=0.0)], said=said)
    figure = session_figure(told)
    tone, words = traces(figure, "tone")[0], traces(figure, "words")[0]
    assert (tone["x"], tone["marker"]["color"]) == ([2, 12], ["$neg2", "$zero"])
    assert (words["x"], words["marker"]["color"]) == ([2, 22], ["$pos2", "$zero"])
    assert [a["x"] for a in figure["layout"]["annotations"] if a["text"] == "◆"] == [2]
    accepted(figure)


def test_on_paper_each_cell_of_tone_and_words_has_its_own_step():
    told = timeline([turn(0)], said=[Said(0, 4, "turn0", 0.9), Said(10, 14, "turn10", -0.9)])
    paper = figure_svg(session_figure(told), 680, label="", name="s", date_words=lambda _at, _months: "")
    colors = light_colors()
    assert f'fill="{colors["pos2"]}"' in paper and f'fill="{colors["neg2"]}"' in paper


def test_words_without_a_turn_can_be_found_by_the_pointer():
    told = timeline([turn(0)], said=[Said(0, 4, "turn0", 0.1), Said(10, 14, "alone", -0.6, hover="words")])
    (found,) = traces(session_figure(told), "words alone")
    assert (found["customdata"], found["text"]) == ([["alone", 10, 14]], ["words"])


def test_a_window_draws_only_the_words_that_lie_in_it():
    told = timeline([turn(0), turn(100)], said=[Said(0, 4, "a", 0.1), Said(100, 104, "b", 0.1)])
    assert traces(session_figure(told, visible_s=10, window=(95, 110)), "words")[0]["x"] == [102]


def test_notes_carry_their_id_and_answer_to_a_click():
    figure = session_figure(timeline([turn(0), turn(60)], notes=[Mark(30, "1", "abc"), Mark(40, "◂", "d")]))
    assert [(a["name"], a["x"], a["captureevents"]) for a in named(figure, "note:")] == [
        ("note:abc", 30, True),
        ("note:d", 40, True),
    ]
    accepted(figure)


def test_another_recognizer_is_a_solid_line_with_its_name():
    figure = session_figure(timeline([turn(0), turn(60)], recognizers=[Mark(30, "acoustic 2")]))
    assert [s["x0"] for s in figure["layout"]["shapes"] if s.get("yref") == "paper"] == [30]
    assert "acoustic 2" in [a["text"] for a in figure["layout"]["annotations"]]


def test_what_is_hidden_has_no_lanes_that_would_tell_of_it():
    figure = session_figure(timeline([turn(0, reading="")], hidden=True, words=hidden_words()), height_px=900)
    assert lane_names(figure) == ["Mood", "May sound"]
    assert "Readings appear when you have written down what you heard." in [
        a["text"] for a in figure["layout"]["annotations"]
    ]
    accepted(figure)


@pytest.mark.django_db
def test_frames_come_thinned_in_one_query(django_assert_num_queries):
    session = factories.session(factories.client())
    rows = [factories.utterance(session) for _ in range(3)]
    rng = np.random.default_rng(0)
    for row in rows:
        logits = rng.normal(size=(1000, 9)).astype("<f2")
        FrameLogits.objects.create(utterance=row, logits=logits, rate_hz=50, first_frame_s=0.01)
    turns = [turn(10 * i) for i in range(3)]
    turns = [type(t)(**{**_fields(t), "id": row.public_id}) for t, row in zip(turns, rows, strict=True)]
    with django_assert_num_queries(1):
        found = pushes(turns, most=300)
    assert len(found) == 3 and sum(len(push.at_s) for push in found) <= 303
    assert all(np.abs(push.value).max() <= 1 for push in found) and found[1].at_s[0] == pytest.approx(10.01)


def _fields(one):
    return {name: getattr(one, name) for name in one.__slots__}
