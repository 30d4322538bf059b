"""Dates by the hundred: what ``date_format`` writes, where it would take longer than all else."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime
from functools import lru_cache

from django.utils.dates import MONTHS, MONTHS_3
from django.utils.formats import get_format
from django.utils.translation import get_language

_PARTS: dict[str, Callable[[datetime], str]] = {
    "Y": lambda at: f"{at.year:04}",
    "F": lambda at: str(MONTHS[at.month]),
    "M": lambda at: str(MONTHS_3[at.month]).title(),
    "n": lambda at: str(at.month),
    "j": lambda at: str(at.day),
    "H": lambda at: f"{at.hour:02}",
    "i": lambda at: f"{at.minute:02}",
}


def written(at: datetime, form: str) -> str:
    """The date in the reader's language. at: in the reader's zone. form: of year, month, day, hour, minute.

    Raises ``ValueError`` for a form with another letter in it.
    """
    return "".join(
        part if isinstance(part, str) else part(at) for part in _parts_of(form, get_language() or "")
    )


@lru_cache(maxsize=64)
def _parts_of(form: str, language: str) -> tuple[str | Callable[[datetime], str], ...]:
    local = get_format(form, lang=language or None)
    unknown = [letter for letter in re.findall(r"[A-Za-z\\]", local) if letter not in _PARTS]
    if unknown:
        raise ValueError(f"date-form: {form!r} has {unknown[0]!r}, which is not written here")
    return tuple(_PARTS.get(letter, letter) for letter in local)
