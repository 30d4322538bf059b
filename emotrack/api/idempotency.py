"""Makes a retry recognizable: the same key with the same request, whatever its boundary or key order."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from typing import Any

import orjson

from emotrack.api.errors import Problem

_KEY = re.compile(r"[\x21-\x7e]{1,255}", re.ASCII)
_SHAPES_THE_ANSWER = {"wait", "include"}
"""Fields that change what is answered, not what is done: a retry may wait longer."""


def key_of(header: str | None) -> str | None:
    """The checked ``Idempotency-Key``. Raises ``Problem`` for one that cannot be kept."""
    if header is None:
        return None
    if not _KEY.fullmatch(header):
        raise Problem("invalid-idempotency-key", "1 to 255 visible ASCII characters.", status=400)
    return header


def fingerprint(method: str, path: str, fields: Mapping[str, Any], parts: Mapping[str, bytes]) -> bytes:
    """SHA-256 over method, path, parsed fields and the SHA-256 of each part."""
    meant = {name: value for name, value in fields.items() if name not in _SHAPES_THE_ANSWER}
    digests = {name: hashlib.sha256(part).hexdigest() for name, part in parts.items()}
    return hashlib.sha256(orjson.dumps([method, path, meant, digests], option=orjson.OPT_SORT_KEYS)).digest()
