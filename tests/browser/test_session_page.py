"""The session page in a real browser: it grows by itself, answers to keys and breaks no policy."""

import re

import pytest

pytestmark = pytest.mark.browser


def opened(page, site, session):
    page.goto(f"{site.address}/sessions/{session}")
    page.wait_for_selector("#timeline[data-drawn]")
    return page


def points(page):
    return page.evaluate("document.getElementById('timeline').data.find(t => t.name === 'hover').x.length")


def test_a_turn_that_is_posted_appears_without_reload(page, site):
    first = site.say("We begin.", client="live")
    opened(page, site, first["session"])
    page.evaluate("window.sameDocument = true")
    assert points(page) == 1
    site.say("And here I go on.", client="live", happy=0.9, neutral=0.1)
    page.wait_for_selector("text=And here I go on.")
    page.wait_for_selector(".tr.turn .em-happy")
    assert points(page) == 2 and page.evaluate("window.sameDocument")


def test_a_chosen_turn_stays_chosen_while_the_session_grows(page, site):
    first = site.say("Choose me.", client="choose")
    opened(page, site, first["session"])
    page.click("text=Choose me.")
    page.wait_for_selector(".why")
    site.say("Something new.", client="choose")
    page.wait_for_selector("text=Something new.")
    assert page.locator(".tr.sel").get_attribute("data-id") == first["id"]
    assert page.locator(".tr.sel .why").is_visible()


def test_keys_move_through_the_turns_and_show_the_table(page, site):
    for ago_s, words in ((30, "One."), (20, "Two."), (10, "Three.")):
        last = site.say(words, client="keys", ago_s=ago_s)
    opened(page, site, last["session"])
    page.keyboard.press("j")
    page.keyboard.press("j")
    assert "Two." in page.locator(".tr.sel").text_content()
    page.keyboard.press("k")
    assert "One." in page.locator(".tr.sel").text_content()
    page.keyboard.press("t")
    assert page.locator("#twin").is_visible() and not page.locator("#timeline").is_visible()
    page.keyboard.press("?")
    assert page.locator("#keys").is_visible()


def test_a_click_on_the_chart_chooses_the_turn_below_it(page, site):
    site.say("Calm.", client="click", ago_s=40)
    last = site.say("Glad.", client="click", ago_s=10, happy=1.0)
    opened(page, site, last["session"])
    place = page.evaluate(
        """() => { const plot = document.getElementById('timeline'), box = plot.getBoundingClientRect(),
           layout = plot._fullLayout, trace = plot.data.find(t => t.name === 'hover');
           return [box.x + layout.xaxis._offset + layout.xaxis.l2p(trace.x[1]),
                   box.y + layout[trace.yaxis.replace('y', 'yaxis')]._offset + 20] }"""
    )
    page.mouse.move(*place)
    page.mouse.click(*place)
    page.wait_for_selector(".tr.sel")
    assert "Glad." in page.locator(".tr.sel").text_content()


def test_colors_follow_the_theme_in_the_chart_too(page, site):
    first = site.say("Look at me.", client="theme")
    opened(page, site, first["session"])
    color = "document.getElementById('timeline').data.find(t => t.name === 'level').marker.color"
    light = page.evaluate(color)
    page.emulate_media(color_scheme="dark")
    page.wait_for_timeout(300)
    assert (light, page.evaluate(color)) == ("#0A6A66", "#56C5BA")


@pytest.mark.parametrize("width", [390, 720, 1024, 1440, 2560])
def test_no_page_is_wider_than_the_screen(width, page, site):
    first = site.say("Wide?", client="width")
    page.set_viewport_size({"width": width, "height": 900})
    for path in ("/", "/alerts", "/rules", "/replies", "/you", f"/sessions/{first['session']}"):
        page.goto(site.address + path)
        page.wait_for_selector(".plot.waiting", state="detached")
        assert page.evaluate("document.documentElement.scrollWidth") <= width, path


def test_a_second_screen_and_a_first_hear_of_the_same_turn(page, chromium, site):
    first = site.say("Both of you.", client="both")
    opened(page, site, first["session"])
    other = chromium.new_context(storage_state=page.context.storage_state()).new_page()
    opened(other, site, first["session"])
    site.say("Everybody heard?", client="both")
    for screen in (page, other):
        screen.wait_for_selector("text=Everybody heard?")
    other.context.close()


def test_who_signs_out_elsewhere_is_led_to_the_door(page, site):
    first = site.say("Still here?", client="out")
    opened(page, site, first["session"])
    other = page.context.new_page()
    other.goto(f"{site.address}/you")
    other.click("text=Sign out")
    page.wait_for_url(re.compile("/sign-in"), timeout=20000)


def test_a_screen_that_hears_nothing_says_since_when(page, site):
    page.clock.install()
    page.route_web_socket("**/ws/watch", lambda silent: None)
    opened(page, site, site.say("Hello?", client="silent")["session"])
    assert not page.locator("#notlive").is_visible()
    page.clock.fast_forward(32_000)
    assert "Not live since" in page.locator("#notlive").text_content()


def test_a_gap_in_the_count_makes_the_page_fetch_again(page, site):
    sockets = []
    page.route_web_socket("**/ws/watch", lambda socket: sockets.append(socket))
    first = site.say("Before the gap.", client="gap")
    opened(page, site, first["session"])
    sockets[0].send('{"seq": 1, "what": "beat"}')
    site.say("Lost on the way.", client="gap")
    sockets[0].send('{"seq": 3, "what": "beat"}')
    page.wait_for_selector("text=Lost on the way.")
