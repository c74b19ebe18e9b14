"""Messages as UTF-8 can carry them.

Some endpoints cut a character in two and send its halves. Such text cannot be sent back, hashed or
stored; here it is put right before it becomes part of a conversation.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import assert_never

from agentci.core.json_types import JsonObject, JsonValue
from agentci.core.messages import (
    BlobPart,
    Message,
    Part,
    TextPart,
    ThinkingPart,
    ToolCallPart,
    ToolResultPart,
)
from agentci.core.text import replace_lone_surrogates


def carriable(message: Message) -> Message:
    """Return `message` with every half of a character replaced; nearly always as it is."""
    parts = tuple(_part(part) for part in message.parts)
    return message if parts == message.parts else replace(message, parts=parts)


def _part(part: Part) -> Part:
    match part:
        case TextPart():
            return TextPart(replace_lone_surrogates(part.text))
        case ThinkingPart():
            return ThinkingPart(replace_lone_surrogates(part.text), part.signature)
        case ToolCallPart():
            name = replace_lone_surrogates(part.name)
            return replace(part, name=name, arguments=_members(part.arguments))
        case BlobPart() | ToolResultPart():
            return part
        case _:
            assert_never(part)


def _members(value: JsonObject) -> JsonObject:
    return {replace_lone_surrogates(name): _value(item) for name, item in value.items()}


def _value(value: JsonValue) -> JsonValue:
    if isinstance(value, str):
        return replace_lone_surrogates(value)
    if isinstance(value, Mapping):
        return _members(value)
    if isinstance(value, Sequence):
        return [_value(item) for item in value]
    return value
