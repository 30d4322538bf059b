"""The export menu by keyboard, a file and a PDF that are saved, and the pages in Chinese."""

import json
from pathlib import Path

import pytest

from tests.browser.screens import SPEAK, addresses_of, drawn, in_shell
from tests.browser.test_every_page import axe as axe
from tests.browser.test_every_page import violations
from tests.emotrack.web.paper import pdf_status

pytestmark = pytest.mark.browser

BUTTON, MENU = "button[popovertarget=export-menu]", "#export-menu"


@pytest.fixture(params=[1440, 390])
def opened(request, page, site, planted):
    page.set_viewport_size({"width": request.param, "height": 844})
    drawn(page, site.address + addresses_of(planted)["session-crowded"])
    page.locator(BUTTON).focus()
    page.keyboard.press("Enter")
    page.locator(MENU).wait_for(state="visible")
    return page


def test_the_menu_lies_within_the_screen_and_can_be_used_by_all(opened, axe):
    box, size = opened.locator(MENU).bounding_box(), opened.viewport_size
    assert box["x"] >= 0 and box["x"] + box["width"] <= size["width"]
    assert box["y"] >= 0 and box["y"] + box["height"] <= size["height"]
    assert violations(opened, axe) == []


def test_it_is_used_and_closed_from_the_keyboard(opened):
    opened.keyboard.press("Tab")
    assert "Report" in opened.evaluate("document.activeElement.textContent")
    opened.keyboard.press("Escape")
    opened.locator(MENU).wait_for(state="hidden")
    assert opened.evaluate(f"document.activeElement.matches('{BUTTON}')")


def test_a_file_is_saved_with_what_was_said(opened):
    with opened.expect_download() as saving:
        opened.locator(f"{MENU} a", has_text="JSON").first.click()
    said = json.loads(Path(saving.value.path()).read_text(encoding="utf-8"))
    assert len(said["sessions"][0]["utterances"]) == 120
    assert saving.value.suggested_filename.startswith("emotrack-")


@pytest.mark.skipif(pdf_status() != 200, reason="Pango is not on this machine")
def test_the_report_is_reached_and_saved_as_pdf(opened):
    opened.locator(f"{MENU} a", has_text="Report").click()
    opened.wait_for_selector("main.sheet")
    opened.fill("#words", "We agreed to talk about sleep.")
    with opened.expect_download() as saving:
        opened.click("button[formaction]")
    assert Path(saving.value.path()).read_bytes().startswith(b"%PDF")


@pytest.fixture
def chinese(site):
    in_shell(site.var, SPEAK.format("zh-hans"))
    yield
    in_shell(site.var, SPEAK.format("en"))


@pytest.mark.parametrize("width", [390, 1440])
def test_the_pages_in_chinese_fit_and_can_be_used_by_all(width, page, site, planted, chinese, axe):
    page.set_viewport_size({"width": width, "height": 844})
    for name in ("caseload", "rule", "you", "client-crowded", "session-crowded", "report-client"):
        drawn(page, site.address + addresses_of(planted)[name])
        assert page.evaluate("document.documentElement.lang") == "zh-hans"
        assert page.evaluate("document.documentElement.scrollWidth") <= width, name
        assert violations(page, axe) == [], name
        if name == "client-crowded":
            assert "月" in page.locator(".xtick text").first.text_content()
