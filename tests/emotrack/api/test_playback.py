"""What an utterance sounded like: its sound whole and in ranges, its outline, its embedding and frames."""

from __future__ import annotations

import io

import numpy as np
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from emotrack.api.playback import Slice, asked_slice
from emotrack.audit.models import AuditEvent
from emotrack.history.models import Audio
from tests.analysis import sounds
from tests.emotrack import factories
from tests.emotrack.api.posting import problem

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("header", "found"),
    [
        (None, None),
        ("bytes=0-", Slice(0, 99)),
        ("bytes=10-19", Slice(10, 19)),
        ("bytes=90-500", Slice(90, 99)),
        ("bytes=-10", Slice(90, 99)),
        ("bytes=-500", Slice(0, 99)),
        ("bytes=20-10", None),
        ("bytes=0-1,5-6", None),
        ("bytes=-", None),
        ("items=0-1", None),
        ("bytes=٠-٩", None),
    ],
)
def test_a_range_header_is_read_as_the_standard_says(header, found):
    assert asked_slice(header, 100) == found


@pytest.fixture
def sounding(api, house, fake_recognizer, processed_in_place) -> str:
    """Address of a posted sound."""
    sound = SimpleUploadedFile("../../etc/passwd", sounds.wav(sounds.spoken(1.5)))
    posted = api.form(f"sessions/{house.session.public_id}/utterances", {"audio": sound})
    return f"utterances/{posted.json()['id']}"


def test_the_sound_comes_back_whole_and_in_ranges(api, sounding):
    whole = api.get(f"{sounding}/audio")
    part = api.get(f"{sounding}/audio", Range="bytes=100-199")
    assert whole.content == sounds.wav(sounds.spoken(1.5))
    assert (part.status_code, part.content) == (206, whole.content[100:200])
    assert part.headers["Content-Range"] == f"bytes 100-199/{len(whole.content)}"
    assert whole.headers["Content-Type"] == "audio/wav"
    assert "passwd" not in str(whole.headers)


def test_a_range_behind_the_end_is_refused(api, sounding):
    answer = api.get(f"{sounding}/audio", Range="bytes=99999999-")
    problem(answer, 416, "range-not-satisfiable")
    assert answer.headers["Content-Range"].startswith("bytes */")


def test_listening_is_noted_once_and_not_for_every_range(api, sounding):
    for asked in ("bytes=0-99", "bytes=100-199", "bytes=200-"):
        api.get(f"{sounding}/audio", Range=asked)
    assert AuditEvent.objects.filter(action="audio.read").count() == 1


def test_a_deleted_sound_leaves_its_outline(api, sounding):
    Audio.objects.update(deleted_at=factories.NOW)
    problem(api.get(f"{sounding}/audio"), 404, "audio-not-kept")
    peaks = api.get(f"{sounding}/peaks").json()
    assert len(peaks["low"]) == len(peaks["high"]) == 75
    assert min(peaks["low"]) < 0 < max(peaks["high"])


def test_embeddings_and_frames_come_as_json_and_npy(api, sounding):
    as_json = api.get(f"{sounding}/embedding").json()["embedding"]
    as_npy = np.load(io.BytesIO(api.get(f"{sounding}/embedding?format=npy").content), allow_pickle=False)
    np.testing.assert_array_equal(as_npy, np.array(as_json, np.float16))
    frames = np.load(io.BytesIO(api.get(f"{sounding}/frames", Accept="application/x-npy").content))
    np.testing.assert_array_equal(frames, np.array(api.get(f"{sounding}/frames").json()["logits"]))


def test_words_alone_have_no_sound_embedding_or_frames(api, house):
    utterance = factories.utterance(house.session, text="x").public_id
    for part, slug in [
        ("audio", "audio-not-kept"),
        ("peaks", "audio-not-kept"),
        ("embedding", "embedding-missing"),
        ("frames", "frames-missing"),
    ]:
        problem(api.get(f"utterances/{utterance}/{part}"), 404, slug)
