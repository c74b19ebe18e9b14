"""What the agent loop takes and gives, and the ports through which it reaches models and tools.

The real ports are `models.gateway.Gateway` and `tools.toolbox.Toolbox`. This module holds no
behaviour.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal, Protocol, TypeAlias

from agentci.core.json_types import JsonObject, JsonValue
from agentci.core.lane import Lane
from agentci.core.messages import (
    FinishReason,
    Message,
    ModelRequest,
    ModelResponse,
    ToolCallPart,
    ToolDefinition,
    ToolResultPart,
    Usage,
)
from agentci.spec.pipeline import AgentLimits, ModelSpec


class SeedPort(Protocol):
    """What became of the seed of one call."""

    @property
    def value(self) -> int | None:
        """The derived seed."""

    @property
    def sent(self) -> bool:
        """Whether the provider got it."""

    @property
    def reason(self) -> str:
        """Why it was not sent."""


class AnswerPort(Protocol):
    """A model's answer and where it came from."""

    @property
    def response(self) -> ModelResponse:
        """The answer."""

    @property
    def source(self) -> str:
        """`replayed`, `recorded` or `live`."""

    @property
    def cost(self) -> float | None:
        """In the currency of the model's price; None without a price."""

    @property
    def seed(self) -> SeedPort:
        """What became of the seed."""


class GatewayPort(Protocol):
    """The way to models."""

    async def complete(self, spec: ModelSpec, request: ModelRequest, *, lane: Lane) -> AnswerPort:
        """Return the answer to `request`."""


class ToolboxPort(Protocol):
    """The tools of one agent."""

    @property
    def definitions(self) -> tuple[ToolDefinition, ...]:
        """The tools as a model sees them."""

    async def call(self, part: ToolCallPart, *, lane: Lane) -> ToolResultPart:
        """Serve a call; what the model did wrong is a result with `is_error`."""


@dataclass(frozen=True, slots=True)
class TurnStarted:
    """Event: a model is asked."""

    lane: Lane
    turn: int
    """Counted from 1."""


@dataclass(frozen=True, slots=True)
class TurnFinished:
    """Event: a model has answered."""

    lane: Lane
    turn: int
    source: str
    usage: Usage
    finish_reason: FinishReason
    tools: tuple[str, ...]
    """Names of the tools that it asks for."""


@dataclass(frozen=True, slots=True)
class ToolFinished:
    """Event: a tool has answered."""

    lane: Lane
    turn: int
    name: str
    is_error: bool


@dataclass(frozen=True, slots=True)
class RepairAsked:
    """Event: an answer did not fit and the model is told why."""

    lane: Lane
    turn: int
    problem: str


AgentEvent: TypeAlias = TurnStarted | TurnFinished | ToolFinished | RepairAsked
"""What happens in an agent's work, for progress displays. No digest covers events."""

AgentOutcome: TypeAlias = Literal[
    "done",
    "limit_turns",
    "limit_tokens",
    "limit_cost",
    "invalid_output",
    "refused",
    "truncated",
]
"""How the work of an agent ended."""


def _ignore(event: AgentEvent) -> None:
    del event


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentTask:
    """Work for an agent."""

    model: ModelSpec
    messages: tuple[Message, ...]
    """The conversation so far; usually the one message with the prompt and its attachments."""
    lane: Lane
    system: str = ""
    output_schema: JsonObject | None = None
    """Of the answer; without it the output is `{"text": ...}`."""
    limits: AgentLimits = field(default_factory=AgentLimits)
    repairs: int = 2
    """Turns in which a wrong answer may be put right."""
    seed: int | None = None
    """The run seed, from which the calls' seed is derived by lane; None derives none."""
    on_event: Callable[[AgentEvent], None] = _ignore


@dataclass(frozen=True, slots=True)
class AgentResult:
    """What an agent's work came to."""

    outcome: AgentOutcome
    output: JsonValue
    """The answer where `done`; else `{"text": ...}` with the last text of the model."""
    messages: tuple[Message, ...]
    """The whole conversation."""
    usage: Usage
    cost: float | None
    """Of all turns; None when the model has no price."""
    seeds: tuple[SeedPort, ...]
    """One for each turn."""
    turns: int
    """Model calls that were made."""
    problem: str = ""
    """Why the work is not done, for people; empty where it is."""
