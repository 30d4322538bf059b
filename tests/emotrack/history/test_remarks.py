"""Notes and corrections: one's own to change, brought back for ten minutes, on record without their words."""

from datetime import timedelta

import pytest

from emotrack.audit.models import AuditEvent
from emotrack.history import remarks
from emotrack.history.actions import Refused
from emotrack.history.models import Correction, Note
from emotrack.history.remarks import RESTORABLE_FOR, NotTheAuthor
from emotrack.pipeline.upkeep import JOBS
from tests.emotrack import factories
from tests.emotrack.factories import NOW

pytestmark = pytest.mark.django_db
MINUTE = timedelta(minutes=1)


@pytest.fixture
def alice():
    return factories.counselor("alice")


@pytest.fixture
def note(alice):
    session = factories.session(factories.client(assigned_to=alice))
    return remarks.write_note(
        client=session.client, session=session, text="She paused.", by=alice, now=NOW, at=NOW + MINUTE
    )


def actions_on(subject):
    return list(AuditEvent.objects.filter(subject=subject).order_by("id").values_list("action", flat=True))


def test_a_note_that_is_sent_twice_is_kept_once(note, alice):
    sent = {"client": note.client, "session": note.session, "by": alice, "now": NOW, "public_id": "a" * 20}
    first = remarks.write_note(text="She pau", **sent)
    second = remarks.write_note(text="She paused.", **sent)
    assert first.pk == second.pk
    assert Note.objects.get(pk=first.pk).text == "She paused."


def test_a_note_keeps_its_moment_while_its_words_change(note, alice):
    remarks.rewrite_note(note, text="She paused for long.", by=alice, now=NOW + 2 * MINUTE)
    kept = Note.objects.get()
    assert (kept.text, kept.at, kept.changed_at) == ("She paused for long.", NOW + MINUTE, NOW + 2 * MINUTE)


def test_the_same_words_again_change_nothing(note, alice):
    remarks.rewrite_note(note, text="She paused.", by=alice, now=NOW + MINUTE)
    assert Note.objects.get().changed_at is None and actions_on(note.public_id) == ["note.written"]


def test_a_deleted_note_is_found_nowhere_and_comes_back(note, alice):
    remarks.delete_note(note, by=alice, now=NOW)
    assert not Note.objects.exists() and not note.client.notes.exists() and not note.session.notes.exists()
    remarks.restore_note(note, by=alice, now=NOW + RESTORABLE_FOR)
    assert Note.objects.get().text == "She paused."
    assert actions_on(note.public_id) == ["note.written", "note.deleted", "note.restored"]


def test_deleting_twice_does_not_prolong_the_time_to_think(note, alice):
    remarks.delete_note(note, by=alice, now=NOW)
    remarks.delete_note(note, by=alice, now=NOW + 5 * MINUTE)
    assert Note.with_deleted.get().deleted_at == NOW


def test_after_ten_minutes_it_does_not_come_back(note, alice):
    remarks.delete_note(note, by=alice, now=NOW)
    with pytest.raises(Refused, match="ten minutes"):
        remarks.restore_note(note, by=alice, now=NOW + RESTORABLE_FOR + MINUTE)
    assert not Note.objects.exists()


def test_upkeep_forgets_for_good_what_nobody_brought_back(note, alice):
    remarks.delete_note(note, by=alice, now=NOW)
    forget = JOBS["forget deleted notes"].run
    forget(now=NOW + RESTORABLE_FOR)
    assert Note.with_deleted.exists()
    forget(now=NOW + RESTORABLE_FOR + MINUTE)
    assert not Note.with_deleted.exists()


@pytest.mark.parametrize("change", ["rewrite", "delete", "restore"])
def test_only_who_wrote_a_note_may_change_it(change, note):
    bob = factories.counselor("bob")
    changes = {
        "rewrite": lambda: remarks.rewrite_note(note, text="Mine.", by=bob, now=NOW),
        "delete": lambda: remarks.delete_note(note, by=bob, now=NOW),
        "restore": lambda: remarks.restore_note(note, by=bob, now=NOW),
    }
    with pytest.raises(NotTheAuthor):
        changes[change]()
    assert Note.objects.get().text == "She paused."


def test_the_record_of_a_note_holds_none_of_its_words(note, alice):
    remarks.rewrite_note(note, text="Another secret.", by=alice, now=NOW)
    told = str(list(AuditEvent.objects.values_list("detail", flat=True)))
    assert "paused" not in told and "secret" not in told


def test_several_people_hear_several_things_and_each_takes_back_only_their_own(alice):
    bob = factories.counselor("bob")
    turn = factories.utterance(factories.session(factories.client()))
    for person, label in ((alice, "sad"), (bob, "none"), (alice, "angry")):
        remarks.correct(utterance=turn, label=label, by=person, now=NOW)
    assert set(Correction.objects.values_list("author__username", "label")) == {
        ("alice", "angry"),
        ("bob", "none"),
    }
    assert remarks.withdraw_correction(utterance=turn, by=alice, now=NOW)
    assert not remarks.withdraw_correction(utterance=turn, by=alice, now=NOW)
    assert Correction.objects.get().author == bob
    turn.refresh_from_db()
    assert turn.reading == "ok" and turn.scores is not None
    assert actions_on(turn.public_id)[-1] == "utterance.correction_withdrawn"


def test_what_is_no_label_is_refused(alice):
    turn = factories.utterance(factories.session(factories.client()))
    with pytest.raises(Refused):
        remarks.correct(utterance=turn, label="bored", by=alice, now=NOW)
    assert not Correction.objects.exists()
