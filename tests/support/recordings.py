"""Interactions as a provider would give them, for tests of what is recorded."""

from __future__ import annotations

from agentci.core.json_types import JsonObject, JsonValue
from agentci.core.lane import Lane
from agentci.core.wire import WireRequest
from agentci.record.interaction import Interaction, InteractionKind
from agentci.record.keys import canonical_request, interaction_key
from agentci.record.session import RecordingSession

LANE = Lane("fix[1]/coder")
TOOLS: list[JsonValue] = [
    {
        "type": "function",
        "function": {
            "name": "read_file",
            "description": "Read a file of the workspace.",
            "parameters": {
                "type": "object",
                "properties": {"path": {"type": "string"}},
                "required": ["path"],
            },
        },
    }
]
SYSTEM: JsonObject = {
    "role": "system",
    "content": "You fix bugs in small Python projects.\n\nRead before you write. Change little.\n",
}


def user(text: str) -> JsonObject:
    """Return a message of the user."""
    return {"role": "user", "content": text}


def request_of(*messages: JsonValue, **fields: JsonValue) -> JsonObject:
    """Return the canonical request of a chat with these messages."""
    body: JsonObject = {
        "model": "scripted-1",
        "messages": [SYSTEM, *messages],
        "tools": TOOLS,
        **fields,
    }
    return canonical_request("openai-chat/1", WireRequest("POST", "/chat/completions", body))


def response_of(message: JsonValue, number: int = 1) -> JsonObject:
    """Return the stored answer of a chat."""
    choice: JsonObject = {"index": 0, "message": message, "finish_reason": "stop"}
    return {
        "status": 200,
        "headers": {"content-type": "application/json"},
        "body": {
            "id": f"chatcmpl-{number:04d}",
            "object": "chat.completion",
            "created": 1764547200,
            "model": "scripted-1",
            "choices": [choice],
            "usage": {"prompt_tokens": 81, "completion_tokens": 17, "total_tokens": 98},
        },
    }


def play(
    session: RecordingSession, request: JsonObject, answer: JsonObject, lane: Lane = LANE
) -> Interaction:
    """Ask for `request` in `lane`: replayed where recorded, else recorded with `answer`."""
    address = session.reserve(lane, interaction_key(request))
    found = session.lookup(address)
    if found is None:
        kind: InteractionKind = "tool" if "tool" in request else "model"
        found = Interaction(address, kind, request, answer)
        session.append(found)
    return found


def converse(
    session: RecordingSession, turns: int, *, lane: Lane = LANE, text: str = "some text " * 140
) -> list[JsonObject]:
    """Play a conversation in which each turn calls a tool and gets `text`; return the answers."""
    messages: list[JsonValue] = [user("Fix `add` in calc.py.")]
    answers: list[JsonObject] = []
    for turn in range(1, turns + 1):
        call: JsonObject = {
            "id": f"call_{turn}",
            "type": "function",
            "function": {"name": "read_file", "arguments": f'{{"path": "file{turn}.py"}}'},
        }
        message: JsonObject = {"role": "assistant", "content": None, "tool_calls": [call]}
        found = play(session, request_of(*messages), response_of(message, turn), lane)
        answers.append(found.response)
        result: JsonObject = {
            "role": "tool",
            "tool_call_id": f"call_{turn}",
            "content": f"{turn}\n{text}\n",
        }
        messages += [message, result]
    return answers
