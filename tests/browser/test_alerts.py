"""Alerts in a real browser: opened, heard, acknowledged and judged by keys, and kept up to date in place."""

import json
import re

import pytest

from tests.browser.screens import in_shell

pytestmark = pytest.mark.browser

_PLANT = """
import json
from datetime import timedelta
from django.utils import timezone
from emotrack.accounts.models import User
from emotrack.alerts import actions
from emotrack.history import actions as history
from tests.analysis import sounds
from tests.emotrack import factories
from tests.emotrack.alerts.planted import series
who = factories.client({name!r}, assigned_to=User.objects.order_by("id")[0])
now = timezone.now()
session = factories.session(who, now - timedelta(minutes=5))
for spoken in series(session, volatility_z=[0, 4, 5, 4, 4]):
    sound = sounds.wav(sounds.spoken(1.0))
    history.keep_audio(spoken, sound, media_type="audio/wav", peaks=bytes(100), now=now, days=30)
(alert,) = actions.evaluate(session, factories.recognizer(), now=now).fired
print("planted=" + json.dumps(dict(client=who.public_id, alert=alert.public_id, rule=alert.rule.public_id)))
"""


def plant(site, name):
    said = in_shell(site.var, _PLANT.format(name=name))
    return json.loads(re.search(r"planted=(.*)", said)[1])


def test_an_alert_is_opened_heard_acknowledged_and_judged_by_keys(page, site):
    made = plant(site, "Keyed")
    page.goto(f"{site.address}/alerts?client={made['client']}")
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    page.wait_for_selector("h1:has-text('More changeable than usual')")
    page.wait_for_selector("#why .main-svg")
    page.keyboard.press("j")
    page.keyboard.press("Space")
    page.wait_for_selector("li.turn-line.sel [data-hear] use[href='#i-pause']")
    page.keyboard.press("a")
    page.wait_for_selector(".chip:has-text('Seen by')")
    assert page.locator("[data-ack]").count() == 0
    page.keyboard.press("1")
    page.wait_for_selector("[data-verdict='1'][aria-pressed='true']")
    page.keyboard.press("2")
    page.wait_for_selector("[data-verdict='2'][aria-pressed='true']")
    assert page.locator("[data-verdict][aria-pressed='true']").count() == 1
    page.keyboard.press("1")
    page.wait_for_selector("[data-verdict='1'][aria-pressed='true']")
    page.wait_for_selector(".story :text('Judged: Useful')")
    page.goto(f"{site.address}/rules/{made['rule']}")
    page.wait_for_selector(".standing:has-text('judged alert was useful')")


def test_a_snooze_is_two_clicks_and_ended_by_one(page, site):
    made = plant(site, "Snoozed")
    page.goto(f"{site.address}/alerts/{made['alert']}")
    page.click("summary:has-text('Snooze until')")
    page.click("button:has-text('Until the next session')")
    page.wait_for_selector(".chip:has-text('Snoozed until the next session')")
    page.goto(f"{site.address}/alerts?show=snoozed&client={made['client']}")
    page.click("button:has-text('End the snooze')")
    page.wait_for_selector("text=No alert matches")


def test_the_menu_closes_by_escape_and_the_focus_goes_back(page, site):
    made = plant(site, "Escaped")
    page.goto(f"{site.address}/alerts/{made['alert']}")
    page.click("summary:has-text('Snooze until')")
    page.keyboard.press("Escape")
    assert page.locator("details.menu[open]").count() == 0
    assert page.evaluate("document.activeElement.tagName") == "SUMMARY"


def test_a_list_follows_what_is_done_elsewhere_without_reload(page, site):
    made = plant(site, "Elsewhere")
    page.goto(f"{site.address}/alerts?client={made['client']}")
    page.wait_for_selector(f"#alert-{made['alert']}")
    page.evaluate("window.sameDocument = true")
    other = page.context.new_page()
    other.goto(f"{site.address}/alerts/{made['alert']}")
    other.click("button:has-text('Resolve')")
    other.wait_for_selector(".chip:has-text('Resolved by')")
    page.wait_for_selector("text=No alert matches")
    assert page.evaluate("window.sameDocument")
    other.click("button:has-text('Reopen')")
    page.wait_for_selector(f"#alert-{made['alert']}")
    other.close()


def test_what_is_typed_into_the_search_is_no_command(page, site):
    plant(site, "Typed")
    page.goto(f"{site.address}/alerts")
    page.keyboard.press("/")
    page.keyboard.type("a12j Typed")
    assert page.locator("#find").input_value() == "a12j Typed"
    page.locator("#find").fill("typed")
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile("q=typed"))
    assert page.locator("section.person-alerts").count() == 1
