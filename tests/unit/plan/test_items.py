"""The items of a fan-out: order, keys, and what is refused."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentci.core.errors import StepFailed
from agentci.core.json_types import JsonValue
from agentci.plan.items import expand_items
from agentci.spec.pipeline import CommandStep, ForeachBody


def body(**values: Any) -> ForeachBody:
    return ForeachBody(steps=(CommandStep(id="x", run=("true",)),), **values)


def keys(scope: dict[str, JsonValue] | None = None, **values: Any) -> list[str]:
    return [item.key for item in expand_items(body(**values), scope or {})]


def test_words_and_numbers_name_themselves() -> None:
    assert keys(items=["calc", "a.b-c", 3, 1.5, -2]) == ["calc", "a.b-c", "3", "1.5", "-2"]


def test_other_items_are_named_by_their_position() -> None:
    assert keys(items=["two words", {"a": 1}, None, True, ""]) == ["0", "1", "2", "3", "4"]


def test_a_key_expression_names_the_items() -> None:
    items = [{"name": "a"}, {"name": "b"}]
    assert keys(items=items, key="${{ item.name }}") == ["a", "b"]
    assert keys(items=items, key="n-${{ item.name }}") == ["n-a", "n-b"]


def test_an_expression_gives_the_items() -> None:
    found = expand_items(body(items="${{ inputs.projects }}"), {"inputs": {"projects": ["x", {}]}})
    assert [item.value for item in found] == ["x", {}]


def test_templates_inside_a_list_are_evaluated() -> None:
    found = expand_items(body(items=["${{ inputs.a }}"]), {"inputs": {"a": "x"}})
    assert [(item.key, item.value) for item in found] == [("x", "x")]


def test_the_last_axis_of_a_matrix_varies_fastest() -> None:
    matrix = {"os": ["linux", "mac"], "py": ["3.11", "3.12"]}
    found = expand_items(body(matrix=matrix), {})
    assert [item.key for item in found] == ["linux,3.11", "linux,3.12", "mac,3.11", "mac,3.12"]
    assert found[1].value == {"os": "linux", "py": "3.12"}


def test_an_empty_list_is_fine() -> None:
    assert keys(items=[]) == []
    assert keys(matrix={"a": [], "b": [1]}) == []


@given(
    st.lists(st.text(max_size=4), unique=True, max_size=4),
    st.lists(st.integers(0, 99), unique=True, max_size=4),
)
def test_different_combinations_never_share_a_key(words: list[str], numbers: list[int]) -> None:
    found = keys(matrix={"a": words, "b": numbers})
    assert len(set(found)) == len(found) == len(words) * len(numbers)


@pytest.mark.parametrize(
    ("values", "code"),
    [
        ({"items": "${{ 5 }}"}, "ACI-S140"),
        ({"items": "${{ 'abc' }}"}, "ACI-S140"),
        ({"matrix": {"a": "${{ {'x': 1} }}"}}, "ACI-S140"),
        ({"items": ["a", "b", "a"]}, "ACI-S141"),
        ({"items": [1, "1"]}, "ACI-S141"),
        ({"items": [1, 2], "key": "same"}, "ACI-S141"),
        ({"items": list(range(10_001))}, "ACI-S142"),
        ({"matrix": {"a": list(range(101)), "b": list(range(100))}}, "ACI-S142"),
        ({"items": [1], "key": "${{ '' }}"}, "ACI-S143"),
        ({"items": [1], "key": "x" * 101}, "ACI-S143"),
    ],
)
def test_what_cannot_be_a_fan_out_is_refused(values: dict[str, Any], code: str) -> None:
    with pytest.raises(StepFailed) as caught:
        keys(**values)
    assert caught.value.code == code
