"""Every setting that an installation can set is in docs/settings.md, and nothing else is."""

import ast
import re

from tests.rules.repository import ROOT

ENV_READERS = {"str", "bool", "int", "float", "list", "json", "url", "db_url", "path"}


def settings_read() -> set[str]:
    """Names of the environment variables that emotrack/settings.py reads."""
    tree = ast.parse((ROOT / "emotrack" / "settings.py").read_text(encoding="utf-8"))
    found: set[str] = set()
    for call in (node for node in ast.walk(tree) if isinstance(node, ast.Call)):
        if not (call.args and isinstance(call.args[0], ast.Constant) and isinstance(call.args[0].value, str)):
            continue
        name = call.args[0].value
        if _is_env_reader(call.func):
            found.add(name)
        elif isinstance(call.func, ast.Name) and call.func.id == "_secret":
            found |= {name, f"{name}_FILE"}
    return found


def _is_env_reader(func: ast.expr) -> bool:
    return (
        isinstance(func, ast.Attribute)
        and func.attr in ENV_READERS
        and isinstance(func.value, ast.Name)
        and func.value.id == "env"
    )


def settings_documented() -> set[str]:
    text = (ROOT / "docs" / "settings.md").read_text(encoding="utf-8")
    return set(re.findall(r"^\| `([A-Z0-9_]+)`", text, re.MULTILINE))


def test_settings_are_found_at_all():
    assert {"DATABASE_URL", "EMOTRACK_MASTER_KEY", "EMOTRACK_MASTER_KEY_FILE"} <= settings_read()


def test_every_setting_is_documented():
    assert settings_read() - settings_documented() == set()


def test_every_documented_setting_exists():
    assert settings_documented() - settings_read() == set()
