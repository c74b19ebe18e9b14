"""Answers as the four providers write them, each once as JSON and once as a stream of events.

The pairs say the same, so a dialect has to read the same from both; and a provider's SDK reads
them too, which makes it the judge of what they say.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from agentci.core.wire import WireResponse


@dataclass(frozen=True, slots=True)
class AnswerCase:
    """One answer in both forms."""

    dialect: str
    name: str
    body: Any
    events: tuple[Any, ...]

    @property
    def json(self) -> WireResponse:
        """The answer that a request without streaming gets."""
        return json_answer(self.body)

    @property
    def stream(self) -> WireResponse:
        """The answer that a request with streaming gets."""
        return stream_answer(
            self.events, named=self.dialect in {"anthropic-messages", "openai-responses"}
        )

    def __str__(self) -> str:
        """Name it in a test's id."""
        return f"{self.dialect}: {self.name}"


def json_answer(body: Any, status: int = 200) -> WireResponse:
    """Return a JSON response."""
    data = json.dumps(body, ensure_ascii=False).encode()
    return WireResponse(status, {"content-type": "application/json"}, (data,))


def stream_answer(events: tuple[Any, ...], *, named: bool = False) -> WireResponse:
    """Return a response with one event in each chunk; texts are sent as they are."""
    chunks = []
    for event in events:
        data = event if isinstance(event, str) else json.dumps(event, ensure_ascii=False)
        name = f"event: {event['type']}\n" if named and isinstance(event, dict) else ""
        chunks.append(f"{name}data: {data}\n\n".encode())
    return WireResponse(200, {"content-type": "text/event-stream"}, tuple(chunks))


def _chat(message: Any, finish: str, usage: Any) -> Any:
    return {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": 1,
        "model": "gpt-x-2026",
        "choices": [{"index": 0, "message": message, "finish_reason": finish, "logprobs": None}],
        "usage": usage,
    }


def _chat_chunks(*deltas: Any, finish: str, usage: Any) -> tuple[Any, ...]:
    base = {
        "id": "chatcmpl-1",
        "object": "chat.completion.chunk",
        "created": 1,
        "model": "gpt-x-2026",
    }

    def choice(delta: Any, reason: str | None) -> Any:
        return {**base, "choices": [{"index": 0, "delta": delta, "finish_reason": reason}]}

    return (
        *(choice(delta, None) for delta in deltas),
        choice({}, finish),
        {**base, "choices": [], "usage": usage},
        "[DONE]",
    )


_CHAT_USAGE = {
    "prompt_tokens": 20,
    "completion_tokens": 12,
    "total_tokens": 32,
    "prompt_tokens_details": {"cached_tokens": 5},
    "completion_tokens_details": {"reasoning_tokens": 4},
}


def _function(call_id: str | None, name: str | None, arguments: str, index: int) -> Any:
    head = {} if call_id is None else {"id": call_id, "type": "function"}
    named = {} if name is None else {"name": name}
    return {"index": index, **head, "function": {**named, "arguments": arguments}}


_CHAT_ANSWERS = (
    AnswerCase(
        "openai-chat",
        "text",
        _chat({"role": "assistant", "content": "Grüße, 世界"}, "stop", _CHAT_USAGE),
        _chat_chunks(
            {"role": "assistant", "content": ""},
            {"content": "Grü"},
            {"content": "ße, 世界"},
            finish="stop",
            usage=_CHAT_USAGE,
        ),
    ),
    AnswerCase(
        "openai-chat",
        "calls",
        _chat(
            {
                "role": "assistant",
                "content": None,
                "tool_calls": [
                    {
                        "id": "call_a",
                        "type": "function",
                        "function": {"name": "weather", "arguments": '{"place": "Rom"}'},
                    },
                    {
                        "id": "call_b",
                        "type": "function",
                        "function": {"name": "clock", "arguments": "{}"},
                    },
                ],
            },
            "tool_calls",
            _CHAT_USAGE,
        ),
        _chat_chunks(
            {"role": "assistant", "content": None},
            {"tool_calls": [_function("call_a", "weather", "", 0)]},
            {"tool_calls": [_function(None, None, '{"place": ', 0)]},
            {"tool_calls": [_function(None, None, '"Rom"}', 0)]},
            {"tool_calls": [_function("call_b", "clock", "{}", 1)]},
            finish="tool_calls",
            usage=_CHAT_USAGE,
        ),
    ),
    AnswerCase(
        "openai-chat",
        "refusal",
        _chat({"role": "assistant", "content": None, "refusal": "No."}, "stop", _CHAT_USAGE),
        _chat_chunks(
            {"role": "assistant", "refusal": "N"},
            {"refusal": "o."},
            finish="stop",
            usage=_CHAT_USAGE,
        ),
    ),
    AnswerCase(
        "openai-chat",
        "cut",
        _chat({"role": "assistant", "content": "Once"}, "length", _CHAT_USAGE),
        _chat_chunks({"content": "Once"}, finish="length", usage=_CHAT_USAGE),
    ),
)


def _responses(output: list[Any], **fields: Any) -> Any:
    return {
        "id": "resp_1",
        "object": "response",
        "created_at": 1,
        "model": "gpt-x-2026",
        "status": "completed",
        "error": None,
        "incomplete_details": None,
        "instructions": None,
        "metadata": {},
        "parallel_tool_calls": True,
        "tool_choice": "auto",
        "tools": [],
        "output": output,
        "usage": {
            "input_tokens": 20,
            "input_tokens_details": {"cached_tokens": 5, "cache_write_tokens": 0},
            "output_tokens": 12,
            "output_tokens_details": {"reasoning_tokens": 4},
            "total_tokens": 32,
        },
        **fields,
    }


def _output_text(text: str) -> Any:
    return {
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "status": "completed",
        "content": [{"type": "output_text", "text": text, "annotations": []}],
    }


REASONING = {
    "id": "rs_1",
    "type": "reasoning",
    "summary": [{"type": "summary_text", "text": "I think."}],
    "encrypted_content": "gAAA==",
}
_RESPONSES_CALLS = [
    {
        "id": f"fc_{number}",
        "type": "function_call",
        "status": "completed",
        "call_id": call_id,
        "name": name,
        "arguments": arguments,
    }
    for number, (call_id, name, arguments) in enumerate(
        (("call_a", "weather", '{"place":"Rom"}'), ("call_b", "clock", "{}"))
    )
]


def _responses_case(name: str, output: list[Any], **fields: Any) -> AnswerCase:
    body = _responses(output, **fields)
    started = {**body, "status": "in_progress", "output": [], "usage": None}
    items = [
        event
        for index, item in enumerate(output)
        for event in (
            {"type": "response.output_item.added", "output_index": index, "item": item},
            {"type": "response.output_item.done", "output_index": index, "item": item},
        )
    ]
    events = (
        {"type": "response.created", "response": started},
        *items,
        {"type": f"response.{body['status']}", "response": body},
    )
    numbered = tuple({**event, "sequence_number": i} for i, event in enumerate(events))
    return AnswerCase("openai-responses", name, body, numbered)


_RESPONSES_ANSWERS = (
    _responses_case("text", [_output_text("Grüße, 世界")]),
    _responses_case("thinking and calls", [REASONING, *_RESPONSES_CALLS]),
    _responses_case(
        "refusal",
        [{**_output_text(""), "content": [{"type": "refusal", "refusal": "No."}]}],
    ),
    _responses_case(
        "cut",
        [_output_text("Once")],
        status="incomplete",
        incomplete_details={"reason": "max_output_tokens"},
    ),
)


def _anthropic(content: list[Any], stop: str) -> Any:
    return {
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "model": "claude-x-2026",
        "content": content,
        "stop_reason": stop,
        "stop_sequence": None,
        "usage": {
            "input_tokens": 10,
            "cache_creation_input_tokens": 5,
            "cache_read_input_tokens": 5,
            "output_tokens": 12,
        },
    }


def _anthropic_case(name: str, stop: str, *blocks: tuple[Any, Any, list[Any]]) -> AnswerCase:
    """Take for each block its whole, its start and its deltas."""
    body = _anthropic([whole for whole, _, _ in blocks], stop)
    usage = body["usage"]
    head = {**body, "content": [], "stop_reason": None, "usage": {**usage, "output_tokens": 1}}
    events: list[Any] = [{"type": "message_start", "message": head}, {"type": "ping"}]
    for index, (_, start, deltas) in enumerate(blocks):
        events.append({"type": "content_block_start", "index": index, "content_block": start})
        events.extend(
            {"type": "content_block_delta", "index": index, "delta": delta} for delta in deltas
        )
        events.append({"type": "content_block_stop", "index": index})
    ending = {"stop_reason": stop, "stop_sequence": None}
    events.append(
        {"type": "message_delta", "delta": ending, "usage": {"output_tokens": 12}},
    )
    events.append({"type": "message_stop"})
    return AnswerCase("anthropic-messages", name, body, tuple(events))


def _text_block(*pieces: str) -> tuple[Any, Any, list[Any]]:
    return (
        {"type": "text", "text": "".join(pieces), "citations": None},
        {"type": "text", "text": "", "citations": None},
        [{"type": "text_delta", "text": piece} for piece in pieces],
    )


def _use_block(call_id: str, name: str, *pieces: str) -> tuple[Any, Any, list[Any]]:
    base = {"type": "tool_use", "id": call_id, "name": name}
    return (
        {**base, "input": json.loads("".join(pieces) or "{}")},
        {**base, "input": {}},
        [{"type": "input_json_delta", "partial_json": piece} for piece in ("", *pieces)],
    )


_ANTHROPIC_ANSWERS = (
    _anthropic_case("text", "end_turn", _text_block("Grü", "ße, 世界")),
    _anthropic_case(
        "thinking and calls",
        "tool_use",
        (
            {"type": "thinking", "thinking": "I think.", "signature": "EqQ="},
            {"type": "thinking", "thinking": "", "signature": ""},
            [
                {"type": "thinking_delta", "thinking": "I "},
                {"type": "thinking_delta", "thinking": "think."},
                {"type": "signature_delta", "signature": "EqQ="},
            ],
        ),
        (
            {"type": "redacted_thinking", "data": "Zm9v"},
            {"type": "redacted_thinking", "data": "Zm9v"},
            [],
        ),
        _text_block("Let me look."),
        _use_block("toolu_a", "weather", '{"pla', 'ce": "Rom"}'),
        _use_block("toolu_b", "clock"),
    ),
    _anthropic_case("refusal", "refusal", _text_block("No.")),
    _anthropic_case("cut", "max_tokens", _text_block("Once")),
)


def _gemini(parts: list[Any], finish: str | None = None, usage: Any = None) -> Any:
    candidate: dict[str, Any] = {"content": {"parts": parts, "role": "model"}, "index": 0}
    if finish is not None:
        candidate["finishReason"] = finish
    return {
        "candidates": [candidate],
        "modelVersion": "gemini-x-2026",
        "responseId": "r1",
        "usageMetadata": usage or {"promptTokenCount": 20},
    }


_GEMINI_USAGE = {
    "promptTokenCount": 20,
    "cachedContentTokenCount": 5,
    "candidatesTokenCount": 8,
    "thoughtsTokenCount": 4,
    "totalTokenCount": 32,
}
_GEMINI_CALLS = [
    {
        "functionCall": {"id": "call_a", "name": "weather", "args": {"place": "Rom"}},
        "thoughtSignature": "Q0FS",
    },
    {"functionCall": {"id": "call_b", "name": "clock", "args": {}}},
]
_GEMINI_ANSWERS = (
    AnswerCase(
        "gemini",
        "text",
        _gemini([{"text": "Grüße, 世界"}], "STOP", _GEMINI_USAGE),
        (
            _gemini([{"text": "Grü"}]),
            _gemini([{"text": "ße, 世界"}]),
            _gemini([{"text": ""}], "STOP", _GEMINI_USAGE),
        ),
    ),
    AnswerCase(
        "gemini",
        "thinking and calls",
        _gemini([{"text": "I think.", "thought": True}, *_GEMINI_CALLS], "STOP", _GEMINI_USAGE),
        (
            _gemini([{"text": "I ", "thought": True}]),
            _gemini([{"text": "think.", "thought": True}]),
            _gemini([_GEMINI_CALLS[0]]),
            _gemini([_GEMINI_CALLS[1]], "STOP", _GEMINI_USAGE),
        ),
    ),
    AnswerCase(
        "gemini",
        "refusal",
        _gemini([], "SAFETY", _GEMINI_USAGE),
        (_gemini([], "SAFETY", _GEMINI_USAGE),),
    ),
    AnswerCase(
        "gemini",
        "cut",
        _gemini([{"text": "Once"}], "MAX_TOKENS", _GEMINI_USAGE),
        (_gemini([{"text": "On"}]), _gemini([{"text": "ce"}], "MAX_TOKENS", _GEMINI_USAGE)),
    ),
)

ANSWERS = (*_CHAT_ANSWERS, *_RESPONSES_ANSWERS, *_ANTHROPIC_ANSWERS, *_GEMINI_ANSWERS)
"""Each dialect has an answer of each of the kinds text, calls, refusal and cut."""
