"""Public ids: what the outside calls a row, instead of its primary key."""

import re
import secrets

ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"  # Crockford's base 32: no i, l, o, u
LENGTH = 20
PATTERN = f"[{ALPHABET}]{{{LENGTH}}}"
_PUBLIC_ID = re.compile(PATTERN)


def new_public_id() -> str:
    """20 random characters, 100 bits."""
    return "".join(secrets.choice(ALPHABET) for _ in range(LENGTH))


def is_public_id(text: str) -> bool:
    return _PUBLIC_ID.fullmatch(text) is not None


def new_code() -> str:
    """A short name for a person that an admin may read aloud, like ``K7-Q2M``."""
    letters = "ABCDEFGHJKMNPQRSTVWXYZ"
    digits = "23456789"
    return "".join(secrets.choice(pool) for pool in (letters, digits, "-", letters, digits, letters))
