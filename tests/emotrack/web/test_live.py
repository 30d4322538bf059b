"""The page of a session that goes on: consent first, one sentence that claims no more than it can."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from emotrack.history.actions import mark_ended
from emotrack.history.models import EndReason, Session
from emotrack.mood import actions as mood
from emotrack.privacy.models import Consent
from tests.emotrack import factories
from tests.emotrack.web.conftest import say

pytestmark = pytest.mark.django_db


def going_on(house, minutes: float = 3):
    return factories.session(house.ann, timezone.now() - timedelta(minutes=minutes))


def now_of(browser, session) -> str:
    return browser.get(f"/sessions/{session.public_id}/live/now").content.decode()


def test_before_listening_it_is_said_what_is_kept_and_for_how_long(alice, house):
    shown = alice.get(f"/clients/{house.ann.public_id}/live").content.decode()
    assert "kept for 30 days" in shown and "Agreed on" in shown and "Start listening" in shown


def test_listening_opens_a_session_and_its_page(alice, house):
    answer = alice.post(f"/clients/{house.ann.public_id}/live/begin")
    session = Session.objects.order_by("-pk")[0]
    assert answer["Location"] == f"/sessions/{session.public_id}/live"
    assert session.client == house.ann and session.ended_at is None


def test_without_consent_none_is_heard_until_it_is_written_down(alice, house):
    Consent.objects.all().delete()
    sessions = Session.objects.count()
    path = f"/clients/{house.ann.public_id}/live/begin"
    for form, said in (({}, "Ask the client first"), ({"agreed": "yes"}, "Write which text")):
        answer = alice.post(path, form)
        assert answer.status_code == 422 and said in answer.content.decode()
    assert Session.objects.count() == sessions and not Consent.objects.exists()
    assert alice.post(path, {"agreed": "yes", "version": "2026-01"}).status_code == 302
    consent = Consent.objects.get()
    assert (consent.purpose, consent.version, consent.recorded_by) == (
        "voice_emotion",
        "2026-01",
        house.alice,
    )


def test_an_ended_session_is_not_listened_to(alice, house):
    mark_ended(house.session, reason=EndReason.EXPLICIT, ended_at=timezone.now())
    answer = alice.get(f"/sessions/{house.session.public_id}/live")
    assert answer["Location"] == f"/sessions/{house.session.public_id}"


def test_a_session_in_which_nothing_was_said_says_so(alice, house):
    shown = now_of(alice, going_on(house))
    assert "Nothing said yet" in shown and '<svg class="tenminutes"' not in shown


def test_two_turns_are_too_little_for_a_sentence(alice, house):
    session = going_on(house)
    say(session, 2, start=timezone.now() - timedelta(seconds=40), shares=factories.scores(sad=0.8))
    assert "Too little heard lately to say" in now_of(alice, session)


def test_the_last_turns_are_said_in_a_sentence_with_their_coverage(alice, house):
    session = going_on(house)
    say(session, 5, start=timezone.now() - timedelta(seconds=90), shares=factories.scores(sad=0.8))
    shown = now_of(alice, session)
    assert "May sound sad. No usual to hold it against yet." in shown
    assert "5 of 5 turns gave a reading" in shown and "tenminutes" in shown
    assert "describes how a voice may sound" in shown


def test_what_was_heard_long_ago_is_not_said_to_be_now(alice, house):
    session = going_on(house, minutes=30)
    say(session, 5, start=timezone.now() - timedelta(minutes=20), shares=factories.scores(sad=0.8))
    assert "Too little heard lately to say" in now_of(alice, session)


def test_a_level_beyond_the_usual_is_said_and_the_usual_is_drawn(alice, house):
    for days in range(12, 0, -1):
        earlier = factories.session(house.ann, timezone.now() - timedelta(days=days))
        say(earlier, 8, shares=factories.scores(neutral=0.8))
        mark_ended(earlier, reason=EndReason.EXPLICIT, ended_at=earlier.started_at + timedelta(minutes=5))
    session = going_on(house)
    say(session, 12, start=timezone.now() - timedelta(seconds=150), shares=factories.scores(sad=0.9))
    mood.rebuild(house.ann)
    shown = now_of(alice, session)
    assert "Lower than usual. May sound sad." in shown and 'class="usual"' in shown


def test_a_turn_without_a_reading_says_why_and_leaves_no_line(alice, house):
    session = going_on(house)
    factories.utterance(session, timezone.now(), reading="low_quality", quality={"reason": "too_quiet"})
    assert "Too quiet to read." in now_of(alice, session)


def test_the_page_asks_as_often_however_long_the_session_is(alice, house, django_assert_max_num_queries):
    session = going_on(house)
    say(session, 3, start=timezone.now() - timedelta(seconds=100))
    now_of(alice, session)
    with django_assert_max_num_queries(40) as few:
        now_of(alice, session)
    say(session, 30, start=timezone.now() - timedelta(seconds=90))
    with django_assert_max_num_queries(len(few.captured_queries)):
        now_of(alice, session)
