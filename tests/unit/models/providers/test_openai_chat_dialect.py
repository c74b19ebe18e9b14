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
)
from agentci.models.dialect import UNPARSED_ARGUMENTS, Dialect
from agentci.models.providers.openai_chat import (
    COMPATIBLE,
    DIALECT,
    JSON_BY_PROMPT,
    MISTRAL,
    OpenAiChat,
)
from agentci.models.reading import is_synthetic
from tests.support.answers import json_answer, stream_answer
from tests.support.conversations import BLOBS, CLOCK, QUESTION, VERDICT


def _body(dialect: Dialect, *messages: Message, **options: Any) -> Any:
    request = ModelRequest("m", messages or (QUESTION,), **options)
    return dialect.encode(request, BLOBS.__getitem__).body


def _answer(message: Any, finish: str = "stop", **fields: Any) -> Any:
    return {
        "id": "c1",
        "model": "m",
        "choices": [{"message": message, "finish_reason": finish}],
        "usage": {"prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 5},
        **fields,
    }


def _deltas(*deltas: Any, finish: str | None = "stop") -> Any:
    last = [{"choices": [{"delta": {}, "finish_reason": finish}]}] if finish else []
    chunks = [{"id": "c1", "model": "m", "choices": [{"delta": delta}]} for delta in deltas]
    return stream_answer((*chunks, *last))


def test_a_seed_is_where_the_server_has_it() -> None:
    assert _body(DIALECT, seed=7)["seed"] == 7
    assert _body(MISTRAL, seed=7)["random_seed"] == 7
    assert "seed" not in _body(MISTRAL, seed=7)
    without = OpenAiChat(seed_field=None)
    assert not without.seed_support
    assert "seed" not in _body(without, seed=7)


def test_the_limit_of_tokens_is_where_the_server_has_it() -> None:
    limit = {"max_tokens": 9}
    assert _body(DIALECT, parameters=limit)["max_completion_tokens"] == 9
    for other in (COMPATIBLE, JSON_BY_PROMPT, MISTRAL):
        assert _body(other, parameters=limit)["max_tokens"] == 9


def test_top_k_goes_to_servers_that_have_it() -> None:
    assert _body(COMPATIBLE, parameters={"top_k": 5})["top_k"] == 5
    with pytest.raises(UsageError, match="no parameter `top_k`"):
        _body(DIALECT, parameters={"top_k": 5})


def test_a_schema_is_sent_only_where_it_keeps_tools_usable() -> None:
    assert "response_format" in _body(DIALECT, output_schema=VERDICT, tools=(CLOCK,))
    assert "response_format" in _body(COMPATIBLE, output_schema=VERDICT)
    assert "response_format" not in _body(COMPATIBLE, output_schema=VERDICT, tools=(CLOCK,))
    assert "response_format" not in _body(JSON_BY_PROMPT, output_schema=VERDICT)


def test_a_schema_that_is_no_object_stays_in_the_prompt() -> None:
    assert "response_format" not in _body(DIALECT, output_schema={"type": "array"})


def test_a_users_own_response_format_is_kept() -> None:
    own = {"response_format": {"type": "json_object"}}
    body = _body(DIALECT, output_schema=VERDICT, parameters=own)
    assert body["response_format"] == {"type": "json_object"}


def test_a_stream_is_asked_for_its_token_counts_where_it_has_to_be() -> None:
    assert _body(DIALECT, stream=True)["stream_options"] == {"include_usage": True}
    assert "stream_options" not in _body(MISTRAL, stream=True)
    assert "stream" not in _body(DIALECT)


@pytest.mark.parametrize("field", ["reasoning_content", "reasoning"])
def test_reasoning_goes_back_into_the_field_from_which_it_came(field: str) -> None:
    json_form = json_answer(_answer({"content": "Yes.", field: "Hm, well."}))
    stream = _deltas({field: "Hm, "}, {field: "well."}, {"content": "Yes."})
    for response in (json_form, stream):
        message = COMPATIBLE.decode(response).message
        assert message.parts == (ThinkingPart("Hm, well.", field), TextPart("Yes."))
        sent = _body(COMPATIBLE, QUESTION, message)["messages"][-1]
        assert sent == {"role": "assistant", "content": "Yes.", field: "Hm, well."}


def test_pieces_of_reasoning_details_are_joined_and_go_back() -> None:
    pieces = [
        {"type": "reasoning.text", "index": 0, "text": "Hm, "},
        {"type": "reasoning.text", "index": 0, "text": "well."},
        {"type": "reasoning.text", "index": 0, "signature": "c2ln"},
        {"type": "reasoning.encrypted", "index": 1, "data": "eA=="},
    ]
    whole = [
        {"type": "reasoning.text", "index": 0, "text": "Hm, well.", "signature": "c2ln"},
        {"type": "reasoning.encrypted", "index": 1, "data": "eA=="},
    ]
    stream = _deltas(*({"reasoning_details": [piece]} for piece in pieces), {"content": "Yes."})
    json_form = json_answer(_answer({"content": "Yes.", "reasoning_details": whole}))
    assert COMPATIBLE.decode(stream).message == COMPATIBLE.decode(json_form).message
    message = COMPATIBLE.decode(stream).message
    assert _body(COMPATIBLE, message)["messages"][0]["reasoning_details"] == whole


def test_what_a_gateway_attached_to_a_call_goes_back_with_it() -> None:
    call = {
        "id": "call_a",
        "type": "function",
        "function": {"name": "clock", "arguments": "{}"},
        "extra_content": {"google": {"thought_signature": "c2ln"}},
    }
    json_form = json_answer(_answer({"content": None, "tool_calls": [call]}, "tool_calls"))
    stream = _deltas({"tool_calls": [{"index": 0, **call}]}, finish="tool_calls")
    for response in (json_form, stream):
        message = COMPATIBLE.decode(response).message
        assert _body(COMPATIBLE, message)["messages"][0]["tool_calls"] == [call]


@pytest.mark.parametrize("second", [{"index": 0}, {}], ids=["the same index", "no index"])
def test_calls_of_servers_that_do_not_number_them_stay_apart(second: Any) -> None:
    first = {"index": 0, "id": "a", "function": {"name": "clock", "arguments": "{}"}}
    other = {**second, "id": "b", "function": {"name": "weather", "arguments": '{"place":"Rom"}'}}
    message = COMPATIBLE.decode(
        _deltas({"tool_calls": [first]}, {"tool_calls": [other]}, finish="tool_calls")
    ).message
    assert message.tool_calls == (
        ToolCallPart("a", "clock", {}),
        ToolCallPart("b", "weather", {"place": "Rom"}),
    )


def test_a_call_without_an_id_gets_one_that_the_server_will_see_again() -> None:
    call = {"function": {"name": "clock", "arguments": {"zone": "UTC"}}}
    message = COMPATIBLE.decode(json_answer(_answer({"tool_calls": [call, call]}))).message
    ids = [part.id for part in message.tool_calls]
    assert all(is_synthetic(call_id) for call_id in ids)
    assert len(set(ids)) == 2
    sent = _body(COMPATIBLE, message)["messages"][0]["tool_calls"]
    assert [call["id"] for call in sent] == ids
    assert message.tool_calls[0].arguments == {"zone": "UTC"}


def test_arguments_that_are_no_json_are_kept_for_the_model_to_put_right() -> None:
    call = {"id": "a", "function": {"name": "clock", "arguments": '{"zone": '}}
    answer = DIALECT.decode(json_answer(_answer({"tool_calls": [call]}, "tool_calls")))
    assert answer.message.tool_calls[0].arguments == {UNPARSED_ARGUMENTS: '{"zone": '}
    assert _body(DIALECT, answer.message)["messages"][0]["tool_calls"][0]["function"] == {
        "name": "clock",
        "arguments": '{"__unparsed__":"{\\"zone\\": "}',
    }


@pytest.mark.parametrize(
    ("message", "finish", "expected"),
    [
        ({"content": "x"}, "stop", FinishReason.STOP),
        ({"content": "x"}, "content_filter", FinishReason.REFUSED),
        ({"content": "x"}, "something new", FinishReason.OTHER),
        ({"tool_calls": [{"id": "a", "function": {"name": "c"}}]}, "stop", FinishReason.TOOL_CALLS),
        ({"tool_calls": [{"id": "a", "function": {"name": "c"}}]}, "length", FinishReason.LENGTH),
    ],
)
def test_finish_reasons(message: Any, finish: str, expected: FinishReason) -> None:
    assert DIALECT.decode(json_answer(_answer(message, finish))).finish_reason is expected


def test_content_in_chunks_of_thinking_and_text_is_read() -> None:
    content = [
        {"type": "thinking", "thinking": [{"type": "text", "text": "Hm."}]},
        {"type": "text", "text": "Yes."},
    ]
    json_form = MISTRAL.decode(json_answer(_answer({"content": content})))
    stream = MISTRAL.decode(_deltas({"content": content[:1]}, {"content": "Yes."}))
    assert json_form.message.parts == (ThinkingPart("Hm."), TextPart("Yes."))
    assert stream.message == json_form.message


def test_reasoning_that_only_the_total_counts_is_output() -> None:
    usage = {"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 40}
    answer = COMPATIBLE.decode(json_answer(_answer({"content": "x"}, usage=usage)))
    assert answer.usage.output_tokens == 30


def test_cached_tokens_are_found_under_either_name() -> None:
    usage = {"prompt_tokens": 10, "completion_tokens": 5, "prompt_cache_hit_tokens": 8}
    answer = COMPATIBLE.decode(json_answer(_answer({"content": "x"}, usage=usage)))
    assert answer.usage.cached_tokens == 8


def test_a_stream_without_done_is_whole_when_its_reason_came() -> None:
    assert DIALECT.decode(_deltas({"content": "x"})).message.text == "x"
    with pytest.raises(ProviderError, match="ended early"):
        DIALECT.decode(_deltas({"content": "x"}, finish=None))


@pytest.mark.parametrize("body", [{}, {"choices": []}, {"choices": [{}]}, {"choices": [None]}])
def test_an_answer_without_a_message_is_malformed(body: Any) -> None:
    with pytest.raises(ProviderError, match="malformed") as caught:
        DIALECT.decode(json_answer(body))
    assert caught.value.code == "ACI-E111"


def test_the_key_is_in_one_header() -> None:
    assert DIALECT.auth_headers("k") == {"authorization": "Bearer k"}
