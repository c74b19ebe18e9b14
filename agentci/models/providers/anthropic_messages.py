"""Anthropic Messages. The format has no field for a seed.

Answers are not constrained to an output schema on the wire: the format's own field takes only
schemas of a strict subset, so the schema in the prompt and the repair turns do that work.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import assert_never

from agentci.core.json_types import JsonObject, JsonValue
from agentci.core.messages import (
    BlobPart,
    FinishReason,
    Message,
    ModelRequest,
    ModelResponse,
    Part,
    TextPart,
    ThinkingPart,
    ToolCallPart,
    ToolResultPart,
    Usage,
)
from agentci.core.wire import WireRequest, WireResponse
from agentci.models import reading, writing
from agentci.models.dialect import BlobReader
from agentci.models.reading import Node

_NAME = "anthropic-messages"
_RESERVED = ("messages", "model", "seed", "stream", "system")
_PARAMETERS = {
    "max_tokens": "max_tokens",
    "temperature": "temperature",
    "top_p": "top_p",
    "top_k": "top_k",
    "stop": "stop_sequences",
}
_SAMPLING = ("temperature", "top_k", "top_p")
DEFAULT_MAX_TOKENS = 16_000
"""The format requires a limit; this one fits every model on offer and a long file."""
_IMAGES = ("image/gif", "image/jpeg", "image/png", "image/webp")
_REDACTED = "redacted:"
"""Marks the signature of thinking that came without text. A signature is base64: no colon."""
_FINISH = {
    "end_turn": FinishReason.STOP,
    "stop_sequence": FinishReason.STOP,
    "tool_use": FinishReason.TOOL_CALLS,
    "max_tokens": FinishReason.LENGTH,
    "model_context_window_exceeded": FinishReason.LENGTH,
    "refusal": FinishReason.REFUSED,
}


@dataclass(frozen=True, slots=True)
class AnthropicMessages:
    """The dialect."""

    name: str = _NAME
    version: int = 1
    seed_support: bool = False

    def encode(self, request: ModelRequest, blob: BlobReader) -> WireRequest:
        """Return the request on the wire, see `Dialect.encode`."""
        split = writing.split_parameters(
            request.parameters, _PARAMETERS, dialect=_NAME, reserved=_RESERVED
        )
        body: dict[str, JsonValue] = {
            "model": request.model,
            "max_tokens": DEFAULT_MAX_TOKENS,
            "messages": list(_messages(request, blob)),
            **split.named,
        }
        if request.system:
            body["system"] = request.system
        if request.tools:
            body["tools"] = [
                {
                    "name": tool.name,
                    "description": tool.description,
                    "input_schema": tool.parameters,
                }
                for tool in request.tools
            ]
        if request.stream:
            body["stream"] = True
        return WireRequest(
            "POST",
            "/v1/messages",
            writing.merged(body, split.passed),
            headers=self.body_headers(body),
        )

    def body_headers(self, body: JsonObject) -> Mapping[str, str]:
        """Return the headers of a request with `body`."""
        return {"content-type": "application/json", "anthropic-version": _api_version(body)}

    def decode(self, response: WireResponse) -> ModelResponse:
        """Return the answer, see `Dialect.decode`."""
        return _read(reading.read_answer(response, _assemble))

    def auth_headers(self, key: str) -> Mapping[str, str]:
        """Return the header that carries `key`."""
        return {"x-api-key": key}

    def error_text(self, response: WireResponse) -> str:
        """Return what the provider says went wrong."""
        return reading.error_text(response)


def _api_version(body: JsonObject) -> str:
    """Return the newest version that takes the request: the newer one has no sampling fields."""
    return "2023-06-01" if any(name in body for name in _SAMPLING) else "2026-10-21"


def _messages(request: ModelRequest, blob: BlobReader) -> Iterator[JsonObject]:
    for turn in writing.turns(request.messages):
        blocks = [block for part in turn.parts for block in _blocks(part, blob, turn)]
        if not turn.assistant:  # the format wants the results of tools before all else
            blocks.sort(key=lambda block: block["type"] != "tool_result")
        if not blocks:
            continue
        role = "assistant" if turn.assistant else "user"
        if len(blocks) == 1 and blocks[0]["type"] == "text":
            yield {"role": role, "content": blocks[0]["text"]}
        else:
            yield {"role": role, "content": blocks}


def _blocks(part: Part, blob: BlobReader, turn: writing.Turn) -> Iterator[JsonObject]:
    match part:
        case TextPart():
            if part.text.strip():  # blocks without any text are refused
                yield {"type": "text", "text": part.text}
        case BlobPart():
            if turn.assistant:
                raise writing.cannot_carry(part, _NAME, role="assistant")
            yield _blob(part, blob)
        case ToolCallPart():
            yield {"type": "tool_use", "id": part.id, "name": part.name, "input": part.arguments}
        case ToolResultPart():
            failure: JsonObject = {"is_error": True} if part.is_error else {}
            yield {
                "type": "tool_result",
                "tool_use_id": part.id,
                "content": part.content,
                **failure,
            }
        case ThinkingPart():
            if part.signature is None:
                return  # not this format's thinking: it never comes unsigned
            if part.signature.startswith(_REDACTED):
                data = part.signature.removeprefix(_REDACTED)
                yield {"type": "redacted_thinking", "data": data}
            else:
                yield {"type": "thinking", "thinking": part.text, "signature": part.signature}
        case _:
            assert_never(part)


def _blob(part: BlobPart, blob: BlobReader) -> JsonObject:
    title: JsonObject = {"title": part.name} if part.name else {}
    if part.kind == "image" and part.media_type in _IMAGES:
        return {"type": "image", "source": _base64(part, blob)}
    if part.kind == "file" and part.media_type == "application/pdf":
        return {"type": "document", "source": _base64(part, blob), **title}
    if part.kind == "file" and writing.is_text(part.media_type):
        text = writing.file_text(part, blob)
        source = {"type": "text", "media_type": "text/plain", "data": text}
        return {"type": "document", "source": source, **title}
    raise writing.cannot_carry(part, _NAME)


def _base64(part: BlobPart, blob: BlobReader) -> JsonObject:
    data = writing.base64_text(part, blob)
    return {"type": "base64", "media_type": part.media_type, "data": data}


def _read(answer: Node) -> ModelResponse:
    if not answer.child("content").present:
        raise reading.malformed("`answer.content` is missing")
    parts = [
        part
        for index, block in enumerate(answer.child("content").items())
        for part in _parts(block, index, answer.child("id").text())
    ]
    return ModelResponse(
        Message("assistant", tuple(parts)),
        _FINISH.get(answer.child("stop_reason").text(), FinishReason.OTHER),
        _usage(answer.child("usage")),
        answer.child("model").text(),
    )


def _parts(block: Node, index: int, answer_id: str) -> Iterator[Part]:
    match block.child("type").text():
        case "text":
            if block.child("text").text():
                yield TextPart(block.child("text").text())
        case "thinking":
            signature = block.child("signature").text()
            yield ThinkingPart(block.child("thinking").text(), signature or None)
        case "redacted_thinking":
            yield ThinkingPart("", _REDACTED + block.child("data").text())
        case "tool_use":
            name = block.child("name").text()
            given = block.child("input")
            # A streamed input is the text of its deltas.
            arguments = (
                reading.read_arguments(given.value)
                if isinstance(given.value, str)
                else given.object()
            )
            call_id = block.child("id").text()
            yield ToolCallPart(
                call_id or reading.synthetic_call_id(answer_id, index, name, arguments),
                name,
                arguments,
            )
        case "":
            raise reading.malformed(f"`{block.path}.type` is missing")
        case _:
            return  # tools that the provider ran itself


def _usage(usage: Node) -> Usage:
    cached = usage.child("cache_read_input_tokens").count()
    written = usage.child("cache_creation_input_tokens").count()
    return Usage(
        input_tokens=usage.child("input_tokens").count() + cached + written,
        output_tokens=usage.child("output_tokens").count(),
        cached_tokens=cached,
        calls=1,
    )


def _assemble(events: Iterable[Node]) -> Node:
    """Build from the deltas the answer that the server would have sent without streaming."""
    answer: dict[str, JsonValue] = {}
    blocks: dict[int, dict[str, JsonValue]] = {}
    for event in events:
        match event.child("type").text():
            case "message_start":
                answer.update(event.child("message").object())
            case "content_block_start":
                blocks[event.child("index").count()] = dict(event.child("content_block").object())
            case "content_block_delta":
                index = event.child("index").count()
                if index not in blocks:
                    raise reading.malformed(f"`{event.path}` belongs to no content block")
                _add_delta(event.child("delta"), blocks[index])
            case "message_delta":
                answer["stop_reason"] = event.child("delta").child("stop_reason").value
                counts = {k: v for k, v in event.child("usage").object().items() if v is not None}
                answer["usage"] = {**Node(answer.get("usage")).object(), **counts}
            case "message_stop":
                return Node({**answer, "content": [block for _, block in sorted(blocks.items())]})
            case _:
                continue  # pings, ends of blocks, and what later versions add
    raise reading.cut_short("no `message_stop` came")


def _add_delta(delta: Node, block: dict[str, JsonValue]) -> None:
    match delta.child("type").text():
        case "text_delta":
            block["text"] = Node(block.get("text")).text() + delta.child("text").text()
        case "thinking_delta":
            more = delta.child("thinking").text()
            block["thinking"] = Node(block.get("thinking")).text() + more
        case "signature_delta":
            more = delta.child("signature").text()
            block["signature"] = Node(block.get("signature")).text() + more
        case "input_json_delta":
            earlier = block.get("input")
            text = earlier if isinstance(earlier, str) else ""
            more = delta.child("partial_json").text()
            if text or more:
                block["input"] = text + more
        case _:
            return  # citations, and what later versions add


DIALECT = AnthropicMessages()
