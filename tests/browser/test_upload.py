"""Recordings are dropped on a page by a person, and what became of them is told without a reload."""

from __future__ import annotations

import numpy as np
import pytest

from tests.analysis import sounds
from tests.browser.screens import sign_in
from tests.browser.test_every_page import axe, violations  # noqa: F401 - a fixture

pytestmark = pytest.mark.browser


@pytest.fixture
def files(tmp_path):
    said = [p for k in range(3) for p in (sounds.silence(1.2), sounds.spoken(2.0, seed=k))]
    (tmp_path / "first talk.wav").write_bytes(sounds.wav(np.concatenate([*said, sounds.silence(1.2)])))
    (tmp_path / "letter.mp3").write_bytes(b"Dear Ann, " * 200)
    return sorted(tmp_path.iterdir())


@pytest.fixture
def refusing(chromium, site):
    """A signed-in page that is told, as is right, of a refused file, and of no other error."""
    context = chromium.new_context(reduced_motion="reduce")
    opened, complaints = context.new_page(), []
    opened.on("console", lambda m: m.type == "error" and complaints.append(m.text))
    opened.on("pageerror", lambda error: complaints.append(str(error)))
    sign_in(opened, site.address, site.user)
    yield opened
    context.close()
    assert [text for text in complaints if "422" not in text] == []
    assert len(complaints) == 1


@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (390, "dark")])
def test_files_are_sent_read_and_explained(width, scheme, refusing, site, planted, files, axe):  # noqa: F811
    page = refusing
    page.set_viewport_size({"width": width, "height": 900})
    page.emulate_media(color_scheme=scheme)
    page.goto(f"{site.address}/clients/{planted['odd']}/upload")
    assert violations(page, axe) == []
    page.set_input_files("#files", files)
    page.wait_for_selector("#chosen li:nth-child(2)")
    assert page.locator("#chosen input[type=datetime-local]").first.input_value()
    assert violations(page, axe) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.click("#send")
    page.wait_for_selector("#chosen li .wrong:has-text('Save the recording as one of these')")
    page.locator(".upload-line .chip.ok").first.wait_for(timeout=60_000)
    assert "3 turns found" in page.locator(".upload-line").first.inner_text()
    assert violations(page, axe) == []
    page.reload()
    assert "first talk.wav" in page.locator("#list").inner_text()
    page.locator(".upload-line a").first.click()
    page.wait_for_selector(".tr")


def test_a_file_can_be_taken_back_and_one_from_the_future_is_not_sent(page, site, planted, files):
    page.goto(f"{site.address}/clients/{planted['odd']}/upload")
    page.set_input_files("#files", files[:1])
    page.fill("#chosen input", "2199-01-01T10:00")
    page.click("#send")
    page.wait_for_selector("#chosen .wrong:has-text('future')")
    page.click("#chosen button")
    assert page.locator("#chosen li").count() == 0
