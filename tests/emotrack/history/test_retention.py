"""Sound and words are kept as long as an admin said, also what was there before."""

from datetime import timedelta

import pytest

from emotrack.accounts import actions as accounts
from emotrack.audit.models import AuditEvent
from emotrack.history import actions, retention
from emotrack.history.actions import Refused
from emotrack.history.models import Audio, RetentionPolicy, Utterance
from emotrack.history.retention import KEEP, Going, Terms
from tests.emotrack import factories

pytestmark = pytest.mark.django_db
NOW = factories.NOW
BY = {"by": factories.TESTS, "now": NOW, "reason": "New policy"}


def kept(days_ago: float, client=None, **fields) -> Utterance:
    """An utterance with words and sound that came so many days ago."""
    came = NOW - timedelta(days=days_ago)
    session = factories.session(client or factories.client())
    said = factories.utterance(session, came, text="Hello.", received_at=came, **fields)
    Audio.objects.create(
        utterance=said, path=f"xx/{said.public_id}", media_type="audio/wav", size_bytes=1, sha256=b"",
        delete_at=came + timedelta(days=30),
    )  # fmt: skip
    return said


def test_the_settings_count_until_an_admin_says_otherwise(settings):
    settings.AUDIO_KEPT_DAYS = 12
    assert retention.in_force() == Terms(12, KEEP)
    retention.save_policy(Terms(90, 365), **BY)
    assert retention.in_force() == Terms(90, 365)


def test_the_preview_counts_what_the_next_hour_then_deletes():
    ann = factories.client("Ann")
    for days in (40, 20, 5):
        kept(days, ann)
    kept(20)
    terms = Terms(10, 30)
    assert retention.would_go(terms, now=NOW) == (Going(3, 2), Going(1, 1))
    retention.save_policy(terms, **BY)
    assert actions.delete_expired_audio(now=NOW) == 3
    assert retention.forget_expired_words(now=NOW) == 1
    assert Audio.objects.filter(deleted_at=None).count() == 1
    assert Utterance.objects.filter(text=None).count() == 1
    assert retention.would_go(terms, now=NOW) == (Going(0, 0), Going(0, 0))


def test_what_still_waits_to_be_read_keeps_its_sound_and_words():
    kept(40, status="queued", analyzed_at=None)
    assert retention.would_go(Terms(10, 10), now=NOW) == (Going(0, 0), Going(0, 0))


@pytest.mark.parametrize(("days", "due"), [(KEEP, None), (0, 0), (90, 90)])
def test_new_terms_go_for_what_is_kept_already(days, due):
    said = kept(20)
    retention.save_policy(Terms(days, KEEP), **BY)
    end = Audio.objects.get().delete_at
    assert end == (None if due is None else said.received_at + timedelta(days=due))


@pytest.mark.parametrize("terms", [Terms(-2, KEEP), Terms(3651, KEEP), Terms(30, 0), Terms(30, -2)])
def test_days_that_mean_nothing_are_refused(terms):
    with pytest.raises(Refused):
        retention.save_policy(terms, **BY)
    assert not RetentionPolicy.objects.exists()


def test_a_change_needs_a_reason_and_is_on_record():
    with pytest.raises(Refused):
        retention.save_policy(Terms(30, KEEP), **BY | {"reason": " "})
    retention.save_policy(Terms(30, KEEP), **BY)
    assert AuditEvent.objects.get(action="retention.changed").detail == {"audio_days": 30, "words_days": -1}


def test_old_sign_ins_are_forgotten(client):
    from axes.models import AccessAttempt
    from django.contrib.sessions.models import Session

    client.force_login(factories.counselor())
    AccessAttempt.objects.create(username="x", failures_since_start=1)
    tries = AccessAttempt.objects.all()
    assert accounts.forget_old_sign_ins(now=Session.objects.get().expire_date - timedelta(seconds=1)) == 0
    tries.update(attempt_time=NOW - timedelta(days=2))
    assert accounts.forget_old_sign_ins(now=NOW) == 1
    assert accounts.forget_old_sign_ins(now=Session.objects.get().expire_date + timedelta(seconds=1)) >= 1
    assert not Session.objects.exists()
