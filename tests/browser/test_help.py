"""The "?" beside a figure is opened, read and closed from the keyboard."""

import pytest

from tests.browser.screens import addresses_of, drawn

pytestmark = pytest.mark.browser

BUTTON, TEXT = "button.help[popovertarget=help-home-base]", "#help-home-base"


@pytest.fixture
def opened(page, site, planted):
    drawn(page, site.address + addresses_of(planted)["client-crowded"])
    page.locator(BUTTON).focus()
    page.keyboard.press("Enter")
    page.locator(TEXT).wait_for(state="visible")
    return page


def test_enter_opens_the_text_and_gives_it_the_focus(opened):
    assert "usually dwells" in opened.locator(TEXT).text_content()
    assert opened.evaluate("document.activeElement.id") == "help-home-base"


def test_the_text_lies_within_the_screen(opened):
    box, size = opened.locator(TEXT).bounding_box(), opened.viewport_size
    assert box["x"] >= 0 and box["x"] + box["width"] <= size["width"]
    assert box["y"] >= 0 and box["y"] + box["height"] <= size["height"]


def test_escape_closes_it_and_gives_the_focus_back(opened):
    opened.keyboard.press("Escape")
    opened.locator(TEXT).wait_for(state="hidden")
    assert opened.evaluate("document.activeElement.matches('button.help')")


def test_opening_another_closes_the_first(opened):
    opened.locator("button.help[popovertarget=help-patterns]").focus()
    opened.keyboard.press("Enter")
    opened.locator("#help-patterns").wait_for(state="visible")
    assert not opened.locator(TEXT).is_visible()
