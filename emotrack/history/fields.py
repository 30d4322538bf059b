"""Columns that hold secrets and columns that hold vectors."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from django.db import models

from emotrack import crypto


@dataclass(frozen=True, slots=True)
class _Sealed:
    """What came from the database and nobody has asked for yet."""

    data: bytes


class _OpenOnRead:
    """Attribute of a model: opens the sealed value on first access, with the client's key."""

    def __init__(self, field: EncryptedField) -> None:
        self.field = field

    def __get__(self, instance: models.Model | None, owner: type | None = None) -> Any:
        if instance is None:
            return self
        name = self.field.attname
        if name not in instance.__dict__:
            instance.refresh_from_db(fields=[name])
        value = instance.__dict__[name]
        if isinstance(value, _Sealed):
            plain = crypto.unseal(key_of(instance), value.data, self.field.place(instance))
            value = instance.__dict__[name] = self.field.from_bytes(plain)
        return value

    def __set__(self, instance: models.Model, value: Any) -> None:
        instance.__dict__[self.field.attname] = value


def key_of(instance: Any) -> bytes:
    """The data key of the client that a row belongs to."""
    return instance.sealing_client.data_key


class EncryptedField(models.BinaryField):
    """Bytes sealed with the client's data key. The model names its client in ``sealing_client``.

    The seal is bound to the model, the field and the row's public id (or its client's).
    """

    def from_bytes(self, plain: bytes) -> Any:
        return plain

    def to_bytes(self, value: Any) -> bytes:
        return bytes(value)

    def place(self, instance: Any) -> str:
        row = getattr(instance, "public_id", None) or instance.sealed_under
        return f"{instance._meta.label_lower}.{self.attname}:{row}"

    def contribute_to_class(self, cls: type, name: str, private_only: bool = False) -> None:
        super().contribute_to_class(cls, name, private_only)
        setattr(cls, self.attname, _OpenOnRead(self))

    def from_db_value(self, value: Any, expression: object, connection: object) -> _Sealed | None:
        return None if value is None else _Sealed(bytes(value))

    def pre_save(self, model_instance: models.Model, add: bool) -> bytes | None:
        value = model_instance.__dict__.get(self.attname)
        if value is None:
            return None
        if isinstance(value, _Sealed):
            return value.data
        return crypto.seal(key_of(model_instance), self.to_bytes(value), self.place(model_instance))

    def get_default(self) -> Any:
        return None

    def value_to_string(self, obj: models.Model) -> str:
        raise TypeError(f"{self.attname} is encrypted and is not serialized")


class EncryptedTextField(EncryptedField):
    """Words, sealed."""

    def from_bytes(self, plain: bytes) -> str:
        return plain.decode()

    def to_bytes(self, value: str) -> bytes:
        return value.encode()


class EncryptedVectorField(EncryptedField):
    """A one-dimensional array of any length, sealed; little-endian float16 unless told."""

    def __init__(self, *args: Any, dtype: str = "<f2", **kwargs: Any) -> None:
        self.dtype = dtype
        super().__init__(*args, **kwargs)

    def deconstruct(self) -> tuple:
        name, path, args, kwargs = super().deconstruct()
        return name, path, args, kwargs | {"dtype": self.dtype}

    def from_bytes(self, plain: bytes) -> np.ndarray:
        return np.frombuffer(plain, dtype=self.dtype)

    def to_bytes(self, value: np.ndarray) -> bytes:
        return np.ascontiguousarray(value, dtype=self.dtype).tobytes()


class VectorField(models.BinaryField):
    """An array in plain bytes, little-endian; ``columns`` reshapes it to (-1, columns)."""

    def __init__(self, *args: Any, dtype: str = "<f4", columns: int | None = None, **kwargs: Any) -> None:
        self.dtype, self.columns = dtype, columns
        super().__init__(*args, **kwargs)

    def deconstruct(self) -> tuple:
        name, path, args, kwargs = super().deconstruct()
        return name, path, args, kwargs | {"dtype": self.dtype, "columns": self.columns}

    def from_db_value(self, value: Any, expression: object, connection: object) -> np.ndarray | None:
        if value is None:
            return None
        array = np.frombuffer(bytes(value), dtype=self.dtype)
        return array.reshape(-1, self.columns) if self.columns else array

    def get_db_prep_value(self, value: Any, connection: Any, prepared: bool = False) -> Any:
        if isinstance(value, np.ndarray):
            value = np.ascontiguousarray(value, dtype=self.dtype).tobytes()
        return super().get_db_prep_value(value, connection, prepared)
