"""What kind of change made a request miss its recording, in words that name what to look at.

Knows where wire formats keep prompts, tools and tool results, and nothing of recordings.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from agentci.core.canonical import canonical_bytes
from agentci.core.json_types import JsonObject, JsonValue
from agentci.record.json_diff import ABSENT, Difference

_INSTRUCTIONS = frozenset({"system", "systemInstruction", "instructions"})
_TOOLS = frozenset({"tools", "toolConfig", "tool_choice", "functions"})
_TURNS = ("messages", "input", "contents")
_OF_ROLE = {
    "system": "system prompt edited",
    "developer": "system prompt edited",
    "user": "prompt edited",
    "assistant": "an earlier answer differs",
    "model": "an earlier answer differs",
    "tool": "a tool result differs",
    "function": "a tool result differs",
}
_OF_TOP_FIELD = {
    "dialect": "the wire format has another version",
    "method": "another endpoint",
    "path": "another endpoint",
    "tool": "another tool",
    "version": "the tool has another version",
    "arguments": "the tool's arguments differ",
    "tree": "the files differ from those at recording",
}


def causes(
    found: Sequence[Difference], recorded: JsonObject, request: JsonObject
) -> tuple[str, ...]:
    """Return the kinds of change in `found`, each once, in the order of the differences."""
    if is_reordered(recorded, request):
        return ("the messages come in another order",)
    return tuple(dict.fromkeys(_cause(difference, request, recorded) for difference in found))


def _cause(difference: Difference, request: JsonObject, recorded: JsonObject) -> str:
    top, *rest = difference.path
    if top != "body" or not rest:
        return _OF_TOP_FIELD.get(str(top), _field(difference, str(top)))
    name = str(rest[0])
    if name in _INSTRUCTIONS:
        return "system prompt edited"
    if name in _TOOLS:
        return "tool schema changed"
    if name == "model":
        return "another model"
    if name in _TURNS and len(rest) > 1:
        return _turn_cause(difference, request, recorded)
    return _field(difference, name)


def _turn_cause(difference: Difference, request: JsonObject, recorded: JsonObject) -> str:
    if len(difference.path) == 3 and difference.old is ABSENT:
        return "the conversation has more messages than recorded"
    if len(difference.path) == 3 and difference.new is ABSENT:
        return "the conversation has fewer messages than recorded"
    for holder in (request, recorded):
        role = _role(holder, difference.path[1], difference.path[2])
        if role is not None:
            return role
    return "prompt edited"


def _role(holder: JsonObject, name: str | int, index: str | int) -> str | None:
    body = holder.get("body")
    turns = body.get(str(name)) if isinstance(body, Mapping) else None
    if not isinstance(turns, list | tuple) or not isinstance(index, int) or index >= len(turns):
        return None
    turn = turns[index]
    if not isinstance(turn, Mapping):
        return None
    if _is_tool_result(turn):
        return "a tool result differs"
    kind = str(turn.get("type"))
    if kind.endswith("call") or kind == "reasoning":
        return "an earlier answer differs"
    return _OF_ROLE.get(str(turn.get("role")))


def _is_tool_result(turn: JsonObject) -> bool:
    if str(turn.get("type")).endswith("call_output"):
        return True
    parts = turn.get("content") or turn.get("parts")
    return isinstance(parts, list | tuple) and any(
        isinstance(part, Mapping)
        and (str(part.get("type")).endswith("tool_result") or "functionResponse" in part)
        for part in parts
    )


def _field(difference: Difference, name: str) -> str:
    if difference.old is ABSENT and len(difference.path) <= 2:
        return f"field `{name}` added"
    if difference.new is ABSENT and len(difference.path) <= 2:
        return f"field `{name}` left out"
    return f"field `{name}` changed"


def is_reordered(recorded: JsonObject, request: JsonObject) -> bool:
    """Say whether a request has exactly the messages of the recorded one, in another order."""
    body, base = request.get("body"), recorded.get("body")
    if not isinstance(body, Mapping) or not isinstance(base, Mapping):
        return False
    for name in _TURNS:
        new, old = _sorted(body.get(name)), _sorted(base.get(name))
        if new and new == old and body[name] != base[name]:
            return True
    return False


def _sorted(value: JsonValue) -> list[bytes]:
    items = value if isinstance(value, Sequence) and not isinstance(value, str) else ()
    return sorted(canonical_bytes(item) for item in items)
