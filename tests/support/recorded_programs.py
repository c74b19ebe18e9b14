"""Records a program against the scripted server, and replays it elsewhere with the server gone."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from agentci.core.json_types import JsonObject
from agentci.core.messages import (
    FinishReason,
    Message,
    ModelRequest,
    ModelResponse,
    TextPart,
    ToolCallPart,
    Usage,
)
from tests.support.command_line import CommandOutput, run_module
from tests.support.model_server import ModelServer

KEY = re.compile(r"^key: (sha256:[0-9a-f]{64})$|^occurrence: (\d+)$", re.MULTILINE)
_WORKS_IN = re.compile(r"You work in (\S+)\. ")

Prepare = Callable[[Path, Path], None]
"""Fills a working directory and a HOME before the program starts."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a program did."""

    code: int
    out: str
    err: str
    files: Mapping[str, bytes]
    """What is in its working directory afterwards, without hidden folders."""


@dataclass(slots=True)
class ProgramBench:
    """A project with one cassette, and programs that work outside of it."""

    folder: Path
    prepare: Prepare = lambda _cwd, _home: None
    env: dict[str, str] = field(default_factory=dict)
    prefix: Sequence[str] = ()
    """Goes before the command line, for example to take the network away."""

    @property
    def project(self) -> Path:
        """The folder with the cassettes."""
        return self.folder / "project"

    def run(
        self,
        action: str,
        place: str,
        command: Sequence[str],
        *,
        env: Mapping[str, str] | None = None,
    ) -> Outcome:
        """Run `agentci record` or `replay` with the program in a directory and HOME of its own."""
        cwd, home = self.folder / place / "work", self.folder / place / "home"
        for each in (self.project, cwd, home):
            each.mkdir(parents=True, exist_ok=True)
        self.prepare(cwd, home)
        done = self.agentci(
            action, "--cassette", "program", "--cwd", str(cwd), "--", *command,
            env={"HOME": str(home), **self.env, **(env or {})},
        )  # fmt: skip
        files = {
            path.relative_to(cwd).as_posix(): path.read_bytes()
            for path in sorted(cwd.rglob("*"))
            if path.is_file() and not any(part[0] == "." for part in path.relative_to(cwd).parts)
        }
        return Outcome(done.code, done.out, done.err, files)

    def agentci(self, *arguments: str, env: Mapping[str, str] | None = None) -> CommandOutput:
        """Run the command line in the project."""
        self.project.mkdir(parents=True, exist_ok=True)
        line = ["-C", str(self.project), *arguments]
        done = run_module("agentci", line, folder=self.folder, env=env or {}, prefix=self.prefix)
        assert 'File "' not in done.err or "agentci" not in done.err.partition("Traceback")[2], (
            done.err
        )
        return done

    def keys(self) -> list[tuple[str, str]]:
        """Return the keys and occurrences that are recorded, sorted."""
        texts = [path.read_text() for path in sorted(self.project.rglob("main.yaml"))]
        return sorted(found for text in texts for found in KEY.findall(text))


def record_and_replay(
    bench: ProgramBench, server: ModelServer, command: Sequence[str], *, replays: int = 3
) -> Outcome:
    """Record once, stop the server, replay elsewhere; everything has to be the same."""
    recorded = bench.run("record", "one", command, env=server.environment)
    assert recorded.code == 0, f"{recorded.code}: {recorded.err}\n{recorded.out[-3000:]}"
    asked = len([each for each in server.requests if each.method == "POST"])
    server.stop()
    keys = bench.keys()
    assert asked
    before = cassette_bytes(bench)
    for nth in range(replays):
        replayed = bench.run("replay", f"elsewhere/number-{nth}/deep", command)
        assert replayed.code == 0, f"{replayed.code}: {replayed.err}\n{replayed.out[-3000:]}"
        assert replayed.files == recorded.files
        assert bench.keys() == keys
    assert cassette_bytes(bench) == before
    return recorded


def cassette_bytes(bench: ProgramBench) -> dict[str, bytes]:
    """Return all files of the cassettes."""
    folder = bench.project / "cassettes"
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def writes_a_file(request: ModelRequest, _number: int) -> ModelResponse:
    """Answer as a model that writes `out.txt` where it was told to work, and says so."""
    last = request.messages[-1]
    if last.role == "tool":
        return answer(text=f"it is in {_folder(request)}/out.txt, done")
    path = f"{_folder(request)}/out.txt"
    return answer(call=("write", {"path": path, "content": "hello\n"}))


def answer(*, text: str = "", call: tuple[str, JsonObject] | None = None) -> ModelResponse:
    """Return an answer of a model with a text, or a tool call, or both."""
    parts = (TextPart(text),) if text else ()
    calls = (ToolCallPart("call_1", *call),) if call is not None else ()
    finish = FinishReason.TOOL_CALLS if calls else FinishReason.STOP
    return ModelResponse(Message("assistant", (*parts, *calls)), finish, Usage(5, 7), "m")


def _folder(request: ModelRequest) -> str:
    found = _WORKS_IN.search(request.messages[0].text)
    assert found is not None
    return found[1]
