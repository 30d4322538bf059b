"""The editor of a rule in a browser: the red line moves by key and pointer, and the preview follows."""

import pytest

from tests.browser.screens import addresses_of, drawn

pytestmark = pytest.mark.browser


def opened(page, site, planted):
    drawn(page, site.address + addresses_of(planted)["rule"])
    page.wait_for_selector("#fires-line")
    return float(page.input_value("#id_threshold"))


def previewed(page, act):
    """Do it, and wait for the preview that follows."""
    with page.expect_response(lambda answer: answer.url.endswith("/preview") and answer.ok):
        act()


def test_keys_move_the_line_and_the_number_with_it(page, site, planted):
    before = opened(page, site, planted)
    page.focus("#fires-line")
    previewed(page, lambda: page.keyboard.press("ArrowUp"))
    after = float(page.input_value("#id_threshold"))
    assert after > before
    assert float(page.get_attribute("#fires-line", "aria-valuenow")) == after
    assert page.is_visible("#is-draft")
    assert page.evaluate("document.activeElement.id") == "fires-line"


def test_dragging_the_line_up_asks_for_more(page, site, planted):
    before = opened(page, site, planted)
    grip = page.locator("#fires-line .grip").bounding_box()
    x, y = grip["x"] + 40, grip["y"] + grip["height"] / 2
    page.mouse.move(x, y)
    page.mouse.down()
    previewed(page, lambda: page.mouse.move(x, y - 40, steps=4))
    page.mouse.up()
    assert float(page.input_value("#id_threshold")) > before


def test_the_slider_moves_the_line_by_key_and_says_it_in_words(page, site, planted):
    before = opened(page, site, planted)
    slider = page.get_by_role("slider", name="Move the line at which it fires")
    slider.focus()
    previewed(page, lambda: page.keyboard.press("ArrowRight"))
    after = float(page.input_value("#id_threshold"))
    assert after > before
    assert float(page.get_attribute("#fires-line", "aria-valuenow")) == after
    assert slider.get_attribute("aria-valuetext") == f"fires above {after:g}"
    assert page.inner_text("#slide-says") == f"fires above {after:g}"
    assert page.evaluate("document.activeElement.id") == "slide"


def test_the_slider_follows_the_line_and_the_number(page, site, planted):
    opened(page, site, planted)
    previewed(page, lambda: page.fill("#id_threshold", "2.6"))
    assert page.get_attribute("#slide", "aria-valuetext") == "fires above 2.6"
    step = float(page.get_attribute("#slide", "step"))
    assert abs(float(page.input_value("#slide")) - 2.6) <= step / 2


def test_what_is_usual_is_drawn_beside_the_line(page, site, planted):
    opened(page, site, planted)
    assert page.locator("#rulechart .usual").count() > 0
    assert page.get_by_text("usual for this person when each session began").is_visible()


def test_a_wrong_order_of_the_lines_is_said_beside_the_preview(page, site, planted):
    opened(page, site, planted)
    previewed(page, lambda: page.fill("#id_recovery_threshold", "99"))
    page.wait_for_selector("#preview .wrong")


def test_nothing_is_saved_by_trying(page, site, planted):
    before = opened(page, site, planted)
    previewed(page, lambda: page.fill("#id_threshold", "5"))
    page.reload()
    assert float(page.input_value("#id_threshold")) == before
