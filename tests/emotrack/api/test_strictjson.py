"""Strict JSON: what is refused, and where the pointer points."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emotrack.api.strictjson import NotStrict, loads

REFUSED = [
    (b"{", "not-json", ""),
    (b"", "not-json", ""),
    (b"\xff{}", "invalid-utf8", ""),
    (b'{"a": NaN}', "not-finite", "/a"),
    (b'{"a": [1, -Infinity]}', "not-finite", "/a/1"),
    (b'{"a": 1e309}', "not-finite", "/a"),
    (b'{"a": {"b": 1, "b": 1}}', "duplicate-key", "/a/b"),
    (b'{"a/b": {"~": 1, "~": 2}}', "duplicate-key", "/a~1b/~0"),
    (b'{"a": "\\ud800"}', "lone-surrogate", "/a"),
    (b'{"\\udc00": 1}', "lone-surrogate", ""),
    (b'{"a": ["x", "\\u0000"]}', "nul-character", "/a/1"),
    (b'{"a": 99999999999999999999}', "number-too-large", "/a"),
    (b'{"a": ' + b"9" * 5000 + b"}", "number-too-large", ""),
    (b'{"a": 1_0}', "not-json", ""),
    (b"[" * 33 + b"]" * 33, "too-deep", "/0" * 32),
    (b"[" * 100_000, "too-deep", ""),
]


@pytest.mark.parametrize(("raw", "slug", "pointer"), REFUSED, ids=[slug for _raw, slug, _p in REFUSED])
def test_what_is_not_strict_is_refused_with_a_pointer(raw, slug, pointer):
    with pytest.raises(NotStrict) as refused:
        loads(raw)
    assert (refused.value.slug, refused.value.pointer) == (slug, pointer)


def test_thirty_two_levels_are_accepted():
    assert loads(b"[" * 32 + b"]" * 32)


_texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"))
_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63) + 1, 2**63 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | _texts,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(_texts, inner, max_size=4),
    max_leaves=20,
)


@given(_values)
def test_everything_else_comes_back_as_it_was_sent(value):
    assert loads(json.dumps(value, ensure_ascii=False).encode()) == value
