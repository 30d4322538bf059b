"""Consents on a client's page: given with the text's version, withdrawn after the consequences were read."""

from datetime import timedelta

import pytest
from django.utils import timezone

from emotrack.audit.models import AuditEvent
from emotrack.history.actions import Refused
from emotrack.privacy.actions import take_back_withdrawal
from emotrack.privacy.models import Consent, Purpose
from tests.emotrack import factories
from tests.emotrack.web.test_access import alert_of


@pytest.fixture
def base(house):
    return f"/clients/{house.ann.public_id}/consents"


def standing(house):
    rows = Consent.objects.filter(client=house.ann, withdrawn_at=None)
    return dict(rows.values_list("purpose", "version"))


def test_every_purpose_is_listed_with_its_state_text_and_day(alice, base):
    shown = alice.get(base).content.decode()
    assert all(str(purpose.label) in shown for purpose in Purpose)
    assert shown.count("Agreed<") == 3 and "None on record" in shown
    assert "Since 2 Mar 2026" in shown and "text 1" in shown


def test_a_consent_is_given_with_the_version_of_its_text(alice, house, base):
    answer = alice.post(f"{base}/give", {"purpose": "research", "version": "2026-07"})
    assert answer.status_code == 302
    row = Consent.objects.get(client=house.ann, purpose="research")
    assert (row.version, row.recorded_by, row.app) == ("2026-07", house.alice, None)
    event = AuditEvent.objects.get(action="consent.given", client=house.ann.public_id)
    assert (event.actor, event.detail["version"]) == ("alice", "2026-07")
    assert "written down by alice" in alice.get(base).content.decode()


def test_without_a_version_nothing_is_given_and_the_field_says_so(alice, house, base):
    answer = alice.post(f"{base}/give", {"purpose": "research", "version": "  "})
    assert answer.status_code == 422
    assert "Write which text the client agreed to." in answer.content.decode()
    assert "research" not in standing(house)


def test_an_unknown_purpose_is_refused(alice, house, base):
    assert alice.post(f"{base}/give", {"purpose": "everything", "version": "1"}).status_code == 422
    assert set(standing(house)) == {"voice_emotion", "text", "alerts"}


def test_giving_twice_keeps_the_first(alice, house, base):
    alice.post(f"{base}/give", {"purpose": "alerts", "version": "other"})
    assert standing(house)["alerts"] == "1"


def test_withdrawing_says_first_what_would_happen_and_does_nothing(alice, house, base):
    factories.utterance(
        house.session,
        timezone.now(),
        status="queued",
        analyzed_at=None,
        scores=None,
        recognizer=None,
        reading="",
    )
    shown = alice.get(f"{base}?end=voice_emotion").content.decode()
    assert "New recordings are refused" in shown and "1 turn that still waits is not read." in shown
    assert "take this back for ten minutes" in shown
    assert "voice_emotion" in standing(house)
    assert alice.post(f"{base}/withdraw", {"purpose": "voice_emotion"}).status_code == 422
    assert "voice_emotion" in standing(house)


def test_the_consequences_are_true_to_the_installations_policy(alice, base, settings):
    settings.CONSENT_REQUIRED = frozenset()
    shown = alice.get(f"{base}?end=voice_emotion").content.decode()
    assert "does not ask for it" in shown and "still wait" not in shown


def test_withdrawing_alerts_ends_those_that_go_on(alice, house, base):
    alert = alert_of(house.session)
    assert "1 alert that goes on ends." in alice.get(f"{base}?end=alerts").content.decode()
    alice.post(f"{base}/withdraw", {"purpose": "alerts", "sure": "yes"})
    alert.refresh_from_db()
    assert "alerts" not in standing(house) and alert.resolved_at is not None


def test_a_withdrawn_consent_stays_on_record_and_may_be_given_anew(alice, house, base):
    alice.post(f"{base}/withdraw", {"purpose": "text", "sure": "yes"})
    shown = alice.get(base).content.decode()
    assert "1 earlier consent" in shown and "Withdrawn<" in shown
    alice.post(f"{base}/give", {"purpose": "text", "version": "2"})
    assert Consent.objects.filter(client=house.ann, purpose="text").count() == 2
    assert standing(house)["text"] == "2"


def test_asking_to_end_what_does_not_stand_asks_nothing(alice, base):
    assert "take this back" not in alice.get(f"{base}?end=research").content.decode()
    assert alice.get(f"{base}?end=nonsense").status_code == 200


# --- A withdrawal that was a slip -----------------------------------------------------------------------


def waits(house, **more):
    facts = {"status": "queued", "analyzed_at": None, "scores": None, "recognizer": None, "reading": ""}
    return factories.utterance(house.session, timezone.now(), **facts | more)


def test_a_slip_is_taken_back_and_what_waited_waits_again(alice, house, base):
    before = Consent.objects.get(client=house.ann, purpose="voice_emotion")
    turn, broken = waits(house), waits(house, status="failed", failure="recognizer-failed")
    alice.post(f"{base}/withdraw", {"purpose": "voice_emotion", "sure": "yes"})
    turn.refresh_from_db()
    assert turn.status == "failed" and "Undo<" in alice.get(base).content.decode()
    said = alice.post(f"{base}/undo", follow=True).content.decode()
    assert "Stands again: Readings from the voice. 1 turn waits again to be read." in said
    after = Consent.objects.get(client=house.ann, purpose="voice_emotion")
    assert (after.pk, after.given_at, after.withdrawn_at) == (before.pk, before.given_at, None)
    turn.refresh_from_db()
    broken.refresh_from_db()
    assert (turn.status, turn.failure, broken.status) == ("queued", "", "failed")
    told = AuditEvent.objects.filter(client=house.ann.public_id, action__startswith="consent.").order_by("at")
    assert list(told.values_list("action", flat=True))[-2:] == ["consent.withdrawn", "consent.restored"]


def test_only_who_withdrew_it_is_offered_to_take_it_back(alice, house, base, dora):
    alice.post(f"{base}/withdraw", {"purpose": "text", "sure": "yes"})
    assert "Undo<" not in dora.get(base).content.decode()
    assert "too late to take this back" in dora.post(f"{base}/undo", follow=True).content.decode()
    assert "text" not in standing(house)


def test_after_ten_minutes_a_withdrawal_stands(alice, house, base):
    alice.post(f"{base}/withdraw", {"purpose": "text", "sure": "yes"})
    ended = Consent.objects.filter(client=house.ann, purpose="text")
    ended.update(withdrawn_at=timezone.now() - timedelta(minutes=11))
    with pytest.raises(Refused, match="last ten minutes"):
        take_back_withdrawal(ended.get(), by=factories.TESTS, now=timezone.now())
    assert "text" not in standing(house)


def test_a_consent_given_anew_is_not_replaced_by_the_old_one(alice, house, base):
    alice.post(f"{base}/withdraw", {"purpose": "text", "sure": "yes"})
    alice.post(f"{base}/give", {"purpose": "text", "version": "2"})
    assert "has agreed anew since" in alice.post(f"{base}/undo", follow=True).content.decode()
    assert standing(house)["text"] == "2"


def test_a_slip_with_one_client_is_not_taken_back_with_another(alice, house, base):
    alice.post(f"{base}/withdraw", {"purpose": "text", "sure": "yes"})
    other = factories.client("Ben", assigned_to=house.alice)
    alice.post(f"/clients/{other.public_id}/consents/undo")
    assert "text" not in standing(house) and "text" in standing_of(other)


def standing_of(client):
    return set(Consent.objects.filter(client=client, withdrawn_at=None).values_list("purpose", flat=True))
