"""What people write on the session page: what they heard, their notes, and who may read and change them."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from emotrack.audit.models import AuditEvent
from emotrack.history.actions import assign
from emotrack.history.models import Correction, Note
from emotrack.identifiers import new_public_id
from tests.emotrack import factories
from tests.emotrack.web.conftest import signed_in


def place(house):
    return f"/sessions/{house.session.public_id}"


def heard(browser, house, label, turn=0):
    return browser.post(f"{place(house)}/turns/{house.turns[turn].public_id}/heard", {"label": label})


def noted(browser, house, id=None, **fields):
    return browser.post(
        f"{place(house)}/notes/{id or new_public_id()}", {"text": "Paused.", "at": "12.5"} | fields
    )


def shown(browser, house):
    return browser.get(f"{place(house)}/timeline.json").json()


@pytest.fixture
def colleague(house):
    """Another counselor of Ann."""
    assign(client=house.ann, counselor=house.bob, by=factories.TESTS, now=factories.NOW)
    return signed_in(house.bob)


def test_what_was_heard_stands_beside_the_machines_label(alice, house):
    answer = heard(alice, house, "sad").json()
    assert answer == {"said": "You heard: sad.", "before": ""}
    turns = shown(alice, house)["turns"]
    assert "You heard" in turns and turns.count("em-neutral") == 6
    detail = alice.get(f"{place(house)}/turns/{house.turns[0].public_id}").content.decode()
    assert "May sound neutral" in detail
    assert 'data-heard="sad" aria-pressed="true"' in detail and detail.count('aria-pressed="true"') == 1


def test_the_answer_tells_what_undo_must_bring_back(alice, house):
    heard(alice, house, "sad")
    assert heard(alice, house, "none").json() == {"said": "You heard: no label fits.", "before": "sad"}
    assert heard(alice, house, "").json() == {"said": "Taken back.", "before": "none"}
    assert not Correction.objects.exists()


def test_each_counselor_hears_for_themselves_and_is_named(alice, colleague, house):
    heard(alice, house, "sad")
    heard(colleague, house, "angry")
    mine = shown(alice, house)
    assert "You heard" in mine["turns"] and "bob heard" in mine["turns"]
    assert "alice: sad, bob: angry" in mine["session_table"]
    assert Correction.objects.count() == 2


@pytest.mark.parametrize("label", ["bored", "Sad", "<b>"])
def test_what_is_no_label_is_refused_in_a_sentence(label, alice, house):
    answer = heard(alice, house, label)
    assert answer.status_code == 422 and answer.json() == {"problem": "This is not one of the labels."}


def test_the_counselors_own_turn_is_not_judged(alice, house):
    turn = factories.utterance(house.session, speaker="counselor", text="How was your week?")
    address = f"{place(house)}/turns/{turn.public_id}"
    assert alice.post(f"{address}/heard", {"label": "sad"}).status_code == 404
    assert "data-heard" not in alice.get(address).content.decode()


def test_a_note_is_pinned_to_its_second_and_marked_on_the_clock(alice, house):
    id = new_public_id()
    assert noted(alice, house, id).json() == {"id": id, "said": "Saved."}
    answer = shown(alice, house)
    assert "Paused." in answer["session_notes"] and 'data-at="12.50"' in answer["session_notes"]
    marks = [a for a in answer["figure"]["layout"]["annotations"] if a.get("name") == f"note:{id}"]
    assert [(a["x"], a["text"]) for a in marks] == [(12.5, "1")]


def test_a_note_sent_twice_because_the_answer_was_lost_is_kept_once(alice, house):
    id = new_public_id()
    noted(alice, house, id)
    noted(alice, house, id, text="Paused for long.")
    assert [note.text for note in Note.objects.all()] == ["Paused for long."]


def test_a_mark_is_a_note_without_words(alice, house):
    assert noted(alice, house, text="").json()["said"] == "Marked."
    noted(alice, house, text="Then words.", at="40")
    answer = shown(alice, house)
    assert "Marked moment" in answer["session_notes"]
    signs = [
        a["text"] for a in answer["figure"]["layout"]["annotations"] if a.get("name", "").startswith("note:")
    ]
    assert signs == ["◂", "1"]


def test_a_deleted_note_is_gone_and_comes_back(alice, house):
    id = new_public_id()
    noted(alice, house, id)
    assert alice.post(f"/notes/{id}/delete").json() == {"said": "Note deleted."}
    assert "Paused." not in str(shown(alice, house))
    assert alice.post(f"/notes/{id}/restore").json() == {"said": "Note brought back."}
    assert "Paused." in shown(alice, house)["session_notes"]


def test_a_colleague_reads_a_note_and_cannot_change_it(alice, colleague, house):
    id = new_public_id()
    noted(alice, house, id)
    notes = shown(colleague, house)["session_notes"]
    assert "Paused." in notes and "data-edit" not in notes and "alice" in notes
    for refused in (noted(colleague, house, id, text="Mine."), colleague.post(f"/notes/{id}/delete")):
        assert refused.status_code == 403
        assert refused.json() == {"problem": "Only who wrote a note may change it."}
    assert Note.objects.get().text == "Paused."


def test_an_admin_alone_reads_no_note_and_nothing_that_people_heard(alice, dora, house):
    noted(alice, house)
    heard(alice, house, "sad")
    answer = str(shown(dora, house))
    assert "Paused." not in answer and "heard" not in answer.lower() and "note:" not in answer
    page = dora.get(place(house)).content.decode()
    assert "Paused." not in page and "notes-panel" not in page


def test_a_note_of_another_session_is_not_rewritten(alice, house):
    other = factories.session(house.ann)
    id = new_public_id()
    alice.post(f"/sessions/{other.public_id}/notes/{id}", {"text": "Elsewhere.", "at": "1"})
    assert noted(alice, house, id).status_code == 404
    assert Note.objects.get().text == "Elsewhere."


@pytest.mark.parametrize(
    ("fields", "problem"),
    [
        ({"at": "soon"}, "This is not a moment of the session."),
        ({"at": "nan"}, "This is not a moment of the session."),
        ({"at": "-3"}, "This is not a moment of the session."),
        ({"at": "1e9"}, "This is not a moment of the session."),
        ({"kind": "impression", "text": "  "}, "Write what you heard first."),
    ],
)
def test_a_note_that_cannot_be_kept_is_refused_in_a_sentence(fields, problem, alice, house):
    answer = noted(alice, house, **fields)
    assert (answer.status_code, answer.json()) == (422, {"problem": problem})
    assert not Note.objects.exists()


def test_a_note_too_long_is_not_cut_off_in_silence(alice, house, settings):
    settings.TEXT_MAX_CHARACTERS = 10
    answer = noted(alice, house, text="x" * 11)
    assert answer.status_code == 422 and "10" in answer.json()["problem"] and not Note.objects.exists()


def test_what_a_note_says_is_inert_on_the_page(alice, house):
    noted(alice, house, text="<script>alert(1)</script>\"'")
    for html in (shown(alice, house)["session_notes"], alice.get(place(house)).content.decode()):
        assert "<script>alert" not in html and "&lt;script&gt;alert(1)" in html


def test_words_of_notes_are_not_in_the_record_of_looks(alice, house):
    noted(alice, house, text="A very private word.")
    shown(alice, house)
    assert "private" not in str(list(AuditEvent.objects.values()))


def test_the_page_asks_no_more_for_many_notes_and_corrections(alice, house):
    def queries():
        with CaptureQueriesContext(connection) as asked:
            shown(alice, house)
        return len(asked)

    shown(alice, house)  # the first look is put on record
    heard(alice, house, "sad")
    noted(alice, house)
    few = queries()
    for turn in range(6):
        heard(alice, house, "sad", turn)
        noted(alice, house, at=str(turn))
    assert queries() == few
