"""Encryption at rest: one key per client, wrapped by the installation's master key (AES-256-GCM).

A sealed value is a version byte, a 12-byte nonce and the ciphertext with its tag. Each is bound to
its place by associated data, so that a value moved to another row or field does not open.
"""

import base64
import binascii
import os

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

KEY_BYTES = 32
_NONCE_BYTES = 12
_VERSION = b"\x01"


class SealBroken(Exception):
    """A stored value does not open with this key at this place."""


class KeyDestroyed(Exception):
    """The client was erased: nothing that was sealed for them can be read again."""


def new_key() -> bytes:
    return AESGCM.generate_key(bit_length=8 * KEY_BYTES)


def seal(key: bytes, plain: bytes, place: str) -> bytes:
    nonce = os.urandom(_NONCE_BYTES)
    return _VERSION + nonce + AESGCM(key).encrypt(nonce, plain, place.encode())


def unseal(key: bytes, sealed: bytes, place: str) -> bytes:
    """Raises ``SealBroken`` for a wrong key, a moved value or changed bytes."""
    if sealed[:1] != _VERSION:
        raise SealBroken(f"{place}: unknown version of sealing")
    nonce, ciphertext = sealed[1 : 1 + _NONCE_BYTES], sealed[1 + _NONCE_BYTES :]
    try:
        return AESGCM(key).decrypt(nonce, ciphertext, place.encode())
    except InvalidTag as error:
        raise SealBroken(place) from error


def master_key() -> bytes:
    try:
        key = base64.urlsafe_b64decode(settings.MASTER_KEY)
    except (binascii.Error, ValueError) as error:
        raise ImproperlyConfigured("EMOTRACK_MASTER_KEY is not URL-safe base64.") from error
    if len(key) != KEY_BYTES:
        raise ImproperlyConfigured(f"EMOTRACK_MASTER_KEY must hold {KEY_BYTES} bytes, it holds {len(key)}.")
    return key


def wrap(data_key: bytes, place: str) -> bytes:
    return seal(master_key(), data_key, place)


def unwrap(wrapped: bytes | None, place: str) -> bytes:
    if not wrapped:
        raise KeyDestroyed(place)
    return unseal(master_key(), bytes(wrapped), place)
