"""On the published test comments: the figures of the model card are those of the shipped weights."""

import os
import re
from pathlib import Path

import pytest

from analysis.recognition.words import WordRecognizer, figures
from analysis.recognition.words.corpus import Comments, read
from analysis.recognition.words.fitting import Settings, fit, probabilities
from analysis.recognition.words.model import FOLDER, read_config
from analysis.recognition.words.train import rounded

COMMENTS_DIR = Path(
    os.environ.get(
        "EMOTRACK_COMMENTS_DIR",
        Path(__file__).resolve().parents[3] / "shared" / "data" / "text" / "goemotions",
    )
)


@pytest.fixture(scope="module")
def recognizer() -> WordRecognizer:
    return WordRecognizer()


@pytest.fixture(scope="module")
def comments() -> Comments:
    if not (COMMENTS_DIR / "test.tsv").exists():
        pytest.skip("GoEmotions is not here: set EMOTRACK_COMMENTS_DIR")
    return read(COMMENTS_DIR, "test")


def test_the_figures_are_measured_again(recognizer, comments):
    found = probabilities(recognizer.model, comments.texts)
    again = rounded(figures.of_test(found, comments, recognizer.card.temperature))
    assert again == read_config()["figures"]["goemotions_test"]


def test_so_are_the_abstentions(recognizer, comments):
    again = rounded(figures.abstention(recognizer, comments))
    assert again == read_config()["figures"]["abstention"]


def test_training_twice_gives_the_same_numbers(comments):
    few = Comments(comments.texts[:400], comments.targets[:400])
    one, two = (fit(few, Settings()) for _ in range(2))
    assert one.vocabulary == two.vocabulary
    assert (one.weights == two.weights).all() and (one.bias == two.bias).all()


def test_the_card_says_what_was_measured():
    card, measured = (FOLDER / "MODEL_CARD.md").read_text(encoding="utf-8"), read_config()
    rows = dict(re.findall(r"^\| \*?(\w+)\*? \| [\d,]+ \| (.+?) \|", card, re.M))
    labels = measured["figures"]["goemotions_test"]["labels"]
    assert {label: float(recall) for label, recall in rows.items()} == pytest.approx(
        {label: row["recall"] for label, row in labels.items()}, abs=0.006
    )
    told = measured["figures"]["goemotions_test"]
    for figure in (told["uar"], told["macro_f1"], told["accuracy"], told["after_calibration"]["ece"]):
        assert f"{figure:.3f}".lstrip("0") in card
    assert f"{measured['features']:,}" in card
