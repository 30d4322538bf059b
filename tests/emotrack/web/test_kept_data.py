"""The pages on kept data, on the recognizer, and on breaking the glass."""

from datetime import timedelta

import pytest
from django.utils import timezone

from emotrack.history.models import BreakGlass, RetentionPolicy
from emotrack.history.retention import Terms, in_force
from tests.emotrack import factories

WHY = "The counselor fell ill during a call."


def test_a_change_is_previewed_then_saved_with_a_reason(dora, house):
    old = timezone.now() - timedelta(days=400)
    factories.utterance(house.session, received_at=old, text="Hello.")
    draft = {"audio_days": "30", "words_days": "365", "reason": ""}
    shown = dora.post("/kept-data/preview", draft).content.decode()
    assert "The words of 1 turn of 1 person would be deleted" in shown and "No recording" in shown
    assert not RetentionPolicy.objects.exists()
    assert dora.post("/kept-data", draft).status_code == 422
    assert dora.post("/kept-data", draft | {"reason": "New policy"}).status_code == 302
    assert in_force() == Terms(30, 365)
    assert "New policy" in dora.get("/kept-data").content.decode()


@pytest.mark.parametrize("days", ["", "many", "-2", "99999"])
def test_days_that_mean_nothing_are_said(days, dora):
    draft = {"audio_days": days, "words_days": "-1", "reason": "x"}
    assert dora.post("/kept-data", draft).status_code == 422
    assert "wrong" in dora.post("/kept-data/preview", draft).content.decode()


def test_an_admin_breaks_the_glass_and_the_counselor_reads_why(dora, alice, house):
    place = f"/clients/{house.ann.public_id}"
    assert "Secretname" not in dora.get(place).content.decode()
    shown = dora.post(f"{place}/break-glass", {"to": "open", "reason": WHY}, follow=True).content.decode()
    assert "Secretname" in shown and "Close it now" in shown
    told = alice.get(place).content.decode()
    assert "dora opened names, words and sound" in told and WHY in told
    shown = dora.post(f"{place}/break-glass", {"to": "close"}, follow=True).content.decode()
    assert "Secretname" not in shown and WHY in alice.get(place).content.decode()


def test_without_a_reason_nothing_opens(dora, house):
    place = f"/clients/{house.ann.public_id}/break-glass"
    assert "Say in 10 to 500 characters" in dora.post(place, {"to": "open"}, follow=True).content.decode()
    assert not BreakGlass.objects.exists()


def test_the_recognizer_page_says_how_it_stands(dora, house):
    factories.utterance(house.session, status="failed", failure="recognizer-failed")
    factories.utterance(house.session, status="queued", analyzed_at=None, received_at=timezone.now())
    shown = dora.get("/recognizer").content.decode()
    assert "acoustic 1" in shown and "1 turn" in shown and "gave no honest answer" in shown
    assert "<h2>What it was trained on</h2>" in shown and "<table>" in shown
    assert "<th></th>" not in shown
    again = dora.post("/recognizer/read-again", follow=True).content.decode()
    assert "1 turn is queued again." in again and "gave no honest answer" not in again
    assert "nothing to read again" in dora.post("/recognizer/read-again", follow=True).content.decode()
