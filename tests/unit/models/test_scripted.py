"""Scripted replies: which rule applies, and what a reply becomes."""

from __future__ import annotations

import json
from typing import Any

import pytest

from agentci.core.digest import digest_bytes
from agentci.core.errors import ProviderError, SpecError
from agentci.core.lane import Lane
from agentci.core.messages import (
    BlobPart,
    FinishReason,
    Message,
    ModelRequest,
    ModelResponse,
    TextPart,
    ThinkingPart,
    ToolCallPart,
    ToolDefinition,
    ToolResultPart,
    Usage,
)
from agentci.core.wire import WireResponse
from agentci.models.providers.scripted import DIALECT, response_json
from agentci.models.scripted import reply
from agentci.spec.script import Script, read_script

LANE = Lane("fix[2]/code/coder")


def script(*rules: dict[str, Any]) -> Script:
    document = {"format": "agentci/script", "version": 1, "rules": rules}
    return read_script(json.dumps(document).encode(), "script.yaml")


def request(*texts: str, system: str = "", model: str = "m-1") -> ModelRequest:
    """A conversation in which user and assistant speak in turns."""
    messages = tuple(
        Message("assistant" if index % 2 else "user", (TextPart(text),))
        for index, text in enumerate(texts)
    )
    return ModelRequest(model, messages, system=system)


def text(rules: Script, asked: ModelRequest, lane: Lane | None = LANE) -> str:
    return reply(rules, asked, lane).message.text


def test_the_first_rule_that_applies_gives_the_answer() -> None:
    rules = script(
        {"when": {"last_contains": "two"}, "reply": {"text": "second"}},
        {"reply": {"text": "default"}},
        {"reply": {"text": "never"}},
    )
    assert text(rules, request("one two")) == "second"
    assert text(rules, request("one")) == "default"


@pytest.mark.parametrize(
    ("when", "holds"),
    [
        ({}, True),
        ({"system_contains": "review"}, True),
        ({"system_contains": ["review", "code"]}, True),
        ({"system_contains": ["review", "tests"]}, False),
        ({"first_contains": "begin"}, True),
        ({"first_contains": "end"}, False),
        ({"last_contains": "end"}, True),
        ({"last_contains": "begin"}, False),
        ({"any_contains": ["begin", "middle", "end"]}, True),
        ({"any_contains": "nowhere"}, False),
        ({"turn": 2}, True),
        ({"turn": 1}, False),
        ({"model": "m-*"}, True),
        ({"model": "n-*"}, False),
        ({"lane": "fix[2]/code/coder"}, True),
        ({"lane": "fix[*]/code/*"}, True),
        ({"lane": "fix[*]/*"}, False),
        ({"lane": "fix[*]/**"}, True),
        ({"lane": "**"}, True),
        ({"lane": "fix?2]/code/coder"}, False),
        ({"turn": 2, "lane": "other"}, False),
    ],
)
def test_conditions(when: dict[str, Any], *, holds: bool) -> None:
    rules = script({"when": when, "reply": {"text": "yes"}}, {"reply": {"text": "no"}})
    asked = request("begin", "middle", "end", system="review the code")
    assert text(rules, asked) == ("yes" if holds else "no")


def test_a_lane_condition_never_holds_where_the_lane_is_not_known() -> None:
    rules = script({"when": {"lane": "**"}, "reply": {"text": "a"}}, {"reply": {"text": "b"}})
    assert text(rules, request("x"), None) == "b"


def test_tool_results_count_as_the_last_message() -> None:
    rules = script({"when": {"last_contains": "3 passed"}, "reply": {"text": "good"}})
    call = ToolCallPart("c1", "run", {})
    messages = (
        Message("user", (TextPart("go"),)),
        Message("assistant", (call,)),
        Message("tool", (ToolResultPart("c1", "run", "3 passed"),)),
    )
    assert text(rules, ModelRequest("m", messages)) == "good"


def test_replies_go_by_turn_and_then_the_rule_no_longer_applies() -> None:
    rules = script(
        {"replies": [{"text": "one"}, {"text": "two"}]}, {"reply": {"text": "after that"}}
    )
    assert text(rules, request("a")) == "one"
    assert text(rules, request("a", "one", "b")) == "two"
    assert text(rules, request("a", "one", "b", "two", "c")) == "after that"


def test_no_rule_is_an_error_that_says_what_was_asked() -> None:
    rules = script({"when": {"turn": 9}, "reply": {"text": "x"}})
    with pytest.raises(
        SpecError, match="turn 1 of model `m-1`; the last message is `hello you`"
    ) as e:
        reply(rules, request("hello\n you"), LANE)
    assert e.value.location is not None
    assert e.value.location.lane == LANE


def test_json_becomes_the_text() -> None:
    answer = reply(script({"reply": {"json": {"b": [1, None], "a": "é"}}}), request("x"), LANE)
    assert json.loads(answer.message.text) == {"b": [1, None], "a": "é"}
    assert answer.finish_reason is FinishReason.STOP
    null = reply(script({"reply": {"json": None}}), request("x"), LANE)
    assert null.message.text == "null"


def test_tool_calls_get_ids_that_depend_on_the_request_alone() -> None:
    rules = script(
        {
            "reply": {
                "text": "so",
                "tool_calls": [{"name": "a", "arguments": {"x": 1}}, {"name": "b"}],
            }
        }
    )
    first, again = (reply(rules, request("x"), LANE) for _ in range(2))
    other = reply(rules, request("y"), LANE)
    assert first == again
    assert first.finish_reason is FinishReason.TOOL_CALLS
    assert [call.name for call in first.message.tool_calls] == ["a", "b"]
    ids = {call.id for answer in (first, other) for call in answer.message.tool_calls}
    assert len(ids) == 4


def test_thinking_comes_first() -> None:
    answer = reply(script({"reply": {"thinking": "hm", "text": "yes"}}), request("x"), LANE)
    assert answer.message.parts == (ThinkingPart("hm"), TextPart("yes"))


def test_a_finish_reason_can_be_given() -> None:
    answer = reply(script({"reply": {"text": "no", "finish": "refused"}}), request("x"), LANE)
    assert answer.finish_reason is FinishReason.REFUSED


def test_usage_is_an_estimate_or_what_the_script_says() -> None:
    asked = request("12345678", system="1234")
    estimated = reply(script({"reply": {"text": "12345"}}), asked, LANE).usage
    assert estimated == Usage(3, 2, 0, 1)
    given = {"text": "x", "usage": {"input": 100, "output": 7, "cached": 50}}
    assert reply(script({"reply": given}), asked, LANE).usage == Usage(100, 7, 50, 1)


def test_streaming_does_not_change_the_answer() -> None:
    rules = script({"reply": {"tool_calls": [{"name": "a"}]}})
    plain = request("x")
    streamed = ModelRequest(plain.model, plain.messages, stream=True)
    assert reply(rules, plain, LANE) == reply(rules, streamed, LANE)


@pytest.mark.parametrize(
    ("rule", "problem"),
    [
        ({"reply": {}}, "empty reply"),
        ({"reply": {"text": "a", "json": 1}}, "not both"),
        ({}, "either `reply` or `replies`"),
        ({"reply": {"text": "a"}, "replies": [{"text": "b"}]}, "either `reply` or `replies`"),
        ({"replies": []}, "either `reply` or `replies`"),
        ({"reply": {"txt": "a"}}, "txt"),
        ({"reply": {"text": "a"}, "when": {"turn": 0}}, "at least 1"),
        ({"reply": {"text": 5}}, "text"),
    ],
)
def test_a_wrong_script_is_refused(rule: dict[str, Any], problem: str) -> None:
    with pytest.raises(SpecError, match=problem):
        script(rule)


def test_a_script_says_where_it_is_wrong() -> None:
    data = b"format: agentci/script\nversion: 1\nrules:\n  - reply: {text: a}\n  - replay: {}\n"
    with pytest.raises(SpecError) as caught:
        read_script(data, "replies.yaml")
    places = {str(problem.location) for problem in caught.value.problems}
    assert any(place.startswith("replies.yaml:5:") for place in places)


def response() -> ModelResponse:
    parts = (
        ThinkingPart("hm", "sig"),
        ThinkingPart("hm"),
        TextPart("a\nb"),
        ToolCallPart("c1", "run", {"x": [1]}),
    )
    return ModelResponse(Message("assistant", parts), FinishReason.STOP, Usage(3, 4, 1, 1), "m")


def test_an_answer_survives_its_recording() -> None:
    body = json.dumps(response_json(response())).encode()
    assert DIALECT.decode(WireResponse(200, {}, (body,))) == response()


@pytest.mark.parametrize(
    "body", [b"", b"{}", b"[]", b"null", b'{"usage": 1}', b'{"usage": {}, "message": {}}']
)
def test_a_damaged_recording_is_named(body: bytes) -> None:
    with pytest.raises(ProviderError, match="damaged"):
        DIALECT.decode(WireResponse(200, {}, (body,)))


def test_the_whole_request_is_on_the_wire_but_not_the_bytes_of_blobs() -> None:
    digest = digest_bytes(b"png")
    asked = ModelRequest(
        "m",
        (
            Message("user", (TextPart("look"), BlobPart("image", "image/png", digest, "a.png"))),
            Message("assistant", (ToolCallPart("c1", "run", {"x": 1}),)),
            Message("tool", (ToolResultPart("c1", "run", "ok"),)),
        ),
        system="be good",
        tools=(ToolDefinition("run", "runs", {"type": "object"}),),
        parameters={"temperature": 0},
        seed=5,
        output_schema={"type": "object"},
    )
    body = DIALECT.encode(asked, lambda _digest: pytest.fail("blobs are not read")).body
    assert set(body) == {
        "model", "messages", "system", "tools", "parameters", "seed", "output_schema"
    }  # fmt: skip
    assert digest in json.dumps(body)
