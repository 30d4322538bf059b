"""The parts of the emotion2vec+ recognizer that need no torch: cutting, messages, leaving no trace."""

import logging
import os
import random
import socket
import sys
import warnings

import numpy as np
import pytest

from analysis.recognition.emotion2vec import (
    MAX_CHUNK_SAMPLES,
    Emotion2vecRecognizer,
    chunks,
    missing_weights_message,
)
from analysis.recognition.process_state import left_as_found
from analysis.values import RecognizerError

FIELD, STRIDE = 400, 320


def frame_starts(piece):
    frames = (piece.stop - piece.start - FIELD) // STRIDE + 1
    return piece.start + STRIDE * np.arange(frames)


@pytest.mark.parametrize("samples", [480_001, 480_320, 480_400, 959_999, 1_120_000, 57_600_123])
def test_pieces_of_long_speech_have_the_frames_of_the_whole(samples):
    starts = np.concatenate([frame_starts(piece) for piece in chunks(samples, FIELD, STRIDE)])
    np.testing.assert_array_equal(starts, STRIDE * np.arange((samples - FIELD) // STRIDE + 1))


@pytest.mark.parametrize("samples", [480_001, 480_320, 480_400, 959_999, 1_120_000, 57_600_123])
def test_pieces_are_even_and_never_longer_than_thirty_seconds(samples):
    lengths = [piece.stop - piece.start for piece in chunks(samples, FIELD, STRIDE)]
    assert max(lengths) <= MAX_CHUNK_SAMPLES
    assert max(lengths) - min(lengths) < 2 * STRIDE + FIELD


def test_the_last_piece_ends_with_the_waveform():
    assert chunks(1_120_000, FIELD, STRIDE)[-1].stop == 1_120_000


def test_absent_weights_are_told_in_one_sentence_that_says_what_to_do(tmp_path):
    with pytest.raises(RecognizerError) as caught:
        Emotion2vecRecognizer(str(tmp_path / "emotion2vec_plus_large"))
    sentence = str(caught.value)
    assert sentence == missing_weights_message(str(tmp_path / "emotion2vec_plus_large"))
    assert "put config.yaml, configuration.json, tokens.txt, model.pt" in sentence
    assert "EMOTRACK_EMOTION2VEC_MODEL" in sentence
    assert sentence.endswith(".") and ". " not in sentence


def test_only_the_files_that_are_missing_are_asked_for(tmp_path):
    for name in ("config.yaml", "configuration.json", "tokens.txt"):
        (tmp_path / name).touch()
    assert "put model.pt of" in missing_weights_message(str(tmp_path))


def test_an_absent_directory_is_reported_without_importing_torch_or_opening_a_socket(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "torch", None)
    monkeypatch.setattr(socket, "socket", None)
    with pytest.raises(RecognizerError, match="no weights"):
        Emotion2vecRecognizer(str(tmp_path / "absent"))


def test_without_funasr_the_message_names_the_command_that_installs_it(tmp_path, monkeypatch):
    for name in ("config.yaml", "configuration.json", "tokens.txt", "model.pt"):
        (tmp_path / name).touch()
    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(RecognizerError, match="make emotion2vec"):
        Emotion2vecRecognizer(str(tmp_path))


def test_no_thread_at_all_is_refused(tmp_path):
    with pytest.raises(RecognizerError, match="at least one thread"):
        Emotion2vecRecognizer(str(tmp_path), threads=0)


def meddle():
    os.environ["EMOTRACK_TEST_MEDDLED"] = "1"
    os.environ.pop("PATH")
    logging.getLogger().addHandler(logging.StreamHandler())
    logging.getLogger().setLevel(logging.DEBUG)
    random.seed(0)
    np.random.seed(0)
    warnings.simplefilter("ignore")


def process_state():
    root = logging.getLogger()
    return (
        dict(os.environ),
        list(root.handlers),
        list(root.filters),
        root.level,
        random.getstate(),
        str(np.random.get_state()),
        list(warnings.filters),
    )


def test_a_meddling_library_leaves_the_process_as_it_was():
    before = process_state()
    with left_as_found("meddling"):
        meddle()
        assert process_state() != before
    assert process_state() == before


def test_the_process_is_left_as_it_was_also_after_an_error():
    before = process_state()
    with pytest.raises(ZeroDivisionError), left_as_found("meddling"):
        meddle()
        raise ZeroDivisionError
    assert process_state() == before


def test_what_a_library_prints_is_logged_and_not_shown(capsys, caplog):
    with caplog.at_level(logging.DEBUG), left_as_found("chatty"):
        sys.stdout.write("Warning, something\n")
    assert capsys.readouterr().out == ""
    assert "chatty printed: Warning, something" in caplog.text
