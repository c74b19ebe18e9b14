"""OpenAI Responses, used without the server's memory: every request carries the conversation.

`store` is false unless the model's parameters say otherwise, so no answer depends on what a server
kept, and reasoning travels encrypted in the conversation. The format has no field for a seed.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import assert_never

from agentci.core.canonical import canonical_bytes
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

_NAME = "openai-responses"
_RESERVED = (
    "background",
    "conversation",
    "input",
    "instructions",
    "model",
    "previous_response_id",
    "seed",
    "stream",
)
_PARAMETERS = {"max_tokens": "max_output_tokens", "temperature": "temperature", "top_p": "top_p"}
_FINAL = ("response.completed", "response.incomplete", "response.failed")
_INCOMPLETE = {
    "max_output_tokens": FinishReason.LENGTH,
    "content_filter": FinishReason.REFUSED,
}


@dataclass(frozen=True, slots=True)
class OpenAiResponses:
    """The dialect."""

    name: str = _NAME
    version: int = 1
    seed_support: bool = False

    def encode(self, request: ModelRequest, blob: BlobReader) -> WireRequest:
        """Return the request on the wire, see `Dialect.encode`."""
        split = writing.split_parameters(
            request.parameters, _PARAMETERS, dialect=_NAME, reserved=_RESERVED
        )
        passed = dict(split.passed)
        stored = passed.get("store") is True
        body: dict[str, JsonValue] = {
            "model": request.model,
            "input": [
                item
                for message in request.messages
                for item in _items(message, blob, stored=stored)
            ],
            "store": False,
            **split.named,
        }
        if request.system:
            body["instructions"] = request.system
        if request.tools:
            body["tools"] = [
                {
                    "type": "function",
                    "name": tool.name,
                    "description": tool.description,
                    "parameters": tool.parameters,
                    "strict": False,
                }
                for tool in request.tools
            ]
        if request.output_schema is not None and request.output_schema.get("type") == "object":
            body["text"] = {
                "format": {
                    "type": "json_schema",
                    "name": "output",
                    "schema": request.output_schema,
                    "strict": False,
                }
            }
        if "reasoning" in passed and not stored:
            body["include"] = ["reasoning.encrypted_content"]
        if request.stream:
            body["stream"] = True
        return WireRequest(
            "POST",
            "/responses",
            writing.merged(body, passed),
            headers={"content-type": "application/json"},
        )

    def decode(self, response: WireResponse) -> ModelResponse:
        """Return the answer, see `Dialect.decode`."""
        return _read(reading.read_answer(response, _assemble))

    def auth_headers(self, key: str) -> Mapping[str, str]:
        """Return the header that carries `key`."""
        return {"authorization": f"Bearer {key}"}

    def error_text(self, response: WireResponse) -> str:
        """Return what the provider says went wrong."""
        return reading.error_text(response)


def _items(message: Message, blob: BlobReader, *, stored: bool) -> Iterator[JsonObject]:
    if message.role == "assistant":
        yield from _assistant_items(message, stored=stored)
        return
    content: list[JsonObject] = []
    for part in message.parts:
        match part:
            case TextPart():
                content.append({"type": "input_text", "text": part.text})
            case BlobPart():
                content.append(_blob(part, blob))
            case ToolResultPart():
                yield {"type": "function_call_output", "call_id": part.id, "output": part.content}
            case ToolCallPart() | ThinkingPart():
                continue  # only ever the assistant's
            case _:
                assert_never(part)
    if all(item["type"] == "input_text" for item in content):
        if content:
            yield {"role": "user", "content": "".join(str(item["text"]) for item in content)}
    else:
        yield {"role": "user", "content": content}


def _blob(part: BlobPart, blob: BlobReader) -> JsonObject:
    if part.kind == "image":
        url = writing.data_url(part, blob)
        return {"type": "input_image", "detail": "auto", "image_url": url}
    if part.kind == "file" and part.media_type == "application/pdf":
        url = writing.data_url(part, blob)
        return {"type": "input_file", "filename": part.name or "file.pdf", "file_data": url}
    if part.kind == "file" and writing.is_text(part.media_type):
        return {"type": "input_text", "text": writing.quoted_file(part, blob)}
    raise writing.cannot_carry(part, _NAME)


def _assistant_items(message: Message, *, stored: bool) -> Iterator[JsonObject]:
    phase: JsonObject = {}
    for part in message.parts:
        match part:
            case TextPart():
                if part.text:
                    yield {"role": "assistant", "content": part.text, **phase}
                phase = {}
            case ThinkingPart():
                opaque = _opaque(part)
                if "phase" in opaque:
                    phase = opaque
                elif "encrypted_content" in opaque or (stored and opaque):
                    yield opaque
            case ToolCallPart():
                yield {
                    "type": "function_call",
                    "call_id": part.id,
                    "name": part.name,
                    "arguments": writing.arguments_text(part.arguments),
                }
            case BlobPart():
                raise writing.cannot_carry(part, _NAME, role="assistant")
            case ToolResultPart():
                continue  # the toolbox's, never the assistant's
            case _:
                assert_never(part)


def _opaque(part: ThinkingPart) -> JsonObject:
    """Return what `_reasoning` or `_message` kept; nothing where another dialect thought."""
    if part.signature is None or not part.signature.startswith("{"):
        return {}
    return Node(reading.read_json(part.signature.encode())).object()


def _read(answer: Node) -> ModelResponse:
    if answer.child("status").text() == "failed":
        raise reading.failed(answer.child("error").value)
    if not answer.child("output").present:
        raise reading.malformed("`answer.output` is missing")
    parts: list[Part] = []
    for index, item in enumerate(answer.child("output").items()):
        match item.child("type").text():
            case "message":
                parts.extend(_message(item))
            case "reasoning":
                parts.append(_reasoning(item))
            case "function_call":
                parts.append(_call(item, answer.child("id").text(), index))
            case "image_generation_call":
                raise reading.unreadable("an image")
            case _:
                continue  # calls of tools that the provider ran itself
    return ModelResponse(
        Message("assistant", tuple(parts)),
        _finish(answer),
        _usage(answer),
        answer.child("model").text(),
    )


def _finish(answer: Node) -> FinishReason:
    status = answer.child("status").text()
    if status == "incomplete":
        reason = answer.child("incomplete_details").child("reason").text()
        return _INCOMPLETE.get(reason, FinishReason.OTHER)
    if status not in {"", "completed"}:
        return FinishReason.OTHER
    items = answer.child("output").items()
    contents = [content for item in items for content in item.child("content").items()]
    if any(content.child("type").text() == "refusal" for content in contents):
        return FinishReason.REFUSED
    if any(item.child("type").text() == "function_call" for item in items):
        return FinishReason.TOOL_CALLS
    return FinishReason.STOP


def _message(item: Node) -> Iterator[Part]:
    phase = item.child("phase").text()
    text = "".join(
        content.child("text").text() or content.child("refusal").text()
        for content in item.child("content").items()
    )
    if text and phase:
        yield ThinkingPart("", canonical_bytes({"phase": phase}).decode())
    if text:
        yield TextPart(text)


def _reasoning(item: Node) -> ThinkingPart:
    """Keep the item whole, since the provider wants it back as it was."""
    texts = [
        node.child("text").text()
        for node in (*item.child("summary").items(), *item.child("content").items())
    ]
    kept: dict[str, JsonValue] = {
        key: value
        for key, value in item.object().items()
        if key in {"id", "type", "summary", "content", "encrypted_content"} and value is not None
    }
    kept.setdefault("summary", [])
    return ThinkingPart("\n\n".join(texts), canonical_bytes(kept).decode())


def _call(item: Node, answer_id: str, index: int) -> ToolCallPart:
    name = item.child("name").text()
    arguments = reading.read_arguments(item.child("arguments").text())
    call_id = item.child("call_id").text()
    return ToolCallPart(
        call_id or reading.synthetic_call_id(answer_id, index, name, arguments), name, arguments
    )


def _usage(answer: Node) -> Usage:
    usage = answer.child("usage")
    return Usage(
        input_tokens=usage.child("input_tokens").count(),
        output_tokens=usage.child("output_tokens").count(),
        cached_tokens=usage.child("input_tokens_details").child("cached_tokens").count(),
        calls=1,
    )


def _assemble(events: Iterable[Node]) -> Node:
    """Return the answer in the last event; some servers leave its output to the earlier ones."""
    done: list[JsonValue] = []
    for event in events:
        kind = event.child("type").text()
        if kind == "error":
            raise reading.failed(event.value)
        if kind == "response.output_item.done":
            done.append(event.child("item").value)
        if kind in _FINAL:
            answer = dict(event.child("response").object())
            if not answer.get("output"):
                answer["output"] = done
            return Node(answer)
    raise reading.cut_short("no `response.completed` came")


DIALECT = OpenAiResponses()
