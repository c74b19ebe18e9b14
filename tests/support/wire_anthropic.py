"""The server side of Anthropic Messages."""

from __future__ import annotations

import base64
from collections.abc import Iterator, Mapping
from typing import Any

from agentci.core.digest import digest_json, hex_of
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
    BadRequest,
    Reply,
    blob_part,
    compact,
    event,
    need,
    pieces,
)

_FINISH = {
    FinishReason.STOP: "end_turn",
    FinishReason.TOOL_CALLS: "tool_use",
    FinishReason.LENGTH: "max_tokens",
    FinishReason.REFUSED: "refusal",
    FinishReason.OTHER: "end_turn",
}
_ERRORS = {
    400: "invalid_request_error",
    401: "authentication_error",
    403: "permission_error",
    404: "not_found_error",
    429: "rate_limit_error",
    529: "overloaded_error",
}


class AnthropicServer:
    """See `ServerSide`."""

    def read(self, path: str, body: Mapping[str, Any]) -> ModelRequest:
        del path
        need(body, "max_tokens", int)
        names: dict[str, str] = {}
        system = body.get("system") or ""
        if not isinstance(system, str):
            system = "\n\n".join(block["text"] for block in system)
        return ModelRequest(
            model=need(body, "model", str),
            messages=tuple(_message(item, names) for item in need(body, "messages", list)),
            system=system,
            tools=tuple(
                ToolDefinition(tool["name"], tool.get("description", ""), tool["input_schema"])
                for tool in body.get("tools", ())
            ),
            stream=bool(body.get("stream")),
        )

    def answer(self, reply: Reply) -> dict[str, Any]:
        return {
            **_envelope(reply),
            "content": _blocks(reply.response),
            "stop_reason": _FINISH[reply.response.finish_reason],
            "stop_sequence": None,
            "usage": _usage(reply.response),
        }

    def events(self, reply: Reply) -> Iterator[str]:
        usage = _usage(reply.response)
        message = {
            **_envelope(reply),
            "content": [],
            "stop_reason": None,
            "stop_sequence": None,
            "usage": {**usage, "output_tokens": 1},
        }
        yield event({"type": "message_start", "message": message}, "message_start")
        for index, block in enumerate(_blocks(reply.response)):
            start = {"type": "content_block_start", "index": index, "content_block": _empty(block)}
            yield event(start, "content_block_start")
            if index == 0:
                yield event({"type": "ping"}, "ping")
            for delta in _deltas(block):
                data = {"type": "content_block_delta", "index": index, "delta": delta}
                yield event(data, "content_block_delta")
            yield event({"type": "content_block_stop", "index": index}, "content_block_stop")
        end = {"stop_reason": _FINISH[reply.response.finish_reason], "stop_sequence": None}
        output = {"output_tokens": usage["output_tokens"]}
        yield event({"type": "message_delta", "delta": end, "usage": output}, "message_delta")
        yield event({"type": "message_stop"}, "message_stop")

    def error(self, status: int, message: str) -> dict[str, Any]:
        kind = _ERRORS.get(status, "invalid_request_error" if status < 500 else "api_error")
        return {"type": "error", "error": {"type": kind, "message": message}}


def _envelope(reply: Reply) -> dict[str, Any]:
    return {
        "id": f"msg_{reply.identity[:24]}",
        "type": "message",
        "role": "assistant",
        "model": reply.response.model,
    }


def _usage(response: ModelResponse) -> dict[str, Any]:
    usage = response.usage
    return {
        "input_tokens": usage.input_tokens - usage.cached_tokens,
        "cache_creation_input_tokens": 0,
        "cache_read_input_tokens": usage.cached_tokens,
        "output_tokens": usage.output_tokens,
        "service_tier": "standard",
    }


def _signature(text: str) -> str:
    digest = bytes.fromhex(hex_of(digest_json({"thinking": text})))
    return base64.b64encode(digest).decode()


def _blocks(response: ModelResponse) -> list[dict[str, Any]]:
    blocks: list[dict[str, Any]] = []
    for part in response.message.parts:
        if isinstance(part, TextPart):
            blocks.append({"type": "text", "text": part.text})
        elif isinstance(part, ThinkingPart):
            blocks.append(
                {"type": "thinking", "thinking": part.text, "signature": _signature(part.text)}
            )
        elif isinstance(part, ToolCallPart):
            identifier = part.id.replace("call_", "toolu_", 1)
            blocks.append(
                {
                    "type": "tool_use",
                    "id": identifier,
                    "name": part.name,
                    "input": dict(part.arguments),
                }
            )
    return blocks


def _empty(block: dict[str, Any]) -> dict[str, Any]:
    blanks: dict[str, Any] = {"text": "", "thinking": "", "signature": "", "input": {}}
    return {key: blanks.get(key, value) for key, value in block.items()}


def _deltas(block: dict[str, Any]) -> Iterator[dict[str, Any]]:
    if block["type"] == "text":
        for piece in pieces(block["text"]):
            yield {"type": "text_delta", "text": piece}
    elif block["type"] == "thinking":
        for piece in pieces(block["thinking"]):
            yield {"type": "thinking_delta", "thinking": piece}
        yield {"type": "signature_delta", "signature": block["signature"]}
    else:
        yield {"type": "input_json_delta", "partial_json": ""}
        for piece in pieces(compact(block["input"]) if block["input"] else ""):
            yield {"type": "input_json_delta", "partial_json": piece}


def _message(item: Mapping[str, Any], names: dict[str, str]) -> Message:
    role, content = item.get("role"), item.get("content")
    if role not in {"user", "assistant"}:
        raise BadRequest(f"messages: unexpected role '{role}'")
    if isinstance(content, str):
        content = [{"type": "text", "text": content}]
    parts = tuple(_part(block, names) for block in content or ())
    if any(isinstance(part, TextPart) and not part.text for part in parts):
        raise BadRequest("messages: text content blocks must be non-empty")
    if role == "assistant":
        return Message("assistant", parts)
    told = any(isinstance(part, ToolResultPart) for part in parts)
    return Message("tool" if told else "user", parts)


def _part(block: Mapping[str, Any], names: dict[str, str]) -> Part:
    match block.get("type"):
        case "text":
            return TextPart(block["text"])
        case "image" | "document":
            return _source(block)
        case "tool_use":
            names[block["id"]] = block["name"]
            return ToolCallPart(block["id"], block["name"], block["input"])
        case "tool_result":
            call_id = block["tool_use_id"]
            content = block.get("content", "")
            if not isinstance(content, str):
                content = "".join(piece["text"] for piece in content if piece["type"] == "text")
            name = names.get(call_id, "")
            return ToolResultPart(call_id, name, content, bool(block.get("is_error")))
        case "thinking":
            if block["signature"] != _signature(block["thinking"]):
                raise BadRequest("messages: invalid `signature` in `thinking` block")
            return ThinkingPart(block["thinking"], block["signature"])
        case other:
            raise BadRequest(f"messages: unexpected content type '{other}'")


def _source(block: Mapping[str, Any]) -> Part:
    source = block["source"]
    if source["type"] == "text":
        return TextPart(source["data"])
    kind = "image" if block["type"] == "image" else "file"
    return blob_part(kind, source["media_type"], source["data"], block.get("title"))
