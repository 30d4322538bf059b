"""The word recognizer reads what was said, names the words that made it, and abstains in doubt."""

import json
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis.recognition.words import WordRecognizer
from analysis.recognition.words.corpus import MAPPING
from analysis.recognition.words.fitting import names_of
from analysis.recognition.words.model import CONFIG, WEIGHTS
from analysis.recognition.words.recognizer import margins
from analysis.recognition.words.tokens import LONGEST, phrases
from analysis.values import LABELS, RecognizerError

SAID = [
    ("I am so sad and lonely without her", "sad"),
    ("This makes me really furious, I hate it", "angry"),
    ("I'm scared of going out, it terrifies me", "fearful"),
    ("Thank you so much, that made me happy", "happy"),
    ("That is disgusting, truly gross", "disgusted"),
    ("Wow, I did not expect that, what a surprise", "surprised"),
]


@pytest.fixture(scope="module")
def recognizer() -> WordRecognizer:
    return WordRecognizer()


@pytest.mark.parametrize(("text", "label"), SAID)
def test_plain_words_are_read_as_what_they_say(recognizer, text, label):
    found = recognizer.read(text)
    assert (found.reading, LABELS[found.scores.argmax()]) == ("ok", label)
    assert found.scores.dtype == np.float32
    assert found.scores.sum() == pytest.approx(1, abs=1e-6)


@pytest.mark.parametrize(
    "text",
    [
        "Ich habe heute wirklich keine Lust mehr auf diese Arbeit.",
        "Das war in der Schule so, und ich bin am Ende.",
        "Estoy muy triste por la muerte de mi perro",
        "Je suis très fatigué de tout cela.",
        "其实我愿意吞声忍气，但却怕被看不起。",
        "Мне очень грустно сегодня",
        "I am 很难过 today",
    ],
)
def test_another_language_is_told_by_its_words_when_nobody_names_it(recognizer, text):
    found = recognizer.read(text)
    assert (found.reading, found.scores) == ("other_language", None)


@pytest.mark.parametrize(
    ("language", "reading"),
    [("en", "ok"), ("en-GB", "ok"), ("EN", "ok"), ("de", "other_language"), ("zh-Hans", "other_language")],
)
def test_a_named_language_is_believed(recognizer, language, reading):
    assert recognizer.read(SAID[0][0], language).reading == reading


def test_unknown_words_in_a_text_that_is_said_to_be_english_are_no_other_language(recognizer):
    found = recognizer.read("zzqx wvtrk blorf", "en")
    assert (found.reading, found.scores) == ("unknown", None)


@pytest.mark.parametrize("text", ["", " \n", "mm-hm", "yes", "thank you", "?!…", "42 17 3", "😀😀😀😀", "."])
def test_hardly_any_words_are_not_read(recognizer, text):
    found = recognizer.read(text, "en")
    assert (found.reading, found.scores) == ("too_few_words", None)


def test_capitals_punctuation_and_curly_quotes_change_nothing(recognizer):
    plain = recognizer.read("i don't feel sad about that")
    dressed = recognizer.read("I DON’T feel sad about that!!!")
    assert np.array_equal(plain.scores, dressed.scores)


def test_a_negation_takes_a_feeling_back_in_part(recognizer):
    happy = LABELS.index("happy")
    said, denied = (recognizer.read(text).scores[happy] for text in ("I am happy now", "I am not happy now"))
    assert denied < said


def test_the_words_that_pushed_a_label_are_named_where_they_stand(recognizer):
    text = "Well, I don't know — I was terrified of him."
    pushes = recognizer.pushes(text, "fearful")
    strongest = max(pushes, key=lambda push: push.push)
    assert strongest.word == text[strongest.start : strongest.end] == "terrified"
    assert [push.start for push in pushes] == sorted(push.start for push in pushes)


@pytest.mark.parametrize("label", LABELS)
@pytest.mark.parametrize("text", [SAID[1][0], "no no no, I was not sad, I was not sad at all", "zzqx wvtrk"])
def test_the_pushes_add_up_to_the_margin_of_the_text(recognizer, text, label):
    model = recognizer.model
    logits = model.logits(*model.weigh(names_of(text)))
    margin, bias = (margins(row[None], label)[0] for row in (logits, model.bias))
    assert sum(push.push for push in recognizer.pushes(text, label)) == pytest.approx(margin - bias, abs=1e-9)


@given(st.text(max_size=300))
def test_no_text_breaks_it(text):
    found = _shared().read(text)
    assert found.scores is None or np.isfinite(found.scores).all()
    assert all(text[p.start : p.end] == p.word for p in _shared().pushes(text, "sad"))


def _shared(made: list = []) -> WordRecognizer:  # noqa: B006
    made[:] = made or [WordRecognizer()]
    return made[0]


@pytest.mark.parametrize(
    "text", ["sad " * 25_000, "a" * 100_000, "😀" * 100_000, "ab'" * 33_000, "I am sad. " * 10_000]
)
def test_a_very_long_text_is_read_by_its_first_words(recognizer, text):
    assert sum(len(phrase) for phrase in phrases(text)) <= LONGEST
    assert recognizer.read(text).reading in ("ok", "too_few_words")


def test_many_threads_get_the_same_answers_as_one(recognizer):
    texts = [text for text, _label in SAID] * 20
    expected = [recognizer.read(text).scores for text in texts]
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda text: WordRecognizer.read(recognizer, text).scores, texts))
    assert all(np.array_equal(a, b) for a, b in zip(found, expected, strict=True))


def test_every_published_label_stands_for_exactly_one_of_the_nine():
    published = [old for olds in MAPPING.values() for old in olds]
    assert len(published) == len(set(published)) == 28
    assert set(MAPPING) == set(LABELS) - {"unknown"}


def test_what_is_shipped_is_small():
    assert WEIGHTS.stat().st_size < 3_000_000


def test_missing_weights_name_the_command_that_makes_them(tmp_path):
    with pytest.raises(RecognizerError, match=r"analysis\.recognition\.words\.train"):
        WordRecognizer(tmp_path / "weights.npz")


def test_weights_that_are_not_finite_are_refused(tmp_path):
    with np.load(WEIGHTS) as stored:
        arrays = dict(stored)
    arrays["bias"] = np.full_like(arrays["bias"], np.nan)
    np.savez(tmp_path / "weights.npz", **arrays)
    with pytest.raises(RecognizerError, match="bias"):
        WordRecognizer(tmp_path / "weights.npz")


def test_other_labels_in_the_settings_are_refused(tmp_path):
    settings = json.loads(CONFIG.read_text())
    settings["labels"] = settings["labels"][::-1]
    (tmp_path / "config.json").write_text(json.dumps(settings))
    with pytest.raises(RecognizerError, match="labels"):
        WordRecognizer(WEIGHTS, tmp_path / "config.json")
