"""Reports: what stands on the page and in the PDF, what is left out, and what happens without Pango."""

import io
import re
from datetime import timedelta
from xml.etree import ElementTree

import pytest
from django.utils import timezone
from pypdf import PdfReader

from emotrack.audit.models import AuditEvent
from emotrack.history import remarks
from emotrack.mood import actions as mood
from emotrack.web import report_pdf
from tests.emotrack import factories
from tests.emotrack.web.conftest import say, signed_in
from tests.emotrack.web.paper import pdf_status

needs_pango = pytest.mark.skipif(pdf_status() != 200, reason="Pango is not on this machine")


@pytest.fixture
def year(house):
    """Ten more weeks of Ann, so that she has a usual, and two notes."""
    for week in range(10, 0, -1):
        at = timezone.now() - timedelta(weeks=week)
        say(factories.session(house.ann, at, ended_at=at + timedelta(hours=1)), 8)
    mood.rebuild(house.ann)
    now = timezone.now()
    remarks.write_note(
        client=house.ann, session=house.session, text="Private thought", by=house.alice, now=now
    )
    remarks.write_note(client=house.ann, text="On the whole", by=house.alice, now=now)
    return house


def text_of(answer) -> str:
    assert answer.status_code == 200, answer.content[:300]
    pages = PdfReader(io.BytesIO(answer.content)).pages
    return re.sub(r"\s+", " ", " ".join(page.extract_text() for page in pages))


def page(browser, address: str, **asked: str) -> str:
    answer = browser.post(address, asked) if asked else browser.get(address)
    assert answer.status_code == 200
    return answer.content.decode()


def both(house) -> tuple[str, str]:
    return f"/clients/{house.ann.public_id}/report", f"/sessions/{house.session.public_id}/report"


# --- The page -----------------------------------------------------------------------------------------


def test_a_report_says_how_sure_it_is_and_by_which_recognizer(alice, year):
    for address in both(year):
        shown = page(alice, address)
        assert "How sure is this" in shown and "of turns gave a reading" in shown
        assert "Recognizer planted 1." in shown
        assert "It is no diagnosis" in shown and "not what a person feels" in shown


def test_figures_are_well_formed_vectors_with_words_for_who_does_not_see_them(alice, year):
    shown = page(alice, both(year)[0])
    drawn = re.findall(r"<svg.*?</svg>", shown, re.DOTALL)
    assert len(drawn) == 2
    for one in drawn:
        root = ElementTree.fromstring(one)
        assert root.get("aria-label")
        assert not re.search(r"nan|inf|\$", one)
    assert drawn[0].count("<circle") >= 11
    assert len(set(re.findall(r'id="([^"]+)"', "".join(drawn)))) == 4
    assert "<img" not in shown and "style=" not in shown


def test_private_notes_are_counted_and_come_in_only_when_they_are_chosen(alice, year):
    client, session = both(year)
    shown = page(alice, client)
    assert "not included (2 left out)" in shown
    assert "Private thought" not in shown and "On the whole" not in shown
    chosen = page(alice, client, notes="1")
    assert "Private thought" in chosen and "On the whole" in chosen and "2 private notes included." in chosen
    of_session = page(alice, session, notes="1")
    assert "Private thought" in of_session and "On the whole" not in of_session


def test_an_admin_alone_gets_neither_name_nor_notes(dora, year):
    for address in both(year):
        shown = page(dora, address, notes="1")
        assert "Secretname" not in shown and "Private thought" not in shown
        assert year.ann.code in shown and "Private notes are not open to you." in shown


def test_ones_own_words_are_printed_and_kept_nowhere(alice, year):
    words = "We agreed <to talk> about sleep."
    shown = page(alice, both(year)[1], words=words)
    assert "We agreed &lt;to talk&gt; about sleep." in shown
    assert words not in str(list(AuditEvent.objects.values()))
    assert "We agreed" not in page(alice, both(year)[1])


def test_a_report_is_on_record(alice, year):
    page(alice, both(year)[0], notes="1")
    (event,) = AuditEvent.objects.filter(action="report.read")
    assert event.client == year.ann.public_id and event.detail == {"words": True, "notes": True}


def test_a_client_of_whom_nothing_was_heard_has_a_report_that_says_so(alice, house):
    new = factories.client("New", assigned_to=house.alice)
    shown = page(alice, f"/clients/{new.public_id}/report")
    assert "Nothing read yet." in shown and "<svg" not in shown
    empty = factories.session(new)
    assert "Nothing read yet." in page(alice, f"/sessions/{empty.public_id}/report")


def test_a_reports_queries_do_not_grow_with_the_history(alice, year, django_assert_max_num_queries):
    address = both(year)[0]
    with django_assert_max_num_queries(60):
        alice.get(address)
    for week in range(20, 11, -1):
        say(factories.session(year.ann, timezone.now() - timedelta(weeks=week)), 3)
    with django_assert_max_num_queries(60):
        alice.get(address)


# --- The PDF ------------------------------------------------------------------------------------------


@needs_pango
def test_the_pdf_opens_with_the_words_of_the_page_and_no_picture_of_dots(alice, year):
    for address in both(year):
        answer = alice.get(f"{address}.pdf")
        assert answer["Content-Type"] == "application/pdf" and "attachment" in answer["Content-Disposition"]
        said = text_of(answer)
        assert "How sure is this" in said and "Ann Secretname" in said and "planted 1" in said
        assert "Private thought" not in said
        pages = PdfReader(io.BytesIO(answer.content)).pages
        assert 1 <= len(pages) <= 3
        assert [image for each in pages for image in each.images] == []
        assert tuple(round(float(side)) for side in pages[0].mediabox[2:]) == (595, 842)


@needs_pango
def test_the_pdf_holds_chosen_notes_and_own_words(alice, year):
    said = text_of(alice.post(f"{both(year)[1]}.pdf", {"notes": "1", "words": "We agreed to talk."}))
    assert "Private thought" in said and "We agreed to talk." in said


@needs_pango
@pytest.mark.skipif(not report_pdf.has_chinese_font(), reason="no Chinese font on this machine")
def test_the_pdf_speaks_chinese(year):
    year.alice.language = "zh-hans"
    year.alice.save()
    said = text_of(signed_in(year.alice).get(f"{both(year)[1]}.pdf"))
    assert "识别器" in said and "�" not in said


def test_without_pango_the_door_says_so_and_the_page_stays(alice, year, monkeypatch):
    def missing(page, language):
        raise report_pdf.NoPdf("pango")

    monkeypatch.setattr("emotrack.web.views.report.pdf_of", missing)
    answer = alice.get(f"{both(year)[0]}.pdf")
    assert answer.status_code == 503 and "lacks the Pango library" in answer.content.decode()
    assert both(year)[0] in answer.content.decode()
    assert "How sure is this" in page(alice, both(year)[0])


def test_a_machine_whose_library_cannot_be_loaded_is_told_apart_from_a_bug(monkeypatch):
    def refused(name, *args, **kwargs):
        if name == "weasyprint":
            raise OSError("cannot load library 'libpango-1.0-0'")
        return usual(name, *args, **kwargs)

    import builtins

    usual = builtins.__import__
    monkeypatch.setattr(builtins, "__import__", refused)
    with pytest.raises(report_pdf.NoPdf) as raised:
        report_pdf.pdf_of("<p>x", "en")
    assert raised.value.missing == "pango"


@needs_pango
def test_a_page_that_points_elsewhere_makes_the_pdf_fetch_nothing(monkeypatch):
    def connected(*args, **kwargs):
        raise AssertionError("something was fetched")

    monkeypatch.setattr("socket.socket.connect", connected)
    page = '<img src="http://127.0.0.1:9/x.png"><img src="fi' + 'le:///etc/hostname"><p>still here'
    made = report_pdf.pdf_of(page, "en")
    (sheet,) = PdfReader(io.BytesIO(made)).pages
    assert "still here" in sheet.extract_text() and not sheet.images


@needs_pango
def test_without_a_chinese_font_a_chinese_pdf_is_not_made_of_boxes(monkeypatch):
    monkeypatch.setattr(report_pdf, "has_chinese_font", lambda: False)
    with pytest.raises(report_pdf.NoPdf):
        report_pdf.pdf_of("<p>好", "zh-hans")
    assert report_pdf.pdf_of("<p>good", "en").startswith(b"%PDF")


# --- The menu -----------------------------------------------------------------------------------------


def test_the_menu_leads_to_the_report_and_to_every_format(alice, dora, house):
    from emotrack.exports.formats import FORMATS

    for kind, found in (("clients", house.ann), ("sessions", house.session)):
        shown = page(alice, f"/{kind}/{found.public_id}")
        base = f"/{kind}/{found.public_id}"
        assert f'href="{base}/report"' in shown
        assert {slug for slug in FORMATS if f"/api/v1{base}/export?format={slug}" in shown} == set(FORMATS)
        assert f"/api/v1{base}/export" not in page(dora, base)
