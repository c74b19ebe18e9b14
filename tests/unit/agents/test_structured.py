"""Reading structured answers."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentci.agents.structured import read_answer, repair_request, system_with_schema

ANY: dict[str, Any] = {}


@pytest.mark.parametrize(
    "text",
    [
        '{"a": 1}',
        '  {"a": 1}\n',
        '\ufeff{"a": 1}',
        '```json\n{"a": 1}\n```',
        '```\n{"a": 1}\n```',
        '```json\r\n{"a": 1}\r\n```\r\n',
        'Here it is:\n\n```json\n{\n  "a": 1\n}\n```\nDone.',
        '  ```JSON\n  {"a": 1}\n  ```',
    ],
)
def test_json_stands_alone_or_in_one_block(text: str) -> None:
    assert read_answer(text, ANY).value == {"a": 1}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("no", "not JSON: unexpected text at line 1, column 1"),
        ('{"a": 1} and more', "unexpected text at line 1, column 10"),
        ('{\n  "a": 1,\n}', "unexpected text at line 3, column 1"),
        ("[1, ]", "unexpected text at line 1, column 5"),
        ('```json\n{"a": 1}\n```\n```json\n{"a": 2}\n```', "2 fenced blocks"),
        ("```json\nnope\n```", "not JSON"),
        ("```json\n```", "not JSON"),
        ('{"a": NaN}', "`NaN` is no JSON number"),
        ('{"a": 1, "a": 2}', "the name `a` stands twice"),
        ('{"a": 1e999}', "JSON cannot carry"),
        ('"\\ud800"', "JSON cannot carry"),
        ("[" * 100_000, "nests too deep"),
        ("1" * 5000, "JSON cannot carry"),
    ],
)
def test_what_is_wrong_is_said(text: str, words: str) -> None:
    reading = read_answer(text, ANY)
    assert reading.value is None
    assert words in str(reading.problem)


def test_a_fence_inside_a_json_text_is_text() -> None:
    value = {"code": "```py\nx\n```"}
    assert read_answer(f"```json\n{json.dumps(value)}\n```", ANY).value == value


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@given(JSON)
def test_every_value_comes_back_in_any_layout(value: Any) -> None:
    for text in (
        json.dumps(value),
        json.dumps(value, indent=2, ensure_ascii=False),
        f"So:\n```json\n{json.dumps(value, indent=1)}\n```\n",
    ):
        assert read_answer(text, ANY).value == value


@given(st.text())
def test_any_text_is_read_without_an_error(text: str) -> None:
    read_answer(text, ANY)
    output = read_answer(text, None).value
    assert isinstance(output, dict)


def test_a_value_that_does_not_fit_is_described() -> None:
    reading = read_answer('{"n": "x"}', {"properties": {"n": {"type": "integer"}}})
    assert reading.problem == "it does not fit the JSON Schema:\n- /n must be of type integer"
    assert "Answer again with one JSON value" in repair_request(str(reading.problem), ANY)
    assert repair_request("x", None).endswith("Answer again.")


def test_the_schema_is_shown_in_the_order_in_which_it_is_written() -> None:
    schema = {"properties": {"why": {"type": "string"}, "ok": {"type": "boolean"}}}
    system = system_with_schema("Be brief.\n", schema)
    assert system.startswith("Be brief.\n\nWhen you are done")
    assert system.index('"why"') < system.index('"ok"')
    assert system_with_schema("", schema).startswith("When you are done")
    assert system_with_schema("Be brief.\n", None) == "Be brief.\n"
