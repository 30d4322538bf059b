"""Who locks rows, and how: the client's own row first, and never against rows that only point to it."""

import ast

from tests.rules.repository import name_of, python_files

OF_CLIENTS = "emotrack/history/locks.py"


def _locks() -> list[tuple[str, ast.Call]]:
    return [
        (name_of(path), node)
        for path in python_files("emotrack")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr == "select_for_update"
    ]


def test_a_locked_row_can_still_be_pointed_to():
    """A foreign key is checked at COMMIT; were the key locked, two transactions could wait for each other."""
    offenders = [
        f"{name}:{call.lineno}"
        for name, call in _locks()
        if not any(keyword.arg == "no_key" for keyword in call.keywords)
    ]
    assert offenders == []


def test_clients_are_locked_in_one_place_and_sessions_and_utterances_nowhere():
    """Their client is held instead, so that nobody takes the two in another order."""
    offenders = [
        f"{name}:{call.lineno}"
        for name, call in _locks()
        if name != OF_CLIENTS
        and {node.id for node in ast.walk(call.func) if isinstance(node, ast.Name)}
        & {"Client", "Session", "Utterance"}
    ]
    assert offenders == []
