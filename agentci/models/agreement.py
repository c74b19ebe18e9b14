"""How much two answers to one request agree. Pure."""

from __future__ import annotations

import json
from typing import Final, Literal, TypeAlias

from agentci.core.canonical import canonical_bytes
from agentci.core.json_types import JsonValue
from agentci.core.messages import ModelResponse

Agreement: TypeAlias = Literal["exact", "same_tool_calls", "same_json", "differs"]
"""`exact`: the same text and tool calls. `same_tool_calls`: the same tools with the same arguments,
whatever was said beside them. `same_json`: texts that are the same JSON."""

AGREEING: Final[tuple[Agreement, ...]] = ("exact", "same_tool_calls", "same_json")


def compare(recorded: ModelResponse, live: ModelResponse) -> Agreement:
    """Return the strongest agreement of two answers; ids of tool calls do not count."""
    old, new = recorded.message, live.message
    same_calls = _calls(recorded) == _calls(live)
    if same_calls and old.text == new.text:
        return "exact"
    if same_calls and old.tool_calls:
        return "same_tool_calls"
    one, other = _json(old.text), _json(new.text)
    if same_calls and one is not None and one == other:
        return "same_json"
    return "differs"


def _calls(response: ModelResponse) -> list[tuple[str, bytes]]:
    return [(call.name, canonical_bytes(call.arguments)) for call in response.message.tool_calls]


def _json(text: str) -> bytes | None:
    """Return the canonical form of a text that is a JSON object or list."""
    try:
        value: JsonValue = json.loads(text)
        return canonical_bytes(value) if isinstance(value, dict | list) else None
    except (ValueError, RecursionError):
        return None
