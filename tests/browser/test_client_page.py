"""The client's page in a browser: what its reader opened survives a refresh, and consents are kept."""

import re

import pytest

from tests.browser.screens import drawn, in_shell

pytestmark = pytest.mark.browser


def refreshed(page, site, client):
    """Let an app post a turn of the client and wait until the page has fetched itself anew."""
    page.evaluate(
        "delete document.documentElement.dataset.fresh;"
        "document.addEventListener('refreshed', () => { document.documentElement.dataset.fresh = 1 })"
    )
    site.say("Another turn.", client=client)
    page.wait_for_selector("html[data-fresh]", timeout=20000)


def test_what_a_reader_opened_stays_open_when_the_page_refreshes(page, site):
    first = site.say("Before.", client="kept")
    drawn(page, f"{site.address}/clients/{first['client']}")
    page.keyboard.press("t")
    page.locator("button.help[popovertarget=help-mood-level]").click()
    assert page.locator("#help-mood-level").is_visible()
    refreshed(page, site, "kept")
    assert page.locator("#help-mood-level").is_visible()
    assert page.locator(".twin").first.is_visible() and not page.locator("#mood").is_visible()


def test_a_consent_is_withdrawn_only_after_its_consequences_were_shown(page, site):
    first = site.say("Before.", client="agreeing")
    page.goto(f"{site.address}/clients/{first['client']}")
    page.get_by_role("link", name="Consents", exact=True).click()
    page.get_by_role("link", name="Withdraw: Alerts to the counselor").click()
    assert page.get_by_text("You can take this back for ten minutes").is_visible()
    page.get_by_role("button", name="Withdraw it now").click()
    assert page.get_by_text("Withdrawn: Alerts to the counselor.").is_visible()
    page.locator("#id_alerts_version").fill("2026-11")
    page.get_by_role("button", name="The client agreed: Alerts to the counselor").click()
    assert page.get_by_text("text 2026-11").is_visible()


def test_a_typical_turn_of_a_pattern_is_played_and_paused(page, site):
    plant = "from tests.browser.planted import plant_two_ways; print('id=' + plant_two_ways())"
    client = re.search(r"id=(\S+)", in_shell(site.var, plant))[1]
    drawn(page, f"{site.address}/clients/{client}")
    play = page.get_by_role("button", name="Play a typical turn of pattern A")
    with page.expect_response(re.compile(r"/api/v1/utterances/\w+/audio")) as heard:
        play.click()
    assert heard.value.status in (200, 206)
    page.wait_for_selector('[data-hear] use[href="#i-pause"]')
    play.click()
    page.wait_for_selector('[data-hear] use[href="#i-pause"]', state="detached")
    assert page.locator("[data-hear-state]").text_content() == ""


def test_from_the_caseload_to_a_session_a_comparison_and_the_consents(page, site, planted):
    """What a counselor does before a session, with nothing but clicks and keys."""
    page.goto(f"{site.address}/")
    page.keyboard.press("/")
    page.keyboard.type("wilhelmina")
    page.keyboard.press("Tab")
    page.locator("tr.line:visible a.who").click()
    page.wait_for_url(re.compile(f"/clients/{planted['crowded']}"))
    page.wait_for_selector(".plot.waiting", state="detached")
    page.get_by_role("link", name="90 d", exact=True).click()
    page.get_by_role("link", name="Weeks", exact=True).click()
    page.wait_for_selector(".plot.waiting", state="detached")
    assert "range=90d" in page.url and "by=week" in page.url
    page.locator(".lines a[href*='/sessions/']").first.click()
    page.wait_for_selector("#timeline[data-drawn]")
    page.go_back()
    page.get_by_role("link", name="Compare", exact=True).click()
    page.get_by_role("link", name="With own past").click()
    page.wait_for_selector(".plot.waiting", state="detached")
    assert page.locator("#said").text_content().strip()
    page.get_by_role("link", name="Consents", exact=True).click()
    assert page.get_by_role("heading", name="Readings from the voice").is_visible()
    page.go_back()
    page.get_by_role("link", name="Who looked", exact=True).click()
    assert page.get_by_text("compared sessions or periods").first.is_visible()
    page.get_by_role("link", name="Caseload", exact=True).first.click()
    page.go_back()
    page.get_by_role("link", name="Overview").click()
    page.wait_for_load_state("load")
    page.keyboard.press("n")
    page.wait_for_selector("#note-text:focus")
    page.keyboard.type("Ask about the new team.")
    page.get_by_role("button", name="Save the note").click()
    page.get_by_text("Change or delete").first.click()
    page.get_by_role("button", name="Delete").click()
    page.get_by_role("button", name="Undo").click()
    assert page.get_by_text("Note brought back.").is_visible()
    assert page.locator("#notes bdi").first.text_content() == "Ask about the new team."


def test_what_was_searched_is_still_there_when_one_comes_back(page, site, planted):
    page.goto(f"{site.address}/")
    page.keyboard.press("/")
    page.keyboard.type("newcom")
    page.get_by_role("link", name="Newcomer").first.click()
    page.wait_for_url(re.compile("/clients/"))
    page.go_back()
    page.wait_for_selector("tr.line:visible")
    assert page.locator("tr.line:visible a.who").all_text_contents() == ["Newcomer"]
    assert page.locator("#find").input_value() == "newcom"


def test_a_search_finds_those_whom_the_page_did_not_bring(page, site, planted):
    in_shell(
        site.var,
        "from emotrack.accounts.models import User; from tests.emotrack import factories;"
        "who = User.objects.order_by('id')[0];"
        "[factories.client(f'Zzz {i:02}', assigned_to=who) for i in range(30)]",
    )
    page.goto(f"{site.address}/")
    assert page.locator("a[data-more]").first.is_visible()
    assert page.locator("tr.line", has_text="Zzz 29").count() == 0
    page.keyboard.press("/")
    page.keyboard.type("zzz 29")
    page.wait_for_selector("tr.line:visible >> text=Zzz 29")
    assert page.locator("tr.line:visible").count() == 1
