"""Promise: a slice of a stream gives the same numbers when it is posted as a file, and in a batch."""

from __future__ import annotations

import csv
from datetime import timedelta

import numpy as np
import pytest
from asgiref.sync import sync_to_async
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone

from analysis.affect import calibrate
from analysis.audio import decode
from analysis.quality import measure, trim
from analysis.turns import wav_of
from analysis.values import LABELS
from emotrack.pipeline.sound import long_enough
from emotrack.recognition import service
from emotrack.sample import conversation
from tests.emotrack import factories
from tests.emotrack.api.conftest import Api
from tests.emotrack.live.sender import RATE_HZ, Sender, pcm_of

TOLERANCE = 1e-4
"""As docs/api.md publishes it: the largest difference of any score."""

PAUSE = np.zeros(int(1.2 * RATE_HZ), np.float32)

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.asyncio]


def _sample_speech() -> list[bytes]:
    turns = [turn for turn in conversation.load().turns if turn.speaker == "client"]
    return [turn.audio.read_bytes() for turn in turns[:6]]


def _real_speech(folder) -> list[bytes]:
    with (folder / "manifest.csv").open(newline="") as manifest:
        rows = [row for row in csv.DictReader(manifest) if float(row["seconds"]) >= 1.6]
    return [(folder / row["path"]).read_bytes() for row in rows[::97][:12]]


async def _streamed(files: list[bytes]):
    """The sound that was streamed, and what the stream measured."""
    app = await sync_to_async(factories.app)()
    ann = await sync_to_async(factories.client)("Ann", linked_to=app)
    session = await sync_to_async(factories.session)(ann, started_at=timezone.now())
    key = (await sync_to_async(factories.key)(app))[1]
    speech = [piece for file in files for piece in (PAUSE, decode(file).waveform.samples)]
    pcm = pcm_of(np.concatenate([*speech, PAUSE]))
    sender = await Sender(session.public_id, key).opened()
    at = timezone.now() - timedelta(hours=1)
    await sender.tell(type="session.update", started_at=at.isoformat())
    await sender.sound(pcm)
    await sender.finish()
    return pcm, key, [m for m in sender.of("measurement") if m["utterance"]["scores"]]


async def _same_everywhere(files: list[bytes]) -> None:
    pcm, key, measured = await _streamed(files)
    assert len(measured) >= len(files)
    slices = []
    for message in measured:
        first, last = (2 * round(message[at] * RATE_HZ / 1000) for at in ("audio_start_ms", "audio_end_ms"))
        slices.append(wav_of(pcm[first:last], RATE_HZ))
    streamed = np.array([[m["utterance"]["scores"][label] for label in LABELS] for m in measured])
    posted = await sync_to_async(_posted)(slices, key)
    batched = await sync_to_async(_batched)(slices)
    assert np.abs(streamed - posted).max() <= TOLERANCE
    assert np.abs(streamed - batched).max() <= TOLERANCE
    assert len(np.unique(streamed.round(6), axis=0)) == len(streamed)


def _posted(slices: list[bytes], key: str) -> np.ndarray:
    answers = []
    for number, wav in enumerate(slices):
        sound = SimpleUploadedFile(f"{number}.wav", wav)
        form = {"client": "ben", "session": "b", "wait": "20", "audio": sound}
        answers.append(Api(key).form("utterances", form).json())
    return np.array([[answer["scores"][label] for label in LABELS] for answer in answers])


def _batched(slices: list[bytes]) -> np.ndarray:
    """All at once, through the recognizer itself."""
    speech = []
    for wav in slices:
        heard = decode(wav).waveform
        speech.append(long_enough(trim(heard, measure(heard))[0]))
    results = service().recognizer.recognize(speech)
    return np.array([calibrate(result.scores, service().card.temperature) for result in results])


async def test_the_sample_conversation_reads_the_same_streamed_posted_and_batched():
    await _same_everywhere(_sample_speech())


@pytest.mark.speech
async def test_real_speech_reads_the_same_streamed_posted_and_batched(speech_dir):
    await _same_everywhere(_real_speech(speech_dir))
