"""What the agents of a trial said and did, taken down where they ask their models.

Knows messages, not wire formats: what it sees is the same for every provider.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from agentci.app.eval_metrics import AgentCall, MeasuredCall
from agentci.core.messages import (
    BlobPart,
    Message,
    TextPart,
    ThinkingPart,
    ToolCallPart,
    ToolResultPart,
)
from agentci.evals.case import ToolUse
from agentci.models.gateway import Answer
from agentci.record.session import is_below

if TYPE_CHECKING:
    from agentci.agents.protocol import AnswerPort, GatewayPort
    from agentci.core.json_types import JsonObject, JsonValue
    from agentci.core.lane import Lane
    from agentci.core.messages import ModelRequest, Part
    from agentci.spec.pipeline import ModelSpec
    from agentci.steps.results import StepRecord


@dataclass(frozen=True, slots=True)
class Conversation:
    """What one agent and its model said."""

    lane: Lane
    messages: tuple[Message, ...]


@dataclass(slots=True)
class TakingDown:
    """A gateway that keeps the last state of every conversation, and what each call took."""

    gateway: GatewayPort
    latest: dict[Lane, tuple[Message, ...]] = field(default_factory=dict)
    calls: list[AgentCall] = field(default_factory=list)

    async def complete(self, spec: ModelSpec, request: ModelRequest, *, lane: Lane) -> AnswerPort:
        """Return the answer to `request`, and take both down."""
        answer = await self.gateway.complete(spec, request, lane=lane)
        assert isinstance(answer, Answer)
        tokens = answer.response.usage.tokens
        took = MeasuredCall(tokens, answer.cost, answer.seconds)
        self.calls.append(AgentCall(answer.address, took))
        self.latest[lane] = (*request.messages, answer.response.message)
        return answer

    def conversations(self, records: Iterable[StepRecord]) -> tuple[Conversation, ...]:
        """Return the conversations in plan order; `records` are the run's, inner ones first."""
        left = sorted(self.latest)
        found: list[Lane] = []
        for record in records:
            below = [lane for lane in left if is_below(lane, record.lane)]
            found += below
            left = [lane for lane in left if lane not in below]
        return tuple(Conversation(lane, self.latest[lane]) for lane in [*found, *left])


def tool_uses(conversations: Sequence[Conversation]) -> Iterator[ToolUse]:
    """Yield the calls of tools that were answered, in the order in which they were made."""
    for conversation in conversations:
        results = {
            part.id: part
            for message in conversation.messages
            for part in message.parts
            if isinstance(part, ToolResultPart)
        }
        for message in conversation.messages:
            for call in message.tool_calls:
                result = results.get(call.id)
                if result is not None:
                    lane = conversation.lane
                    yield ToolUse(call.name, call.arguments, lane, is_error=result.is_error)


def conversation_json(conversation: Conversation) -> JsonObject:
    """Return a conversation as JSON, for reports and judges."""
    messages: list[JsonValue] = [
        {"role": message.role, "parts": [_part_json(part) for part in message.parts]}
        for message in conversation.messages
    ]
    return {"lane": conversation.lane, "messages": messages}


def _part_json(part: Part) -> JsonObject:
    match part:
        case TextPart(text):
            return {"text": text}
        case ThinkingPart(text):
            return {"thinking": text}
        case BlobPart(kind, media_type, digest):
            return {"blob": digest, "kind": kind, "media_type": media_type}
        case ToolCallPart(identifier, name, arguments):
            return {"call": identifier, "name": name, "arguments": arguments}
        case ToolResultPart(identifier, name, content, is_error):
            return {"result": identifier, "name": name, "content": content, "is_error": is_error}
