"""Each format opens in a reader of that format, and says what the rows say."""

import io
import json
import re
import zipfile
from itertools import pairwise
from xml.etree import ElementTree

import numpy as np
import pandas as pd
import pympi
import pytest
import webvtt
from django.db import connection
from django.test.utils import CaptureQueriesContext
from fhir.resources.R4B.bundle import Bundle

from analysis.values import LABELS
from emotrack.exports.formats import FORMATS
from emotrack.exports.rows import sittings
from emotrack.history.models import Client, Session, Utterance
from tests.emotrack import factories
from tests.emotrack.exports.conftest import FORMULA, ODD


def unzipped(data: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        assert archive.testzip() is None
        return {name: archive.read(name) for name in archive.namelist()}


# --- What every file holds --------------------------------------------------------------------------


@pytest.mark.parametrize("slug", FORMATS)
def test_no_file_names_the_client_or_holds_a_note_that_was_not_chosen(story, slug):
    for data in (story.file(slug), story.files(slug)):
        texts = [data] if data[:2] != b"PK" else list(unzipped(data).values())
        assert all(b"Secretname" not in t and b"Private" not in t and b"On the whole" not in t for t in texts)


@pytest.mark.parametrize("slug", [slug for slug, found in FORMATS.items() if found.notes])
def test_notes_are_in_the_formats_that_promise_them_once_they_are_chosen(story, slug):
    assert b"Private thought" in story.file(slug, notes=True)


def test_the_notes_on_the_client_come_with_all_of_the_client(story):
    said = json.loads(story.files("json", notes=True))
    assert [note["text"] for note in said["notes"]] == ["On the whole"]


@pytest.mark.parametrize("slug", FORMATS)
def test_a_session_without_a_word_still_makes_a_file(story, slug):
    Utterance.objects.all().delete()
    assert story.file(slug) or slug in ("audacity", "rttm")


def test_a_long_history_is_read_in_batches(story):
    ann = Client.objects.get(pk=story.ann.pk)
    with CaptureQueriesContext(
        connection,
    ) as few:
        list(sittings(ann, Session.objects.filter(client=ann), notes=True))
    for _n in range(10):
        factories.utterance(factories.session(ann), text="more")
    with CaptureQueriesContext(connection) as many:
        assert len(list(sittings(ann, Session.objects.filter(client=ann), notes=True))) == 12
    assert len(few) == len(many)


# --- Tables -----------------------------------------------------------------------------------------


def test_csv_opens_in_pandas_with_every_utterance(story):
    table = pd.read_csv(io.BytesIO(story.files("csv")))
    assert list(table["utterance"]) == [turn.public_id for turn in story.turns]
    assert table["emotion"][0] == "sad" and table["confidence"][0] == pytest.approx(0.7, abs=0.01)
    shares = table[[f"share_{label}" for label in LABELS]].to_numpy()
    assert shares[0].sum() == pytest.approx(1, abs=1e-6)
    assert table["text"][2] == ODD
    assert (table["start_s"][1], table["end_s"][1]) == (2, 6)
    assert table["heard"][0] == "alice: sad"


def test_no_cell_of_a_csv_is_a_formula(story):
    raw = story.files("csv")
    assert raw.startswith(b"\xef\xbb\xbf")
    table = pd.read_csv(io.BytesIO(raw), dtype=str, keep_default_na=False)
    assert table["text"][0] == "'" + FORMULA and table["text"][5] == "'@later"
    cells = {cell for name in ("text", "speaker", "language", "recognizer", "heard") for cell in table[name]}
    assert not any(cell.startswith(tuple("=+-@\t\r")) for cell in cells)


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r", "\n", "＝"])
def test_every_start_of_a_formula_is_made_plain(story, start):
    story.turns[0].text = f"{start}1"
    story.turns[0].save()
    table = pd.read_csv(io.BytesIO(story.file("csv")), dtype=str, keep_default_na=False)
    assert table["text"][0][0] == "'"


def test_json_holds_everything_in_the_order_in_which_it_was_said(story):
    said = json.loads(story.files("json"))
    assert said["client"] == {"id": story.ann.public_id, "code": story.ann.code}
    assert [s["id"] for s in said["sessions"]] == [story.session.public_id, story.later.public_id]
    first = said["sessions"][0]["utterances"][0]
    assert first["text"] == FORMULA and first["scores"]["sad"] == pytest.approx(0.7, abs=0.01)
    assert first["heard"][0]["label"] == "sad"
    assert said["sessions"][0]["utterances"][2]["scores"] is None
    assert "notes" not in said and "notes" not in said["sessions"][0]


def test_npz_opens_in_numpy_with_the_stored_embeddings(story):
    arrays = np.load(io.BytesIO(story.files("npz")), allow_pickle=False)
    assert arrays["planted-1/embeddings"].dtype == np.float16
    assert arrays["planted-1/embeddings"].shape == (4, 8)
    stored = [turn.embedding.vector for turn in story.turns if hasattr(turn, "embedding")]
    np.testing.assert_array_equal(arrays["planted-1/embeddings"], np.stack(stored))
    assert list(arrays["planted-1/sessions"])[-1] == story.later.public_id
    assert list(arrays["labels"]) == list(LABELS)
    np.testing.assert_allclose(arrays["planted-1/scores"].sum(axis=1), 1, atol=1e-5)


# --- Captions and labels ----------------------------------------------------------------------------


def test_webvtt_opens_in_its_reader(story):
    captions = list(webvtt.from_buffer(io.StringIO(story.file("webvtt").decode())))
    assert [c.start for c in captions] == [
        "00:00:00.000", "00:00:02.000", "00:00:10.000", "00:00:20.000", "00:00:30.000",
    ]  # fmt: skip
    assert captions[0].voice == "client" and captions[0].identifier == story.turns[0].public_id
    assert "may sound sad 0.70" in captions[0].text
    assert "no reading: low_quality" in captions[3].text
    assert "--&gt; &lt;/v&gt; 你好 tab" in captions[2].raw_text


def test_audacity_labels_and_rttm_are_tables_of_stretches(story):
    labels = pd.read_csv(io.BytesIO(story.file("audacity")), sep="\t", header=None, quoting=3)
    assert labels.shape == (5, 3)
    assert list(labels[0]) == [0, 2, 10, 20, 30] and (labels[1] > labels[0]).all()
    spoken = pd.read_csv(io.BytesIO(story.file("rttm")), sep=" ", header=None, keep_default_na=False)
    assert spoken.shape == (4, 10) and set(spoken[0]) == {"SPEAKER"}
    assert list(spoken[7]) == ["client", "client", "counselor", "client"]
    assert (spoken[4] > 0).all()


def test_all_sessions_of_a_client_come_as_a_zip_of_such_files(story):
    files = unzipped(story.files("webvtt"))
    assert len(files) == 2 and all(name.endswith(".vtt") for name in files)
    assert all(data.startswith(b"WEBVTT") for data in files.values())


# --- Tiers ------------------------------------------------------------------------------------------


def test_elan_opens_in_its_reader(story, tmp_path):
    path = tmp_path / "s.eaf"
    path.write_bytes(story.file("elan", notes=True))
    document = pympi.Elan.Eaf(path)
    said = document.get_annotation_data_for_tier("client")
    assert [row[:2] for row in said] == [(0, 2000), (2000, 6000)]
    assert said[0][2] == FORMULA
    assert document.get_annotation_data_for_tier("client reading")[0][2] == "may sound sad 0.70"
    assert document.get_annotation_data_for_tier("client heard")[1][2] == "alice: surprised"
    assert document.get_annotation_data_for_tier("notes")[0][2] == "alice: Private thought"
    slots = [int(t) for t in re.findall(rb'TIME_VALUE="(\d+)"', path.read_bytes())]
    assert slots == sorted(set(slots))


def test_praat_opens_in_its_reader(story, tmp_path):
    path = tmp_path / "s.TextGrid"
    path.write_bytes(story.file("textgrid"))
    grid = pympi.Praat.TextGrid(path, codec="utf-8")
    words = next(tier for tier in grid.get_tiers() if tier.name == "client")
    rows = list(words.get_all_intervals())
    assert rows[0] == (0.0, 2.0, FORMULA)
    assert rows[0][0] == 0 and rows[-1][1] == grid.xmax
    assert all(a[1] == b[0] for a, b in pairwise(rows))


# --- Standards --------------------------------------------------------------------------------------

EMOTIONML = "{http://www.w3.org/2009/10/emotionml}"


def test_emotionml_holds_the_readings_and_keeps_to_its_rules(story):
    root = ElementTree.fromstring(story.files("emotionml"))
    assert root.tag == f"{EMOTIONML}emotionml" and root.get("version") == "1.0"
    vocabulary = root.find(f"{EMOTIONML}vocabulary")
    assert root.get("category-set") == f"#{vocabulary.get('id')}" and vocabulary.get("type") == "category"
    items = {item.get("name") for item in vocabulary}
    assert items == set(LABELS)
    emotions = root.findall(f"{EMOTIONML}emotion")
    assert [e.get("id") for e in emotions] == [f"u-{story.turns[i].public_id}" for i in (0, 1, 5)]
    for emotion in emotions:
        assert int(emotion.get("end")) > int(emotion.get("start"))
        names = [c.get("name") for c in emotion.findall(f"{EMOTIONML}category")]
        assert set(names) == items and len(names) == len(items)
        marks = [*emotion.findall(f"{EMOTIONML}category"), *emotion.findall(f"{EMOTIONML}dimension")]
        assert all(0 <= float(mark.get("value")) <= 1 for mark in marks)
        named = {d.get("name") for d in emotion.findall(f"{EMOTIONML}dimension")}
        assert named <= {"pleasure", "arousal", "dominance"} and "pleasure" in named


def test_web_annotations_keep_to_the_model(story):
    collection = json.loads(story.files("annotation", notes=True))
    assert collection["@context"] == "http://www.w3.org/ns/anno.jsonld"
    assert collection["type"] == "AnnotationCollection" and collection["first"]["type"] == "AnnotationPage"
    items = collection["first"]["items"]
    assert len({item["id"] for item in items}) == len(items)
    assert all(item["type"] == "Annotation" and item["target"] and item["body"] for item in items)
    reading = next(item for item in items if item["motivation"] == "classifying")
    assert reading["body"][0]["value"] == "sad" and reading["target"]["selector"]["value"] == "t=0,4.000"
    assert reading["target"]["source"].startswith("https://emo.example/api/v1/utterances/")
    heard = [item["body"]["value"] for item in items if item["motivation"] == "assessing"]
    assert heard == ["sad", "surprised"]


def test_fhir_is_valid_r4_and_preliminary_until_a_person_heard_the_same(story):
    bundle = Bundle.model_validate_json(story.files("fhir"))
    assert bundle.type == "collection"
    resources = [entry.resource for entry in bundle.entry]
    observations = [r for r in resources if r.get_resource_type() == "Observation"]
    assert [o.status for o in observations] == ["final", "preliminary", "preliminary", "preliminary"]
    assert observations[0].valueCodeableConcept.coding[0].code == "sad"
    assert observations[2].dataAbsentReason.text == "low_quality"
    assert observations[2].valueCodeableConcept is None
    addresses = {entry.fullUrl for entry in bundle.entry}
    assert len(addresses) == len(bundle.entry)
    assert all(o.subject.reference in addresses and o.device.reference in addresses for o in observations)
    assert "Overlaps" not in story.files("fhir").decode()
