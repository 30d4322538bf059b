"""Turns are found while the sound arrives, wherever its pieces are cut, and their sound is exact."""

import io
import itertools
import wave

import numpy as np
import pytest

from analysis.speech import SpeechStream, speech_probability
from analysis.turns import LONGEST, MARGIN, SILENCE, WINDOW_MS, Cutter, Turn, TurnFinder, TurnStarted
from analysis.values import Waveform
from tests.analysis import sounds

SAID = np.concatenate([sounds.silence(1), sounds.spoken(2), sounds.silence(1), sounds.spoken(3, seed=1)])


def pcm_of(samples: np.ndarray) -> bytes:
    return np.clip(np.rint(samples * 32768), -32768, 32767).astype("<i2").tobytes()


@pytest.mark.parametrize("piece", [1, 100, 511, 1600, 7777])
def test_the_stream_hears_what_the_whole_recording_gives(piece):
    stream = SpeechStream()
    heard = np.concatenate([stream.feed(SAID[i : i + piece]) for i in range(0, len(SAID), piece)])
    whole = speech_probability(Waveform(SAID))[: len(heard)]
    assert len(heard) == len(SAID) // 512
    assert np.abs(heard - whole).max() < 1e-5


def test_a_turn_has_margins_and_ends_after_a_silence():
    events = Cutter().feed([0.0] * 20 + [0.9] * 30 + [0.0] * SILENCE)
    assert events == [TurnStarted((20 - MARGIN) * WINDOW_MS), Turn(14 * WINDOW_MS, (50 + MARGIN) * WINDOW_MS)]


def test_a_click_is_no_turn_and_a_murmur_neither():
    assert Cutter().feed([0.0] * 9 + [0.9] * 3 + [0.0] * 30 + [0.4] * 30 + [0.0] * 30) == []


def test_a_pause_inside_a_sentence_does_not_cut_it():
    events = Cutter().feed([0.9] * 20 + [0.0] * (SILENCE - 1) + [0.9] * 20 + [0.0] * SILENCE)
    assert [type(e) for e in events] == [TurnStarted, Turn]


def test_a_monologue_is_cut_at_its_quietest_moment_and_nothing_is_lost_between():
    said = [0.9] * LONGEST
    said[800] = 0.4
    cutter = Cutter()
    first, cut, second = cutter.feed(said)
    assert cut == Turn(0, 801 * WINDOW_MS) and second == TurnStarted(cut.end_ms) and first.start_ms == 0
    (rest,) = cutter.flush()
    assert (rest.start_ms, rest.end_ms) == (cut.end_ms, LONGEST * WINDOW_MS)


def test_turns_never_overlap():
    rng = np.random.default_rng(3)
    runs = [[p] * n for p, n in zip(rng.choice([0.0, 0.4, 0.9], 400), rng.integers(1, 60, 400), strict=True)]
    cutter = Cutter()
    turns = [e for run in runs for e in cutter.feed(run) if isinstance(e, Turn)]
    assert len(turns) > 20
    assert all(a.end_ms <= b.start_ms for a, b in itertools.pairwise(turns))
    assert all(t.start_ms < t.end_ms for t in turns)


@pytest.mark.parametrize("rate", [8000, 16000, 44100, 48000])
def test_a_turn_is_found_at_its_time_at_any_rate(rate):
    import soxr

    said = soxr.resample(SAID, 16000, rate)
    finder = TurnFinder(rate)
    pcm = pcm_of(said)
    step = 2 * (rate // 10)
    events = [e for i in range(0, len(pcm), step) for e in finder.feed(pcm[i : i + step])] + finder.flush()
    turns = [e for e in events if isinstance(e, Turn)]
    assert [round(t.start_ms / 1000, 1) for t in turns] == pytest.approx([0.8, 3.8], abs=0.25)
    assert [round(t.end_ms / 1000, 1) for t in turns] == pytest.approx([3.2, 7.0], abs=0.25)


def test_the_sound_of_a_turn_is_the_sound_that_came_to_the_sample():
    finder = TurnFinder(44100)
    pcm = pcm_of(sounds.noise(3.0))[: 2 * 44100]
    finder.feed(pcm)
    finder.forget(100)
    with wave.open(io.BytesIO(finder.wav(333, 777))) as file:
        assert file.getframerate() == 44100
        assert file.readframes(99999) == pcm[2 * 14685 : 2 * 34266]
    with pytest.raises(ValueError, match="forgotten"):
        finder.wav(50, 777)


def test_silence_can_be_forgotten_so_that_memory_stays_bounded():
    finder = TurnFinder(16000)
    for _ in range(600):
        finder.feed(bytes(3200))
        finder.forget(finder.settled_ms)
    assert finder.received_ms == 60_000
    assert len(finder._sound) < 16000
