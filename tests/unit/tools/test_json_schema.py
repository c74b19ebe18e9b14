"""Our own check agrees with the library, and its words do not depend on it."""

from __future__ import annotations

from typing import Any

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agentci.core.errors import UsageError
from agentci.tools.json_schema import describe, violations

SCALARS = st.none() | st.booleans() | st.integers(-3, 3) | st.sampled_from([0.5, 2.0, -1e300])
TEXTS = st.text("ab/~é", max_size=4)
VALUES: st.SearchStrategy[Any] = st.recursive(
    SCALARS | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=8,
)
TYPES = st.sampled_from(["array", "boolean", "integer", "null", "number", "object", "string"])


def _schemas(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.fixed_dictionaries(
        {},
        optional={
            "type": TYPES | st.lists(TYPES, min_size=1, max_size=2, unique=True),
            "properties": st.dictionaries(TEXTS, inner, max_size=3),
            "additionalProperties": st.booleans() | inner,
            "items": inner,
            "required": st.lists(TEXTS, max_size=2, unique=True),
            "enum": st.lists(VALUES, min_size=1, max_size=3),
            "const": VALUES,
            "minimum": st.integers(-2, 2),
            "maximum": st.integers(-2, 2),
            "minLength": st.integers(0, 3),
            "maxLength": st.integers(0, 3),
            "minItems": st.integers(0, 2),
            "maxItems": st.integers(0, 2),
            "description": TEXTS,
        },
    )


SCHEMAS: st.SearchStrategy[Any] = st.recursive(st.just({}), _schemas, max_leaves=6)


@settings(max_examples=300)
@given(SCHEMAS, VALUES)
def test_the_fast_check_agrees_with_the_library(schema: Any, value: Any) -> None:
    expected = jsonschema.Draft202012Validator(schema).is_valid(value)
    assert (violations(schema, value) == ()) is expected


@settings(max_examples=100)
@given(SCHEMAS, VALUES)
def test_both_ways_agree_on_the_verdict(schema: Any, value: Any) -> None:
    by_library = violations({"allOf": [{}], **schema}, value)
    assert (by_library == ()) is (violations(schema, value) == ())


def test_places_and_words() -> None:
    schema: dict[str, Any] = {
        "type": "object",
        "properties": {
            "a/b": {"type": "array", "items": {"type": ["integer", "null"]}},
            "s": {"enum": ["x", "y"]},
        },
        "required": ["s", "t"],
        "additionalProperties": False,
    }
    found = violations(schema, {"a/b": [1, "2"], "s": "z", "u": 1})
    assert describe(found) == (
        "- the value misses `t`\n"
        "- /a~1b/1 must be of type integer or null\n"
        '- /s must be one of ["x", "y"]\n'
        "- /u is not a known name here"
    )


def test_many_violations_are_cut() -> None:
    found = violations({"items": {"type": "null"}}, [1] * 13)
    assert describe(found).splitlines()[-1] == "- and 3 more"


def test_keywords_of_the_library_have_our_words() -> None:
    schema: dict[str, Any] = {
        "properties": {"a": {"pattern": "^x"}, "b": {"anyOf": [{"type": "null"}]}}
    }
    found = violations(schema, {"a": "y", "b": 1})
    assert [(item.path, item.text) for item in found] == [
        ("/a", 'must match the regular expression "^x"'),
        ("/b", 'does not satisfy `anyOf`: [{"type": "null"}]'),
    ]


def test_references_inside_the_schema_work_and_others_are_never_fetched() -> None:
    inner = {"$defs": {"n": {"type": "integer"}}, "properties": {"a": {"$ref": "#/$defs/n"}}}
    assert violations(inner, {"a": 1}) == ()
    assert violations(inner, {"a": "1"})
    for target in ("http://localhost:1/schema", "#/$defs/missing"):
        with pytest.raises(UsageError, match="leads nowhere"):
            violations({"$ref": target}, {})


def test_a_wrong_schema_is_an_error_of_the_user() -> None:
    for schema in ({"type": "text"}, {"required": "a"}, {"minLength": -1}, {"properties": 1}):
        with pytest.raises(UsageError, match="not valid"):
            violations(schema, {})
