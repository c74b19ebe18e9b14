"""Neutral messages to the messages of a request."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import assert_never

from agentci.core.json_types import JsonObject, JsonValue
from agentci.core.messages import (
    BlobPart,
    Message,
    ModelRequest,
    Part,
    TextPart,
    ThinkingPart,
    ToolCallPart,
    ToolResultPart,
)
from agentci.models import writing
from agentci.models.dialect import BlobReader
from agentci.models.providers.openai_chat.reasoning import put_back

NAME = "openai-chat"
_AUDIO_FORMATS = {
    "audio/wav": "wav",
    "audio/x-wav": "wav",
    "audio/wave": "wav",
    "audio/mpeg": "mp3",
    "audio/mp3": "mp3",
}


def write_messages(request: ModelRequest, blob: BlobReader) -> Iterator[JsonObject]:
    """Yield the messages of a request, the instructions first."""
    if request.system:
        yield {"role": "system", "content": request.system}
    for message in request.messages:
        if message.role == "assistant":
            yield from _assistant(message)
        else:
            results = [part for part in message.parts if isinstance(part, ToolResultPart)]
            for result in results:
                yield {"role": "tool", "tool_call_id": result.id, "content": result.content}
            others = [part for part in message.parts if not isinstance(part, ToolResultPart)]
            if others or not results:
                yield {"role": "user", "content": _user_content(others, blob)}


def _user_content(parts: Iterable[Part], blob: BlobReader) -> JsonValue:
    content: list[JsonObject] = []
    for part in parts:
        match part:
            case TextPart():
                content.append({"type": "text", "text": part.text})
            case BlobPart():
                content.append(_blob(part, blob))
            case ToolCallPart() | ThinkingPart() | ToolResultPart():
                continue  # only ever the assistant's, or sent apart
            case _:
                assert_never(part)
    if all(item["type"] == "text" for item in content):
        return "".join(str(item["text"]) for item in content)
    return content


def _blob(part: BlobPart, blob: BlobReader) -> JsonObject:
    if part.kind == "image":
        return {"type": "image_url", "image_url": {"url": writing.data_url(part, blob)}}
    if part.kind == "audio" and part.media_type in _AUDIO_FORMATS:
        audio = {
            "data": writing.base64_text(part, blob),
            "format": _AUDIO_FORMATS[part.media_type],
        }
        return {"type": "input_audio", "input_audio": audio}
    if part.kind == "file" and part.media_type == "application/pdf":
        file = {
            "filename": part.name or "file.pdf",
            "file_data": writing.data_url(part, blob),
        }
        return {"type": "file", "file": file}
    if part.kind == "file" and writing.is_text(part.media_type):
        return {"type": "text", "text": writing.quoted_file(part, blob)}
    raise writing.cannot_carry(part, NAME)


def _assistant(message: Message) -> Iterator[JsonObject]:
    result: dict[str, JsonValue] = {"role": "assistant"}
    calls: list[JsonObject] = []
    extras: dict[str, JsonObject] = {}
    for part in message.parts:
        match part:
            case TextPart():
                result["content"] = f"{result.get('content', '')}{part.text}"
            case ThinkingPart():
                put_back(part, result, extras)
            case ToolCallPart():
                calls.append(
                    {
                        "id": part.id,
                        "type": "function",
                        "function": {
                            "name": part.name,
                            "arguments": writing.arguments_text(part.arguments),
                        },
                        **extras.get(part.id, {}),
                    }
                )
            case BlobPart():
                raise writing.cannot_carry(part, NAME, role="assistant")
            case ToolResultPart():
                continue  # the toolbox's, never the assistant's
            case _:
                assert_never(part)
    if calls:
        result["tool_calls"] = calls
        result.setdefault("content", None)
    if len(result) > 1:
        yield result
