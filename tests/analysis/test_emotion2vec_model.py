"""The emotion2vec+ recognizer through the real FunASR, on tiny checkpoints with random weights."""

import json
import shutil
import socket
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

from analysis.recognition.emotion2vec import Emotion2vecRecognizer, missing_weights_message
from analysis.recognition.process_state import left_as_found
from analysis.values import (
    LABELS,
    SAMPLE_RATE_HZ,
    Decomposition,
    Headline,
    RecognizerError,
    SpeakerCorrection,
    Waveform,
)
from tests.analysis.tiny_checkpoint import TOKENS, build, change_weights

REPOSITORY = Path(__file__).resolve().parents[2]

pytestmark = [
    pytest.mark.torch,
    pytest.mark.skipif(
        not (find_spec("torch") and find_spec("funasr")),
        reason="needs torch and FunASR: run make emotion2vec",
    ),
]


def sound(seconds, seed=0):
    """A wavering tone under noise; another one for each seed."""
    random = np.random.default_rng(seed)
    time = np.arange(int(seconds * SAMPLE_RATE_HZ)) / SAMPLE_RATE_HZ
    tone = np.sin(2 * np.pi * (random.uniform(100, 300) + 40 * np.sin(time)) * time)
    return Waveform((0.2 * tone + 0.05 * random.standard_normal(len(time))).astype(np.float32))


@pytest.fixture(scope="session")
def published(tmp_path_factory):
    with left_as_found("funasr"):
        return build(tmp_path_factory.mktemp("weights") / "emotion2vec_plus_tiny")


@pytest.fixture(scope="session")
def recognizer(published):
    return Emotion2vecRecognizer(str(published))


@pytest.fixture
def directory(published, tmp_path):
    """A copy of the checkpoint that a test may spoil."""
    return Path(shutil.copytree(published, tmp_path / "emotion2vec_plus_tiny"))


def funasr_result(directory, waveform, **options):
    with left_as_found("funasr"):
        from funasr import AutoModel

        model = AutoModel(model=str(directory), device="cpu", disable_update=True, disable_pbar=True)
    return model.generate(waveform.samples, extract_embedding=True, **options)[0]


def softmax(logits):
    powers = np.exp(logits - logits.max())
    return powers / powers.sum()


@pytest.mark.parametrize("normalize", [True, False])
def test_scores_and_embedding_are_those_of_funasr(tmp_path, normalize):
    with left_as_found("funasr"):
        built = build(tmp_path / "tiny", normalize=normalize)
    ours = Emotion2vecRecognizer(str(built)).recognize([sound(2.3)])[0]
    theirs = funasr_result(built, sound(2.3), granularity="utterance")
    assert theirs["labels"] == list(TOKENS)
    np.testing.assert_allclose(ours.scores, theirs["scores"], atol=1e-5)
    np.testing.assert_allclose(ours.embedding, theirs["feats"], atol=1e-5)


def test_frame_logits_are_the_head_over_funasr_frame_features(recognizer, published):
    import torch

    head = torch.load(published / "model.pt", weights_only=True)["model"]
    features = funasr_result(published, sound(2.3), granularity="frame")["feats"]
    logits = features @ head["proj.weight"].numpy().T + head["proj.bias"].numpy()
    np.testing.assert_allclose(recognizer.recognize([sound(2.3)])[0].frames, logits, atol=1e-4)


def test_planted_head_gives_each_label_its_own_place(directory):
    def favor_sad(weights):
        weights["proj.weight"].zero_()
        weights["proj.bias"].zero_()
        weights["proj.bias"][TOKENS.index("难过/sad")] = 3.0

    change_weights(directory, favor_sad)
    scores = Emotion2vecRecognizer(str(directory)).recognize([sound(1)])[0].scores
    assert scores[LABELS.index("sad")] == pytest.approx(np.exp(3) / (np.exp(3) + 8))


def test_labels_in_another_order_are_matched_by_name(directory, recognizer):
    (directory / "tokens.txt").write_text("\n".join(reversed(TOKENS)), encoding="utf-8")
    scores = Emotion2vecRecognizer(str(directory)).recognize([sound(1)])[0].scores
    unturned = dict(zip(LABELS, recognizer.recognize([sound(1)])[0].scores, strict=True))
    np.testing.assert_allclose(scores, [unturned[label] for label in reversed(LABELS)], atol=1e-6)


@pytest.mark.parametrize("seconds", [0.5, 3.21, 70.0])
def test_utterance_scores_are_the_softmax_of_the_mean_frame(recognizer, seconds):
    result = recognizer.recognize([sound(seconds)])[0]
    np.testing.assert_allclose(result.scores, softmax(result.frames.mean(axis=0)), atol=1e-5)
    assert result.scores.max() < 0.9


def test_stored_embedding_gives_the_scores_again(recognizer):
    result = recognizer.recognize([sound(4)])[0]
    np.testing.assert_array_equal(recognizer.scores_from_embedding(result.embedding), result.scores)


def test_frames_come_fifty_times_a_second_from_the_middle_of_the_first_window(recognizer):
    result = recognizer.recognize([sound(3)])[0]
    assert result.frames.shape == ((48_000 - 400) // 320 + 1, 9)
    assert (result.frame_rate_hz, result.first_frame_s) == (50.0, 0.0125)
    assert result.decomposition is Decomposition.EXACT


def test_seventy_seconds_are_read_without_growing_the_attention_biases_past_thirty(recognizer):
    result = recognizer.recognize([sound(70)])[0]
    assert result.frames.shape == ((70 * 16_000 - 400) // 320 + 1, 9)
    assert all(bias.shape[-1] <= 1500 for bias in recognizer._model.alibi_biases.values())


def test_long_speech_is_the_frame_weighted_mean_of_its_pieces(recognizer):
    whole = sound(40).samples
    result = recognizer.recognize([Waveform(whole)])[0]
    frames = len(result.frames)
    cut = round(frames / 2) * 320
    first, second = recognizer.recognize([Waveform(whole[: cut + 80]), Waveform(whole[cut:])])
    mean = (len(first.frames) * first.embedding + len(second.frames) * second.embedding) / frames
    assert len(first.frames) + len(second.frames) == frames
    np.testing.assert_allclose(result.embedding, mean, atol=1e-5)


def test_a_batch_of_mixed_lengths_gives_what_single_calls_give(recognizer):
    waveforms = [sound(seconds, seed) for seed, seconds in enumerate((0.5, 4.0, 1.3, 31.0))]
    batch = recognizer.recognize(waveforms)
    for waveform, result in zip(waveforms, batch, strict=True):
        np.testing.assert_array_equal(result.frames, recognizer.recognize([waveform])[0].frames)


def test_sixteen_callers_at_once_get_what_single_callers_get(recognizer):
    waveforms = [sound(0.5 + seed / 10, seed) for seed in range(16)]
    alone = [recognizer.recognize([waveform])[0] for waveform in waveforms]
    with ThreadPoolExecutor(16) as threads:
        together = list(threads.map(lambda waveform: recognizer.recognize([waveform])[0], waveforms))
    for one, other in zip(alone, together, strict=True):
        np.testing.assert_array_equal(one.embedding, other.embedding)


def test_two_threads_of_torch_read_as_one_does(recognizer, published):
    two = Emotion2vecRecognizer(str(published), threads=2)
    np.testing.assert_allclose(
        two.recognize([sound(2)])[0].scores, recognizer.recognize([sound(2)])[0].scores, atol=1e-5
    )


def test_a_speaker_correction_changes_nothing(recognizer):
    correction = SpeakerCorrection(mean=np.ones(32, np.float32), utterances=50)
    corrected = recognizer.recognize([sound(1)], [correction])[0]
    np.testing.assert_array_equal(corrected.scores, recognizer.recognize([sound(1)])[0].scores)


@pytest.mark.parametrize(
    ("samples", "reason"),
    [
        (np.full(16_000, np.nan, np.float32), "finite"),
        (np.full(16_000, np.inf, np.float32), "finite"),
        (np.zeros((16_000, 2), np.float32), "mono"),
        (np.zeros(16_000, np.int16), "float32"),
        (np.zeros(16_000, np.float64), "float32"),
        (np.zeros(7_999, np.float32), "0.5 s"),
        (np.zeros(0, np.float32), "0.5 s"),
    ],
)
def test_unfit_samples_are_refused(recognizer, samples, reason):
    with pytest.raises(RecognizerError, match=reason):
        recognizer.recognize([Waveform(samples)])


def test_digital_silence_gives_finite_scores(recognizer):
    scores = recognizer.recognize([Waveform(np.zeros(16_000, np.float32))])[0].scores
    assert scores.sum() == pytest.approx(1, abs=1e-6)


@pytest.mark.parametrize("embedding", [np.zeros(31), np.zeros((1, 32)), np.full(32, np.nan)])
def test_an_embedding_that_is_not_the_models_own_is_refused(recognizer, embedding):
    with pytest.raises(RecognizerError, match="32 finite numbers"):
        recognizer.scores_from_embedding(embedding)


@pytest.mark.parametrize(
    "lost",
    [
        "proj.weight",
        "proj.bias",
        "d2v_model.blocks.1.mlp.fc1.weight",
        "d2v_model.modality_encoders.AUDIO.alibi_scale",
    ],
)
def test_a_checkpoint_without_one_weight_is_refused(directory, lost):
    change_weights(directory, lambda weights: weights.pop(lost))
    with pytest.raises(RecognizerError, match=lost.removeprefix("d2v_model.")):
        Emotion2vecRecognizer(str(directory))


def test_a_checkpoint_without_one_block_is_refused(directory):
    def lose_block(weights):
        for name in [name for name in weights if name.startswith("d2v_model.blocks.0.")]:
            del weights[name]

    change_weights(directory, lose_block)
    with pytest.raises(RecognizerError, match=r"lacks blocks\.0\."):
        Emotion2vecRecognizer(str(directory))


def test_a_weight_of_another_shape_is_refused(directory):
    change_weights(directory, lambda weights: weights.update({"proj.weight": weights["proj.weight"][:, :16]}))
    with pytest.raises(RecognizerError, match=r"proj\.weight"):
        Emotion2vecRecognizer(str(directory))


def test_weights_that_are_not_finite_are_refused(directory):
    change_weights(directory, lambda weights: weights["proj.bias"].fill_(float("nan")))
    with pytest.raises(RecognizerError, match=r"not finite in proj\.bias"):
        Emotion2vecRecognizer(str(directory))


@pytest.mark.parametrize("name", ["d2v_model.blocks.1.norm2.weight", "proj.weight"])
def test_numbers_that_overflow_are_an_error_and_never_scores(directory, name):
    change_weights(directory, lambda weights: weights[name].copy_(3e38 * weights[name].sign()))
    with pytest.raises(RecognizerError, match=r"not finite|too large"):
        Emotion2vecRecognizer(str(directory)).recognize([sound(1)])


@pytest.mark.parametrize("content", [b"", b"not weights", b"\x80\x04cos\nsystem\n(S'true'\ntR."])
def test_a_file_that_holds_no_weights_is_refused(directory, content):
    (directory / "model.pt").write_bytes(content)
    with pytest.raises(RecognizerError, match="download it again"):
        Emotion2vecRecognizer(str(directory))


@pytest.mark.parametrize(
    "tokens",
    [
        ("生气/angry", "开心/happy", "中立/neutral", "难过/sad", "<unk>"),
        ("生气/angry", "unuse_0", "unuse_1", "开心/happy", "中立/neutral", "unuse_2", "难过/sad", "unuse_3"),
        (*TOKENS[:8], "生气/angry"),
    ],
)
def test_other_labels_are_refused_with_both_sets_named(directory, tokens):
    (directory / "tokens.txt").write_text("\n".join(tokens), encoding="utf-8")
    with pytest.raises(RecognizerError, match=r"labels angry, .*; EmoTrack reads angry, disgusted, fearful"):
        Emotion2vecRecognizer(str(directory))


def test_a_configuration_that_would_run_code_is_refused(directory, tmp_path):
    config = (directory / "config.yaml").read_text(encoding="utf-8")
    spec = f"__import__('pathlib').Path('{tmp_path / 'ran'}').touch() or [(16, 10, 5)]"
    spoiled = [
        f'    feature_encoder_spec: "{spec}"' if "feature_encoder_spec" in line else line
        for line in config.splitlines()
        if not line.startswith("        2)]")
    ]
    (directory / "config.yaml").write_text("\n".join(spoiled), encoding="utf-8")
    with pytest.raises(RecognizerError, match="configuration"):
        Emotion2vecRecognizer(str(directory))
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize("device", ["tpu", "cuda:99"])
def test_a_device_that_is_not_there_is_an_error_and_never_the_cpu(published, device):
    with pytest.raises(RecognizerError, match=device):
        Emotion2vecRecognizer(str(published), device=device)


def test_the_card_names_the_model_and_its_weights(recognizer, published):
    import hashlib

    card = recognizer.card
    assert card.id == "emotion2vec-plus-tiny"
    assert card.version == hashlib.sha256((published / "model.pt").read_bytes()).hexdigest()[:12]
    assert (card.dimension, card.headline, card.temperature) == (32, Headline.VALENCE, 1.0)
    assert card.center is None and card.typical_distance is None
    assert "not measured here" in card.accuracy


def test_measured_constants_beside_the_weights_enter_the_card_and_its_version(directory, recognizer):
    measured = {"center": [0.5] * 32, "typical_distance": 0.04, "temperature": 1.7}
    (directory / "emotrack.json").write_text(json.dumps(measured), encoding="utf-8")
    card = Emotion2vecRecognizer(str(directory)).card
    np.testing.assert_array_equal(card.center, np.full(32, 0.5, np.float32))
    assert (card.typical_distance, card.temperature) == (0.04, 1.7)
    assert card.version.startswith(recognizer.card.version + "+")


@pytest.mark.parametrize(
    "content",
    ["[", "[1]", '{"center": [1, 2]}', '{"temperature": 0}', '{"temperature": NaN}', '{"centre": [0]}'],
)
def test_constants_that_make_no_sense_are_refused(directory, content):
    (directory / "emotrack.json").write_text(content, encoding="utf-8")
    with pytest.raises(RecognizerError, match=r"emotrack\.json"):
        Emotion2vecRecognizer(str(directory))


def refuse(*args, **kwargs):
    raise OSError("no network in this test")


def test_a_model_id_that_cannot_be_downloaded_says_what_to_do(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(import_module("modelscope.hub.snapshot_download"), "snapshot_download", refuse)
    with pytest.raises(RecognizerError) as caught:
        Emotion2vecRecognizer("iic/emotion2vec_plus_large")
    assert str(caught.value) == missing_weights_message("iic/emotion2vec_plus_large")


def test_a_model_id_that_was_downloaded_before_needs_no_network(monkeypatch, tmp_path, published):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MODELSCOPE_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    shutil.copytree(published, tmp_path / "cache" / "models" / "iic" / "emotion2vec_plus_large")
    assert Emotion2vecRecognizer("iic/emotion2vec_plus_large").card.id == "emotion2vec-plus-large"


FRESH_PROCESS = """
import logging, os, random, socket, sys, warnings
import numpy as np, torch

def refuse(*args, **kwargs):
    raise SystemExit("the network was used")

socket.socket.connect = socket.getaddrinfo = refuse

def state():
    root = logging.getLogger()
    return [
        dict(os.environ), root.handlers[:], root.filters[:], root.level, list(warnings.filters),
        random.getstate(), str(np.random.get_state()), torch.random.get_rng_state().tolist(),
        torch.get_num_threads(),
    ]

torch.set_num_threads(2)
before = state()
from analysis.recognition.emotion2vec import Emotion2vecRecognizer
from analysis.values import Waveform

recognizer = Emotion2vecRecognizer(sys.argv[1], threads=1)
recognizer.recognize([Waveform(np.ones(16_000, np.float32))])
changed = [i for i, (one, other) in enumerate(zip(before, state())) if one != other]
sys.exit(f"changed: {changed}" if changed else 0)
"""


@pytest.fixture(scope="module")
def fresh_process(published):
    return subprocess.run(
        [sys.executable, "-c", FRESH_PROCESS, str(published)],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        timeout=300,
    )


def test_the_first_load_needs_no_network_and_changes_nothing_else_in_the_process(fresh_process):
    assert fresh_process.returncode == 0, fresh_process.stderr


def test_the_first_load_writes_nothing_to_the_terminal(fresh_process):
    assert (fresh_process.stdout, fresh_process.stderr) == ("", "")
