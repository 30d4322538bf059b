"""What the repository must and must not hold."""

import ast
import hashlib
import re

import plotly

from tests.rules.repository import ROOT, files, name_of, python_files, text_of

MACHINE_PATHS = [
    re.compile(pattern)
    for pattern in (
        r"(?<![\w.$}])/(work|farm|root)/",
        r"(?<![\w.$}])/home/\w",
        r"/tmp/(bash|brief)",
        r"file:///",
        r"(pypi|registry\.npmjs)\.org/",
        r"pythonhosted",
        r"^[^#]*--((extra-)?index-url|find-links)",
    )
]
SPEAKS_OF_MACHINE_PATHS = {"tests/rules/test_repository.py", "LICENSE"}
VAGUE_NAMES = {"utils", "util", "helpers", "common", "base", "manager", "misc"}
LONGEST_FILE_LINES = 400
VENDOR = ROOT / "static" / "vendor"


def test_no_file_names_a_machine_or_a_registry():
    found = [
        f"{name_of(path)}:{number}: {line.strip()[:100]}"
        for path in files()
        if name_of(path) not in SPEAKS_OF_MACHINE_PATHS and VENDOR not in path.parents
        for number, line in enumerate((text_of(path) or "").splitlines(), 1)
        if any(pattern.search(line) for pattern in MACHINE_PATHS)
    ]
    assert found == []


def test_a_machine_path_would_be_found():
    planted = ["/wo" + "rk/main", "see /ro" + "ot/.venv", "fi" + "le:///opt", "https://py" + "pi.org/simple"]
    assert all(any(pattern.search(line) for pattern in MACHINE_PATHS) for line in planted)


def test_no_python_module_has_a_vague_name():
    modules = python_files("emotrack", "analysis", "tests", "benchmarks")
    assert [name_of(path) for path in modules if path.stem in VAGUE_NAMES] == []


def test_no_module_is_longer_than_a_reader_can_hold():
    long = {
        name_of(path): lines
        for path in python_files("emotrack", "analysis")
        if (lines := len(path.read_text(encoding="utf-8").splitlines())) > LONGEST_FILE_LINES
    }
    assert long == {}


def test_every_module_opens_with_a_sentence():
    silent = [
        name_of(path)
        for path in python_files("emotrack", "analysis", "benchmarks", "examples")
        if (source := path.read_text(encoding="utf-8")).strip() and not ast.get_docstring(ast.parse(source))
    ]
    assert silent == []


def _vendored() -> dict[str, str]:
    """File name to the sum that static/vendor/README.md promises."""
    rows = re.findall(
        r"^\| `([^`]+)` \|.*\| `([0-9a-f]{64})` \|$", (VENDOR / "README.md").read_text(), re.MULTILINE
    )
    return dict(rows)


def test_every_vendored_script_is_listed_and_unchanged():
    held = {
        path.relative_to(VENDOR).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in VENDOR.rglob("*")
        if path.is_file() and not path.name.startswith("README") and "LICENSE" not in path.name
    }
    assert held == _vendored()


def test_plotly_js_is_the_one_that_plotly_py_was_made_for():
    scripts = [name for name in _vendored() if name.startswith("plotly-")]
    assert scripts == [f"plotly-cartesian-{plotly.offline.get_plotlyjs_version()}.min.js"]
