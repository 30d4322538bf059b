"""The analysis can be built, and used as a library by programs that know nothing of the site."""

import shutil
import subprocess
import sys

import pytest

from tests.analysis.reference import ROOT as REFERENCE

CHECKOUT = REFERENCE.parents[1]

USED_ELSEWHERE = """
import sys
import numpy as np
from analysis import volatility
from analysis.recognition.acoustic import AcousticRecognizer
from analysis.response import DEFAULT_POLICY
assert not any(name.split(".")[0] in ("django", "emotrack") for name in sys.modules)
assert AcousticRecognizer().card.id and DEFAULT_POLICY
print(volatility.__file__)
print(volatility.volatility_index(np.arange(10.0).reshape(5, 2)).tolist()[1:])
"""


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """What setuptools would put into a wheel, built from a copy so that the checkout stays clean."""
    pytest.importorskip("setuptools", reason="building needs setuptools")
    source, target = tmp_path_factory.mktemp("source"), tmp_path_factory.mktemp("built")
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(CHECKOUT / name, source)
    shutil.copytree(CHECKOUT / "analysis", source / "analysis", ignore=shutil.ignore_patterns("__pycache__"))
    (source / "emotrack").mkdir()
    (source / "emotrack" / "__init__.py").touch()
    command = [
        sys.executable,
        "-c",
        "import setuptools; setuptools.setup()",
        "-q",
        "build",
        "-b",
        str(target),
    ]
    subprocess.run(command, cwd=source, check=True, capture_output=True)
    return target / "lib"


def _files(folder):
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


def test_every_module_and_every_data_file_of_the_analysis_is_in_it(built):
    wanted = {name for name in _files(CHECKOUT / "analysis") if not name.endswith(".pyc")}
    assert wanted - _files(built / "analysis") == set()
    assert {"response_policy.json", "recognition/acoustic/weights.npz"} <= wanted


def test_nothing_of_the_site_is_in_it(built):
    assert {path.name for path in built.iterdir()} == {"analysis"}


def test_it_works_where_there_is_no_checkout(built, tmp_path):
    shown = subprocess.run(
        [sys.executable, "-c", USED_ELSEWHERE],
        cwd=tmp_path,
        env={"PYTHONPATH": str(built), "PATH": ""},
        check=True,
        capture_output=True,
        text=True,
    )
    path, index = shown.stdout.splitlines()
    assert path.startswith(str(built))
    assert index == "[2.8284271247461903, 2.8284271247461903, 2.8284271247461903, 2.8284271247461903]"
