"""English and Simplified Chinese: who gets which, and that all that a page says has both."""

import re

import pytest
from django.test import Client as Browser
from django.utils import timezone, translation

from emotrack.web.formats.zh_Hans.formats import SHORTENED
from emotrack.web.help import help_on
from tests import messages
from tests.emotrack import factories
from tests.emotrack.web.conftest import signed_in


@pytest.fixture
def chinese(house) -> Browser:
    """Alice, who reads Chinese."""
    house.alice.language = "zh-hans"
    house.alice.save()
    return signed_in(house.alice)


def page(browser: Browser, address: str, **headers: str) -> str:
    return browser.get(address, headers=headers).content.decode()


def test_words_within_a_string_that_is_put_together_are_collected(tmp_path):
    place = tmp_path / "said.py"
    place.write_text("said = f\"{side} {_('The cat sat.')} {ngettext('%(n)d cat', '%(n)d cats', n)}\"")
    found = list(messages._in_f_strings(place))
    assert found == [("The cat sat.", None), (("%(n)d cat", "%(n)d cats"), None)]


# --- Who gets which -------------------------------------------------------------------------------


def test_before_signing_in_the_browser_decides(db):
    assert "<h1>登录</h1>" in page(Browser(), "/sign-in", accept_language="zh-CN,zh;q=0.9")
    assert "<h1>Sign in</h1>" in page(Browser(), "/sign-in", accept_language="fr")


def test_what_is_chosen_on_the_sign_in_page_goes_before_the_browser_and_is_kept(house):
    browser = Browser()
    chosen = browser.post("/language", {"language": "zh-hans", "next": "/sign-in"})
    assert chosen.status_code == 302 and chosen["Location"] == "/sign-in"
    assert "<h1>登录</h1>" in page(browser, "/sign-in", accept_language="en")
    browser.post("/sign-in", {"username": "alice", "password": factories.PASSWORD})
    house.alice.refresh_from_db()
    assert house.alice.language == "zh-hans"
    assert 'lang="zh-hans"' in page(browser, "/", accept_language="en")


def test_choosing_a_language_leads_nowhere_else(db):
    chosen = Browser().post("/language", {"language": "zh-hans", "next": "https://evil.example/"})
    assert chosen["Location"] == "/"


def test_who_signs_in_for_the_first_time_keeps_what_the_browser_asks_for(house):
    Browser().post(
        "/sign-in",
        {"username": "alice", "password": factories.PASSWORD},
        headers={"accept-language": "zh-CN"},
    )
    house.alice.refresh_from_db()
    assert house.alice.language == "zh-hans"


def test_a_strange_browser_does_not_change_a_language_that_is_kept(house):
    house.alice.last_login = timezone.now()
    house.alice.save()
    Browser().post(
        "/sign-in",
        {"username": "alice", "password": factories.PASSWORD},
        headers={"accept-language": "zh-CN"},
    )
    house.alice.refresh_from_db()
    assert house.alice.language == "en"


def test_one_can_choose_on_ones_own_page(alice, house):
    alice.post("/you", {"language": "zh-hans", "theme": "system", "time_zone": ""})
    shown = page(alice, "/you", accept_language="en")
    assert "您的设置" in shown and "已保存。" in shown
    alice.post("/sign-out")
    assert "<h1>登录</h1>" in page(alice, "/sign-in", accept_language="en")


@pytest.mark.parametrize("language", ["", "tlh", "de"])
def test_a_language_that_we_do_not_speak_is_refused(alice, house, language):
    assert alice.post("/you", {"language": language, "theme": "system"}).status_code == 422
    house.alice.refresh_from_db()
    assert house.alice.language == "en"


def test_an_answer_names_its_language(chinese):
    assert chinese.get("/", headers={"accept-language": "en"})["Content-Language"] == "zh-hans"


# --- What a page says -----------------------------------------------------------------------------


def test_pages_errors_dates_and_figures_speak_it(chinese, house):
    session = page(chinese, f"/sessions/{house.session.public_id}")
    assert "文字记录" in session and "识别器" in session
    day = timezone.localtime(house.session.started_at)
    assert f"{day.year}年{day.month}月{day.day}日" in session
    figure = chinese.get(f"/sessions/{house.session.public_id}/timeline.json").json()["figure"]
    assert figure["layout"]["meta"]["lanes"][0]["title"] == "情绪"
    lost = chinese.get("/clients/00000000000000000000")
    assert lost.status_code == 404 and "这里什么也没有" in lost.content.decode()
    forbidden = chinese.get("/replies")
    assert forbidden.status_code == 403 and "您无权打开此页" in forbidden.content.decode()


def test_a_page_that_breaks_says_so_in_the_readers_language(chinese, monkeypatch):
    def broken(*_args, **_kwargs):
        raise RuntimeError("planted")

    monkeypatch.setattr("emotrack.web.views.caseload.mood.caseload", broken)
    chinese.raise_request_exception = False
    answer = chinese.get("/")
    assert answer.status_code == 500 and "无法生成此页" in answer.content.decode()


def test_programs_are_always_answered_in_english(chinese):
    answer = chinese.get("/api/v1/clients/00000000000000000000", headers={"accept-language": "zh-CN"})
    assert answer.json()["title"] == "There is nothing here."
    assert answer["Content-Language"] == "en"


def test_the_notes_behind_each_question_mark_speak_it():
    with translation.override("zh-hans"):
        assert help_on("mood-level").title == "情绪水平"


# --- The catalog ----------------------------------------------------------------------------------


def test_the_compiled_catalog_is_that_of_the_translations():
    assert messages.MO.read_bytes() == messages.compiled(messages.translated())


def test_every_word_that_a_page_may_say_is_translated():
    said = {(m.id, m.context) for m in messages.translated() if m.id and all(messages.texts(m.string))}
    missing = [m.id for m in messages.collected() if m.id and (m.id, m.context) not in said]
    assert missing == [], "python -m tests.messages collects them"


def test_a_word_without_a_translation_would_be_found():
    found = {m.id for m in messages.collected() if m.id}
    assert len(found) > 1000
    assert "Sign in" in found and "More changeable than usual" in found and "Mood level" in found


def test_no_translation_loses_or_invents_a_value():
    def values(text: str) -> set[str]:
        return set(re.findall(r"%\((\w+)\)|\{(\w+)\}|(<[^>]+>)", text))

    wrong = [
        message.id
        for message in messages.translated()
        if message.id
        for text in messages.texts(message.string)
        if values(text) != values(messages.texts(message.id)[-1])
    ]
    assert wrong == []


def test_every_form_of_a_date_is_known_in_chinese():
    used = set()
    for folder, pattern in (
        ("templates", r"\|date:.([^\"']+)"),
        ("emotrack", r"date_format\([^\"\n]*, \"([^\"]+)\"\)"),
    ):
        for path in (messages.ROOT / folder).rglob("*.*"):
            if path.suffix in (".html", ".txt", ".py"):
                used |= set(re.findall(pattern, path.read_text(encoding="utf-8")))
    with_names = {form for form in used if set(form) & set("DlMFNj")}
    assert len(with_names) > 5 and with_names - set(SHORTENED) == set()
