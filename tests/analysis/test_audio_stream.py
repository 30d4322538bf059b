"""Long recordings are decoded in blocks, with the same samples and the same refusals as short ones."""

import numpy as np
import pytest

from analysis.audio import AudioLimits, AudioRejected, decode
from analysis.audio_stream import decoded
from tests.analysis import sounds

SAID = sounds.spoken(6.0)


def pieces_of(data: bytes, size: int = 10_000) -> list[bytes]:
    return [data[i : i + size] for i in range(0, len(data), size)]


@pytest.mark.parametrize("kind", ["wav", "flac", "mp3", "ogg"])
def test_the_blocks_are_the_samples_of_the_whole(kind):
    data = sounds.wav(SAID) if kind == "wav" else sounds.encoded(SAID, kind)
    with decoded(pieces_of(data), len(data), AudioLimits()) as audio:
        heard = np.concatenate(list(audio.blocks))
    whole = decode(data)
    assert np.array_equal(heard[:, 0], whole.waveform.samples)
    assert (audio.channels, audio.warnings) == (1, [])
    seconds = whole.waveform.duration_s
    assert audio.seconds == pytest.approx(seconds, abs=0.1)
    assert audio.estimated_s == pytest.approx(seconds, abs=0.2)


def test_channels_stay_apart():
    stereo = np.stack([SAID, sounds.silence(6.0)], axis=1)
    data = sounds.wav(stereo)
    with decoded(pieces_of(data), len(data), AudioLimits(), keep_channels=True) as audio:
        heard = np.concatenate(list(audio.blocks))
    assert heard.shape == stereo.shape
    assert np.abs(heard[:, 0]).max() > 0.05 and np.abs(heard[:, 1]).max() == 0


def test_a_file_that_ends_too_soon_is_read_as_far_as_it_goes_and_says_so():
    data = sounds.wav(SAID)[: 44 + 2 * 16000 * 4]
    with decoded(pieces_of(data), len(data), AudioLimits()) as audio:
        heard = np.concatenate(list(audio.blocks))
    assert len(heard) == pytest.approx(4 * 16000, abs=2000)
    assert audio.warnings == ["audio-truncated"]


REFUSED = {
    "nothing": (b"", "audio-empty"),
    "text": (b"this is no sound" * 100, "unsupported-media-type"),
    "a header alone": (sounds.wav(SAID)[:44], "audio-empty"),
    "noise behind a magic word": (b"fLaC" + bytes(range(256)) * 40, "audio-broken"),
}


@pytest.mark.parametrize(("data", "slug"), REFUSED.values(), ids=REFUSED)
def test_what_is_no_sound_gets_a_reason(data, slug):
    with pytest.raises(AudioRejected) as refused, decoded(pieces_of(data), len(data), AudioLimits()) as audio:
        list(audio.blocks)
    assert refused.value.slug == slug


def test_a_recording_longer_than_allowed_is_refused():
    data = sounds.wav(SAID)
    limits = AudioLimits(max_seconds=2.0)
    with pytest.raises(AudioRejected) as refused, decoded(pieces_of(data), len(data), limits) as audio:
        list(audio.blocks)
    assert refused.value.slug == "audio-too-long"


def test_the_decoder_is_gone_when_the_reader_stops_in_the_middle():
    data = sounds.wav(sounds.noise(60.0))
    with decoded(pieces_of(data), len(data), AudioLimits()) as audio:
        next(audio.blocks)
        generator = audio.blocks
    generator.close()
    assert audio.seconds == 0.0
