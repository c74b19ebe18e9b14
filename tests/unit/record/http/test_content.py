"""A body stands as a reader wants to see it, and comes back byte by byte."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentci.core.errors import FormatError
from agentci.record.http.content import load_content, parse_json, store_content

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=12,
)


@given(data=st.binary(max_size=200))
def test_any_bytes_come_back(data: bytes) -> None:
    assert load_content(store_content(data)) == data


@given(value=st.dictionaries(st.text(max_size=4), JSON), style=st.sampled_from(range(6)))
def test_json_comes_back_as_it_was_spaced(value: object, style: int) -> None:
    indent, compact, ascii_only = style % 3 or None, style > 2, bool(style % 2)
    separators = (",", ":") if compact and indent is None else None
    text = json.dumps(value, indent=indent, separators=separators, ensure_ascii=ascii_only)
    data = f"\n{text}\r\n".encode("utf-8", "surrogatepass")
    assert load_content(store_content(data)) == data


@pytest.mark.parametrize(
    ("data", "stored"),
    [
        (b'{"a": [1, 2.5]}', {"body": {"a": [1, 2.5]}}),
        (b'{"a":1}', {"body": {"a": 1}, "layout": {"compact": True}}),
        (b'{\n  "a": 1\n}\n', {"body": {"a": 1}, "layout": {"indent": 2, "after": "\n"}}),
        (b'{"a": "\\u00e9"}', {"body": {"a": "\u00e9"}, "layout": {"ascii": True}}),
        (b'{"a": 1.0e3}', {"text": '{"a": 1.0e3}'}),
        (b'{"a": 1, "a": 2}', {"text": '{"a": 1, "a": 2}'}),
        (b'{"a": NaN}', {"text": '{"a": NaN}'}),
        (b'{"a": "\\ud800"}', {"text": '{"a": "\\ud800"}'}),
        (b"", {"text": ""}),
        (b"\xff\xfe", {"base64": "//4="}),
    ],
)
def test_the_readable_form_is_chosen_only_where_nothing_is_lost(
    data: bytes, stored: dict[str, object]
) -> None:
    assert store_content(data) == stored
    assert load_content(store_content(data)) == data


def test_what_nests_too_deep_stays_text() -> None:
    for depth in (100, 5_000, 200_000):
        text = "[" * depth + "]" * depth
        assert parse_json(text) is None
        assert store_content(text.encode()) == {"text": text}


def test_a_damaged_record_is_named() -> None:
    for damaged in ({}, {"base64": "*"}, {"text": 1}):
        with pytest.raises(FormatError, match="cannot be read"):
            load_content(damaged)
