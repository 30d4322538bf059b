"""The locks: hashed, of one mind, and naming all that the code imports."""

import re
import sys
from importlib.metadata import packages_distributions

import pytest

from tests.rules.repository import ROOT, imports, name_of, python_files

REQUIREMENTS = ROOT / "requirements"
HASHED = ["light", "scale", "test", "emotion2vec"]
OURS = {"analysis", "emotrack", "tests", "benchmarks", "examples"}
ADDED_BY_EMOTION2VEC = {"torch", "funasr", "modelscope", "omegaconf"}
ADDED_BY_SCALE = {"celery", "django_tasks_fennel", "channels_redis", "redis"}


def lock(name: str) -> str:
    return (REQUIREMENTS / f"{name}.txt").read_text(encoding="utf-8")


def packages(name: str) -> set[str]:
    return {
        _normal(package)
        for package in re.findall(r"^([A-Za-z0-9._-]+)(?:\[\S+\])?==", lock(name), re.MULTILINE)
    }


def _normal(package: str) -> str:
    return re.sub(r"[-_.]+", "-", package).lower()


@pytest.mark.parametrize("name", HASHED)
def test_every_locked_package_has_a_hash(name):
    entries = [entry for entry in re.split(r"\n(?=\S)", lock(name)) if not entry.startswith("#")]
    assert entries
    assert [entry.split()[0] for entry in entries if "==" not in entry or "--hash=sha256:" not in entry] == []


def test_the_locks_agree_on_every_version():
    versions: dict[str, set[str]] = {}
    for name in HASHED:
        for package, version in re.findall(
            r"^([a-z0-9._-]+)(?:\[\S+\])?==(\S+) \\", lock(name), re.MULTILINE
        ):
            versions.setdefault(package, set()).add(version)
    assert {package: found for package, found in versions.items() if len(found) > 1} == {}


def test_torch_is_never_locked_with_the_rest():
    """A lock would choose between a CPU and a CUDA build for everybody."""
    assert [name for name in HASHED if "torch" in packages(name)] == []


def test_nothing_asks_for_a_package_that_breaks_funasr():
    """Where their CPU build is missing, FunASR cannot be imported any more."""
    locked = set().union(*(packages(name) for name in [*HASHED, "torch"]))
    assert locked & {"torchaudio", "torchcodec"} == set()


def test_the_site_imports_only_what_the_light_lock_installs():
    """What the recognizer emotion2vec and scaling out add is excepted by name."""
    provided = packages_distributions()
    light = packages("light")
    missing = {
        (name_of(path), top)
        for path in python_files("emotrack", "analysis")
        for top in _outside(path)
        if not {_normal(name) for name in provided.get(top, [])} & light
    }
    assert missing == set()


def _outside(path) -> set[str]:
    tops = {name.split(".")[0] for name in imports(path)}
    return tops - set(sys.stdlib_module_names) - OURS - ADDED_BY_EMOTION2VEC - ADDED_BY_SCALE
