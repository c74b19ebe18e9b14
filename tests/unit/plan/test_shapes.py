"""Shapes: what a reference can reach in constants and in values that a JSON Schema describes."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentci.core.json_types import JsonObject, JsonValue
from agentci.plan.shapes import ANY, Missing, Shape, either, find, shape_of, shape_of_schema

values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=3),
    lambda below: (
        st.lists(below, max_size=3) | st.dictionaries(st.text(max_size=3), below, max_size=3)
    ),
    max_leaves=12,
)


def reachable(shape: Shape, path: str) -> bool:
    return not isinstance(find(shape, path.split(".")), Missing)


def paths_of(value: JsonValue) -> list[list[str]]:
    if isinstance(value, dict):
        return [[]] + [[name, *rest] for name, item in value.items() for rest in paths_of(item)]
    if isinstance(value, list):
        return [[]] + [
            [str(index), *rest] for index, item in enumerate(value) for rest in paths_of(item)
        ]
    return [[]]


@given(values)
def test_everything_in_a_constant_can_be_reached(value: Any) -> None:
    shape = shape_of(value)
    for path in paths_of(value):
        assert not isinstance(find(shape, path), Missing)


@given(values, values)
def test_everything_in_either_of_two_values_can_be_reached(first: Any, second: Any) -> None:
    shape = either([shape_of(first), shape_of(second)])
    for value in (first, second):
        for path in paths_of(value):
            assert path == [] or value is None or not isinstance(find(shape, path), Missing)


@pytest.mark.parametrize("path", ["b", "a.b.x", "l.name", "t.x", "n.x", "0"])
def test_what_a_constant_does_not_have_cannot_be_reached(path: str) -> None:
    assert not reachable(shape_of({"a": {"b": 1}, "l": [1], "t": "text", "n": 2}), path)


def test_the_first_missing_part_is_named() -> None:
    missing = find(shape_of({"a": {"b": 1}}), ["a", "c", "d"])
    assert isinstance(missing, Missing)
    assert (missing.depth, missing.name, sorted(missing.inside.fields)) == (1, "c", ["b"])


def test_methods_that_templates_allow_are_no_fields() -> None:
    shape = shape_of({"t": "x", "l": [1], "o": {"a": 1}})
    assert reachable(shape, "t.strip")
    assert reachable(shape, "o.items")
    assert not reachable(shape, "t.format")
    assert not reachable(shape, "l.append")


PERSON: dict[str, Any] = {"type": "object", "properties": {"name": {"type": "string"}}}


@pytest.mark.parametrize(
    ("schema", "inside", "outside"),
    [
        (PERSON, ["name", "name.upper"], ["nam", "name.x"]),
        ({**PERSON, "additionalProperties": True}, ["name", "other"], ["name.x"]),
        ({**PERSON, "additionalProperties": False}, ["name"], ["other"]),
        ({**PERSON, "patternProperties": {"^x": True}}, ["name", "x1"], []),
        ({"properties": {"a": {}}}, ["a.b.c"], ["b"]),
        ({"type": "object"}, ["anything.at.all"], []),
        ({"type": "object", "additionalProperties": False}, [], ["x"]),
        ({"type": ["object", "null"], "properties": {"a": {}}}, ["a"], ["b"]),
        ({"type": ["object", "string"], "properties": {"a": {}}}, ["a", "b"], []),
        ({"type": "array", "items": PERSON}, ["0.name", "-1.name"], ["0.x", "name"]),
        ({"type": "array", "prefixItems": [PERSON]}, ["0.x"], ["name"]),
        ({"anyOf": [PERSON, {"type": "null"}]}, ["name"], ["x"]),
        ({"oneOf": [PERSON, {"properties": {"age": {}}}]}, ["name", "age"], ["x"]),
        ({"anyOf": [PERSON, {"type": "string"}]}, ["name", "x"], []),
        ({"allOf": [PERSON, {"properties": {"age": {}}}]}, ["name", "age"], ["x"]),
        ({"$ref": "#/$defs/p", "$defs": {"p": PERSON}}, ["name"], ["x"]),
        ({"$ref": "https://example.org/s"}, ["x"], []),
        ({"$ref": "#/$defs/none"}, ["x"], []),
        ({"const": {"a": 1}}, ["a"], ["b"]),
        ({"enum": ["a", "b"]}, ["upper"], ["x"]),
        ({"type": "integer"}, [], ["x"]),
        ({}, ["x.y"], []),
    ],
)
def test_a_schema_says_what_can_be_reached(
    schema: dict[str, Any], inside: list[str], outside: list[str]
) -> None:
    shape = shape_of_schema(schema)
    assert [path for path in inside if not reachable(shape, path)] == []
    assert [path for path in outside if reachable(shape, path)] == []


def test_a_schema_that_contains_itself_is_followed_only_once_around() -> None:
    node: JsonObject = {"type": "object", "properties": {"next": {"$ref": "#"}, "value": {}}}
    shape = shape_of_schema(node)
    assert reachable(shape, "next.next.next.value")
    assert not reachable(shape, "next.vlaue")
    assert shape_of_schema({"$ref": "#"}) == ANY


schemas: st.SearchStrategy[Any] = st.recursive(
    st.sampled_from(
        [True, False, None, 1, "x", {}, {"type": "string"}, {"$ref": "#"}, {"enum": []}]
    ),
    lambda below: st.dictionaries(
        st.sampled_from(
            ["properties", "items", "anyOf", "allOf", "type", "$ref", "const", "enum", "$defs"]
        ),
        below
        | st.lists(below, max_size=2)
        | st.dictionaries(st.text(max_size=2), below, max_size=2),
        max_size=3,
    ),
    max_leaves=10,
)


@given(st.dictionaries(st.sampled_from(["properties", "anyOf", "items", "type"]), schemas))
def test_no_schema_however_odd_makes_it_fail(schema: dict[str, Any]) -> None:
    shape_of_schema(schema)
