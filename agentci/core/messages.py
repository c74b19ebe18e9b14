"""The provider-neutral conversation: what an agent says, asks for and is told."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Literal, TypeAlias

from agentci.core.digest import Digest
from agentci.core.json_types import JsonObject, JsonValue

Role: TypeAlias = Literal["user", "assistant", "tool"]
"""Who speaks. Instructions are not a message: see `ModelRequest.system`."""


@dataclass(frozen=True, slots=True)
class TextPart:
    """Plain text."""

    text: str


@dataclass(frozen=True, slots=True)
class BlobPart:
    """An image, a sound or a file. The bytes live in the object store under `digest`."""

    kind: Literal["image", "audio", "file"]
    media_type: str
    """For example `image/png`."""
    digest: Digest
    name: str | None = None
    """File name to show to the model, where the provider's format has one."""


@dataclass(frozen=True, slots=True)
class ToolCallPart:
    """The model asks for a tool."""

    id: str
    """The provider's id of the call, echoed in the result; unique within a conversation."""
    name: str
    arguments: JsonObject


@dataclass(frozen=True, slots=True)
class ToolResultPart:
    """What a tool answered."""

    id: str
    name: str
    content: str
    is_error: bool = False


@dataclass(frozen=True, slots=True)
class ThinkingPart:
    """Reasoning that the provider shows, to be sent back unchanged where it demands that."""

    text: str
    signature: str | None = None
    """Opaque proof or encrypted content of the provider, or None."""


Part: TypeAlias = TextPart | BlobPart | ToolCallPart | ToolResultPart | ThinkingPart


@dataclass(frozen=True, slots=True)
class Message:
    """One turn of one speaker. Tool results stand in messages of role `tool`."""

    role: Role
    parts: tuple[Part, ...]

    @property
    def text(self) -> str:
        """All text parts, joined."""
        return "".join(part.text for part in self.parts if isinstance(part, TextPart))

    @property
    def tool_calls(self) -> tuple[ToolCallPart, ...]:
        """The tool calls, in the order in which the model made them."""
        return tuple(part for part in self.parts if isinstance(part, ToolCallPart))


@dataclass(frozen=True, slots=True)
class ToolDefinition:
    """A tool as the model sees it."""

    name: str
    description: str
    parameters: JsonObject
    """JSON Schema of the arguments, of type `object`."""


@dataclass(frozen=True, slots=True)
class ModelRequest:
    """One call of a model, before any provider's wire format."""

    model: str
    """The provider's id of the model."""
    messages: tuple[Message, ...]
    system: str = ""
    tools: tuple[ToolDefinition, ...] = ()
    parameters: Mapping[str, JsonValue] = field(default_factory=dict)
    """Neutral names: `max_tokens`, `temperature`, `top_p`, `top_k`, `stop`. Any other name goes
    to the wire body as it is."""
    seed: int | None = None
    """Derived from the run seed by lane; sent only where the dialect has a field for it."""
    output_schema: JsonObject | None = None
    stream: bool = False


class FinishReason(StrEnum):
    """Why the model stopped."""

    STOP = "stop"
    TOOL_CALLS = "tool_calls"
    LENGTH = "length"
    REFUSED = "refused"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens of one or more calls, as the provider counted them."""

    input_tokens: int = 0
    """All input tokens, cached ones included."""
    output_tokens: int = 0
    """All output tokens, reasoning included."""
    cached_tokens: int = 0
    """The part of the input that the provider read from its prompt cache."""
    calls: int = 0

    def __add__(self, other: Usage) -> Usage:
        """Add field by field."""
        return Usage(
            self.input_tokens + other.input_tokens,
            self.output_tokens + other.output_tokens,
            self.cached_tokens + other.cached_tokens,
            self.calls + other.calls,
        )

    @property
    def tokens(self) -> int:
        """Input and output together."""
        return self.input_tokens + self.output_tokens


@dataclass(frozen=True, slots=True)
class ModelResponse:
    """A model's answer, after decoding."""

    message: Message
    finish_reason: FinishReason
    usage: Usage
    model: str
    """The model that the provider says has answered."""
