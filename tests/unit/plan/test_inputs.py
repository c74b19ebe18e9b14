"""Inputs: given values and defaults, by type."""

from __future__ import annotations

from typing import Any

import pytest

from agentci.core.errors import UsageError
from agentci.plan.inputs import bind_inputs, has_type, parse_input
from tests.support.bundles import bundle_of

SPEC = bundle_of(
    """
    inputs:
      task: {}
      count: {type: integer, default: 3}
      ratio: {type: number, default: 0.5}
      fast: {type: boolean, default: false}
      names: {type: list, default: []}
      extra: {type: object, default: null}
    steps: [{id: a, run: [x]}]
    """
).spec


def test_defaults_fill_in_what_is_not_given_in_the_order_of_the_definition() -> None:
    assert list(bind_inputs(SPEC, {"count": 1, "task": "x"}).items()) == [
        ("task", "x"),
        ("count", 1),
        ("ratio", 0.5),
        ("fast", False),
        ("names", []),
        ("extra", None),
    ]


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({}, "needs the input `task`"),
        ({"task": "x", "cuont": 1}, "has no input `cuont`"),
        ({"task": 1}, "must be a string"),
        ({"task": "x", "count": 1.5}, "must be an integer"),
        ({"task": "x", "count": True}, "must be an integer"),
        ({"task": "x", "fast": 1}, "must be a boolean"),
        ({"task": "x", "names": "a"}, "must be a list"),
        ({"task": "x", "extra": []}, "must be an object"),
    ],
)
def test_what_does_not_fit_is_refused(given: dict[str, Any], words: str) -> None:
    with pytest.raises(UsageError, match=words) as caught:
        bind_inputs(SPEC, given)
    assert caught.value.hint


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("task", "3", "3"),
        ("count", "3", 3),
        ("fast", "true", True),
        ("names", '["a"]', ["a"]),
        ("extra", "{}", {}),
    ],
)
def test_text_is_read_by_the_type_of_the_input(name: str, text: str, value: object) -> None:
    assert parse_input(SPEC, name, text) == value


@pytest.mark.parametrize(("name", "text"), [("count", "three"), ("nope", "1"), ("names", "[")])
def test_text_that_cannot_be_read_is_refused(name: str, text: str) -> None:
    with pytest.raises(UsageError):
        parse_input(SPEC, name, text)


def test_a_boolean_is_not_a_number_and_an_integer_is_one() -> None:
    assert not has_type(value=True, wanted="integer")
    assert not has_type(value=1, wanted="boolean")
    assert has_type(value=1, wanted="number")
