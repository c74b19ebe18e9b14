"""What a growing conversation takes on disk, beside the text that is new in it.

A turn brings 1.4 KB: a tool call, its result, and the model's words. The floor is the new text as
JSON, each message once; the ceiling is what storing every request whole takes. Run as
`python benchmarks/cassette_size.py`; exits 1 where a bar is missed.
"""

from __future__ import annotations

import json
import resource
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from agentci.adapters.files import LocalFiles
from agentci.core.json_types import JsonObject, JsonValue
from agentci.core.lane import Lane
from agentci.core.wire import WireRequest
from agentci.record.interaction import Interaction
from agentci.record.keys import canonical_request, interaction_key
from agentci.record.session import Mode, RecordingSession

TURNS = (10, 50, 200, 1000)
BARS = {50: 0.2, 200: 0.8}
"""Megabytes of cassette by turns."""
LANE = Lane("code/coder")
TOOLS: list[JsonValue] = [
    {
        "type": "function",
        "function": {
            "name": name,
            "description": f"The tool {name}, described in a sentence or two for the model.",
            "parameters": {"type": "object", "properties": {"path": {"type": "string"}}},
        },
    }
    for name in ("read_file", "write_file", "edit_file", "list_files", "search", "run_command")
]


@dataclass(frozen=True)
class Size:
    """Bytes of one conversation."""

    new_text: int = 0
    whole: int = 0
    cassette: int = 0
    record_cpu: float = 0
    replay_cpu: float = 0


def turn(number: int) -> tuple[JsonObject, JsonObject]:
    words = " ".join(f"reason{number}x{n}" for n in range(24))
    lines = "\n".join(f"{n:4} value_{number}_{n} = compute(value_{n})" for n in range(24))
    call: JsonObject = {
        "id": f"call_{number:024d}",
        "type": "function",
        "function": {"name": "read_file", "arguments": f'{{"path": "src/module_{number}.py"}}'},
    }
    said: JsonObject = {"role": "assistant", "content": words, "tool_calls": [call]}
    told: JsonObject = {"role": "tool", "tool_call_id": f"call_{number:024d}", "content": lines}
    return said, told


def converse(session: RecordingSession, turns: int) -> tuple[int, int]:
    """Play the conversation; return the bytes of new text and of all requests stored whole."""
    messages: list[JsonValue] = [
        {"role": "system", "content": "You fix bugs.\n" * 20},
        {"role": "user", "content": "The tests fail since yesterday; find out why."},
    ]
    new = len(json.dumps(messages))
    whole = 0
    for number in range(turns):
        said, told = turn(number)
        body: JsonObject = {"model": "bench-model", "messages": list(messages), "tools": TOOLS}
        wire = WireRequest("POST", "/chat/completions", body)
        request = canonical_request("openai-chat/1", wire)
        choice: JsonObject = {"index": 0, "message": said, "finish_reason": "tool_calls"}
        answer: JsonObject = {
            "status": 200,
            "headers": {"content-type": "application/json"},
            "body": {
                "id": f"chatcmpl-{number}",
                "object": "chat.completion",
                "created": 1764547200,
                "model": "bench-model",
                "choices": [choice],
                "usage": {"prompt_tokens": 81, "completion_tokens": 97, "total_tokens": 178},
            },
        }
        address = session.reserve(LANE, interaction_key(request))
        found = session.lookup(address)
        if found is None:
            session.append(Interaction(address, "model", request, answer))
        else:
            assert found.response == answer
        messages += [said, told]
        new += len(json.dumps([said, told]))
        whole += len(json.dumps(request)) + len(json.dumps(answer)) if turns <= 200 else 0
    return new, whole


def measure(turns: int) -> Size:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        began = time.process_time()
        session = RecordingSession(LocalFiles(), folder, mode=Mode.RECORD)
        new, whole = converse(session, turns)
        session.seal()
        recorded = time.process_time()
        replay = RecordingSession(LocalFiles(), folder, mode=Mode.REPLAY)
        converse(replay, turns)
        assert replay.unplayed() == ()
        replayed = time.process_time()
        size = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
        return Size(new, whole, size, recorded - began, replayed - recorded)


def main() -> int:
    missed = []
    print(f"{'turns':>6}{'new MB':>9}{'whole MB':>10}{'cassette MB':>13}{'of new':>8}"
          f"{'record s':>10}{'replay s':>10}")  # fmt: skip
    for turns in TURNS:
        size = measure(turns)
        megabytes = size.cassette / 1e6
        print(
            f"{turns:6}{size.new_text / 1e6:9.3f}{size.whole / 1e6:10.2f}{megabytes:13.3f}"
            f"{size.cassette / size.new_text:7.2f}x{size.record_cpu:10.2f}{size.replay_cpu:10.2f}"
        )
        if turns in BARS and megabytes > BARS[turns]:
            missed.append(f"{turns} turns take {megabytes:.2f} MB, bar {BARS[turns]}")
    print(f"peak {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MB")
    print("\n".join(f"missed: {text}" for text in missed) or "every bar is met")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
