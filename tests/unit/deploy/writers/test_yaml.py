from __future__ import annotations

from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from agentci.core.json_types import JsonObject
from agentci.deploy.writers.yaml import comment_lines, yaml_stream, yaml_text
from agentci.spec.yaml_document import parse_document
from tests.support.hostile_texts import HOSTILE, texts

_KEYS = st.text("abcyn01-_.$", min_size=1, max_size=12) | st.sampled_from(
    ["yes", "null", "~", "on"]
)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | texts(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_KEYS, inner, max_size=3),
    max_leaves=8,
)


@pytest.mark.parametrize("text", HOSTILE)
def test_a_hostile_text_comes_back(text: str) -> None:
    value: JsonObject = {"key": text, "list": [text, {"inner": text}]}
    assert yaml.safe_load(yaml_text(value)) == value
    assert parse_document(yaml_text(value), "x").value == value


@given(st.dictionaries(_KEYS, VALUES, max_size=4))
def test_any_value_comes_back_from_two_readers(value: dict[str, Any]) -> None:
    data = yaml_text(value, notice=["Made by a test."])
    assert yaml.safe_load(data) == value
    assert parse_document(data, "x").value == value
    assert data.endswith(b"\n")
    assert b"\r" not in data


def test_several_documents_stand_in_one_file() -> None:
    values = [{"a": "---"}, {"b": "x\n---\ny\n"}, {}]
    assert list(yaml.safe_load_all(yaml_stream(values, notice=["one", "two"]))) == values


@pytest.mark.parametrize("line", ["a\nb", "a\rb", "a\u2028b", "a\u0085b", "a\x00b"])
def test_a_comment_cannot_be_left(line: str) -> None:
    with pytest.raises(ValueError, match="one line"):
        comment_lines([line])
