"""A session recorded from the microphone of a real browser, which hears the sample conversation."""

from __future__ import annotations

import re

import numpy as np
import pytest

from analysis.audio import decode
from emotrack.sample import conversation
from tests.analysis import sounds
from tests.browser.chromium import chromium_path
from tests.browser.screens import sign_in
from tests.browser.test_every_page import violations

pytestmark = pytest.mark.browser
READ_WITHIN_MS = 40_000


@pytest.fixture(scope="module")
def axe():
    package = pytest.importorskip("axe_playwright_python", reason="no axe-core here: make test installs it")
    from importlib.resources import files

    return files(package).joinpath("axe.min.js").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def spoken(tmp_path_factory):
    """The client's turns of the sample conversation with pauses, as a WAV file."""
    turns = [turn for turn in conversation.load().turns if turn.speaker == "client"][:5]
    pieces = [p for t in turns for p in (sounds.silence(1.5), decode(t.audio.read_bytes()).waveform.samples)]
    path = tmp_path_factory.mktemp("sound") / "spoken.wav"
    path.write_bytes(sounds.wav(np.concatenate([*pieces, sounds.silence(3.0)])))
    return path


@pytest.fixture(scope="module")
def browsers(spoken):
    """Browsers by what their microphone does."""
    sync_api = pytest.importorskip("playwright.sync_api")
    fake = "--use-fake-device-for-media-stream"
    allowed = ["--no-sandbox", fake, "--use-fake-ui-for-media-stream"]
    with sync_api.sync_playwright() as play:

        def launch(*more):
            return play.chromium.launch(executable_path=chromium_path(), args=[*allowed, *more])

        opened = {
            "speech": launch(f"--use-file-for-fake-audio-capture={spoken}"),
            "none": play.chromium.launch(executable_path=chromium_path(), args=["--no-sandbox"]),
        }
        yield opened
        for browser in opened.values():
            browser.close()


def opened(browser, site, path, **context):
    options = {"viewport": {"width": 1280, "height": 900}, "reduced_motion": "reduce"} | context
    page = browser.new_context(**options).new_page()
    page.complaints = []
    page.on("console", lambda m: m.type == "error" and page.complaints.append(m.text))
    page.on("pageerror", lambda error: page.complaints.append(str(error)))
    sign_in(page, site.address, site.user)
    page.goto(site.address + path)
    return page


def begun(browser, site, planted, **context):
    page = opened(browser, site, f"/clients/{planted['new']}/live", **context)
    page.click("button.pri")
    page.wait_for_selector("#live")
    return page


def test_a_session_is_heard_read_noted_and_complete_when_it_ends(browsers, site, planted, axe):
    page = begun(browsers["speech"], site, planted)
    page.wait_for_selector("#live.on", timeout=20_000)
    page.wait_for_selector("#now .turns li:has-text('May sound')", timeout=READ_WITHIN_MS)
    assert violations(page, axe) == []
    assert page.locator("#live").get_attribute("data-level") == "levelGood"
    page.keyboard.press("p")
    assert "Nothing is recorded" in page.locator("#state").inner_text()
    page.keyboard.press("p")
    page.keyboard.press("n")
    page.keyboard.type("They smiled.")
    page.click("#keep-note")
    page.wait_for_selector("#note-state:has-text('Note kept')")
    page.click("#mark")
    page.keyboard.press("Escape")
    page.locator("#now .turns li .mono").nth(2).wait_for(timeout=READ_WITHIN_MS)
    page.click("#end")
    page.wait_for_url("**/sessions/*", timeout=30_000)
    assert page.locator(".chip", has_text="Ended").count() == 1
    page.wait_for_selector(".tr.turn, .tr.gap")
    assert page.locator(".tr").count() >= 3
    assert page.complaints == []
    page.context.close()


def test_a_line_that_breaks_is_said_and_loses_nothing(browsers, site, planted):
    page = opened(browsers["speech"], site, f"/clients/{planted['new']}/live")
    lines = []

    def through(line):
        line.connect_to_server()
        lines.append(line)

    page.route_web_socket(re.compile("/ws/listen"), through)
    page.click("button.pri")
    page.wait_for_selector("#live.on", timeout=20_000)
    page.locator("#now .turns li .mono").first.wait_for(timeout=READ_WITHIN_MS)
    lines[0].close(code=1011, reason="cut")
    page.wait_for_selector("#trouble:not([hidden])")
    assert "when the line is back" in page.locator("#trouble").inner_text()
    page.wait_for_selector("#trouble[hidden]", state="attached", timeout=20_000)
    assert len(lines) == 2
    page.locator("#now .turns li .mono").nth(2).wait_for(timeout=READ_WITHIN_MS)
    page.click("#end")
    page.wait_for_url("**/sessions/*", timeout=30_000)
    assert page.complaints == []
    page.context.close()


VIEWS = {"narrow": (390, "light"), "dark": (1280, "dark")}


@pytest.mark.parametrize("view", list(VIEWS))
def test_the_page_fits_and_can_be_used_by_all(view, browsers, site, planted, axe):
    width, scheme = VIEWS[view]
    page = begun(
        browsers["speech"], site, planted, viewport={"width": width, "height": 844}, color_scheme=scheme
    )
    page.wait_for_selector("#live.on", timeout=20_000)
    assert violations(page, axe) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.keyboard.press("q")
    assert page.locator("#live.quiet").count() == 0
    assert violations(page, axe) == []
    page.click("#end")
    page.wait_for_url("**/sessions/*", timeout=30_000)
    page.context.close()


TROUBLES = {
    "NotAllowedError": "The microphone is not allowed",
    "NotFoundError": "No microphone found",
    "NotReadableError": "The microphone cannot be used now",
}


@pytest.mark.parametrize(("name", "said"), TROUBLES.items(), ids=TROUBLES)
def test_a_microphone_that_cannot_be_had_is_explained(name, said, browsers, site, planted, axe):
    page = opened(browsers["none"], site, f"/clients/{planted['new']}/live")
    page.add_init_script(
        f"navigator.mediaDevices.getUserMedia = async () => {{ throw new DOMException('', '{name}') }}"
    )
    page.click("button.pri")
    page.wait_for_selector("#hurdle:not([hidden])")
    assert page.locator("#hurdle-title").inner_text() == said
    assert page.locator("#hurdle-words").inner_text()
    assert page.locator("#pause").is_disabled()
    assert violations(page, axe) == []
    page.context.close()


@pytest.mark.parametrize(
    ("script", "said"),
    [
        ("delete Navigator.prototype.mediaDevices", "This browser cannot record"),
        ("delete window.AudioWorkletNode", "This browser cannot record"),
        (
            "delete Navigator.prototype.mediaDevices;"
            "Object.defineProperty(window, 'isSecureContext', { value: false })",
            "The browser gives no microphone to this address",
        ),
    ],
)
def test_a_browser_that_cannot_record_is_told_what_to_do(script, said, browsers, site, planted):
    page = opened(browsers["none"], site, f"/clients/{planted['new']}/live")
    page.add_init_script(script)
    page.click("button.pri")
    page.wait_for_selector("#hurdle:not([hidden])")
    assert page.locator("#hurdle-title").inner_text() == said
    page.context.close()


def test_the_page_before_it_can_be_used_by_all(browsers, site, planted, axe):
    for width, scheme in VIEWS.values():
        page = opened(
            browsers["none"], site, f"/clients/{planted['new']}/live",
            viewport={"width": width, "height": 844}, color_scheme=scheme,
        )  # fmt: skip
        assert violations(page, axe) == []
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        page.context.close()
