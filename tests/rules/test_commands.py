"""The commands that the documents name are the ones that exist."""

import re
import subprocess

import pytest

from tests.rules.repository import ROOT

MAKEFILE = (ROOT / "Makefile").read_text(encoding="utf-8")
TARGETS = set(re.findall(r"^([a-z0-9]+):", MAKEFILE, re.MULTILINE))
DOCUMENTS = ["README.md", "CONTRIBUTING.md"]


@pytest.mark.parametrize("name", DOCUMENTS)
def test_every_make_command_in_the_documents_exists(name):
    named = set(re.findall(r"\bmake ([a-z0-9]+)\b", _code_of(name)))
    assert named
    assert named <= TARGETS


@pytest.mark.parametrize("name", DOCUMENTS)
def test_every_script_named_in_the_documents_exists(name):
    named = set(re.findall(r"(?<![\w/])((?:requirements|examples|benchmarks|\.ci)/[\w./-]+)", _code_of(name)))
    assert [path for path in named if not (ROOT / path).exists()] == []


@pytest.mark.parametrize("name", DOCUMENTS)
def test_every_link_in_the_documents_leads_to_a_file(name):
    links = re.findall(r"\]\((?!https?:|#)([^)#\s]+)", (ROOT / name).read_text(encoding="utf-8"))
    assert [link for link in links if not (ROOT / link).exists()] == []


def test_help_lists_every_command_a_person_may_call():
    shown = subprocess.run(["make", "help"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert set(re.findall(r"make (\S+)", shown)) == TARGETS - {"venv"}


def test_a_missing_python_is_reported_in_a_sentence(tmp_path):
    (tmp_path / "Makefile").write_text(MAKEFILE)
    answer = subprocess.run(
        ["make", "run", "PYTHON=python3.11-that-is-not-here"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert answer.returncode != 0
    assert "EmoTrack needs Python 3.11" in answer.stdout


def _code_of(name: str) -> str:
    """The code spans and blocks of a Markdown file, where commands stand."""
    text = (ROOT / name).read_text(encoding="utf-8")
    return "\n".join(re.findall(r"```.*?```|`[^`\n]+`", text, re.DOTALL))
