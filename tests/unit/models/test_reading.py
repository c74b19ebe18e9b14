from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentci.core.canonical import canonical_bytes
from agentci.core.errors import ProviderError
from agentci.core.wire import WireResponse
from agentci.models import reading
from agentci.models.dialect import UNPARSED_ARGUMENTS
from agentci.models.reading import Node


def _response(body: bytes, status: int = 400, kind: str = "application/json") -> WireResponse:
    return WireResponse(status, {"content-type": kind}, (body,))


def test_missing_and_null_are_the_same() -> None:
    for value in ({}, {"a": None}):
        node = Node(value).child("a")
        assert not node.present
        assert (node.text(), node.count(), node.items(), node.object()) == ("", 0, (), {})
        assert not node.child("b").child("c").present


@pytest.mark.parametrize(
    ("value", "method", "wanted"),
    [
        ([], "object", "an object"),
        ("text", "items", "a list"),
        ({}, "items", "a list"),
        (7, "text", "a text"),
        (True, "count", "a number"),
        (-1, "count", "a number of tokens"),
        (1e300, "count", "a number of tokens"),
    ],
)
def test_a_value_of_another_type_is_named_with_its_place(
    value: Any, method: str, wanted: str
) -> None:
    node = Node({"list": [value]}).child("list").items()[0]
    with pytest.raises(ProviderError) as caught:
        getattr(node, method)()
    assert f"`answer.list[0]` is `{json.dumps(value)}`, not {wanted}" in caught.value.message
    assert caught.value.code == "ACI-E111"


@pytest.mark.parametrize(
    ("body", "text"),
    [
        ({"error": {"message": "bad key", "type": "auth_error"}}, "bad key (auth_error)"),
        ({"error": {"message": "no quota", "code": 429, "status": "EXHAUSTED"}}, "(EXHAUSTED)"),
        ([{"error": {"message": "in a list"}}], "in a list"),
        ({"error": "model not found"}, "model not found"),
        ({"object": "error", "message": "flat", "type": "x"}, "flat (x)"),
        ({"detail": [{"loc": ["body"], "msg": "field required"}]}, "field required"),
        ({"type": "error", "error": {"type": "overloaded_error", "message": "Busy"}}, "Busy"),
        ({"something": "else"}, '{"something": "else"}'),
        ("just text", "just text"),
        ({}, "{}"),
        (None, "no explanation"),
    ],
)
def test_the_reason_is_found_in_every_error_shape(body: Any, text: str) -> None:
    assert text in reading.error_text(_response(json.dumps(body).encode()))


def test_the_reason_is_found_in_a_stream_and_in_html() -> None:
    stream = b'event: error\ndata: {"error": {"message": "in a stream"}}\n\n'
    assert reading.error_text(_response(stream, kind="text/event-stream")) == "in a stream"
    page = b"<html>\n <h1>502\n Bad Gateway</h1></html>"
    shown = "<html> <h1>502 Bad Gateway</h1></html>"
    assert reading.error_text(_response(page, kind="text/html")) == shown
    assert reading.error_text(_response(b"")) == "no explanation"


@given(body=st.binary(max_size=50) | st.text(max_size=2000).map(lambda t: json.dumps(t).encode()))
def test_an_error_text_is_one_short_line_that_can_be_printed(body: bytes) -> None:
    text = reading.error_text(_response(body))
    assert text
    assert len(text) <= 500
    assert "\n" not in text
    text.encode()


@pytest.mark.parametrize(
    ("text", "arguments"),
    [
        ('{"a": 1}', {"a": 1}),
        ("", {}),
        (" ", {}),
        ("null", {}),
        ("[1]", {UNPARSED_ARGUMENTS: "[1]"}),
        ('{"a": ', {UNPARSED_ARGUMENTS: '{"a": '}),
        ('{"a": NaN}', {UNPARSED_ARGUMENTS: '{"a": NaN}'}),
        ('{"a": 1e999}', {UNPARSED_ARGUMENTS: '{"a": 1e999}'}),
        ('{"a": "\\ud800"}', {"a": "\N{REPLACEMENT CHARACTER}"}),
        ('{"a": "\\ud83d\\ude00"}', {"a": "\N{GRINNING FACE}"}),
    ],
)
def test_arguments_are_an_object_or_the_text_that_is_none(text: str, arguments: Any) -> None:
    assert reading.read_arguments(text) == arguments


@given(st.text() | st.recursive(st.none() | st.floats(), st.lists).map(json.dumps))
def test_arguments_can_always_be_written_again(text: str) -> None:
    read = reading.read_arguments(text.encode("utf-8", "replace").decode())
    assert canonical_bytes(read)


def test_deep_arguments_are_not_parsed() -> None:
    for depth in (300, 100_000):
        text = '{"a":' * depth + "1" + "}" * depth
        assert reading.read_arguments(text) == {UNPARSED_ARGUMENTS: text}


def test_surrogates_that_a_stream_cut_apart_are_joined() -> None:
    def assemble(events: Any) -> Node:
        return Node({"text": "".join(event.child("t").text() for event in events)})

    body = b'data: {"t": "\\ud83d"}\n\ndata: {"t": "\\ude00 \\uDBFF"}\n\n'
    answer = reading.read_answer(_response(body, 200, "text/event-stream"), assemble)
    assert answer.child("text").text() == "\N{GRINNING FACE} \N{REPLACEMENT CHARACTER}"


def test_a_made_up_call_id_depends_on_the_answer_alone() -> None:
    first = reading.synthetic_call_id("r1", 0, "clock", {})
    assert first == reading.synthetic_call_id("r1", 0, "clock", {})
    assert reading.is_synthetic(first)
    others = {
        reading.synthetic_call_id("r2", 0, "clock", {}),
        reading.synthetic_call_id("r1", 1, "clock", {}),
        reading.synthetic_call_id("r1", 0, "weather", {}),
        reading.synthetic_call_id("r1", 0, "clock", {"a": 1}),
    }
    assert len(others - {first}) == 4
