"""The description of the API is complete, valid, offline, and true of the real answers."""

from __future__ import annotations

import json
import re
from functools import cache
from pathlib import Path

import pytest
import yaml
from django.core.files.uploadedfile import SimpleUploadedFile
from drf_spectacular.drainage import GENERATOR_STATS, reset_generator_stats
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.validation import validate_schema
from jsonschema import Draft202012Validator

from emotrack.api import bodies, shapes
from emotrack.api.fields import Fields, validated
from emotrack.api.problems import TITLES
from emotrack.mood import actions as mood
from tests.analysis import sounds
from tests.emotrack import factories
from tests.emotrack.api.conftest import Api
from tests.emotrack.api.test_access import BODIES, TABLE, _plant, path_of

ROOT = Path(__file__).resolve().parents[3]
JSON_ROUTES = [
    (method, route)
    for (method, route), expected in TABLE.items()
    if expected["anonymous"] == 401
    if method != "DELETE" and not route.endswith(("/audio", "/export"))
]


@cache
def described() -> dict:
    reset_generator_stats()
    schema = SchemaGenerator().get_schema(request=None, public=True)
    return json.loads(json.dumps(schema, default=str))


def test_the_description_is_valid_and_made_without_a_warning():
    validate_schema(described())
    assert (dict(GENERATOR_STATS._warn_cache), dict(GENERATOR_STATS._error_cache)) == ({}, {})


def test_every_resource_is_described():
    ours = {route for _method, route in TABLE if TABLE[_method, route]["anonymous"] == 401}
    named = {re.sub(r"^/", "", path) for path in described()["paths"]}
    assert named == ours


def _validator(schema: dict) -> Draft202012Validator:
    return Draft202012Validator(schema | {"components": described()["components"]})


def _answer_schema(method: str, route: str, status: int) -> dict:
    operation = described()["paths"][f"/{route}"][method.lower()]
    return operation["responses"][str(status)]["content"]["application/json"]["schema"]


@pytest.mark.django_db
@pytest.mark.parametrize(("method", "route"), JSON_ROUTES)
def test_real_answers_are_what_the_description_says(
    method, route, house, fake_recognizer, processed_in_place
):
    ids = _plant(house)
    mood.refresh(factories.utterance(house.session))
    may = TABLE[method, route]
    person = house.alice if may["alice"] != 403 else house.dora
    api = Api(user=person) if may["app"] == 403 else Api(house.token)
    path = path_of(route, ids)
    if route in {"predict_emotion", "api/v1/sessions/{session}/recording"}:
        answer = api.form(path, {"audio": _sound()})
    else:
        answer = getattr(api, method.lower())(path, *([BODIES.get(route)] if method != "GET" else []))
    _validator(_answer_schema(method, route, answer.status_code)).validate(answer.json())


def _sound() -> SimpleUploadedFile:
    return SimpleUploadedFile("a.wav", sounds.wav(sounds.spoken(1.5)))


@pytest.mark.django_db
@pytest.mark.parametrize("seconds", [0.0, 1.5])
def test_a_full_reading_and_an_abstention_are_what_the_description_says(
    seconds, api, house, fake_recognizer, processed_in_place
):
    samples = sounds.spoken(seconds) if seconds else sounds.silence(1.0)
    sound = SimpleUploadedFile("a.wav", sounds.wav(samples))
    path = f"sessions/{house.session.public_id}/utterances"
    answer = api.form(path, {"audio": sound, "include": "embedding,frames"})
    schema = _answer_schema("POST", "api/v1/sessions/{session}/utterances", 201)
    _validator(schema).validate(answer.json())


@pytest.mark.django_db
def test_problems_are_what_the_description_says(api, house):
    answer = api.post(f"sessions/{house.session.public_id}/utterances", {"text": 1, "mood": 2})
    _validator({"$ref": "#/components/schemas/ProblemAnswer"}).validate(answer.json())


def test_a_wrong_answer_would_not_pass():
    schema = _answer_schema("GET", "api/v1/sessions/{session}", 200)
    assert list(_validator(schema).iter_errors({"id": 1}))


@pytest.mark.parametrize("example", shapes.POST_EXAMPLES, ids=lambda example: example.summary)
def test_every_documented_example_is_accepted(example):
    assert validated(bodies.UtteranceBody, example.value)


def test_every_request_body_refuses_fields_that_it_does_not_know():
    named = {
        name: kind
        for name, kind in vars(bodies).items()
        if isinstance(kind, type) and issubclass(kind, Fields) and kind is not Fields
    }
    assert len(named) > 10
    for kind in named.values():
        form = kind(data={"surely-unknown": 1})
        assert not form.is_valid()
        assert form.errors["surely-unknown"][0].code == "unknown-field"


def test_every_slug_that_the_code_uses_has_a_title():
    sources = [*(ROOT / "emotrack").rglob("*.py")]
    used = set()
    for path in sources:
        if "emotrack/web" in path.as_posix() or "emotrack/alerts" in path.as_posix():
            continue
        text = path.read_text(encoding="utf-8")
        used |= set(
            re.findall(r'(?:Problem|Refused|Conflict|StorageFull|NotStrict|refuse)\(\s*"([a-z0-9-]+)"', text)
        )
    assert used - set(TITLES) == set()


@pytest.mark.django_db
def test_the_interactive_page_needs_nothing_from_elsewhere(client):
    page = client.get("/api/v1/docs").content.decode()
    assert not re.findall(r"<script>|<style|style=|https?://", page)
    for address in re.findall(r'(?:src|href)="([^"]+)"', page):
        answer = client.get(address)
        body = b"".join(answer) if answer.streaming else answer.content
        assert (answer.status_code, bool(body)) == (200, True), address


@pytest.mark.django_db
def test_the_live_messages_are_described_with_valid_examples(client):
    live = yaml.safe_load(client.get("/api/v1/asyncapi").content)
    assert live["channels"]["watch"]["address"] == "/ws/watch"
    for message in live["components"]["messages"].values():
        schema = message["payload"] | {"components": live["components"]}
        for example in message["examples"]:
            Draft202012Validator(schema).validate(example["payload"])
