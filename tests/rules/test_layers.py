"""Who may import whom: the contracts of .importlinter, and the rules that it cannot say."""

import ast

import pytest
from importlinter.cli import EXIT_STATUS_SUCCESS, lint_imports

from tests.rules.repository import ROOT, module_of, name_of, python_files, reaches

FRAMEWORKS = ("django", "rest_framework", "channels", "django_tasks", "celery")
LOADS_RECOGNIZERS = "emotrack.recognition"


def test_imports_keep_every_contract(capsys):
    status = lint_imports(config_filename=str(ROOT / ".importlinter"), cache_dir=None)
    assert status == EXIT_STATUS_SUCCESS, capsys.readouterr().out


@pytest.mark.parametrize("name", ["emotrack/alerts/judging/decide.py", "emotrack/web/charts.py"])
def test_pure_modules_inside_the_product_know_no_framework(name):
    assert reaches(ROOT / name, *FRAMEWORKS) == []


def test_only_one_module_loads_a_recognizer():
    heavy = ("analysis.recognition.acoustic", "analysis.recognition.emotion2vec")
    offenders = {
        name_of(path): found
        for path in python_files("emotrack")
        if not module_of(path).startswith(LOADS_RECOGNIZERS) and (found := reaches(path, *heavy))
    }
    assert offenders == {}


def test_models_never_import_actions():
    offenders = {
        name_of(path): [name for name in reaches(path, "emotrack") if "actions" in name.split(".")]
        for path in python_files("emotrack")
        if path.name == "models.py" or path.parent.name == "models"
    }
    assert {name: found for name, found in offenders.items() if found} == {}


def test_only_the_settings_read_the_environment():
    """Entry points may say which settings to use; nothing else looks."""
    offenders = [
        f"{name_of(path)}:{node.lineno}"
        for path in python_files("emotrack")
        if name_of(path) != "emotrack/settings.py"
        for node in _environment_reads(ast.parse(path.read_text(encoding="utf-8")))
    ]
    assert offenders == []


def _environment_reads(tree: ast.AST) -> list[ast.Attribute]:
    names_the_settings = {
        id(node.func.value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr == "setdefault"
        and node.args
        and isinstance(node.args[0], ast.Constant)
        and node.args[0].value == "DJANGO_SETTINGS_MODULE"
    }
    return [
        node
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute)
        and node.attr in {"environ", "getenv"}
        and isinstance(node.value, ast.Name)
        and node.value.id == "os"
        and id(node) not in names_the_settings
    ]
