"""Reasoning and opaque extras: taken from an answer, and put back where they came from."""

from __future__ import annotations

from collections.abc import Iterator

from agentci.core.canonical import canonical_bytes
from agentci.core.json_types import JsonObject, JsonValue
from agentci.core.messages import ThinkingPart, ToolCallPart
from agentci.models import reading
from agentci.models.reading import Node

REASONING_TEXTS = ("reasoning_content", "reasoning")
"""Where servers put reasoning as text. The signature of the part is the name of the field, so
that it goes back where it came from."""


def put_back(
    part: ThinkingPart, message: dict[str, JsonValue], extras: dict[str, JsonObject]
) -> None:
    """Put reasoning back into the field from which `thinking` and `extras` took it."""
    if part.signature in REASONING_TEXTS:
        message[part.signature] = f"{message.get(part.signature, '')}{part.text}"
    elif part.signature is not None and part.signature.startswith("["):
        message["reasoning_details"] = reading.read_json(part.signature.encode())
    elif part.signature is not None and part.signature.startswith("{"):
        for call_id, extra in Node(reading.read_json(part.signature.encode())).object().items():
            extras[call_id] = {"extra_content": extra}


def thinking(message: Node) -> Iterator[ThinkingPart]:
    """Yield the reasoning that a message shows."""
    details = message.child("reasoning_details")
    for field in REASONING_TEXTS:
        text = message.child(field)
        if isinstance(text.value, str) and text.value:
            signature = _opaque(details.value) if details.items() else field
            yield ThinkingPart(text.value, signature)
            return
    if details.items():
        yield ThinkingPart("", _opaque(details.value))
    if isinstance(message.child("content").value, list | tuple):
        chunks = [c.child("thinking") for c in message.child("content").items()]
        texts = [t.child("text").text() for chunk in chunks for t in chunk.items()]
        if texts:
            yield ThinkingPart("".join(texts))


def extras(message: Node, calls: tuple[ToolCallPart, ...]) -> Iterator[ThinkingPart]:
    """Keep what a gateway attached to tool calls and wants back, such as thought signatures."""
    found = {
        call.id: node.child("extra_content").value
        for call, node in zip(calls, message.child("tool_calls").items(), strict=False)
        if node.child("extra_content").present
    }
    if found:
        yield ThinkingPart("", _opaque(found))


def _opaque(value: JsonValue) -> str:
    return canonical_bytes(value).decode("utf-8")
