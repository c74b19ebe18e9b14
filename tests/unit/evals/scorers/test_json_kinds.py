"""Scorers of JSON."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentci.core.errors import StepFailed, UsageError
from agentci.core.json_types import JsonValue
from agentci.evals.scorers.json_compare import Rules, TooDifferent, differences
from tests.support.scorer_services import score, services_for, subject

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.floats(-9, 9) | st.text(max_size=3),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=2), inner, max_size=3)
    ),
    max_leaves=12,
)


@pytest.mark.parametrize(
    ("expected", "answer", "options", "place"),
    [
        ({"a": 1}, '{"a": 1.0}', {}, None),
        ({"a": 1}, 'Here:\n```json\n{"a": 1}\n```\n', {}, None),
        ('{"a": [1]}', {"a": [1]}, {}, None),
        ("plain", '"plain"', {}, None),
        ({"a": 1}, {"a": True}, {}, "`/a`: expected 1, got true"),
        ({"a": 1}, {"a": "1"}, {}, '`/a`: expected 1, got "1"'),
        ({"a": 1}, {}, {}, "`/a`: expected 1, it is missing"),
        ({}, {"a": 1}, {}, "`/a`: expected nothing, got 1"),
        ({}, {"a": 1}, {"extra": True}, None),
        ({"a/b": {"c": 1}}, {"a/b": {"c": 2}}, {}, "`/a~1b/c`: expected 1, got 2"),
        ({"a/b": {"c": 1}}, {"a/b": {"c": 2}}, {"ignore": ["/a~1b/c"]}, None),
        ({"a": 1}, {"a": 1, "t": 5}, {"ignore": ["/t"]}, None),
        ({"a": 1, "t": 4}, {"a": 1}, {"ignore": ["/t"]}, None),
        ([{"t": 1, "x": 1}], [{"t": 2, "x": 1}], {"ignore": ["/*/t"]}, None),
        ([{"t": 1, "x": 1}], [{"t": 2, "x": 3}], {"ignore": ["/*/t"]}, "`/0/x`"),
        ([1, 2], [2, 1], {}, "`/0`: expected 1, got 2"),
        ([1, 2], [2, 1], {"unordered": True}, None),
        ([1, 2, 2], [2, 1, 1], {"unordered": True}, "expected 2 in the list, it is missing"),
        ([1, 2], [2], {"unordered": True}, "expected 2 items, got 1"),
        ({"a": [1, 2], "b": [1, 2]}, {"a": [2, 1], "b": [1, 2]}, {"unordered": ["/a"]}, None),
        ({"a": [1, 2], "b": [1, 2]}, {"a": [1, 2], "b": [2, 1]}, {"unordered": ["/a"]}, "`/b/0`"),
        ([[{"i": 1, "n": 5}], []], [[], [{"n": 6, "i": 1}]],
         {"unordered": True, "ignore": ["/*/*/n"]}, None),
        ([1.0, 1.1], [1.1, 1.2], {"unordered": True, "absolute": 0.15}, None),
        (1, "1.05", {"absolute": 0.1}, None),
        (100, "109", {"relative": 0.1}, None),
        (100, "120", {"relative": 0.1}, "expected 100, got 120"),
        (10**400, 10**400 + 1, {"absolute": 1}, "expected 1000"),
        ({"a": 1}, "no", {}, "the answer is no JSON value"),
        ({"a": 1}, '{"a": 1, "a": 1}', {}, "stands twice"),
        ({"a": 1}, '{"a": NaN}', {}, "no JSON number"),
        ([1], "[" * 5000 + "]" * 5000, {}, "nests too deep"),
    ],
)  # fmt: skip
def test_json_is_compared_part_by_part(
    expected: JsonValue, answer: JsonValue, options: Mapping[str, Any], place: str | None
) -> None:
    found = score("json_equal", options, subject(answer, expected))
    assert found.passed is (place is None), found
    assert (place or "") in found.explanation


def test_a_member_named_like_a_wildcard_is_no_wildcard() -> None:
    assert differences({}, {"*": 1}, Rules(ignore=("/a",)))
    assert not differences({}, {"*": 1}, Rules(ignore=("/*",)))


@given(VALUES)
def test_a_value_equals_itself_also_in_any_order(value: JsonValue) -> None:
    copy = json.loads(json.dumps(value))
    assert differences(value, copy, Rules()) == ()
    assert differences(value, copy, Rules(unordered=("**",))) == ()
    assert differences(value, copy, Rules(unordered=("**",), absolute=0.1)) == ()


@given(st.lists(VALUES, max_size=5), st.randoms(use_true_random=False))
def test_a_shuffled_list_is_equal_in_any_order(values: list[JsonValue], random: Any) -> None:
    shuffled = list(values)
    random.shuffle(shuffled)
    assert differences(values, shuffled, Rules(unordered=("**",))) == ()


def test_lists_with_nothing_in_common_are_not_paired_for_ever() -> None:
    with pytest.raises(TooDifferent):
        differences(list(range(1000)), list(range(1000, 2000)), Rules(unordered=("**",)))
    wide: JsonValue = [
        [[i * 100 + j * 10 + k for k in range(10)] for j in range(30)] for i in range(30)
    ]
    other: JsonValue = [[[-i - j - k - 1 for k in range(10)] for j in range(30)] for i in range(30)]
    with pytest.raises(TooDifferent):
        differences(wide, other, Rules(unordered=("**",), absolute=0.1))
    found = score("json_equal", {"unordered": True}, subject(list(range(500)), ["a"] * 500))
    assert "too little in common" in found.explanation


SCHEMA = {
    "type": "object",
    "properties": {"name": {"type": "string", "pattern": "^[a-z]+$"}, "n": {"minimum": 1}},
    "required": ["name"],
}


def test_a_schema_may_stand_in_a_file(tmp_path: Path) -> None:
    services = services_for(
        tmp_path, suite={"s.json": json.dumps(SCHEMA), "bad.json": "[", "l.json": "[]"}
    )
    good = score("json_schema", {"schema": "s.json"}, subject('{"name": "ab"}'), services)
    assert good.passed
    bad = score("json_schema", {"schema": "s.json"}, subject('{"name": "A", "n": 0}'), services)
    assert bad.explanation == "`/n` must be at least 1 (and 1 more)"
    for name in ("bad.json", "l.json", "missing.json"):
        with pytest.raises(UsageError):
            score("json_schema", {"schema": name}, subject("1"), services)


def test_a_schema_is_never_fetched() -> None:
    schema = {"$ref": "http://127.0.0.1:9/schema.json"}
    with pytest.raises(UsageError, match="leads nowhere"):
        score("json_schema", {"schema": schema}, subject("1"))


def test_a_wrong_schema_with_expressions_is_told_from_the_other_process() -> None:
    with pytest.raises(UsageError, match="not valid") as caught:
        score("json_schema", {"schema": {"type": 1, "pattern": "a"}}, subject('"a"'))
    assert caught.value.code == "ACI-U147"


def test_an_expression_of_a_schema_that_never_ends_is_an_error(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("agentci.evals.scorers.schema_process.SECONDS", 2.0)
    with pytest.raises(StepFailed) as caught:
        score(
            "json_schema", {"schema": {"pattern": "^(a+)+$"}}, subject(json.dumps("a" * 40 + "b"))
        )
    assert caught.value.code == "ACI-S503"
