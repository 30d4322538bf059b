"""On real speech: unheard speakers are read above chance; a burst of feeling stands out from a calm past."""

import numpy as np
import pytest

from analysis.recognition.acoustic import AcousticRecognizer, figures
from analysis.recognition.acoustic.corpus import Clip, label_index, read
from analysis.recognition.acoustic.fitting import Settings, fit, probabilities
from analysis.recognition.acoustic.model import read_config
from analysis.values import LABELS

pytestmark = pytest.mark.speech


@pytest.fixture(scope="module")
def recognizer() -> AcousticRecognizer:
    return AcousticRecognizer()


@pytest.fixture(scope="module")
def clips(speech_dir) -> list[Clip]:
    return read(speech_dir, "emodb")


@pytest.fixture(scope="module")
def recognitions(recognizer, clips):
    return recognizer.recognize([clip.waveform for clip in clips])


def test_speakers_left_out_of_training_are_read_far_above_chance(clips):
    from analysis.recognition.acoustic.fitting import features_of

    features, truth = np.array([features_of(clip) for clip in clips]), label_index(clips)
    left_out = np.isin([clip.speaker for clip in clips], ["emodb_09", "emodb_10", "emodb_14"])
    no_copies = np.zeros((np.sum(~left_out), 0, features.shape[1]))
    model = fit(features[~left_out], no_copies, truth[~left_out], Settings(copies=0))
    assert figures.average_recall(probabilities(model, features[left_out]), truth[left_out]) > 0.6


def test_the_shipped_weights_belong_to_the_shipped_figures(clips, recognitions):
    found = np.array([result.scores for result in recognitions])
    unheard = read_config()["figures"]["emodb_unheard_speakers"]["uar"]
    assert unheard >= 0.72
    assert figures.average_recall(found, label_index(clips)) > unheard


def test_agitated_speech_gets_more_arousal_than_calm_speech(clips, recognitions):
    found = np.array([result.scores for result in recognitions], float)
    assert figures.activation_auc(found, label_index(clips)) > 0.95


def test_a_burst_of_feeling_stands_out_from_a_calm_past(recognizer, clips, recognitions):
    card = recognizer.card
    embeddings = np.array([result.embedding for result in recognitions])
    speakers = np.array([clip.speaker for clip in clips])
    found = figures.bursts(
        embeddings, card.center, speakers, label_index(clips), card.typical_distance, runs=10
    )
    hits = [row["hit_share"] for row in found.values()]
    alarms = [row["false_alarm_share"] for row in found.values()]
    assert np.mean(hits) > 0.75
    assert np.mean(alarms) < 0.1


def test_the_typical_distance_is_that_of_the_speakers(recognizer, clips, recognitions):
    embeddings = np.array([result.embedding for result in recognitions])
    speakers = np.array([clip.speaker for clip in clips])
    found = figures.typical_distance(embeddings, recognizer.card.center, speakers)
    assert found == pytest.approx(recognizer.card.typical_distance, rel=0.02)


def test_every_label_of_the_corpus_is_one_of_the_nine(clips):
    assert {clip.label for clip in clips} < set(LABELS)
