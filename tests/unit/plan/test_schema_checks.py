"""Mistakes in JSON Schemas, compared with a full validator of the meta-schema."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from agentci.plan.schema_checks import schema_mistakes

BAD: list[tuple[dict[str, Any], str]] = [
    ({"type": "strng"}, "no type `strng`"),
    ({"type": []}, "a name or a list"),
    ({"type": 5}, "a name or a list"),
    ({"properties": []}, "`properties` is a mapping"),
    ({"properties": {"a": 5}}, "a schema is a mapping"),
    ({"properties": {"a": {"items": {"type": "x"}}}}, "no type `x`"),
    ({"items": [{"type": "string"}]}, "a schema is a mapping"),
    ({"required": "a"}, "`required` is a list"),
    ({"required": [1]}, "`required` is a list"),
    ({"enum": "a"}, "`enum` is a list"),
    ({"pattern": "("}, "not a regular expression"),
    ({"pattern": 5}, "a pattern is a text"),
    ({"patternProperties": {"(": {}}}, "not a regular expression"),
    ({"minLength": -1}, "whole number"),
    ({"maxItems": "3"}, "whole number"),
    ({"maximum": "3"}, "is a number"),
    ({"anyOf": []}, "list of schemas"),
    ({"allOf": {}}, "list of schemas"),
    ({"$defs": {"a": {"type": "x"}}}, "no type `x`"),
    ({"$ref": 5}, "`$ref` is a text"),
]
STRICTER: list[tuple[dict[str, Any], str]] = [
    ({"$ref": "#/$defs/none"}, "leads to nothing"),
    ({"$ref": "other.json"}, "leads out of this schema"),
    (
        {"required": ["a"], "properties": {"b": {}}, "additionalProperties": False},
        "required and not allowed",
    ),
]
GOOD: list[dict[str, Any]] = [
    {},
    {"type": ["object", "null"], "properties": {"a": True}, "required": ["a", "b"]},
    {"$defs": {"a/b": {"type": "string"}}, "$ref": "#/$defs/a~1b"},
    {"anyOf": [{"const": 1}, {"enum": [1, None]}], "minimum": 1.5, "minLength": 0},
    {"prefixItems": [{"type": "string"}], "items": False, "x-note": ["unknown keywords are fine"]},
    {"$ref": "#/prefixItems/0", "prefixItems": [{}]},
]


@pytest.mark.parametrize(("schema", "words"), [*BAD, *STRICTER])
def test_a_mistake_is_found(schema: dict[str, Any], words: str) -> None:
    (mistake,) = schema_mistakes(schema)
    assert words in mistake.message


@pytest.mark.parametrize("schema", GOOD)
def test_a_good_schema_has_no_mistakes(schema: dict[str, Any]) -> None:
    Draft202012Validator.check_schema(schema)
    assert schema_mistakes(schema) == ()


words = st.sampled_from(["string", "object", "integer", "strng", "", "a"])
odd = st.none() | st.booleans() | st.integers(-2, 3) | words
keywords = st.sampled_from(
    [
        "type", "properties", "items", "required", "enum", "minLength", "maximum", "anyOf", "not",
        "$defs", "additionalProperties", "const", "pattern", "prefixItems", "title",
    ]
)  # fmt: skip
documents = st.recursive(
    odd,
    lambda below: (
        st.lists(below, max_size=3)
        | st.dictionaries(keywords, below, max_size=3)
        | st.dictionaries(words, below, max_size=2)
    ),
    max_leaves=10,
)


@given(st.dictionaries(keywords, documents, max_size=4))
def test_what_passes_here_passes_the_meta_schema_and_the_other_way_round(
    schema: dict[str, Any],
) -> None:
    ours = [m for m in schema_mistakes(schema) if "required and not" not in m.message]
    accepted = Draft202012Validator(Draft202012Validator.META_SCHEMA).is_valid(schema)
    assert accepted == (not ours) or _only_checked_there(schema)


def _only_checked_there(schema: Any) -> bool:
    """Annotations, and lists that repeat an entry, make no difference to an answer."""
    if isinstance(schema, dict):
        for keyword in ("required", "type"):
            entries = schema.get(keyword)
            if isinstance(entries, list) and len({str(e) for e in entries}) != len(entries):
                return True
        if "title" in schema and not isinstance(schema["title"], str):
            return True
        return any(_only_checked_there(item) for item in schema.values())
    return isinstance(schema, list) and any(_only_checked_there(item) for item in schema)
