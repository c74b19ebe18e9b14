from __future__ import annotations

from typing import Any

import pytest

from agentci.core.errors import ProviderError, UsageError
from agentci.core.messages import (
    FinishReason,
    Message,
    ModelRequest,
    TextPart,
    ThinkingPart,
    ToolCallPart,
    ToolResultPart,
)
from agentci.models.providers.anthropic_messages import DEFAULT_MAX_TOKENS, DIALECT
from tests.support.answers import json_answer, stream_answer
from tests.support.conversations import BLOBS, QUESTION, VERDICT, blob_part, user


def _body(*messages: Message, **options: Any) -> Any:
    request = ModelRequest("m", messages or (QUESTION,), **options)
    return DIALECT.encode(request, BLOBS.__getitem__).body


def _answer(*content: Any, stop: str = "end_turn") -> Any:
    return {"id": "m1", "model": "m", "content": list(content), "stop_reason": stop}


def test_there_is_always_a_limit_of_tokens() -> None:
    assert _body()["max_tokens"] == DEFAULT_MAX_TOKENS
    assert _body(parameters={"max_tokens": 7})["max_tokens"] == 7


def test_a_schema_is_not_sent_since_the_format_takes_only_strict_ones() -> None:
    assert "output_config" not in _body(output_schema=VERDICT)


def test_results_come_before_what_the_user_adds() -> None:
    message = Message("tool", (TextPart("by the way"), ToolResultPart("a", "clock", "noon")))
    content = _body(message)["messages"][0]["content"]
    assert [block["type"] for block in content] == ["tool_result", "text"]


def test_a_failure_of_a_tool_is_marked() -> None:
    failure = ToolResultPart("a", "clock", "no such clock", is_error=True)
    assert _body(Message("tool", (failure,)))["messages"][0]["content"] == [
        {
            "type": "tool_result",
            "tool_use_id": "a",
            "content": "no such clock",
            "is_error": True,
        }
    ]


def test_blocks_without_any_text_are_left_out() -> None:
    empty = Message("assistant", (TextPart("\n\n"), TextPart("")))
    assert _body(QUESTION, empty)["messages"] == [
        {"role": "user", "content": "What is the weather?"}
    ]


def test_thinking_without_text_keeps_its_signature() -> None:
    block = {"type": "thinking", "thinking": "", "signature": "EqQ="}
    message = DIALECT.decode(json_answer(_answer(block, {"type": "text", "text": "x"}))).message
    assert message.parts[0] == ThinkingPart("", "EqQ=")
    assert _body(message)["messages"][0]["content"][0] == block


def test_unsigned_thinking_is_not_sent() -> None:
    message = Message("assistant", (ThinkingPart("hm"), TextPart("x")))
    assert _body(message)["messages"] == [{"role": "assistant", "content": "x"}]


@pytest.mark.parametrize("media_type", ["image/tiff", "image/svg+xml"])
def test_an_image_of_a_type_that_the_format_does_not_know_is_refused(media_type: str) -> None:
    with pytest.raises(UsageError, match="cannot carry image parts") as caught:
        _body(user(blob_part("image", media_type, b"%PDF-1.4\n%%EOF\n")))
    assert caught.value.code == "ACI-U163"


def test_a_picture_of_the_assistant_is_refused() -> None:
    part = blob_part("image", "image/png", b"%PDF-1.4\n%%EOF\n")
    with pytest.raises(UsageError, match="role `assistant`"):
        _body(Message("assistant", (part,)))


@pytest.mark.parametrize(
    ("stop", "expected"),
    [
        ("end_turn", FinishReason.STOP),
        ("stop_sequence", FinishReason.STOP),
        ("tool_use", FinishReason.TOOL_CALLS),
        ("max_tokens", FinishReason.LENGTH),
        ("model_context_window_exceeded", FinishReason.LENGTH),
        ("refusal", FinishReason.REFUSED),
        ("pause_turn", FinishReason.OTHER),
        ("something new", FinishReason.OTHER),
    ],
)
def test_finish_reasons(stop: str, expected: FinishReason) -> None:
    assert DIALECT.decode(json_answer(_answer(stop=stop))).finish_reason is expected


def test_blocks_of_tools_that_the_server_ran_are_passed_over() -> None:
    used = {"type": "server_tool_use", "id": "s", "name": "web_search", "input": {}}
    answer = DIALECT.decode(json_answer(_answer(used, {"type": "text", "text": "x"})))
    assert answer.message.parts == (TextPart("x"),)


def _stream(*events: Any) -> Any:
    start = {"type": "message_start", "message": {"id": "m1", "model": "m", "content": []}}
    end = (
        {"type": "message_delta", "delta": {"stop_reason": "tool_use"}, "usage": {}},
        {"type": "message_stop"},
    )
    return stream_answer((start, *events, *end), named=True)


def test_an_input_that_came_whole_with_its_block_is_kept() -> None:
    block = {"type": "tool_use", "id": "a", "name": "clock", "input": {"zone": "UTC"}}
    answer = DIALECT.decode(
        _stream({"type": "content_block_start", "index": 0, "content_block": block})
    )
    assert answer.message.parts == (ToolCallPart("a", "clock", {"zone": "UTC"}),)


def test_a_delta_of_no_block_is_malformed() -> None:
    delta = {"type": "text_delta", "text": "x"}
    with pytest.raises(ProviderError, match="belongs to no content block"):
        DIALECT.decode(_stream({"type": "content_block_delta", "index": 3, "delta": delta}))


def test_what_later_versions_add_to_a_stream_is_passed_over() -> None:
    block = {"type": "text", "text": ""}
    answer = DIALECT.decode(
        _stream(
            {"type": "something_new", "x": 1},
            {"type": "content_block_start", "index": 0, "content_block": block},
            {"type": "content_block_delta", "index": 0, "delta": {"type": "new", "x": 1}},
            {
                "type": "content_block_delta",
                "index": 0,
                "delta": {"type": "text_delta", "text": "x"},
            },
        )
    )
    assert answer.message.text == "x"


def test_the_key_is_in_one_header() -> None:
    assert DIALECT.auth_headers("k") == {"x-api-key": "k"}
