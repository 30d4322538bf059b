"""Nothing is read from a voice without the consent that the policy asks for."""

import pytest

from emotrack.alerts.actions import ensure_default_rules
from emotrack.alerts.models import Alert
from emotrack.history.actions import Refused
from emotrack.privacy import actions as privacy
from emotrack.privacy.models import Consent, Purpose
from tests.emotrack import factories as make

pytestmark = pytest.mark.django_db


def claim(*purposes: str) -> privacy.ConsentClaim:
    return privacy.ConsentClaim(purposes, "2026-01", make.NOW)


def test_an_app_asserts_what_its_terms_cover():
    ann, app = make.client(consents=False), make.app()
    privacy.assert_consent(client=ann, claim=claim("voice_emotion"), app=app, by=app.actor, now=make.NOW)
    privacy.require_consent(ann, {Purpose.VOICE_EMOTION})
    assert Consent.objects.get().version == "2026-01"


def test_an_app_cannot_assert_what_its_terms_do_not_cover():
    ann, app = make.client(consents=False), make.app(consents=False)
    with pytest.raises(Refused) as refused:
        privacy.assert_consent(client=ann, claim=claim("voice_emotion"), app=app, by=app.actor, now=make.NOW)
    assert refused.value.slug == "consent-outside-terms"
    assert not Consent.objects.exists()


def test_asserting_twice_keeps_the_first():
    ann, app = make.client(consents=False), make.app()
    for _ in range(2):
        privacy.assert_consent(client=ann, claim=claim("text"), app=app, by=app.actor, now=make.NOW)
    assert Consent.objects.count() == 1


def test_a_withdrawn_consent_does_not_stand_and_may_be_given_again():
    ann, alice = make.client(), make.counselor()
    privacy.withdraw_consent(client=ann, purpose="voice_emotion", by=alice.actor, now=make.NOW)
    with pytest.raises(privacy.ConsentRequired):
        privacy.require_consent(ann, {Purpose.VOICE_EMOTION})
    privacy.give_consent(client=ann, purpose=Purpose.VOICE_EMOTION, version="2", by=alice, now=make.NOW)
    privacy.require_consent(ann, {Purpose.VOICE_EMOTION})
    assert Consent.objects.filter(purpose="voice_emotion").count() == 2


def test_the_policy_of_the_installation_decides_what_is_required(settings):
    ann = make.client(consents=False)
    settings.CONSENT_REQUIRED = frozenset()
    privacy.require_consent(ann, {Purpose.VOICE_EMOTION})
    settings.CONSENT_REQUIRED = frozenset({"text"})
    with pytest.raises(privacy.ConsentRequired, match="text"):
        privacy.require_consent(ann, {Purpose.VOICE_EMOTION, Purpose.TEXT})


def test_silence_is_not_a_withdrawal():
    ann = make.client(consents=False)
    assert not privacy.was_withdrawn(ann, "alerts")
    Consent.objects.create(
        client=ann,
        purpose="alerts",
        version="1",
        given_at=make.NOW,
        recorded_at=make.NOW,
        withdrawn_at=make.NOW,
    )
    assert privacy.was_withdrawn(ann, "alerts")


def test_withdrawing_consent_to_alerts_ends_the_open_ones_at_once():
    ann = make.client()
    session, by = make.session(ann), make.recognizer()
    rule = ensure_default_rules(now=make.NOW)[0]
    alert = Alert.objects.create(
        rule=rule,
        version=rule.current,
        client=ann,
        session=session,
        recognizer=by,
        severity="warning",
        peak=4.0,
        baseline={},
        pending_at=make.NOW,
        fired_at=make.NOW,
        created_at=make.NOW,
    )
    privacy.withdraw_consent(client=ann, purpose="alerts", by=make.TESTS, now=make.NOW)
    alert.refresh_from_db()
    assert (alert.resolved_at, alert.end_reason) == (make.NOW, "consent_withdrawn")
