"""Consents on a client's page: given with the text's version, withdrawn after the consequences were read."""

import pytest
from django.utils import timezone

from emotrack.audit.models import AuditEvent
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
    assert "cannot be undone" in shown
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
    assert "cannot be undone" not in alice.get(f"{base}?end=research").content.decode()
    assert alice.get(f"{base}?end=nonsense").status_code == 200
