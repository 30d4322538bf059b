"""Recordings are uploaded on a page: each becomes a session, and the list says how far it is."""

from __future__ import annotations

from datetime import timedelta

import numpy as np
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import transaction
from django.utils import timezone

from emotrack.history.models import Session, Utterance
from emotrack.pipeline import read_next_recording
from emotrack.privacy.models import Consent
from emotrack.recordings.models import Recording
from emotrack.web.recording_lines import FAILURES, recording_lines
from tests.analysis import sounds

SAID = np.concatenate([sounds.silence(1), sounds.spoken(2), sounds.silence(1.5), sounds.spoken(2.5, seed=2)])
SOUND = sounds.wav(SAID)
AT_ONCE = {"X-Requested-With": "XMLHttpRequest"}

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _at_once(monkeypatch):
    monkeypatch.setattr(transaction, "on_commit", lambda work: work())


def sent(browser, house, sound=SOUND, name="talk.wav", headers=AT_ONCE, **fields):
    form = {"audio": SimpleUploadedFile(name, sound), "channels": "mixed"} | fields
    return browser.post(f"/clients/{house.ann.public_id}/recordings", form, headers=headers)


def listed(browser, house) -> str:
    return browser.get(f"/clients/{house.ann.public_id}/recordings/now").content.decode()


def test_a_recording_becomes_a_session_that_began_when_it_was_said(alice, house):
    start = (timezone.now() - timedelta(days=3)).replace(microsecond=0)
    assert sent(alice, house, started_at=start.isoformat()).status_code == 202
    row = Recording.objects.get()
    assert (row.session.started_at, row.user, row.ends_session) == (start, house.alice, True)
    assert row.session != house.session


def test_the_list_tells_how_far_it_is(alice, house):
    sent(alice, house)
    assert "waits to be cut" in listed(alice, house) and "Under way" in listed(alice, house)
    read_next_recording()
    shown = listed(alice, house)
    assert "2 turns found. 0 are read." in shown and 'value="50"' in shown
    Utterance.objects.filter(session=Recording.objects.get().session).update(
        status="analyzed", analyzed_at=timezone.now()
    )
    shown = listed(alice, house)
    assert "Complete" in shown and "Open the session" in shown and "<progress" not in shown


def test_the_page_lists_what_was_uploaded_before_it_was_loaded(alice, house):
    sent(alice, house, name="<b>Ann & co.wav")
    shown = alice.get(f"/clients/{house.ann.public_id}/upload").content.decode()
    assert "&lt;b&gt;Ann &amp; co.wav" in shown and "Cancel" in shown


@pytest.mark.parametrize("channels", ["client-counselor", "counselor-client"])
def test_channels_are_told_apart(alice, house, channels):
    sent(alice, house, sounds.wav(np.stack([SAID, 0 * SAID], axis=1)), channels=channels)
    assert Recording.objects.get().speakers == channels.split("-")


REFUSED = {
    "no sound": ({"sound": b"hello" * 100}, 422, "Save the recording as one of these"),
    "empty": ({"sound": b""}, 422, "holds no sound"),
    "future": ({"started_at": "2199-01-01T10:00:00+00:00"}, 422, "in the future"),
}


@pytest.mark.parametrize(("given", "status", "said"), REFUSED.values(), ids=REFUSED)
def test_what_cannot_be_taken_is_explained_and_leaves_nothing(alice, house, given, status, said):
    sessions = Session.objects.count()
    answer = sent(alice, house, **given)
    assert answer.status_code == status and said in answer.json()["said"]
    assert Session.objects.count() == sessions and not Recording.objects.exists()


def test_too_large_is_said_before_anything_is_kept(alice, house, settings):
    settings.RECORDING_MAX_BYTES = 1000
    assert "too large" in sent(alice, house).json()["said"]


def test_without_consent_the_page_leads_to_it_and_nothing_is_taken(alice, house):
    Consent.objects.all().delete()
    shown = alice.get(f"/clients/{house.ann.public_id}/upload").content.decode()
    assert "No consent on record" in shown and 'type="file"' not in shown
    answer = sent(alice, house)
    assert answer.status_code == 403 and not Recording.objects.exists()


def test_a_plain_form_works_without_a_script(alice, house):
    answer = sent(alice, house, headers={}, started_at="2026-03-01T10:00")
    assert answer.status_code == 302 and Recording.objects.count() == 1
    answer = sent(alice, house, b"no sound", headers={})
    assert answer.status_code == 422 and "Save the recording" in answer.content.decode()


def test_a_canceled_recording_says_so(alice, house):
    sent(alice, house)
    alice.post(f"/recordings/{Recording.objects.get().public_id}/cancel")
    assert "Canceled." in listed(alice, house) and not read_next_recording()


@pytest.mark.parametrize("failure", [*FAILURES, "something-new"])
def test_every_failure_says_what_to_do(alice, house, failure):
    sent(alice, house)
    Recording.objects.update(state="failed", failure=failure)
    (line,) = recording_lines(house.ann)
    assert line.said.endswith(".") and str(line.said) in listed(alice, house).replace("&#x27;", "'")


def test_a_recording_without_speech_says_so(alice, house):
    sent(alice, house, sounds.wav(sounds.silence(3.0)))
    read_next_recording()
    assert "No speech was found in it." in listed(alice, house)


def test_the_list_asks_as_often_however_many_there_are(alice, house, django_assert_max_num_queries):
    sent(alice, house)
    with django_assert_max_num_queries(30) as one:
        listed(alice, house)
    asked = len(one.captured_queries)
    for _ in range(4):
        sent(alice, house)
    with django_assert_max_num_queries(asked):
        listed(alice, house)
