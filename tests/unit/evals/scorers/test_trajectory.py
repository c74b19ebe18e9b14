"""The scorer of tool calls."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import permutations
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentci.core.errors import UsageError
from agentci.evals.case import ToolUse
from agentci.evals.scorers.pairing import largest_pairing
from tests.support.scorer_services import score, subject


def _use(name: str, lane: str = "code/coder", *, failed: bool = False, **arguments: Any) -> ToolUse:
    return ToolUse(name, arguments, lane, failed)


CALLS = (
    _use("search", query="total", path="src"),
    _use("read", path="a.py", lane="code[2]/coder"),
    _use("edit", path="a.py", change={"old": "x", "new": "y"}),
    _use("read", path="b.py", failed=True),
)


@pytest.mark.parametrize(
    ("options", "value"),
    [
        ({"required": ["read", "search"]}, 1),
        ({"required": ["read", "read"]}, 1),
        ({"required": ["read", "read", "read"]}, 2 / 3),
        ({"required": ["read", "search"], "order": "in_order"}, 0.5),
        ({"required": ["search", "edit", "read"], "order": "in_order"}, 1),
        ({"required": ["edit", "search", "read", "edit"], "order": "in_order"}, 0.75),
        ({"required": ["search", "read", "edit", "read"], "order": "exact"}, 1),
        ({"required": ["search", "read", "edit"], "order": "exact"}, 0.75),
        ({"required": [], "order": "exact"}, 0),
        ({"required": ["read"], "succeeded": True}, 1),
        ({"required": ["read", "read"], "succeeded": True}, 0.5),
        ({"required": [{"name": "search", "arguments": {"path": "src"}}]}, 1),
        ({"required": [{"name": "search", "arguments": {"path": "lib"}}]}, 0),
        ({"required": [{"name": "edit", "arguments": {"change": {"old": "x"}}}]}, 1),
        ({"required": [{"name": "read", "arguments": {"path": "a.py"}, "match": "exact"}]}, 1),
        ({"required": [{"name": "search", "arguments": {"path": "src"}, "match": "exact"}]}, 0),
        ({"required": [{"name": "read", "arguments": {"path": r"^b\.py$"}, "match": "regex"}]}, 1),
        ({"required": [{"name": "read", "arguments": {"p": "."}, "match": "regex"}]}, 0),
        ({"required": [{"name": "edit", "arguments": {"change": '"new"'}, "match": "regex"}]}, 1),
        # the general one must not take the only call that the special one fits
        ({"required": ["read", {"name": "read", "arguments": {"path": "a.py"}}]}, 1),
        ({"forbidden": ["delete"]}, 1),
        ({"forbidden": ["delete", "read"]}, 0.5),
        ({"forbidden": [{"name": "read", "arguments": {"path": "c.py"}}]}, 1),
        ({"min_calls": 4, "max_calls": 4}, 1),
        ({"min_calls": 5}, 0),
        ({"max_calls": 3}, 0),
        ({"max_calls": 1, "lane": "code[2]"}, 1),
        ({"max_calls": 3, "lane": "code"}, 0),
        ({"max_calls": 0, "lane": "cod"}, 1),
    ],
)  # fmt: skip
def test_value(options: Mapping[str, Any], value: float) -> None:
    found = score("trajectory", options, subject("done", trajectory=CALLS))
    assert found.value == pytest.approx(value), found
    assert found.passed is (value == 1)


def test_a_missing_call_is_told_with_those_that_came() -> None:
    options = {"required": [{"name": "run", "arguments": {"x": 1}}]}
    found = score("trajectory", options, subject("done", trajectory=CALLS))
    assert found.explanation == (
        'expected a call of `run` with {"x":1}, got `search`, `read`, `edit`, `read`'
    )


def test_nothing_expected_is_a_mistake() -> None:
    with pytest.raises(UsageError, match="give `required`"):
        score("trajectory", {}, subject("done"))


@given(st.lists(st.lists(st.booleans(), min_size=4, max_size=4), min_size=4, max_size=4))
def test_a_pairing_is_as_large_as_the_best_of_all(table: list[list[bool]]) -> None:
    pairs = largest_pairing(4, 4, lambda one, other: table[one][other])
    assert len(set(pairs.values())) == len(pairs)
    assert all(table[one][other] for one, other in pairs.items())
    best = max(sum(table[i][p[i]] for i in range(4)) for p in permutations(range(4)))
    assert len(pairs) == best
