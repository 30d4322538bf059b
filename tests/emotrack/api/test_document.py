"""The commands of docs/api.md work as they stand."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from emotrack.accounts.models import Scope
from emotrack.api.problems import TITLES
from emotrack.history.models import Audio
from tests.analysis import sounds
from tests.emotrack import factories

pytest_plugins = ["tests.emotrack.api.live_site"]

DOCUMENT = (Path(__file__).resolve().parents[3] / "docs" / "api.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```sh\n(.*?)```", DOCUMENT, re.DOTALL)


@pytest.mark.skipif(shutil.which("curl") is None, reason="no curl here")
@pytest.mark.django_db(transaction=True)
def test_every_command_of_the_document_works(site, fake_recognizer, tmp_path):
    (tmp_path / "hello.wav").write_bytes(sounds.wav(sounds.spoken(1.5)))
    app = factories.app("Helpline", (factories.counselor("alice"),))
    known = {
        "EMOTRACK": f"http://127.0.0.1:{site}",
        "KEY": factories.key(app, tuple(Scope))[1],
        "PATH": "/usr/local/bin:/usr/bin:/bin",
    }
    for block in BLOCKS:
        if audio := Audio.objects.select_related("utterance__session").first():
            known |= {
                "UTTERANCE": audio.utterance.public_id,
                "SESSION": audio.utterance.session.public_id,
            }
        done = subprocess.run(
            ["bash", "-euc", block], cwd=tmp_path, env=known, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, (block, done.stdout, done.stderr)
    assert (tmp_path / "part.wav").stat().st_size == 1000


def test_the_problems_that_the_document_names_exist():
    named = set(re.findall(r"\b[45]\d\d `([a-z]+(?:-[a-z]+)+)`", DOCUMENT))
    assert named
    assert named <= set(TITLES)
