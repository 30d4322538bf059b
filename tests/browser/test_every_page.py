"""Every page, with odd and with empty contents: usable by all, within its frame, and within its policy."""

import pytest

from tests.browser.screens import addresses_of, drawn

pytestmark = pytest.mark.browser

VIEWS = {"wide": (1440, "light"), "narrow": (390, "light"), "dark": (1440, "dark"), "huge": (2560, "light")}
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]


@pytest.fixture(scope="module")
def axe():
    """The source of axe-core, which judges a page by the rules for accessibility."""
    package = pytest.importorskip("axe_playwright_python", reason="no axe-core here: make test installs it")
    from importlib.resources import files

    return files(package).joinpath("axe.min.js").read_text(encoding="utf-8")


def violations(page, axe):
    page.evaluate(axe)
    found = page.evaluate("rules => axe.run(document, { runOnly: { type: 'tag', values: rules } })", RULES)[
        "violations"
    ]
    return [(v["id"], node["target"], node["failureSummary"]) for v in found for node in v["nodes"]]


@pytest.mark.parametrize("view", ["wide", "narrow", "dark"])
def test_every_page_can_be_used_by_all(view, page, site, planted, axe):
    width, scheme = VIEWS[view]
    page.set_viewport_size({"width": width, "height": 900})
    page.emulate_media(color_scheme=scheme)
    for path in addresses_of(planted).values():
        if path.startswith("/clients/0000"):
            continue  # the browser rightly reports its 404 as an error
        drawn(page, site.address + path)
        assert violations(page, axe) == [], path


@pytest.mark.parametrize("view", list(VIEWS))
def test_nothing_is_wider_than_the_screen_however_long_a_name(view, page, site, planted):
    width, _scheme = VIEWS[view]
    page.set_viewport_size({"width": width, "height": 900})
    for name in ("caseload", "alerts", "alert", "client-crowded", "client-odd", "session-crowded"):
        drawn(page, site.address + addresses_of(planted)[name])
        assert page.evaluate("document.documentElement.scrollWidth") <= width, name


def test_no_page_steps_outside_its_policy(page, site, planted):
    page.add_init_script(
        "window.broken = []; document.addEventListener('securitypolicyviolation',"
        " e => window.broken.push(`${e.violatedDirective} ${e.blockedURI} ${e.sample}`))"
    )
    for path in addresses_of(planted).values():
        if not path.startswith("/clients/0000"):
            drawn(page, site.address + path)
            assert page.evaluate("window.broken") == [], path


def test_a_page_that_refreshes_itself_stays_within_its_policy(page, site):
    first = site.say("Before.", client="refreshed")
    drawn(page, f"{site.address}/clients/{first['client']}")
    page.evaluate(
        "document.addEventListener('refreshed', () => { document.documentElement.dataset.fresh = 1 })"
    )
    site.say("After.", client="refreshed")
    page.wait_for_selector("html[data-fresh]", timeout=20000)


def test_the_sign_in_page_can_be_used_by_all(chromium, site, axe):
    page = chromium.new_page()
    page.goto(f"{site.address}/sign-in")
    assert violations(page, axe) == []
    page.close()
