"""A delta stores what is new and gives back exactly the request."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agentci.core.canonical import canonical_bytes
from agentci.core.json_types import JsonObject, JsonValue
from agentci.record.delta import Delta, arrange, restore, shrink
from tests.support.recordings import request_of, user


def test_a_turn_stores_only_its_new_messages() -> None:
    first = request_of(user("one " * 80))
    second = request_of(user("one " * 80), user("two"), user("three"))
    delta = shrink(second, first)
    assert delta == Delta({"body": {"messages": [user("two"), user("three")]}}, {"messages": 2})
    assert restore(delta, first) == second


def test_true_and_one_are_never_taken_for_each_other() -> None:
    one = request_of(user("x" * 400), flag=1, items=[1, {"a": 1}])
    true = request_of(user("x" * 400), flag=True, items=[True, {"a": True}])
    delta = shrink(true, one)
    assert delta is not None
    assert canonical_bytes(restore(delta, one)) == canonical_bytes(true)


def test_what_saves_nothing_is_stored_whole() -> None:
    assert shrink({"body": {"a": 1}}, {"body": {"b": 2}}) is None
    assert shrink({"tool": "t", "arguments": {}}, {"tool": "u", "arguments": {}}) is None


def test_a_delta_to_the_wrong_parent_is_refused() -> None:
    with pytest.raises(ValueError, match="does not have"):
        restore(Delta({}, {"messages": 9}), request_of())


values: st.SearchStrategy[JsonValue] = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(0, 2), st.sampled_from(["a", "long " * 50])),
    lambda inner: st.one_of(
        st.lists(inner, max_size=4), st.dictionaries(st.sampled_from("abc"), inner, max_size=3)
    ),
    max_leaves=8,
)
requests = st.dictionaries(
    st.sampled_from(["method", "body", "tool"]),
    st.one_of(values, st.dictionaries(st.sampled_from(["messages", "tools", "x"]), values)),
)


@given(requests, requests)
@settings(max_examples=400, deadline=None)
def test_any_delta_gives_back_exactly_the_request(request: JsonObject, parent: JsonObject) -> None:
    for one, other in ((request, parent), (request, {**request, **parent}), (request, request)):
        delta = shrink(one, other)
        if delta is not None:
            assert canonical_bytes(restore(delta, other)) == canonical_bytes(one)


@given(values)
def test_arranging_changes_the_order_of_keys_only_and_always_to_the_same(value: JsonValue) -> None:
    assert canonical_bytes(arrange(value)) == canonical_bytes(value)
    assert str(arrange(arrange(value))) == str(arrange(value))
