"""What the embedded recognizer hears in the sample conversation: calm, then tense, then calm again."""

from dataclasses import dataclass

import numpy as np
import pytest

from analysis.affect import calibrate, decide_reading, project, top_label
from analysis.audio import decode
from analysis.quality import measure, quality_gate, trim
from analysis.recognition.acoustic import AcousticRecognizer
from analysis.values import Reading
from emotrack.sample.conversation import SampleTurn, load

CALM = {"calm", "low", "relieved"}
CONVERSATION = load()


@dataclass(frozen=True)
class Heard:
    """A turn as the recognizer reads it; ``arousal`` is None where it abstains for want of affect."""

    prosody: str
    voiced_s: float
    gate: Reading | None
    reading: Reading
    label: str
    arousal: float | None


def hear(turn: SampleTurn, recognizer: AcousticRecognizer) -> Heard:
    sound = decode(turn.audio.read_bytes())
    quality = measure(sound.waveform, sound.truncated)
    speech, _start_s = trim(sound.waveform, quality)
    scores = calibrate(recognizer.recognize([speech])[0].scores, recognizer.card.temperature)
    gate = quality_gate(quality)
    reading, arousal = decide_reading(scores, gate), project(scores).arousal
    return Heard(turn.prosody, quality.voiced_s, gate, reading, top_label(scores), arousal)


@pytest.fixture(scope="module")
def heard() -> dict[str, list[Heard]]:
    """Every turn by its speaker, in order."""
    recognizer = AcousticRecognizer()
    return {
        speaker: [hear(turn, recognizer) for turn in CONVERSATION.turns if turn.speaker == speaker]
        for speaker in ("client", "counselor")
    }


def arousal_of(turns: list[Heard]) -> list[float]:
    return [turn.arousal for turn in turns if turn.reading is Reading.OK]


def test_every_turn_sounds_good_enough_to_be_read(heard):
    assert [turn.gate for turns in heard.values() for turn in turns] == [None] * len(CONVERSATION.turns)


def test_the_client_speaks_long_enough_in_every_turn(heard):
    assert min(turn.voiced_s for turn in heard["client"]) >= 1.8


def test_most_turns_of_the_client_get_a_reading(heard):
    read = [turn.reading is Reading.OK for turn in heard["client"]]
    assert np.mean(read) >= 0.6


def test_tense_turns_lie_clearly_above_calm_ones(heard):
    calm = arousal_of([turn for turn in heard["client"] if turn.prosody in CALM])
    tense = arousal_of([turn for turn in heard["client"] if turn.prosody == "tense"])
    assert np.median(tense) > np.median(calm) + 0.25
    assert min(tense) > max(calm)


def test_uneasy_turns_lie_between_calm_and_tense_ones(heard):
    calm, uneasy, tense = (
        np.median(arousal_of([turn for turn in heard["client"] if turn.prosody in prosody]))
        for prosody in (CALM, {"uneasy"}, {"tense"})
    )
    assert calm < uneasy < tense


def test_calm_turns_are_not_mostly_read_as_angry(heard):
    labels = [turn.label for turn in heard["client"] if turn.prosody in CALM]
    assert labels.count("angry") < len(labels) / 2


def test_the_counselor_stays_calmer_than_the_tense_client(heard):
    tense = arousal_of([turn for turn in heard["client"] if turn.prosody == "tense"])
    assert max(arousal_of(heard["counselor"])) < min(tense)
