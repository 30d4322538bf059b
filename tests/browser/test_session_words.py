"""What a counselor writes on the session page, in a real browser: labels, notes, marks, listening first."""

import re

import pytest

from tests.browser.screens import drawn, in_shell
from tests.browser.test_every_page import axe, violations  # noqa: F401 - a fixture

pytestmark = pytest.mark.browser

VIEWS = {"wide": (1440, "light"), "narrow": (390, "light"), "dark": (1440, "dark")}


@pytest.fixture
def session(page, site, request):
    """A session of three turns on the screen; the client is called like the test."""
    client = re.sub(r"\W", "-", request.node.name)
    site.say("I am fine.", client=client, ago_s=90)
    site.say("It still hurts.", client=client, ago_s=60, sad=0.7, neutral=0.3)
    last = site.say("Look, a bird!", client=client, ago_s=30, happy=0.9, neutral=0.1)
    page.goto(f"{site.address}/sessions/{last['session']}")
    page.wait_for_selector("#timeline[data-drawn]")
    return page


def choose(page, words):
    page.click(f"text={words}")
    page.wait_for_selector(".tr.sel .heard")


def note(page, words):
    page.keyboard.press("n")
    page.fill("#note-text", words)
    page.click("#note-form button.pri")


def test_a_label_by_click_stands_beside_and_is_taken_back(session):
    choose(session, "It still hurts.")
    session.click(".tr.sel [data-heard=angry]")
    session.wait_for_selector(".tr.sel .beside >> text=You heard")
    assert session.locator(".tr.sel > button .em-sad").count() == 1
    assert session.locator("#undo span").text_content() == "You heard: angry."
    session.click("#undo [data-undo]")
    session.wait_for_selector(".tr.sel .beside", state="detached")


def test_from_the_first_turn_to_the_undo_by_keys_alone(session):
    press = session.keyboard.press
    press("j")
    press("j")
    session.wait_for_selector(".tr.sel .heard")
    press("4")
    session.wait_for_selector(".tr.sel .beside .em-angry")
    press("0")
    session.wait_for_selector(".tr.sel .beside >> text=no label fits")
    press("u")
    session.wait_for_selector(".tr.sel .beside .em-angry")
    press("n")
    session.keyboard.type("Pauses here.")
    press("Control+Enter")
    session.wait_for_selector(".noteline >> text=Pauses here.")
    assert session.locator("#note-count").text_content() == "1"
    press("m")
    session.wait_for_selector(".noteline >> text=Marked moment")
    press("u")
    session.wait_for_selector("#undo span:text('Note deleted.')", state="attached")
    session.wait_for_selector(".noteline >> text=Marked moment", state="detached")


def test_a_note_is_marked_on_the_chart_changed_deleted_and_brought_back(session):
    choose(session, "It still hurts.")
    note(session, "She looked away.")
    session.wait_for_selector(".noteline >> text=She looked away.")
    annotations = "document.getElementById('timeline').layout.annotations"
    marks = f"{annotations}.filter(a => a.name?.startsWith('note:')).length"
    assert session.evaluate(marks) == 1
    session.click("[data-edit]")
    session.fill("#note-text", "She looked away for long.")
    session.keyboard.press("Control+Enter")
    session.wait_for_selector(".noteline >> text=She looked away for long.")
    session.click("[data-delete]")
    session.wait_for_selector(".noteline", state="detached")
    assert session.evaluate(marks) == 0
    session.click("#undo [data-undo]")
    session.wait_for_selector(".noteline >> text=She looked away for long.")


def test_a_note_without_a_connection_stays_and_is_sent_when_it_is_back(session):
    session.keyboard.press("n")
    session.fill("#note-text", "Do not lose me.")
    session.evaluate(
        """() => { window.tries = 0; const real = window.fetch; window.fetch = (address, ...rest) => {
           if (!String(address).includes('/notes/') || window.connected) return real(address, ...rest);
           window.tries += 1; return Promise.reject(new TypeError('Failed to fetch')) } }"""
    )
    session.click("#note-form button.pri")
    session.wait_for_selector("#note-form >> text=Not saved: no connection.")
    assert session.input_value("#note-text") == "Do not lose me."
    assert session.evaluate("window.tries") >= 1
    session.evaluate("window.connected = true; dispatchEvent(new Event('online'))")
    session.wait_for_selector(".noteline >> text=Do not lose me.")
    assert session.locator(".noteline").count() == 1


def test_an_open_note_survives_what_arrives_meanwhile(session, site, request):
    session.keyboard.press("n")
    session.fill("#note-text", "Half a thou")
    site.say("One more.", client=re.sub(r"\W", "-", request.node.name))
    session.wait_for_selector("#turns >> text=One more.", state="attached")
    assert session.input_value("#note-text") == "Half a thou"


def test_listening_first_hides_until_a_turn_is_judged_and_all_until_the_impression(session):
    session.click("text=Listen first")
    session.wait_for_selector("#impression")
    session.wait_for_selector("#timeline[data-drawn]")
    assert session.locator("#turns .mix").count() == 0
    choose(session, "It still hurts.")
    assert "May sound" not in session.locator(".tr.sel").text_content()
    session.keyboard.press("1")
    session.wait_for_selector(".tr.sel >> text=May sound sad")
    assert session.locator("#turns .tr > button .mix").count() == 1
    session.fill("#impression-text", "Sad, then lighter.")
    session.click("#impression button")
    session.wait_for_selector("#facts >> text=Sad, then lighter.")
    assert session.locator("#turns .tr > button .mix").count() == 3
    session.click("text=Listen first")
    session.wait_for_selector("[aria-pressed=false] >> text=Listen first")


def test_hovering_a_turn_shows_where_it_lies(session):
    session.hover("text=It still hurts.")
    assert session.locator("#pointed").is_visible()


def test_zooming_fetches_only_the_figure_of_the_window(session):
    with session.expect_response(re.compile(r"timeline\.json\?.*span=60.*only=figure")) as answer:
        session.keyboard.press("+")
        session.keyboard.press("+")
    assert set(answer.value.json()) == {"figure", "ended"}
    session.wait_for_function(
        "() => { const r = document.getElementById('timeline')._fullLayout.xaxis.range;"
        " return Math.abs(r[1] - r[0] - 60) < 1 }"
    )


_FRAMES = """
import numpy as np
from emotrack.history.models import FrameLogits, Utterance
for turn in Utterance.objects.filter(session__public_id=%r):
    logits = np.random.default_rng(0).normal(size=(100, 9)).astype("<f2")
    FrameLogits.objects.create(utterance=turn, logits=logits, rate_hz=50, first_frame_s=0.01)
"""


def test_a_close_look_shows_the_frames_in_a_lane_of_their_own_and_a_far_one_takes_it_away(session, site):
    lanes = session.locator(".lanelab")
    far = lanes.count()
    in_shell(site.var, _FRAMES % session.locator("#session").get_attribute("data-session"))
    session.keyboard.press("+")
    session.wait_for_selector(".lanelab >> text=Why")
    assert lanes.count() == far + 1
    drawn = "document.getElementById('timeline').data.filter(t => t.name?.startsWith('why ')).length"
    assert session.evaluate(drawn) == 3
    session.keyboard.press("-")
    session.wait_for_selector(".lanelab >> text=Why", state="detached")
    choose(session, "It still hurts.")
    session.click("#timeline .nsewdrag >> nth=0", position={"x": 300, "y": 60})
    session.wait_for_selector(".tr.sel")


@pytest.mark.parametrize("view", list(VIEWS))
def test_every_state_of_the_page_can_be_used_by_all(view, session, axe):  # noqa: F811
    width, scheme = VIEWS[view]
    session.set_viewport_size({"width": width, "height": 900})
    session.emulate_media(color_scheme=scheme)
    choose(session, "It still hurts.")
    session.keyboard.press("4")
    session.wait_for_selector(".tr.sel .beside .em-angry")
    assert violations(session, axe) == [], "a judged turn, closely"
    note(session, "She looked away.")
    session.wait_for_selector(".noteline")
    assert violations(session, axe) == [], "notes"
    session.keyboard.press("n")
    assert violations(session, axe) == [], "writing a note"
    session.keyboard.press("Escape")
    session.click("#table-button")
    assert violations(session, axe) == [], "the table"
    session.click("text=Listen first")
    session.wait_for_selector("#impression")
    drawn(session, session.url)
    assert violations(session, axe) == [], "listening first"
    assert session.evaluate("document.documentElement.scrollWidth") <= width
    session.click("text=Listen first")
    session.wait_for_selector("#impression", state="detached")
