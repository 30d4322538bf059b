"""The program of docs/notebook.md runs as it stands there, without Django, and draws what it says."""

import os
import re
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest

ROOT = Path(__file__).resolve().parents[3]
LAST = "\nimport sys\nprint('django' in sys.modules, len(turns), sum(t.read for t in turns))\n"


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """What the program printed, and the folder in which it ran."""
    blocks = re.findall(r"```python\n(.*?)```", (ROOT / "docs" / "notebook.md").read_text(), re.DOTALL)
    folder = tmp_path_factory.mktemp("notebook")
    environment = {k: v for k, v in os.environ.items() if k != "DJANGO_SETTINGS_MODULE"}
    done = subprocess.run(
        [sys.executable, "-c", "\n".join(blocks) + LAST],
        cwd=folder,
        env=environment | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.split(), folder


def test_it_needs_no_framework_and_reads_its_turns(run):
    framework, turns, read = run[0]
    assert framework == "False"
    assert turns == "40" and 10 < int(read) < 40


@pytest.mark.parametrize("name", ["session", "year"])
def test_it_draws_what_it_was_given(name, run):
    drawn = ElementTree.fromstring((run[1] / f"{name}.svg").read_text(encoding="utf-8"))
    tags = [element.tag.rpartition("}")[2] for element in drawn.iter()]
    assert drawn.get("aria-label") == f"My {name}"
    assert tags.count("circle") + tags.count("path") + tags.count("polyline") > 20
