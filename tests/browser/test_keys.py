"""Every page can be worked from the keyboard alone."""

import re

import pytest

from tests.browser.screens import addresses_of, drawn

pytestmark = pytest.mark.browser


@pytest.fixture
def at(page, site, planted):
    def go(name):
        drawn(page, site.address + addresses_of(planted)[name])
        return page

    return go


def test_j_and_enter_open_a_client_from_the_caseload(at):
    page = at("caseload")
    page.keyboard.press("j")
    name = page.locator("tr.line.sel a.who").text_content()
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile("/clients/"))
    assert name in page.locator("h1").text_content()


def test_a_slash_leads_to_the_search_and_typing_there_is_no_command(at):
    page = at("caseload")
    page.keyboard.press("/")
    page.keyboard.type("jk newc")
    assert page.locator("#find").input_value() == "jk newc"
    assert page.locator("tr.line.sel").count() == 0


def test_what_is_typed_narrows_the_caseload(at):
    page = at("caseload")
    page.keyboard.press("/")
    page.keyboard.type("newcom")
    shown = page.locator("tr.line:visible a.who").all_text_contents()
    assert shown == ["Newcomer"]


def test_t_shows_the_table_of_a_chart_and_the_chart_again(at):
    page = at("client-crowded")
    page.keyboard.press("t")
    assert page.locator(".twin").first.is_visible() and not page.locator("#mood").is_visible()
    page.keyboard.press("t")
    assert page.locator("#mood").is_visible()


@pytest.mark.parametrize("name", ["caseload", "client-crowded", "session-crowded", "alerts", "alert"])
def test_a_question_mark_lists_the_keys_of_the_page(name, at):
    page = at(name)
    page.keyboard.press("?")
    assert page.locator("#keys[open] kbd").count() >= 2
    page.keyboard.press("Escape")
    assert not page.locator("#keys").is_visible()


def test_w_explains_the_chosen_turn(at):
    page = at("session-crowded")
    page.keyboard.press("j")
    page.keyboard.press("w")
    page.wait_for_selector(".tr.sel .why")


def test_what_has_the_focus_can_be_seen(at):
    page = at("caseload")
    for _ in range(14):
        page.keyboard.press("Tab")
        seen = page.evaluate(
            "() => { const at = document.activeElement, s = getComputedStyle(at);"
            " return [at.outerHTML.slice(0, 80), s.outlineStyle, parseFloat(s.outlineWidth)] }"
        )
        assert seen[1] != "none" and seen[2] >= 2, seen
