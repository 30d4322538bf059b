"""A whole recording is uploaded, cut into turns by a job, and every turn is kept once."""

from __future__ import annotations

from datetime import timedelta

import numpy as np
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import OperationalError, transaction
from django.utils import timezone

from emotrack.history.actions import StorageFull, read_audio
from emotrack.history.models import Session, Utterance
from emotrack.pipeline import read_next_recording, recording, upkeep
from emotrack.privacy import actions as privacy
from emotrack.recordings import actions as recordings
from emotrack.recordings import sealed_file
from emotrack.recordings.models import Part, Recording
from tests.analysis import sounds
from tests.emotrack import factories
from tests.emotrack.api.conftest import Api

SAID = np.concatenate([sounds.silence(1), sounds.spoken(2), sounds.silence(1.5), sounds.spoken(2.5, seed=2)])
ANSWERED = np.concatenate([sounds.silence(3.4), sounds.spoken(1.0, seed=3), sounds.silence(2.6)])
MONO = sounds.wav(SAID)
STEREO = sounds.wav(np.stack([SAID, ANSWERED], axis=1))
START = "2026-03-01T10:00:00+00:00"

pytestmark = pytest.mark.django_db


def post(api, house, audio=MONO, headers=None, **fields):
    form = {"audio": SimpleUploadedFile("first talk.wav", audio), **fields}
    return api.form(f"sessions/{house.session.public_id}/recording", form, **(headers or {}))


def job_of(api, answer):
    return api.get(f"jobs/{answer.json()['id']}").json()


def rows():
    return list(Utterance.objects.select_related("client", "audio").order_by("occurred_at"))


def files_left(settings):
    folder = settings.AUDIO_DIR / "recordings"
    return list(folder.iterdir()) if folder.exists() else []


@pytest.fixture(autouse=True)
def _at_once(monkeypatch):
    """What follows a commit follows here, too, inside the test's own transaction."""
    monkeypatch.setattr(transaction, "on_commit", lambda work: work())
    monkeypatch.setattr(recording, "NOTE_EVERY_S", 0.0)


def test_a_recording_becomes_turns_and_the_file_is_forgotten(api, house, settings):
    answer = post(api, house, started_at=START, language="de")
    assert answer.status_code == 202
    assert answer.headers["Location"] == f"/api/v1/jobs/{answer.json()['id']}"
    waiting = answer.json()
    assert (waiting["state"], waiting["utterances"]["found"], waiting["errors"]) == ("waiting", 0, [])
    assert len(files_left(settings)) == 1
    assert read_next_recording() and not read_next_recording()
    done = job_of(api, answer)
    assert (done["state"], done["warnings"], done["speakers"]) == ("done", [], ["client"])
    assert done["progress"]["done_ms"] == done["progress"]["duration_ms"] == 7000
    assert done["utterances"] == {"found": 2, "read": 0, "waiting": 2, "failed": 0}
    first, second = rows()
    assert first.occurred_at.isoformat()[:19] == "2026-03-01T10:00:00"
    assert timedelta(seconds=3) < second.occurred_at - first.occurred_at < timedelta(seconds=4)
    assert (first.language, first.speaker) == ("de", "client")
    assert files_left(settings) == []


def test_the_turns_hold_the_sound_of_the_recording(api, house):
    post(api, house)
    read_next_recording()
    pcm = MONO[44:]
    for row, part in zip(rows(), Part.objects.order_by("start_ms"), strict=True):
        assert read_audio(row.audio)[44:] == pcm[32 * part.start_ms : 32 * part.end_ms]


def test_each_channel_has_its_speaker(api, house):
    answer = post(api, house, STEREO, speakers="client,counselor")
    read_next_recording()
    assert job_of(api, answer)["state"] == "done"
    assert [row.speaker for row in rows()] == ["client", "counselor", "client"]
    assert [row.status for row in rows()] == ["queued", "analyzed", "queued"]


def test_channels_are_mixed_when_one_speaker_or_none_is_named(api, house):
    post(api, house, STEREO, speakers="counselor")
    read_next_recording()
    assert {row.speaker for row in rows()} == {"counselor"}


def test_speakers_that_do_not_fit_the_channels_are_named(api, house, settings):
    answer = post(api, house, MONO, speakers="client,counselor")
    read_next_recording()
    job = job_of(api, answer)
    assert job["state"] == "failed"
    assert job["errors"][0]["type"] == "/problems/speakers-channels"
    assert "1 channels" in job["errors"][0]["detail"]
    assert rows() == [] and files_left(settings) == []


REFUSED = {
    "unknown speaker": ({"speakers": "client,charlie"}, 422, "not-a-choice"),
    "too many speakers": ({"speakers": ",".join(["client"] * 9)}, 422, "too-long"),
    "unknown field": ({"text": "hi"}, 400, "unknown-field"),
    "future": ({"started_at": "2199-01-01T00:00:00Z"}, 422, "timestamp-in-future"),
    "naive time": ({"started_at": "2026-01-01T00:00:00"}, 422, "timestamp-naive"),
}


@pytest.mark.parametrize(("fields", "status", "slug"), REFUSED.values(), ids=REFUSED)
def test_what_cannot_be_accepted_is_refused_before_anything_is_kept(
    api, house, settings, fields, status, slug
):
    answer = post(api, house, **fields)
    assert (answer.status_code, answer.json()["type"]) == (status, f"/problems/{slug}")
    assert not Recording.objects.exists() and files_left(settings) == []


@pytest.mark.parametrize(
    ("audio", "status", "slug"),
    [(b"no sound at all" * 50, 415, "unsupported-media-type"), (b"", 422, "audio-empty")],
)
def test_what_is_no_sound_is_refused_at_once(api, house, settings, audio, status, slug):
    answer = post(api, house, audio)
    assert (answer.status_code, answer.json()["type"]) == (status, f"/problems/{slug}")
    assert not Recording.objects.exists() and files_left(settings) == []


def test_json_and_a_form_without_a_file_are_refused(api, house):
    path = f"sessions/{house.session.public_id}/recording"
    assert api.post(path, {}).status_code == 415
    assert api.form(path, {"language": "de"}).json()["type"] == "/problems/missing-part"


def test_a_recording_that_is_too_large_is_refused(api, house, settings):
    settings.RECORDING_MAX_BYTES = 1000
    assert post(api, house).status_code == 413


def test_a_recording_may_be_larger_than_an_utterance(api, house, settings):
    settings.AUDIO_MAX_BYTES = 1000
    assert post(api, house).status_code == 202


BROKEN = {
    "nothing": (b"RIFF\0\0\0\0WAVE", "audio-broken"),
    "silence is fine": (sounds.wav(sounds.silence(2.0)), None),
}


@pytest.mark.parametrize(("audio", "slug"), BROKEN.values(), ids=BROKEN)
def test_a_file_that_cannot_be_read_says_why_on_its_job(api, house, settings, audio, slug):
    answer = post(api, house, audio)
    read_next_recording()
    job = job_of(api, answer)
    assert job["state"] == ("failed" if slug else "done")
    assert [error["type"] for error in job["errors"]] == ([f"/problems/{slug}"] if slug else [])
    assert rows() == [] and files_left(settings) == []


def test_a_recording_that_breaks_off_is_read_as_far_as_it_goes(api, house):
    answer = post(api, house, MONO[: 44 + 32000 * 4])
    read_next_recording()
    job = job_of(api, answer)
    assert (job["state"], job["warnings"]) == ("done", ["audio-truncated"])
    assert len(rows()) == 1


def test_without_consent_nothing_is_kept(api, house, settings):
    privacy.withdraw_consent(
        client=house.ann, purpose="voice_emotion", by=factories.TESTS, now=timezone.now()
    )
    answer = post(api, house)
    assert (answer.status_code, answer.json()["type"]) == (403, "/problems/consent-required")
    assert files_left(settings) == []


def test_consent_withdrawn_before_it_is_read_ends_the_job_and_forgets_the_file(api, house, settings):
    answer = post(api, house)
    privacy.withdraw_consent(
        client=house.ann, purpose="voice_emotion", by=factories.TESTS, now=timezone.now()
    )
    read_next_recording()
    job = job_of(api, answer)
    assert (job["state"], job["errors"][0]["type"]) == ("failed", "/problems/consent-withdrawn")
    assert rows() == [] and files_left(settings) == []


def test_a_full_disk_keeps_nothing(api, house, settings, monkeypatch):
    def full(*args):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(sealed_file, "_write", full)
    assert post(api, house).status_code == 507
    assert not Recording.objects.exists() and files_left(settings) == []


# --- Canceled, killed, tried again ----------------------------------------------------------------


def test_a_canceled_job_is_not_read_and_its_file_is_gone(api, house, settings):
    answer = post(api, house)
    path = f"jobs/{answer.json()['id']}"
    assert api.delete(path).json()["state"] == "canceled"
    assert api.delete(path).json()["state"] == "canceled"
    assert not read_next_recording()
    assert files_left(settings) == [] and rows() == []


def test_a_job_canceled_in_the_middle_stops_and_keeps_what_it_had(api, house, monkeypatch):
    answer, kept = post(api, house), recording.keep_turn

    def canceled_after_one(row, *args, **more):
        utterance = kept(row, *args, **more)
        recording.cancel_recording(Recording.objects.get(), by=factories.TESTS, now=timezone.now())
        return utterance

    monkeypatch.setattr(recording, "keep_turn", canceled_after_one)
    read_next_recording()
    job = job_of(api, answer)
    assert (job["state"], job["utterances"]["found"], len(rows())) == ("canceled", 1, 1)


class Killed(BaseException):
    """What a killed process leaves: no cleaning up."""


def test_a_killed_reader_loses_nothing_and_doubles_nothing(api, house, monkeypatch):
    answer, kept = post(api, house), recording.keep_turn

    def killed_after_one(row, *args, **more):
        kept(row, *args, **more)
        raise Killed

    monkeypatch.setattr(recording, "keep_turn", killed_after_one)
    with pytest.raises(Killed):
        read_next_recording()
    assert not read_next_recording()  # somebody may still be at it
    Recording.objects.update(leased_until=timezone.now() - timedelta(seconds=1))
    monkeypatch.setattr(recording, "keep_turn", kept)
    read_next_recording()
    assert job_of(api, answer)["utterances"]["found"] == 2
    assert len(rows()) == Part.objects.count() == 2


def test_a_turn_that_was_deleted_does_not_come_back(api, house):
    post(api, house)
    read_next_recording()
    rows()[0].delete()
    Recording.objects.update(state="working", path="gone")
    assert Part.objects.filter(utterance=None).count() == 1
    known = set(Part.objects.values_list("channel", "start_ms"))
    assert recording._Reader(Recording.objects.select_related("client").get()).known == known


def test_a_reader_that_breaks_off_again_and_again_gives_up_with_a_reason(api, house):
    answer = post(api, house)
    Recording.objects.update(attempts=recording.MOST_ATTEMPTS)
    read_next_recording()
    job = job_of(api, answer)
    assert (job["state"], job["errors"][0]["type"]) == ("failed", "/problems/analysis-failed")


def test_a_reader_that_gets_on_is_not_given_up_however_often_its_process_was_stopped(api, house, monkeypatch):
    answer, kept = post(api, house), recording.keep_turn
    Recording.objects.update(attempts=recording.MOST_ATTEMPTS - 1)

    def killed_after_one(row, *args, **more):
        kept(row, *args, **more)
        raise Killed

    monkeypatch.setattr(recording, "keep_turn", killed_after_one)
    with pytest.raises(Killed):
        read_next_recording()
    monkeypatch.setattr(recording, "keep_turn", kept)
    for _ in range(2):
        Recording.objects.update(leased_until=None)
        read_next_recording()
    assert job_of(api, answer)["state"] == "done" and len(rows()) == 2


@pytest.mark.parametrize(
    "error", [OperationalError("database is locked"), StorageFull("storage-full", "Full.")]
)
def test_a_storage_that_cannot_take_it_now_is_tried_again_later(api, house, monkeypatch, error):
    answer, kept = post(api, house), recording.keep_turn

    def refuse(*args, **more):
        raise error

    monkeypatch.setattr(recording, "keep_turn", refuse)
    assert read_next_recording()
    assert not read_next_recording()
    monkeypatch.setattr(recording, "keep_turn", kept)
    Recording.objects.update(leased_until=None)
    read_next_recording()
    assert job_of(api, answer)["state"] == "done" and len(rows()) == 2


def test_a_file_that_was_changed_on_the_disk_is_not_read(api, house, settings):
    answer = post(api, house)
    (path,) = files_left(settings)
    sealed = bytearray(path.read_bytes())
    sealed[-1] ^= 1
    path.write_bytes(sealed)
    read_next_recording()
    assert job_of(api, answer)["errors"][0]["type"] == "/problems/audio-lost"


def test_the_file_on_the_disk_is_sealed(api, house, settings):
    post(api, house)
    (path,) = files_left(settings)
    assert MONO[:40] not in path.read_bytes()


def test_a_key_makes_one_recording_however_often_it_is_sent(api, house, settings):
    headers = {"Idempotency_Key": "talk-1"}
    first, second = post(api, house, headers=headers), post(api, house, headers=headers)
    assert second.status_code == 202 and second.json()["id"] == first.json()["id"]
    assert second.headers["Idempotent-Replayed"] == "true"
    assert len(files_left(settings)) == 1
    other = post(api, house, STEREO, headers=headers)
    assert other.json()["type"] == "/problems/idempotency-key-reused"


def test_a_person_has_no_keys(house):
    answer = post(Api(user=house.alice), house, headers={"Idempotency_Key": "k"})
    assert answer.status_code == 400


def test_strays_are_deleted_and_waiting_files_stay(api, house, settings):
    post(api, house)
    stray = settings.AUDIO_DIR / "recordings" / ("0" * 20)
    stray.write_bytes(b"left by a kill")
    now = timezone.now()
    assert recordings.delete_stray_recordings(now=now) == 0
    assert recordings.delete_stray_recordings(now=now + timedelta(days=2)) == 1
    assert not stray.exists() and len(files_left(settings)) == 1


def test_an_erased_client_takes_the_recording_along(api, house, settings):
    post(api, house)
    house.ann.delete()
    assert not Recording.objects.exists()
    recordings.delete_stray_recordings(now=timezone.now() + timedelta(days=2))
    assert files_left(settings) == []


def test_an_uploaded_session_ends_when_all_of_it_is_read(api, house):
    post(api, house, started_at=START)
    Recording.objects.update(ends_session=True)
    read_next_recording()
    assert upkeep.end_uploaded_sessions(now=timezone.now()) == 0
    Utterance.objects.update(status="failed")
    assert upkeep.end_uploaded_sessions(now=timezone.now()) == 1
    assert Session.objects.get().ended_at.isoformat() == "2026-03-01T10:00:07+00:00"


def test_the_job_is_held_against_its_description(api, house, settings):
    from jsonschema import Draft202012Validator

    schema = api.get("/api/v1/schema?format=json").json()
    answer = post(api, house)
    described = schema["components"]["schemas"]["JobAnswer"] | {"components": schema["components"]}
    Draft202012Validator(described).validate(answer.json())
