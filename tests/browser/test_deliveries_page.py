"""A webhook's life on its pages, and a trouble of the service as admins see it."""

import pytest

from tests.browser.screens import in_shell
from tests.browser.test_every_page import axe, violations  # noqa: F401

pytestmark = pytest.mark.browser

TROUBLE = (
    "from django.utils import timezone; from tests.emotrack.alerts.planted import trouble, trouble_over; "
    "{what}, now=timezone.now(){more})"
)


def test_a_webhook_is_added_tried_out_removed_and_brought_back(page, site, axe):  # noqa: F811
    page.goto(f"{site.address}/channels")
    if not page.locator("details.adder[open]").count():
        page.locator("details.adder summary").press("Enter")
    page.get_by_label("Name", exact=True).fill("Night desk")
    page.get_by_label("Address").fill("https://203.0.112.7/")
    page.get_by_role("button", name="Add the webhook").press("Enter")
    assert page.get_by_label("The new secret").input_value().startswith("whsec_")
    assert violations(page, axe) == []
    page.get_by_role("button", name="Remove").click()
    page.get_by_role("button", name="Undo").click()
    page.get_by_role("button", name="Switch off").click()
    page.get_by_role("button", name="Switch on").wait_for()


def test_a_trouble_of_the_service_stands_quietly_on_every_page_until_it_is_over(page, site, axe):  # noqa: F811
    in_shell(site.var, TROUBLE.format(what="trouble('backlog'", more=", waiting=3, minutes=12"))
    try:
        page.goto(f"{site.address}/")
        page.locator("a.trouble").click()
        page.get_by_text("3 turns wait to be read", exact=False).first.wait_for()
        for scheme, width in (("light", 1440), ("dark", 390)):
            page.emulate_media(color_scheme=scheme)
            page.set_viewport_size({"width": width, "height": 900})
            assert violations(page, axe) == []
    finally:
        in_shell(site.var, TROUBLE.format(what="trouble_over('backlog'", more=""))
    page.reload()
    assert not page.locator("a.trouble", has_text="3 turns wait").count()
