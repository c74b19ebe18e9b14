"""Nine changes between recording and replay, with default settings, through the command line.

Five are drift and must miss, with the right class of cause; three are none and must hit; a recorded
call that is never made must be reported and not green. Asked twice: of a program behind the proxy,
which can write its requests as it likes, and of a pipeline, whose definition and files are edited.
"""

from __future__ import annotations

import copy
import json
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pytest

from agentci.core.messages import (
    FinishReason,
    Message,
    ModelRequest,
    ModelResponse,
    TextPart,
    Usage,
)
from tests.support.command_line import CommandOutput, agentci
from tests.support.model_server import ModelServer
from tests.support.projects import Project, small

HIT: Final = "hit"
UNPLAYED: Final = "unplayed"

CLIENT = """
import os, sys, urllib.request

for line in open(sys.argv[1], encoding="utf-8"):
    address = os.environ["OPENAI_BASE_URL"] + "/chat/completions"
    headers = {"content-type": "application/json", "authorization": "Bearer x"}
    request = urllib.request.Request(address, line.encode(), headers)
    urllib.request.urlopen(request).read()
"""

TOOL: Any = {
    "type": "function",
    "function": {"name": "read_file", "description": "Reads.", "parameters": {"type": "object"}},
}
CALL: Any = {
    "id": "call_9f3a",
    "type": "function",
    "function": {"name": "read_file", "arguments": '{"path": "calc.py"}'},
}
ASKED: Any = [
    {"role": "system", "content": "You review patches."},
    {"role": "user", "content": "Review the patch of calc.py, please."},
]
TALK: Any = [
    {"model": "m", "tools": [TOOL], "messages": ASKED},
    {
        "model": "m",
        "tools": [TOOL],
        "messages": [
            *ASKED,
            {"role": "assistant", "content": None, "tool_calls": [CALL]},
            {"role": "tool", "tool_call_id": "call_9f3a", "content": "def add(a, b): ..."},
        ],
    },
    {"model": "m", "messages": [{"role": "user", "content": "Write the release notes."}]},
]
"""A question, its second turn with a tool's result, and a question of its own."""


def _each(change: Callable[[Any], None]) -> Callable[[Any], Any]:
    def changed(talk: Any) -> Any:
        for body in talk[:2]:
            change(body)
        return talk

    return changed


def _prompt(body: Any) -> None:
    body["messages"][1]["content"] = "Review the diff of calc.py, please."


def _system(body: Any) -> None:
    body["messages"][0]["content"] = "You review patches strictly."


def _parameter(body: Any) -> None:
    body["temperature"] = 0.5


def _tool(body: Any) -> None:
    other = copy.deepcopy(TOOL)
    other["function"]["name"] = "search"
    body["tools"].append(other)


def _result(talk: Any) -> Any:
    talk[1]["messages"][-1]["content"] = "def add(a, b, c): ..."
    return talk


def _ids(talk: Any) -> Any:
    talk[1]["messages"][-2]["tool_calls"][0]["id"] = "call_77b1"
    talk[1]["messages"][-1]["tool_call_id"] = "call_77b1"
    return talk


def _reversed_keys(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _reversed_keys(value[name]) for name in reversed(value)}
    return [_reversed_keys(item) for item in value] if isinstance(value, list) else value


@dataclass(frozen=True, slots=True)
class Probe:
    """A change, and what a replay has to make of it."""

    change: Callable[[Any], Any]
    expected: str
    """`hit`, `unplayed`, or the class of cause of a miss."""


PROBES: Final = {
    "a changed word of the prompt": Probe(_each(_prompt), "prompt edited"),
    "a changed system prompt": Probe(_each(_system), "system prompt edited"),
    "a changed tool result": Probe(_result, "a tool result differs"),
    "an added parameter": Probe(_each(_parameter), "field `temperature` added"),
    "an added tool": Probe(_each(_tool), "tool schema changed"),
    "swapped independent calls": Probe(lambda talk: [talk[2], *talk[:2]], HIT),
    "JSON keys in another order": Probe(_reversed_keys, HIT),
    "new ids of tool calls": Probe(_ids, HIT),
    "a recorded call that is never made": Probe(lambda talk: talk[:2], UNPLAYED),
}


def answer(_request: ModelRequest, number: int) -> ModelResponse:
    text = f"answer {number}"
    return ModelResponse(
        Message("assistant", (TextPart(text),)), FinishReason.STOP, Usage(3, 2), "m"
    )


def _write(folder: Path, talk: Any) -> str:
    path = folder / "talk.jsonl"
    path.write_text("".join(json.dumps(body) + "\n" for body in talk))
    return str(path)


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a client and the recording of its talk."""
    folder = tmp_path_factory.mktemp("drift")
    (folder / "client.py").write_text(CLIENT)
    with ModelServer(answer) as server:
        done = agentci(
            *("record", "--cassette", "talk", "--", sys.executable, "client.py"),
            _write(folder, TALK),
            folder=folder,
            env=server.environment,
        )
    assert done.code == 0, done.err
    return folder


def judge(done: CommandOutput, expected: str) -> None:
    if expected == HIT:
        assert done.code == 0, done.err
        return
    assert done.code == 4, done.err
    if expected == UNPLAYED:
        assert "error[ACI-R1" in done.err
        assert "unused" in done.err
    else:
        assert f"\n  cause: {expected}\n" in done.err
        assert "nearest recording: " in done.err


@pytest.mark.parametrize("name", PROBES)
def test_a_program_behind_the_proxy(recorded: Path, tmp_path: Path, name: str) -> None:
    talk = PROBES[name].change(copy.deepcopy(TALK))
    done = agentci(
        *("replay", "--cassette", "talk", "--", sys.executable, "client.py"),
        _write(tmp_path, talk),
        folder=recorded,
    )
    judge(done, PROBES[name].expected)


def test_there_are_nine_probes() -> None:
    assert len(PROBES) == 9


STEPS = """
models:
  m: {provider: scripted, id: m, script: script.yaml, parameters: {top_p: 0.9, max_tokens: 99}}
agents:
  a: {model: m, system: system.md, tools: [read_file]}
  b: {model: m}
steps:
  - {id: ask, needs: [], agent: a, prompt: ask.md, with: {question: Review the patch}}
  - {id: also, needs: [], agent: b, prompt: ask.md, with: {question: Write the notes}}
"""
SCRIPT = """
format: agentci/script
version: 1
rules:
- when: {any_contains: Review, turn: 1}
  reply: {tool_calls: [{name: read_file, arguments: {path: readme.txt}}]}
- reply: {text: fine}
"""
DEFINITION: Final = "pipelines/small/pipeline.yaml"


@dataclass(frozen=True, slots=True)
class Edit:
    """A change of a file of the project, and what a replay has to make of it."""

    file: str
    old: str
    new: str
    expected: str


ASK_STEP, ALSO_STEP = STEPS.splitlines(keepends=True)[-2:]
EDITS: Final = {
    "a changed word of the prompt": Edit(DEFINITION, "the patch", "the diff", "prompt edited"),
    "a changed system prompt": Edit(
        "pipelines/small/system.md", "You review.", "You judge.", "system prompt edited"
    ),
    "a changed tool result": Edit(
        "cassettes/small/ask/a.yaml", "hello", "goodbye", "a tool result differs"
    ),
    "other files for a tool": Edit(
        "readme.txt", "hello", "goodbye", "the files differ from those at recording"
    ),
    "an added parameter": Edit(
        DEFINITION, "max_tokens: 99", "max_tokens: 99, temperature: 0.5",
        "field `parameters` changed",
    ),
    "an added tool": Edit(
        DEFINITION, "[read_file]", "[read_file, list_files]", "tool schema changed"
    ),
    "swapped independent calls": Edit(
        DEFINITION, ASK_STEP + ALSO_STEP, ALSO_STEP + ASK_STEP, HIT
    ),
    "JSON keys in another order": Edit(
        DEFINITION, "top_p: 0.9, max_tokens: 99", "max_tokens: 99, top_p: 0.9", HIT
    ),
    "a recorded call that is never made": Edit(DEFINITION, ALSO_STEP, "", UNPLAYED),
}  # fmt: skip


@pytest.mark.parametrize("name", EDITS)
def test_a_pipeline(tmp_path: Path, name: str) -> None:
    edit = EDITS[name]
    project = _project(tmp_path)
    path = project.folder / edit.file
    text = path.read_text()
    assert edit.old in text
    path.write_text(text.replace(edit.old, edit.new, 1))
    if edit.file == "readme.txt":  # a run works on what is committed
        project.git("commit", "-q", "-m", "second", edit.file)
    judge(project.call("run", "small", "--mode", "replay"), edit.expected)


def test_a_recording_whose_request_was_changed_by_hand_says_so(tmp_path: Path) -> None:
    project = _project(tmp_path)
    edit = EDITS["a changed tool result"]
    path = project.folder / edit.file
    path.write_text(path.read_text().replace(edit.old, edit.new))
    done = project.call("run", "small", "--mode", "replay")
    assert "cause: the recording of this request has another key" in done.err


def _project(folder: Path) -> Project:
    project = small(
        folder, STEPS, script=SCRIPT, pipelines__small__system__DOTmd="You review.\n"
    )  # fmt: skip
    project.run("small")
    return project
