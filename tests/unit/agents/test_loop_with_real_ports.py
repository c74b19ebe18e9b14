"""An agent on a real git workspace, a real session, the gateway and a scripted model."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from agentci.adapters.files import LocalFiles
from agentci.adapters.git_repository import open_folder
from agentci.adapters.sandbox_process import ProcessSandbox
from agentci.adapters.system import SystemClock, SystemEnv
from agentci.agents.loop import run_agent
from agentci.agents.protocol import AgentResult, AgentTask
from agentci.core.effects import Workspace
from agentci.core.errors import CassetteMiss
from agentci.core.lane import Lane
from agentci.core.messages import Message, TextPart, ToolCallPart, ToolResultPart
from agentci.core.wire import HttpRequest, WireResponse
from agentci.models.gateway import Gateway
from agentci.record.session import Mode, RecordingSession
from agentci.spec.pipeline import ModelSpec
from agentci.spec.script import read_script
from agentci.tools.environment import fixed_environment
from agentci.tools.masking import Masker
from agentci.tools.protocol import ToolContext
from agentci.tools.toolbox import Toolbox

LANE = Lane("fix/coder")
TOOLS = ("read_file", "edit_file", "write_file", "list_files", "search", "run_command")
TEST = "import calc, os; print(os.getcwd()); assert calc.add(1, 2) == 3"
SCRIPT = """\
format: agentci/script
version: 1
rules:
  - replies:
      - tool_calls:
          - name: list_files
          - name: search
            arguments: {query: 'def \\w+', regex: true}
          - name: read_file
            arguments: {path: calc.py}
      - thinking: the operator is wrong
        tool_calls:
          - name: edit_file
            arguments: {path: calc.py, search: a - b, replace: a + b}
          - name: write_file
            arguments: {path: notes/new.md, content: "fixed\\n"}
          - name: run_command
            arguments: {command: [PYTHON, -c, "TEST"]}
          - name: nothing
      - text: "{\\"done\\": \\"yes\\"}"
      - json: {done: true}
"""
SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {"done": {"type": "boolean"}},
    "required": ["done"],
}


class NoHttp:
    """Any use of the network fails the test."""

    async def send(self, request: HttpRequest, *, on_chunk: Any = None) -> WireResponse:
        raise AssertionError(request.url)

    async def close(self) -> None:
        pass


@dataclass(frozen=True)
class Run:
    result: AgentResult
    tree: str
    toolbox: Toolbox
    unplayed: int
    content: str


@contextmanager
def opened(folder: Path) -> Iterator[Workspace]:
    fixture = folder / "fixture"
    fixture.mkdir(parents=True)
    (fixture / "calc.py").write_text("def add(a, b):\n    return a - b\n")
    (fixture / "run.sh").write_text("#!/bin/sh\n")
    (fixture / "run.sh").chmod(0o755)
    repository = open_folder(fixture, folder / "store")
    workspace = repository.workspace("main", repository.base_tree)
    try:
        yield workspace
    finally:
        workspace.close()


def carry_out(folder: Path, cassettes: Path, mode: Mode, *, execute: bool = False) -> Run:
    files = LocalFiles()
    session = RecordingSession(files, cassettes, mode=mode)
    text = SCRIPT.replace("PYTHON", sys.executable).replace("TEST", TEST)
    gateway = Gateway(
        session=session,
        http=NoHttp(),
        clock=SystemClock(),
        env=SystemEnv(),
        scripts={"s.yaml": read_script(text.encode(), "s.yaml")},
    )
    home = folder / "home"
    home.mkdir(parents=True)
    with opened(folder) as workspace:
        context = ToolContext(
            workspace=workspace,
            sandbox=ProcessSandbox(),
            env=fixed_environment(home, 0),
            timeout=60,
            commands=(),
            mask=Masker(workspace.path, home),
        )
        toolbox = Toolbox(TOOLS, context=context, session=session, execute=execute)
        task = AgentTask(
            model=ModelSpec(provider="scripted", id="m", script="s.yaml"),
            messages=(Message("user", (TextPart("fix it"),)),),
            lane=LANE,
            output_schema=SCHEMA,
            seed=3,
        )
        result = asyncio.run(run_agent(task, gateway=gateway, toolbox=toolbox))
        unplayed = len(session.unplayed())
        session.seal()
        session.close()
        content = (workspace.folder() / "calc.py").read_text()
        return Run(result, workspace.tree, toolbox, unplayed, content)


@pytest.fixture
def recorded(tmp_path: Path) -> Run:
    return carry_out(tmp_path / "recording", tmp_path / "cassettes", Mode.AUTO)


def results(run: Run) -> list[ToolResultPart]:
    parts = [part for message in run.result.messages for part in message.parts]
    return [part for part in parts if isinstance(part, ToolResultPart)]


def test_an_agent_fixes_a_file_and_answers(recorded: Run) -> None:
    assert (recorded.result.outcome, recorded.result.output) == ("done", {"done": True})
    assert recorded.result.turns == 4
    assert recorded.content == "def add(a, b):\n    return a + b\n"
    contents = [part.content for part in results(recorded)]
    assert contents[0] == "calc.py\nrun.sh"
    assert contents[1] == "calc.py:1: def add(a, b):"
    assert contents[5] == "exit code: 0\nstdout:\n/workspace\n"
    assert [part.is_error for part in results(recorded)] == [False] * 6 + [True]


def test_a_replay_in_another_place_is_the_same_and_uses_everything(
    recorded: Run, tmp_path: Path
) -> None:
    replayed = carry_out(tmp_path / "else" / "where", tmp_path / "cassettes", Mode.REPLAY)
    assert replayed.result.messages == recorded.result.messages
    assert replayed.result == recorded.result
    assert replayed.tree == recorded.tree
    assert replayed.content == recorded.content
    assert replayed.unplayed == 0


def test_executing_again_finds_no_difference(recorded: Run, tmp_path: Path) -> None:
    again = carry_out(tmp_path / "again", tmp_path / "cassettes", Mode.REPLAY, execute=True)
    assert again.toolbox.differences == ()
    assert again.tree == recorded.tree
    assert again.result.output == {"done": True}


def test_a_live_run_does_the_same_without_a_cassette(recorded: Run, tmp_path: Path) -> None:
    live = carry_out(tmp_path / "live", tmp_path / "none", Mode.LIVE)
    assert live.tree == recorded.tree
    assert not (tmp_path / "none").exists()


def test_a_replay_without_recordings_is_a_miss(tmp_path: Path) -> None:
    with pytest.raises(CassetteMiss):
        carry_out(tmp_path / "x", tmp_path / "none", Mode.REPLAY)


def test_binary_encoded_and_mode_changes_replay_to_the_same_tree(tmp_path: Path) -> None:
    code = (
        "import os, pathlib as p; p.Path('b.bin').write_bytes(bytes(range(256)) * 20);"
        "p.Path('latin.txt').write_bytes(b'caf\\xe9\\r\\n'); os.chmod('calc.py', 0o755);"
        "os.symlink('calc.py', 'link'); os.unlink('run.sh'); p.Path('a b\\n').touch()"
    )
    trees = []
    for name, mode in (("one", Mode.AUTO), ("two", Mode.REPLAY)):
        session = RecordingSession(LocalFiles(), tmp_path / "cassettes", mode=mode)
        with opened(tmp_path / name) as workspace:
            context = ToolContext(
                workspace=workspace,
                sandbox=ProcessSandbox(),
                env=fixed_environment(tmp_path, 0),
                timeout=60,
                commands=(),
                mask=Masker(workspace.path, tmp_path),
            )
            box = Toolbox(TOOLS, context=context, session=session)
            call = ToolCallPart("c", "run_command", {"command": [sys.executable, "-c", code]})
            assert asyncio.run(box.call(call, lane=LANE)).content == "exit code: 0"
            trees.append(workspace.tree)
            assert (workspace.folder() / "latin.txt").read_bytes() == b"caf\xe9\r\n"
        session.seal()
        session.close()
    assert trees[0] == trees[1]
