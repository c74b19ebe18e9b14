"""The server side of OpenAI Chat Completions."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from agentci.core.messages import (
    FinishReason,
    Message,
    ModelRequest,
    ModelResponse,
    Part,
    TextPart,
    ThinkingPart,
    ToolCallPart,
    ToolDefinition,
    ToolResultPart,
)
from tests.support.wire_common import (
    CREATED,
    BadRequest,
    Reply,
    arguments_of,
    blob_part,
    compact,
    data_url_part,
    event,
    has_text,
    need,
    pieces,
    thinking_of,
)

_FINISH = {
    FinishReason.STOP: "stop",
    FinishReason.TOOL_CALLS: "tool_calls",
    FinishReason.LENGTH: "length",
    FinishReason.REFUSED: "content_filter",
    FinishReason.OTHER: "stop",
}


class OpenAiChatServer:
    """See `ServerSide`."""

    def read(self, path: str, body: Mapping[str, Any]) -> ModelRequest:
        del path
        system: list[str] = []
        messages: list[Message] = []
        names: dict[str, str] = {}
        for item in need(body, "messages", list):
            role = item.get("role")
            if role in {"system", "developer"}:
                system.append("".join(getattr(p, "text", "") for p in _content(item["content"])))
                continue
            message = _message(role, item, names)
            if message.role == "tool" and messages and messages[-1].role == "tool":
                message = Message("tool", messages.pop().parts + message.parts)
            messages.append(message)
        wanted = body.get("response_format") or {}
        return ModelRequest(
            model=need(body, "model", str),
            messages=tuple(messages),
            system="\n\n".join(system),
            tools=tuple(
                ToolDefinition(
                    tool["function"]["name"],
                    tool["function"].get("description", ""),
                    tool["function"].get("parameters", {}),
                )
                for tool in body.get("tools", ())
            ),
            seed=body.get("seed", body.get("random_seed")),
            output_schema=wanted.get("json_schema", {}).get("schema"),
            stream=bool(body.get("stream")),
        )

    def answer(self, reply: Reply) -> dict[str, Any]:
        response = reply.response
        message: dict[str, Any] = {
            "role": "assistant",
            "content": response.message.text if has_text(response.message) else None,
            "refusal": None,
        }
        if thinking := thinking_of(response.message):
            message["reasoning_content"] = thinking
        if calls := response.message.tool_calls:
            message["tool_calls"] = [_call(call) for call in calls]
        choice = {
            "index": 0,
            "message": message,
            "logprobs": None,
            "finish_reason": _FINISH[response.finish_reason],
        }
        return {
            **_envelope(reply, "chat.completion"),
            "choices": [choice],
            "usage": _usage(response),
        }

    def events(self, reply: Reply) -> Iterator[str]:
        response = reply.response
        yield self._delta(reply, {"role": "assistant", "content": "", "refusal": None})
        for piece in pieces(thinking_of(response.message)):
            yield self._delta(reply, {"reasoning_content": piece})
        for piece in pieces(response.message.text):
            yield self._delta(reply, {"content": piece})
        for index, call in enumerate(response.message.tool_calls):
            start = {"index": index, **_call(call)}
            start["function"] = {"name": call.name, "arguments": ""}
            yield self._delta(reply, {"tool_calls": [start]})
            for piece in pieces(compact(call.arguments)):
                more = {"index": index, "function": {"arguments": piece}}
                yield self._delta(reply, {"tool_calls": [more]})
        yield self._delta(reply, {}, _FINISH[response.finish_reason])
        if reply.stream_usage:
            last = _envelope(reply, "chat.completion.chunk")
            yield event({**last, "choices": [], "usage": _usage(response)})
        yield event("[DONE]")

    def error(self, status: int, message: str) -> dict[str, Any]:
        kinds = {401: "invalid_request_error", 429: "requests", 500: "server_error"}
        codes = {401: "invalid_api_key", 429: "rate_limit_exceeded"}
        kind = kinds.get(status, "invalid_request_error" if status < 500 else "server_error")
        return {
            "error": {"message": message, "type": kind, "param": None, "code": codes.get(status)}
        }

    def _delta(self, reply: Reply, delta: dict[str, Any], finish: str | None = None) -> str:
        choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}
        return event({**_envelope(reply, "chat.completion.chunk"), "choices": [choice]})


def _envelope(reply: Reply, kind: str) -> dict[str, Any]:
    return {
        "id": f"chatcmpl-{reply.identity[:29]}",
        "object": kind,
        "created": CREATED,
        "model": reply.response.model,
        "service_tier": "default",
        "system_fingerprint": "fp_scripted",
    }


def _usage(response: ModelResponse) -> dict[str, Any]:
    usage = response.usage
    return {
        "prompt_tokens": usage.input_tokens,
        "completion_tokens": usage.output_tokens,
        "total_tokens": usage.tokens,
        "prompt_tokens_details": {"cached_tokens": usage.cached_tokens, "audio_tokens": 0},
        "completion_tokens_details": {"reasoning_tokens": 0, "audio_tokens": 0},
    }


def _call(call: ToolCallPart) -> dict[str, Any]:
    function = {"name": call.name, "arguments": compact(call.arguments)}
    return {"id": call.id, "type": "function", "function": function}


def _message(role: Any, item: Mapping[str, Any], names: dict[str, str]) -> Message:
    content = _content(item.get("content"))
    if role == "user":
        return Message("user", content)
    if role == "tool":
        call_id = need(item, "tool_call_id", str)
        text = "".join(part.text for part in content if isinstance(part, TextPart))
        return Message("tool", (ToolResultPart(call_id, names.get(call_id, ""), text),))
    if role != "assistant":
        raise BadRequest(f"invalid value: '{role}' for 'role'")
    parts: list[Part] = []
    if item.get("reasoning_content"):
        parts.append(ThinkingPart(item["reasoning_content"]))
    parts.extend(content)
    for call in item.get("tool_calls") or ():
        function = call["function"]
        names[call["id"]] = function["name"]
        parts.append(
            ToolCallPart(call["id"], function["name"], arguments_of(function["arguments"]))
        )
    return Message("assistant", tuple(parts))


def _content(content: Any) -> tuple[Part, ...]:
    if content is None:
        return ()
    if isinstance(content, str):
        return (TextPart(content),)
    return tuple(_part(item) for item in content)


def _part(item: Mapping[str, Any]) -> Part:
    match item.get("type"):
        case "text":
            return TextPart(item["text"])
        case "image_url":
            return data_url_part("image", item["image_url"]["url"])
        case "input_audio":
            audio = item["input_audio"]
            return blob_part("audio", f"audio/{audio['format']}", audio["data"])
        case "file":
            file = item["file"]
            return data_url_part("file", file["file_data"], file.get("filename"))
        case other:
            raise BadRequest(f"invalid value: '{other}' for content 'type'")
