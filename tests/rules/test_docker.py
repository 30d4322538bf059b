"""The containers start commands that exist and set only what is read."""

import re

import pytest
import yaml

from tests.rules.repository import ROOT
from tests.rules.test_settings_documented import settings_read

DOCKER = ROOT / "docker"
COMPOSE_TEXT = (DOCKER / "compose.yml").read_text(encoding="utf-8")
COMPOSE = yaml.safe_load(COMPOSE_TEXT)
DOCKERFILE = (DOCKER / "Dockerfile").read_text(encoding="utf-8")
OURS = {name: service for name, service in COMPOSE["services"].items() if service["image"] == "emotrack"}
READ_BY_COMPOSE = set(re.findall(r"\$\{(\w+)", COMPOSE_TEXT))


def test_the_same_image_runs_every_role():
    assert {"web", "worker", "deliver"} <= set(OURS)


@pytest.mark.parametrize("name", sorted(OURS))
def test_a_service_calls_a_command_that_exists(name):
    words = OURS[name]["command"].split()
    if words[:2] == ["python", "manage.py"]:
        assert words[2] in {"migrate"} | _own_commands()
    else:
        assert words[:4] == ["python", "-m", "uvicorn", "emotrack.asgi:application"]
        assert (ROOT / "emotrack" / "asgi.py").exists()


@pytest.mark.parametrize("name", sorted(OURS))
def test_a_service_sets_only_what_the_settings_read(name):
    assert set(OURS[name]["environment"]) <= settings_read()


def test_the_example_names_only_variables_that_are_read():
    named = set(
        re.findall(r"^([A-Z0-9_]+)=", (DOCKER / "example.env").read_text(encoding="utf-8"), re.MULTILINE)
    )
    assert named
    assert named <= settings_read() | READ_BY_COMPOSE


def test_the_example_holds_no_secret():
    secret = re.compile(r"^\w*(?:KEY|PASSWORD)=(.*)$", re.MULTILINE)
    assert set(secret.findall((DOCKER / "example.env").read_text(encoding="utf-8"))) == {""}


def test_what_the_image_copies_exists():
    copied = [
        word for line in re.findall(r"^COPY (.+) \S+$", DOCKERFILE, re.MULTILINE) for word in line.split()
    ]
    assert copied
    assert [path for path in copied if not (ROOT / path).exists()] == []


def test_the_image_does_not_run_as_root():
    users = re.findall(r"^USER (\S+)$", DOCKERFILE, re.MULTILINE)
    assert users
    assert users[-1] != "root"


def test_every_dependency_of_a_service_is_a_service():
    needed = {name for service in COMPOSE["services"].values() for name in service.get("depends_on", {})}
    assert needed <= set(COMPOSE["services"])


def _own_commands() -> set[str]:
    return {path.stem for path in (ROOT / "emotrack" / "management" / "commands").glob("[a-z]*.py")}
