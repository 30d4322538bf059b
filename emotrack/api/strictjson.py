"""Reads JSON and refuses what other readers let through: doubled keys, NaN, half characters, deep nests."""

from __future__ import annotations

import json
import math
from typing import Any

MAX_DEPTH = 32
LARGEST_INTEGER = 2**63 - 1


class NotStrict(Exception):
    """The text is not strict JSON; ``pointer`` (RFC 6901) says where, ``slug`` and ``detail`` say what."""

    def __init__(self, slug: str, detail: str, pointer: str = "") -> None:
        super().__init__(slug, detail, pointer)
        self.slug, self.detail, self.pointer = slug, detail, pointer


class _Doubled:
    """Stands in the tree for an object that names ``key`` twice."""

    def __init__(self, key: str) -> None:
        self.key = key


class _NotFinite:
    """Stands in the tree for NaN, Infinity and numbers beyond a double."""


def loads(raw: bytes) -> Any:
    """The value that UTF-8 JSON stands for. Raises ``NotStrict``."""
    try:
        value = json.loads(
            _decoded(raw),
            object_pairs_hook=_object,
            parse_constant=lambda _name: _NotFinite(),
            parse_float=_float,
        )
    except RecursionError as error:
        raise NotStrict("too-deep", f"Nested deeper than {MAX_DEPTH} levels.") from error
    except json.JSONDecodeError as error:
        raise NotStrict("not-json", f"Not JSON: line {error.lineno}, column {error.colno}.") from error
    except ValueError as error:
        raise NotStrict("number-too-large", "Holds an integer of too many digits.") from error
    check(value)
    return value


def _decoded(raw: bytes) -> str:
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError as error:
        raise NotStrict("invalid-utf8", f"Not UTF-8: byte {error.start}.") from error


def _float(text: str) -> float | _NotFinite:
    number = float(text)
    return number if math.isfinite(number) else _NotFinite()


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any] | _Doubled:
    found = dict(pairs)
    if len(found) == len(pairs):
        return found
    seen: set[str] = set()
    return _Doubled(next(key for key, _ in pairs if key in seen or seen.add(key)))


def check(value: Any, pointer: str = "", depth: int = 0) -> None:
    """Raises ``NotStrict`` for the first thing in the tree that must not be stored or computed with."""
    if type(value) is float:
        return
    if isinstance(value, str):
        check_text(value, pointer)
    elif isinstance(value, int):
        _check_integer(value, pointer)
    elif isinstance(value, (dict, list)):
        _check_inside(value, pointer, depth + 1)
    elif isinstance(value, _Doubled):
        raise NotStrict("duplicate-key", "A key stands here twice.", join(pointer, value.key))
    elif isinstance(value, _NotFinite):
        raise NotStrict("not-finite", "Not a finite number.", pointer)


def _check_inside(value: dict[str, Any] | list[Any], pointer: str, depth: int) -> None:
    if depth > MAX_DEPTH:
        raise NotStrict("too-deep", f"Nested deeper than {MAX_DEPTH} levels.", pointer)
    if isinstance(value, dict):
        for key, item in value.items():
            check_text(key, pointer)
            check(item, join(pointer, key), depth)
        return
    for place, item in enumerate(value):
        if type(item) is not float:
            check(item, f"{pointer}/{place}", depth)


def _check_integer(value: int, pointer: str) -> None:
    if abs(value) > LARGEST_INTEGER:
        raise NotStrict("number-too-large", "An integer beyond 64 bits.", pointer)


def check_text(text: str, pointer: str) -> None:
    """A lone surrogate can be stored but never sent again; NUL ends strings in some databases."""
    if "\0" in text:
        raise NotStrict("nul-character", "Holds a NUL character.", pointer)
    try:
        text.encode("utf-8")
    except UnicodeEncodeError as error:
        raise NotStrict("lone-surrogate", "Holds half of a surrogate pair.", pointer) from error


def join(pointer: str, key: str) -> str:
    """The pointer one key further down (RFC 6901 escapes; what cannot be sent is shown as U+FFFD)."""
    sendable = key.encode("utf-8", "replace").decode("utf-8")[:100]
    return f"{pointer}/{sendable.replace('~', '~0').replace('/', '~1')}"
