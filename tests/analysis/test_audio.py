"""Good audio arrives at the right length, level and pitch; bad audio gets its one right answer."""

import os
import signal
import struct
import threading
import zipfile
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from io import BytesIO

import numpy as np
import pytest
import soundfile

from analysis import audio_pool
from analysis.audio import AudioLimits, AudioRejected, decode, encode_wav, peaks
from analysis.values import SAMPLE_RATE_HZ, Waveform
from tests.analysis import sounds


def refusal(data: bytes, limits: AudioLimits | None = None) -> str:
    with pytest.raises(AudioRejected) as caught:
        decode(data, limits or AudioLimits())
    assert caught.value.detail
    return caught.value.slug


def pitch_hz(samples: np.ndarray) -> float:
    spectrum = np.abs(np.fft.rfft(samples * np.hanning(len(samples))))
    return float(np.argmax(spectrum) * SAMPLE_RATE_HZ / len(samples))


def level(samples: np.ndarray) -> float:
    middle = samples[len(samples) // 4 : -len(samples) // 4]
    return float(np.sqrt(2 * np.mean(middle**2)))


@pytest.mark.parametrize("kind", ["uint8", "int16", "int24", "int32", "float32", "float64"])
def test_every_wav_bit_depth_keeps_its_samples(kind):
    sound = sounds.sine(0.5)
    step = 2.0**-7 if kind == "uint8" else 2.0**-14
    assert np.allclose(decode(sounds.wav(sound, kind)).waveform.samples, sound, atol=step)


@pytest.mark.parametrize("rate_hz", [4000, 8000, 11025, 22050, 44100, 48000, 96000, 192000])
def test_every_sample_rate_becomes_sixteen_kilohertz(rate_hz):
    heard = decode(sounds.wav(sounds.sine(1.0, 440, 0.3, rate_hz), rate_hz=rate_hz))
    assert heard.source_rate_hz == rate_hz
    assert abs(len(heard.waveform.samples) - SAMPLE_RATE_HZ) <= 1
    assert pitch_hz(heard.waveform.samples) == pytest.approx(440, abs=1)
    assert level(heard.waveform.samples) == pytest.approx(0.3, rel=0.01)
    assert heard.waveform.samples.dtype == np.float32


@pytest.mark.parametrize("kind", sounds.KINDS)
def test_every_accepted_format_is_heard_at_its_own_level_and_pitch(kind):
    heard = decode(sounds.encoded(sounds.sine(2.0, 440, 0.3, 48_000), kind))
    assert pitch_hz(heard.waveform.samples) == pytest.approx(440, abs=1)
    assert level(heard.waveform.samples) == pytest.approx(0.3, rel=0.06)
    assert heard.waveform.duration_s == pytest.approx(2.0, abs=0.08)
    assert heard.warnings == ()


def test_equal_stereo_channels_come_out_exactly_as_loud_as_one():
    sound = sounds.sine(0.5)
    mono, stereo = decode(sounds.wav(sound)), decode(sounds.wav(np.stack([sound, sound], axis=1)))
    assert stereo.channels == 2
    assert np.array_equal(stereo.waveform.samples, mono.waveform.samples)


def test_a_silent_second_channel_halves_the_level():
    sound = sounds.sine(0.5)
    stereo = decode(sounds.wav(np.stack([sound, 0 * sound], axis=1), "float32"))
    assert np.allclose(stereo.waveform.samples, sound / 2, atol=1e-7)


def test_kept_channels_stay_apart():
    left, right = sounds.sine(1.0, 300, 0.2, 44_100), sounds.sine(1.0, 700, 0.4, 44_100)
    heard = decode(sounds.wav(np.stack([left, right], axis=1), rate_hz=44_100), keep_channels=True)
    first, second = heard.channel_waveforms
    assert pitch_hz(first.samples) == pytest.approx(300, abs=1)
    assert pitch_hz(second.samples) == pytest.approx(700, abs=1)
    assert np.allclose(heard.waveform.samples, (first.samples + second.samples) / 2, atol=1e-6)


def test_no_bytes_are_empty():
    assert refusal(b"") == "audio-empty"


@pytest.mark.parametrize("kind", ["int16", "float32"])
def test_a_header_without_sound_is_empty(kind):
    assert refusal(sounds.wav(np.zeros((0, 1)), kind)) == "audio-empty"


def test_a_flac_header_without_frames_is_empty():
    data = sounds.encoded(sounds.sine(1.0, rate_hz=48_000), "flac")
    end = data.index(b"\xff\xf8")
    assert refusal(data[:end]) == "audio-empty"


def zip_file() -> bytes:
    target = BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        archive.writestr("speech.wav", sounds.wav(sounds.sine(0.1)))
    return target.getvalue()


@pytest.mark.parametrize(
    "data",
    [
        b"#EXTM3U\n#EXTINF:5,\nhttp://127.0.0.1/speech.wav\n",
        b"ffconcat version 1.0\nfile /etc/hostname\n",
        b"[playlist]\nFile1=http://127.0.0.1/a.mp3\n",
        zip_file(),
        b"%PDF-1.7\n1 0 obj\n",
        b"<html><audio src='a.wav'></html>",
        b"\xff\xd8\xff\xe0\x00\x10JFIF",
        b"\x00" * 4096,
        b"RIFF\x00\x00\x00\x00AVI LIST",
    ],
    ids=["m3u8", "concat", "pls", "zip", "pdf", "html", "jpeg", "zeros", "avi"],
)
def test_what_is_not_audio_is_refused_whatever_its_name(data):
    assert refusal(data) == "unsupported-media-type"


def test_random_bytes_behind_a_true_magic_are_broken():
    junk = np.random.default_rng(3).bytes(20_000)
    assert refusal(b"\x1a\x45\xdf\xa3" + junk) == "audio-broken"


@pytest.mark.parametrize("kind", ["mp3", "flac", "m4a", "ogg", "webm", "vorbis"])
def test_damaged_bytes_never_escape_as_anything_but_an_answer(kind):
    whole = bytearray(sounds.encoded(sounds.spoken(0.5)[:8000], kind))
    rng = np.random.default_rng(7)
    for _ in range(8):
        hurt = whole.copy()
        for place in rng.integers(4, len(hurt), 20):
            hurt[place] = rng.integers(256)
        try:
            assert np.isfinite(decode(bytes(hurt)).waveform.samples).all()
        except AudioRejected as rejected:
            assert rejected.slug.startswith(("audio-", "unsupported-"))


@pytest.mark.parametrize("kind", ["mp3", "flac", "ogg", "vorbis"])
def test_a_file_cut_near_its_end_is_read_with_a_warning(kind):
    whole = sounds.encoded(sounds.noise(9.0, 0.2)[: 48_000 * 3], kind)
    heard = decode(whole[: int(len(whole) * 0.8)])
    assert heard.truncated
    assert heard.warnings == ("audio-truncated",)
    assert 1.5 < heard.waveform.duration_s < 2.8


@pytest.mark.parametrize("kind", ["mp3", "flac"])
def test_a_file_of_which_most_is_missing_is_refused(kind):
    whole = sounds.encoded(sounds.noise(9.0, 0.2)[: 48_000 * 3], kind)
    assert refusal(whole[: int(len(whole) * 0.3)]) == "audio-truncated"


def test_a_wav_cut_near_its_end_is_read_with_a_warning_and_one_cut_early_is_not():
    whole = sounds.wav(sounds.sine(1.0))
    assert decode(whole[: int(len(whole) * 0.7)]).warnings == ("audio-truncated",)
    assert refusal(whole[: int(len(whole) * 0.4)]) == "audio-truncated"


def test_an_m4a_without_its_index_is_truncated():
    whole = sounds.encoded(sounds.sine(2.0, rate_hz=48_000), "m4a")
    assert refusal(whole[: len(whole) // 2]) == "audio-truncated"


@pytest.mark.parametrize("claimed", [0, 0xFFFFFFFF, 0x7FFFFFFF])
def test_a_wav_from_a_writer_that_did_not_know_its_length_is_whole(claimed):
    assert not decode(sounds.wav(sounds.sine(0.5), claimed_bytes=claimed)).truncated


def test_a_claim_of_three_gigabytes_is_answered_from_the_hundred_bytes_that_are_there():
    assert refusal(sounds.wav(sounds.sine(0.003), claimed_bytes=3_000_000_000)) == "audio-truncated"


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("kind", ["float32", "float64"])
def test_samples_that_are_not_numbers_are_refused(value, kind):
    sound = sounds.sine(0.5)
    sound[4321] = value
    assert refusal(sounds.wav(sound, kind)) == "audio-non-finite"


@pytest.mark.parametrize(("kind", "peak"), [("float32", 32767.0), ("float32", 3e38), ("float64", 1e300)])
def test_absurd_peaks_are_refused(kind, peak):
    assert refusal(sounds.wav(np.full(8000, peak), kind)) == "audio-out-of-range"


def test_slight_overshoot_is_kept():
    assert np.max(decode(sounds.wav(sounds.sine(0.5, level=1.5), "float32")).waveform.samples) > 1.4


def test_too_many_bytes_are_refused_before_they_are_read():
    assert refusal(b"RIFF" + bytes(2000), AudioLimits(max_bytes=1000)) == "audio-too-large"


def test_too_long_a_file_is_refused():
    assert refusal(sounds.wav(sounds.sine(3.0)), AudioLimits(max_seconds=2.0)) == "audio-too-long"


@pytest.mark.parametrize("rate_hz", [2000, 384_000])
def test_a_sample_rate_beyond_the_limits_is_refused(rate_hz):
    assert refusal(sounds.wav(sounds.sine(0.1), rate_hz=rate_hz)) == "unsupported-media-type"


def test_more_channels_than_the_limit_are_refused():
    assert refusal(sounds.wav(np.zeros((800, 9)))) == "unsupported-media-type"


def test_a_small_file_that_unpacks_to_a_huge_one_is_stopped_on_the_way():
    target = BytesIO()
    soundfile.write(target, np.zeros((192_000 * 25, 8), np.int16), 192_000, format="FLAC")
    assert len(target.getvalue()) < 70_000
    assert refusal(target.getvalue()) == "audio-expansion-limit"


def test_a_decoder_that_needs_more_memory_than_allowed_is_stopped():
    sound = sounds.wav(np.zeros((3_000_000, 8), np.float32))
    tight = AudioLimits(memory_bytes=200_000_000)
    assert refusal(sound, tight) in {"audio-expansion-limit", "audio-broken"}
    assert decode(sounds.wav(sounds.sine(0.5))).waveform.duration_s == 0.5


def test_a_decoder_that_takes_too_long_is_stopped_and_the_next_file_is_read():
    long = sounds.encoded(sounds.noise(60.0, 0.2), "flac")
    assert refusal(long, AudioLimits(timeout_s=0.001)) == "audio-broken"
    assert decode(sounds.wav(sounds.sine(0.5))).waveform.duration_s == 0.5


def test_a_decoder_killed_while_idle_is_replaced():
    decode(sounds.wav(sounds.sine(0.1)))
    for child in list(audio_pool.shared.idle):
        child.process.kill()
    assert decode(sounds.wav(sounds.sine(0.5))).waveform.duration_s == 0.5


def test_a_decoder_killed_in_the_middle_of_a_file_is_replaced_and_the_file_is_read():
    data = sounds.wav(sounds.noise(300.0))
    audio_pool.shared.close()
    started, original = threading.Event(), audio_pool.Child._message
    victims = []

    def message_after_kill(child):
        if not started.is_set():
            started.set()
            victims.append(child.process.pid)
            child.process.kill()
            child.process.wait()
        return original(child)

    audio_pool.Child._message = message_after_kill
    try:
        heard = decode(data)
    finally:
        audio_pool.Child._message = original
    assert victims
    assert heard.waveform.duration_s == pytest.approx(300.0)


def test_a_file_that_always_kills_its_decoder_is_broken_and_the_next_file_is_read(monkeypatch, tmp_path):
    program = tmp_path / "crash.py"
    program.write_text("import os, sys\nsys.stdin.buffer.read(8)\nos.abort()\n")
    audio_pool.shared.close()
    monkeypatch.setattr(audio_pool, "PROGRAM", program)
    assert refusal(sounds.wav(sounds.sine(0.5))) == "audio-broken"
    monkeypatch.undo()
    assert decode(sounds.wav(sounds.sine(0.5))).waveform.duration_s == 0.5


def test_many_threads_each_get_their_own_sound():
    def heard(hz: float) -> float:
        return pitch_hz(decode(sounds.wav(sounds.sine(1.0, hz))).waveform.samples)

    wanted = [200.0 + 10 * i for i in range(40)]
    with ThreadPoolExecutor(8) as pool:
        assert np.allclose(list(pool.map(heard, wanted)), wanted, atol=1)


def test_a_forked_process_decodes_without_disturbing_its_parent():
    decode(sounds.wav(sounds.sine(0.1)))
    own = {child.process.pid for child in audio_pool.shared.idle}
    forked = os.fork()
    if forked == 0:
        fine = decode(sounds.wav(sounds.sine(0.5))).waveform.duration_s == 0.5
        apart = own.isdisjoint(child.process.pid for child in audio_pool.shared.idle)
        audio_pool.shared.close()
        os._exit(0 if fine and apart else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(forked, 0)[1]) == 0
    assert own & {child.process.pid for child in audio_pool.shared.idle if child.process.poll() is None}
    assert decode(sounds.wav(sounds.sine(0.25))).waveform.duration_s == 0.25


def test_a_process_forked_while_every_decoder_is_busy_has_its_own():
    with ExitStack() as busy:
        while audio_pool.shared.places.acquire(blocking=False):
            busy.callback(audio_pool.shared.places.release)
        forked = os.fork()
        if forked == 0:
            signal.alarm(20)
            fine = decode(sounds.wav(sounds.sine(0.5))).waveform.duration_s == 0.5
            os._exit(0 if fine else 1)
        assert os.waitstatus_to_exitcode(os.waitpid(forked, 0)[1]) == 0


def test_the_decoder_process_inherits_no_secrets(monkeypatch):
    monkeypatch.setenv("EMOTRACK_SECRET_FOR_TEST", "hush")
    audio_pool.shared.close()
    decode(sounds.wav(sounds.sine(0.1)))
    environment = open(f"/proc/{audio_pool.shared.idle[0].process.pid}/environ", "rb").read()  # noqa: SIM115, PTH123
    assert b"hush" not in environment


def test_a_waveform_written_as_wav_is_read_back_the_same():
    sound = Waveform(sounds.sine(0.5))
    assert np.allclose(decode(encode_wav(sound)).waveform.samples, sound.samples, atol=2.0**-15)


def test_peaks_hold_the_lowest_and_highest_sample_of_each_part():
    samples = np.zeros(1000, np.float32)
    samples[150], samples[950] = 1.0, -0.5
    found = peaks(Waveform(samples), 10)
    assert found.dtype == np.int8
    assert found.tolist() == [[0, 0], [0, 127], *[[0, 0]] * 7, [-64, 0]]


def test_peaks_of_nothing_are_zeros():
    assert not peaks(Waveform(np.zeros(0, np.float32)), 4).any()


def test_a_truncated_header_is_no_crash():
    whole = sounds.wav(sounds.sine(0.1))
    for length in range(1, 60, 3):
        assert refusal(whole[:length])


def test_a_wav_chunk_that_claims_the_whole_address_space_is_no_crash():
    data = b"RIFF\xff\xff\xff\xffWAVEjunk" + struct.pack("<I", 0xFFFFFFFE) + bytes(100)
    assert refusal(data) == "audio-truncated"
