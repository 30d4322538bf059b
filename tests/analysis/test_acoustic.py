"""The embedded recognizer hears planted differences, repeats itself, and refuses what it cannot read."""

import json
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from analysis.recognition.acoustic import AcousticRecognizer
from analysis.recognition.acoustic.descriptors import SPECTRAL, describe
from analysis.recognition.acoustic.features import functionals
from analysis.recognition.acoustic.model import CONFIG, WEIGHTS
from analysis.recognition.acoustic.pitch import track
from analysis.values import LABELS, Headline, RecognizerError, SpeakerCorrection, Waveform
from tests.analysis import sounds


@pytest.fixture(scope="module")
def recognizer() -> AcousticRecognizer:
    return AcousticRecognizer()


@pytest.fixture(scope="module")
def voices() -> list[Waveform]:
    settings = [(0.8, 100), (2.0, 140), (3.3, 220), (5.0, 180), (1.4, 90)]
    return [Waveform(sounds.spoken(seconds, hz, seed=i)) for i, (seconds, hz) in enumerate(settings)]


def softmax(logits: np.ndarray) -> np.ndarray:
    powers = np.exp(logits - logits.max())
    return powers / powers.sum()


def test_scores_are_nine_probabilities(recognizer, voices):
    for result in recognizer.recognize(voices):
        assert result.scores.shape == (9,)
        assert result.scores.dtype == np.float32
        assert result.scores.sum() == pytest.approx(1, abs=1e-6)
        assert (result.scores > 0).all()


def test_the_card_describes_the_embedding(recognizer, voices):
    card = recognizer.card
    assert (card.id, card.version, card.headline) == ("acoustic", "1", Headline.AROUSAL)
    assert card.dimension <= 512
    assert card.center.shape == recognizer.recognize(voices[:1])[0].embedding.shape == (card.dimension,)
    assert 0 < card.typical_distance < 2
    assert 0.1 < card.temperature < 10


def test_a_batch_gives_exactly_what_single_calls_give(recognizer, voices):
    together = recognizer.recognize(voices)
    for voice, result in zip(voices, together, strict=True):
        alone = recognizer.recognize([voice])[0]
        assert np.array_equal(alone.scores, result.scores)
        assert np.array_equal(alone.embedding, result.embedding)
        assert np.array_equal(alone.frames, result.frames)


def test_many_threads_get_the_same_answers_as_one(recognizer, voices):
    expected = [result.scores for result in recognizer.recognize(voices)]
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda voice: recognizer.recognize([voice])[0].scores, voices * 4))
    assert all(np.array_equal(scores, expected[i % len(voices)]) for i, scores in enumerate(found))


def test_the_level_of_the_microphone_does_not_matter(recognizer):
    voice = sounds.spoken(2.5, 150)
    loud, quiet = recognizer.recognize([Waveform(voice), Waveform(voice * np.float32(0.002))])
    assert np.allclose(loud.scores, quiet.scores, atol=0.01)


def test_a_stored_embedding_gives_the_scores_again(recognizer, voices):
    for result in recognizer.recognize(voices):
        stored = result.embedding.astype(np.float16)
        assert np.array_equal(recognizer.scores_from_embedding(stored), result.scores)


def test_speech_gives_a_frame_every_half_second_from_the_first_second_on(recognizer):
    result = recognizer.recognize([Waveform(sounds.spoken(5.0))])[0]
    assert result.frames.shape == (7, 9)
    assert (result.frame_rate_hz, result.first_frame_s) == (2.0, 1.0)


def test_speech_of_less_than_two_seconds_is_one_frame_equal_to_the_whole(recognizer):
    result = recognizer.recognize([Waveform(sounds.spoken(1.5))])[0]
    assert result.frames.shape == (1, 9)
    assert result.first_frame_s == 0.75
    assert np.allclose(softmax(result.frames[0]), result.scores, atol=5e-3)


def test_the_frames_follow_a_voice_that_changes_on_the_way(recognizer):
    calm, excited = sounds.spoken(4.0, 100, hurry=0.6), sounds.spoken(4.0, 260, hurry=1.6, seed=1)
    whole = recognizer.recognize([Waveform(np.concatenate([calm, excited]))])[0]
    agitated = [LABELS.index(label) for label in ("angry", "fearful", "happy")]
    start, end = (softmax(whole.frames[row])[agitated].sum() for row in (0, -1))
    assert end > 10 * start


def test_a_window_without_voice_repeats_the_whole(recognizer):
    sound = np.concatenate([sounds.spoken(3.0), sounds.silence(3.0), sounds.spoken(3.0, seed=2)])
    result = recognizer.recognize([Waveform(sound)])[0]
    assert np.allclose(softmax(result.frames[7]), result.scores, atol=5e-3)


def test_a_speaker_of_whom_nothing_is_known_is_not_corrected(recognizer, voices):
    nobody = SpeakerCorrection(np.full(recognizer.card.dimension, 2.0, np.float32), 0)
    plain, corrected = recognizer.recognize([voices[0], voices[0]], [None, nobody])
    assert np.array_equal(plain.scores, corrected.scores)


def test_correction_removes_the_speakers_mean_shrunk_by_five(recognizer, voices):
    mean = np.linspace(-1, 1, recognizer.card.dimension).astype(np.float32)
    known = SpeakerCorrection(mean, 15)
    plain, corrected = recognizer.recognize([voices[1], voices[1]], [None, known])
    expected = recognizer.scores_from_embedding(plain.embedding - 0.75 * mean)
    assert np.array_equal(plain.embedding, corrected.embedding)
    assert np.allclose(corrected.scores, expected, atol=1e-5)
    assert not np.allclose(corrected.scores, plain.scores, atol=1e-3)


@pytest.mark.parametrize(
    "samples",
    [
        np.full(16_000, np.nan, np.float32),
        np.where(np.arange(16_000) == 9000, np.inf, 0.1).astype(np.float32),
        np.zeros(100, np.float32),
        np.zeros((16_000, 2), np.float32),
        np.zeros(16_000, np.float64),
    ],
    ids=["nan", "inf", "short", "stereo", "float64"],
)
def test_what_cannot_be_read_is_refused(recognizer, samples):
    with pytest.raises(RecognizerError):
        recognizer.recognize([Waveform(samples)])


@pytest.mark.parametrize(
    "samples",
    [
        sounds.silence(2.0),
        np.full(32_000, 1.0, np.float32),
        sounds.noise(2.0),
        sounds.sine(2.0),
        sounds.click(2.0),
    ],
    ids=["silence", "constant", "noise", "sine", "click"],
)
def test_even_senseless_sound_never_gives_senseless_numbers(recognizer, samples):
    result = recognizer.recognize([Waveform(samples)])[0]
    assert np.isfinite(result.scores).all()
    assert np.isfinite(result.embedding).all()
    assert np.isfinite(result.frames).all()


def test_long_speech_is_read_in_pieces(recognizer):
    sound = np.tile(sounds.spoken(10.0), 15)
    result = recognizer.recognize([Waveform(sound)])[0]
    assert len(result.frames) == 297
    assert np.isfinite(result.frames).all()


def test_an_embedding_of_another_recognizer_is_refused(recognizer):
    with pytest.raises(RecognizerError, match="finite numbers"):
        recognizer.scores_from_embedding(np.zeros(1024, np.float32))


def test_missing_weights_say_what_to_run(tmp_path):
    with pytest.raises(RecognizerError, match=r"acoustic\.train"):
        AcousticRecognizer(weights=tmp_path / "weights.npz")


def test_weights_of_a_wrong_shape_are_refused(tmp_path):
    with np.load(WEIGHTS) as stored:
        arrays = dict(stored) | {"bias": np.zeros(8, np.float32)}
    np.savez(tmp_path / "weights.npz", **arrays)
    with pytest.raises(RecognizerError, match="bias"):
        AcousticRecognizer(weights=tmp_path / "weights.npz")


def test_a_configuration_with_other_labels_is_refused(tmp_path):
    config = json.loads(CONFIG.read_text()) | {"labels": list(LABELS[:8])}
    (tmp_path / "config.json").write_text(json.dumps(config))
    with pytest.raises(RecognizerError, match="labels"):
        AcousticRecognizer(config=tmp_path / "config.json")


def test_weights_are_small_and_need_no_pickle():
    assert WEIGHTS.stat().st_size < 1_000_000
    with np.load(WEIGHTS, allow_pickle=False) as stored:
        assert all(array.dtype == np.float32 for array in stored.values())


@pytest.mark.parametrize("hz", [70.0, 120.0, 220.0, 400.0])
def test_the_pitch_of_a_steady_voice_is_found(hz):
    phase = hz * sounds.times(1.0) % 1.0
    pitch_hz, periodicity = track((0.2 * (phase**3 - 0.25)).astype(np.float32))
    assert np.median(np.abs(pitch_hz[10:-10] / hz - 1)) < 0.01
    assert np.median(periodicity[10:-10]) > 0.9


def test_noise_has_no_pitch():
    assert np.mean(track(sounds.noise(2.0))[1] > 0.45) < 0.05


def test_a_brighter_voice_has_a_higher_spectral_center():
    dark = describe(sounds.sine(1.0, 300) + sounds.sine(1.0, 600, 0.02))
    bright = describe(sounds.sine(1.0, 300) + sounds.sine(1.0, 3000, 0.2))
    center = SPECTRAL.index("centroid")
    assert bright.spectral[50, center] > dark.spectral[50, center] + 0.5


def test_an_unsteady_period_raises_jitter():
    rng = np.random.default_rng(0)
    steady, shaky = (
        np.cumsum(150 * (1 + spread * np.repeat(rng.standard_normal(200), 160))) / 16_000
        for spread in (0, 0.04)
    )
    jitter = [
        describe((0.2 * (phase % 1.0)).astype(np.float32)).spectral[:, SPECTRAL.index("jitter")].mean()
        for phase in (steady, shaky)
    ]
    assert jitter[1] > 3 * jitter[0]


def test_features_do_not_depend_on_what_stands_beside_a_window():
    frames = describe(sounds.spoken(6.0))
    assert np.array_equal(functionals(frames.part(100, 300)), functionals(frames.part(100, 500).part(0, 200)))
