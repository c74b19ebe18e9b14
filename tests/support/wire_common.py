"""What the server sides of all wire formats share: the contract, texts, pictures, checks."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from agentci.core.digest import digest_bytes, digest_json, hex_of
from agentci.core.messages import (
    BlobPart,
    Message,
    ModelRequest,
    ModelResponse,
    TextPart,
    ThinkingPart,
    ToolResultPart,
)

CREATED = 1_767_225_600
"""2026-01-01T00:00:00Z, the time of every scripted answer: the server has no clock."""

_PIECE = 24
"""Characters of one delta, about what a model sends at a time."""


class BadRequest(Exception):
    """The request is not one that the provider would take."""


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer that is to be written in some wire format."""

    response: ModelResponse
    identity: str
    """Hexadecimal digits that depend on the request alone."""
    stream_usage: bool = True
    """Whether token counts are part of a stream."""


class ServerSide(Protocol):
    """The provider's half of a wire format."""

    def read(self, path: str, body: Mapping[str, Any]) -> ModelRequest:
        """Return the neutral request; raises `BadRequest` where the provider would refuse."""

    def answer(self, reply: Reply) -> dict[str, Any]:
        """Return the answer as one JSON body."""

    def events(self, reply: Reply) -> Iterator[str]:
        """Yield the answer as a stream of events, one text for each write of the server."""

    def error(self, status: int, message: str) -> dict[str, Any]:
        """Return the body of an error."""


def identity_of(path: str, body: Mapping[str, Any]) -> str:
    """Return the digits from which the ids of an answer are made; streaming changes nothing."""
    kept = {key: value for key, value in body.items() if key not in {"stream", "stream_options"}}
    plain_path = path.partition("?")[0].replace("streamGenerateContent", "generateContent")
    return hex_of(digest_json({"path": plain_path, "body": kept}))


def pieces(text: str) -> Iterator[str]:
    """Cut a text as a model would send it."""
    for start in range(0, len(text), _PIECE):
        yield text[start : start + _PIECE]


def compact(value: object) -> str:
    """Return JSON on one line."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def event(data: object, name: str | None = None) -> str:
    """Return one server-sent event."""
    text = data if isinstance(data, str) else compact(data)
    return f"event: {name}\ndata: {text}\n\n" if name else f"data: {text}\n\n"


def text_of(message: Message) -> str:
    """Return the answer's text."""
    return message.text


def thinking_of(message: Message) -> str:
    """Return the answer's reasoning."""
    return "".join(part.text for part in message.parts if isinstance(part, ThinkingPart))


def has_text(message: Message) -> bool:
    """Say whether the answer has a text, perhaps an empty one."""
    return any(isinstance(part, TextPart) for part in message.parts)


def blob_part(kind: Any, media_type: str, data: str, name: str | None = None) -> BlobPart:
    """Return the part for base64 `data`."""
    try:
        content = base64.b64decode(data, validate=True)
    except binascii.Error:
        raise BadRequest("invalid base64 data") from None
    return BlobPart(kind, media_type, digest_bytes(content), name)


def data_url_part(kind: Any, url: str, name: str | None = None) -> BlobPart:
    """Return the part for a `data:` URL."""
    header, comma, data = url.partition(",")
    if not comma or not header.startswith("data:") or not header.endswith(";base64"):
        raise BadRequest("only `data:` URLs with base64 are supported")
    media_type = header.removeprefix("data:").removesuffix(";base64")
    return blob_part(kind, media_type, data, name)


def arguments_of(text: str) -> dict[str, Any]:
    """Return the arguments that a client sent back as JSON text."""
    try:
        value = json.loads(text or "{}")
    except ValueError:
        raise BadRequest("tool call arguments are not JSON") from None
    if not isinstance(value, dict):
        raise BadRequest("tool call arguments are not an object")
    return value


def need(body: Mapping[str, Any], key: str, kind: type) -> Any:
    """Return a member that the provider insists on."""
    value = body.get(key)
    if not isinstance(value, kind):
        raise BadRequest(f"missing or wrong parameter: '{key}'")
    return value


def check_conversation(request: ModelRequest) -> None:
    """Refuse what real providers refuse: tool results without a call, and calls without one."""
    waiting: list[str] = []
    for message in request.messages:
        results = [part.id for part in message.parts if isinstance(part, ToolResultPart)]
        for result in results:
            if result not in waiting:
                raise BadRequest(f"tool result '{result}' answers no preceding tool call")
            waiting.remove(result)
        if waiting and not results:
            raise BadRequest(f"no tool result for the tool call '{waiting[0]}'")
        waiting += [call.id for call in message.tool_calls]
    if waiting:
        raise BadRequest(f"no tool result for the tool call '{waiting[0]}'")
    if not request.messages or request.messages[-1].role == "assistant":
        raise BadRequest("the last message is not one of the user or of a tool")
