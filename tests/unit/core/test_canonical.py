"""Canonical JSON against another implementation of RFC 8785, and at the borders."""

from __future__ import annotations

import json
from collections import UserDict, UserList
from typing import Any

import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from agentci.core.canonical import canonical_bytes

SAFE = 2**53 - 1
TRICKY = ["\U0001f600", "\uff0c", "\ue000", "1.5", "a:1.5", "x1e-5", "9e+3", "e-", "é", ""]
texts = st.text(st.characters(codec="utf-8"), max_size=6) | st.sampled_from(TRICKY)
leaves = (
    st.none()
    | st.booleans()
    | st.integers(-SAFE, SAFE)
    | st.floats(allow_nan=False, allow_infinity=False)
    | texts
)
values = st.recursive(
    leaves,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4),
    max_leaves=20,
)


@given(values, st.integers(0, 8))
def test_it_is_rfc_8785_at_every_depth(value: Any, depth: int) -> None:
    for _ in range(depth):
        value = [value]
    assert canonical_bytes(value) == rfc8785.dumps(value)


@given(values)
def test_what_it_writes_is_written_the_same_after_parsing(value: Any) -> None:
    written = canonical_bytes(value)
    assert canonical_bytes(json.loads(written)) == written


def nested(value: Any, depth: int) -> Any:
    return nested([value], depth - 1) if depth else value


@pytest.mark.parametrize("depth", range(8))
@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf"), "\ud800"])
def test_what_json_cannot_carry_is_a_value_error(value: Any, depth: int) -> None:
    with pytest.raises(ValueError, match=r"cannot be written as JSON|surrogates not allowed"):
        canonical_bytes(nested(value, depth))


@pytest.mark.parametrize("depth", range(8))
@pytest.mark.parametrize("value", [b"bytes", bytearray(), {1}, object(), 1j])
def test_what_is_not_json_is_a_type_error(value: Any, depth: int) -> None:
    with pytest.raises(TypeError, match="is not a JSON type"):
        canonical_bytes(nested(value, depth))


@pytest.mark.parametrize("depth", range(8))
def test_other_mappings_and_sequences_count_as_objects_and_arrays(depth: int) -> None:
    plain = nested({"a": [1, {"b": (2,)}]}, depth)
    other: Any = nested(UserDict({"a": UserList([1, UserDict({"b": (2,)})])}), depth)
    assert canonical_bytes(other) == canonical_bytes(plain)


@pytest.mark.parametrize("depth", range(8))
def test_integers_beyond_doubles_stay_exact(depth: int) -> None:
    assert str(2**53 + 1).encode() in canonical_bytes(nested({"n": 2**53 + 1}, depth))


def test_nesting_costs_no_more_than_its_size() -> None:
    """A double below many levels must not make each level write everything again."""
    deep = nested([1.5, "x" * 1000], 100)
    assert canonical_bytes(deep) == b"[" * 101 + b'1.5,"' + b"x" * 1000 + b'"' + b"]" * 101
