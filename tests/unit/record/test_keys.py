"""A key covers the whole request; only the random ids of tool calls do not matter."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentci.core.json_types import JsonObject, JsonValue
from agentci.core.wire import WireRequest
from agentci.record.keys import canonical_request, interaction_key, rename_call_ids


def chat(call: str = "call_a", other: str = "call_b") -> dict[str, Any]:
    return {
        "model": "m",
        "temperature": 0,
        "tools": [{"type": "function", "function": {"name": "f", "parameters": {"id": "int"}}}],
        "messages": [
            {"role": "system", "content": "s"},
            {"role": "user", "content": [{"type": "text", "text": f"see {call}"[:3]}]},
            {
                "role": "assistant",
                "content": None,
                "tool_calls": [
                    {"id": call, "type": "function", "function": {"name": "f", "arguments": "{}"}},
                    {"id": other, "type": "function", "function": {"name": "f", "arguments": "1"}},
                ],
            },
            {"role": "tool", "tool_call_id": call, "content": "1"},
            {"role": "tool", "tool_call_id": other, "content": "2"},
        ],
    }


def responses(call: str = "call_a", other: str = "fc_1") -> dict[str, Any]:
    return {
        "model": "m",
        "input": [
            {"type": "message", "role": "user", "content": "q"},
            {"type": "function_call", "id": other, "call_id": call, "name": "f", "arguments": "{}"},
            {"type": "function_call_output", "call_id": call, "output": "1"},
        ],
    }


def anthropic(call: str = "toolu_a", other: str = "toolu_b") -> dict[str, Any]:
    return {
        "model": "m",
        "messages": [
            {"role": "user", "content": "q"},
            {
                "role": "assistant",
                "content": [
                    {"type": "text", "text": "t", "id": "kept"},
                    {"type": "tool_use", "id": call, "name": "f", "input": {"id": "x"}},
                    {"type": "server_tool_use", "id": other, "name": "web_search", "input": {}},
                    {"type": "web_search_tool_result", "tool_use_id": other, "content": []},
                ],
            },
            {"role": "user", "content": [{"type": "tool_result", "tool_use_id": call}]},
        ],
    }


def gemini(call: str = "a", other: str = "b") -> dict[str, Any]:
    return {
        "contents": [
            {"role": "user", "parts": [{"text": "q"}]},
            {"role": "model", "parts": [
                {"functionCall": {"id": call, "name": "f", "args": {"id": 1}}},
                {"functionCall": {"id": other, "name": "f", "args": {"id": 2}}}]},
            {"role": "user", "parts": [
                {"functionResponse": {"id": call, "name": "f", "response": {"id": call[:0]}}},
                {"functionResponse": {"id": other, "name": "f", "response": {}}}]},
        ]
    }  # fmt: skip


SHAPES = [chat, responses, anthropic, gemini]


def key(body: JsonObject) -> str:
    return interaction_key(canonical_request("d/1", WireRequest("POST", "/p", body)))


@pytest.mark.parametrize("shape", SHAPES)
def test_other_call_ids_give_the_same_key(shape: Any) -> None:
    assert key(shape()) == key(shape("zzz", "yyy"))


@pytest.mark.parametrize("shape", SHAPES)
def test_which_call_a_result_belongs_to_is_part_of_the_key(shape: Any) -> None:
    assert key(shape("one", "two")) != key(shape("one", "one"))


@pytest.mark.parametrize("shape", SHAPES)
def test_the_body_itself_is_not_changed(shape: Any) -> None:
    body = shape()
    before = copy.deepcopy(body)
    rename_call_ids(body)
    assert body == before


def leaves(value: JsonValue, path: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    if isinstance(value, dict):
        for name, item in value.items():
            yield from leaves(item, (*path, name))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from leaves(item, (*path, index))
    else:
        yield path


def at(value: Any, path: tuple[str | int, ...]) -> Any:
    for part in path:
        value = value[part]
    return value


IDS = {"call_id", "tool_call_id", "tool_use_id", "id"}


@pytest.mark.parametrize("shape", SHAPES)
def test_every_other_value_is_part_of_the_key(shape: Any) -> None:
    original = key(shape())
    mutated = 0
    for path in leaves(shape()):
        body = shape()
        holder = at(body, path[:-1])
        is_id = path[-1] in IDS and holder.get("type") != "text"
        if is_id and not {"args", "input", "response", "parameters"} & set(path[1:]):
            continue
        holder[path[-1]] = "changed"
        assert key(body) != original, path
        mutated += 1
    assert mutated >= 5


@pytest.mark.parametrize("shape", SHAPES)
def test_a_field_more_or_less_changes_the_key_and_the_order_of_fields_does_not(shape: Any) -> None:
    body = shape()
    assert key({**body, "top_p": 1}) != key(body)
    assert key(dict(reversed(list(body.items())))) == key(body)
    for name in body:
        assert key({k: v for k, v in body.items() if k != name}) != key(body)


def test_method_path_and_dialect_are_part_of_the_key() -> None:
    base = interaction_key(canonical_request("d/1", WireRequest("POST", "/p", {})))
    assert base != interaction_key(canonical_request("d/2", WireRequest("POST", "/p", {})))
    assert base != interaction_key(canonical_request("d/1", WireRequest("POST", "/q", {})))
    assert base != interaction_key(canonical_request("d/1", WireRequest("GET", "/p", {})))


def test_headers_are_no_part_of_the_request() -> None:
    wire = WireRequest("POST", "/p", {"a": 1}, headers={"authorization": "x"})
    assert canonical_request("d/1", wire) == canonical_request(
        "d/1", WireRequest("POST", "/p", {"a": 1})
    )


def test_an_id_in_a_text_is_left_alone() -> None:
    body = chat("call_a")
    body["messages"][0]["content"] = "the call call_a"
    assert rename_call_ids(body)["messages"][0] == {"role": "system", "content": "the call call_a"}  # type: ignore[index]  # JSON


def test_a_pointer_to_stored_state_is_never_renamed() -> None:
    one = {"input": [{"type": "item_reference", "id": "msg_1"}]}
    assert key(one) != key({"input": [{"type": "item_reference", "id": "msg_2"}]})


def test_true_and_one_are_different_requests() -> None:
    assert key({"stream": True}) != key({"stream": 1})


@given(
    st.recursive(
        st.one_of(st.none(), st.text(max_size=3), st.integers()),
        lambda inner: st.one_of(
            st.lists(inner, max_size=3),
            st.dictionaries(
                st.sampled_from(
                    ["messages", "input", "contents", "content", "parts", "tool_calls", "id",
                     "call_id", "type", "tool_use_id", "tool_call_id", "functionCall"]
                ),
                inner,
                max_size=4,
            ),
        ),
        max_leaves=15,
    )
)  # fmt: skip
def test_any_shape_is_taken_and_renaming_twice_changes_nothing(value: Any) -> None:
    body = {"messages": value, "input": value, "contents": value}
    once = rename_call_ids(body)
    assert rename_call_ids(once) == once
