"""What scorers may use, from real parts; models answer by list."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from agentci.adapters.git_repository import open_folder
from agentci.adapters.sandboxes import open_sandbox
from agentci.core.canonical import canonical_bytes
from agentci.core.digest import digest_json
from agentci.core.effects import CommandRequest, Repository, Sandbox, Workspace
from agentci.core.errors import StepFailed, UsageError
from agentci.core.json_types import JsonObject, JsonValue
from agentci.core.lane import Lane
from agentci.core.messages import (
    FinishReason,
    Message,
    ModelRequest,
    ModelResponse,
    TextPart,
    Usage,
)
from agentci.evals.case import Case, Subject
from agentci.evals.results import Score
from agentci.evals.scorers.registry import parse_options, scorer
from agentci.spec.pipeline import ModelSpec
from agentci.steps import python_call
from agentci.tools.environment import fixed_environment

PATH = f"{Path(sys.executable).parent}:/usr/bin:/bin"
_CHILD = Path(python_call.__file__).with_name("python_child.py")


@dataclass(slots=True)
class Asked:
    """A call of a model."""

    model: str
    lane: str
    request: ModelRequest


@dataclass(slots=True)
class Services:
    """Services of one scorer."""

    folder: Path
    """Of the suite."""
    repository: Repository | None = None
    tree: str = ""
    lane: Lane = field(default_factory=lambda: Lane("case/1/scorer"))
    seed: int = 7
    models: Mapping[str, ModelSpec] = field(default_factory=dict)
    answers: list[str | ModelResponse] = field(default_factory=list)
    """What models answer, in order."""
    asked: list[Asked] = field(default_factory=list)
    opened: int = 0
    path: str = PATH
    sandbox_name: str = "process"

    async def complete(
        self, spec: ModelSpec, request: ModelRequest, *, lane: Lane
    ) -> ModelResponse:
        self.asked.append(Asked(spec.id, lane, request))
        answer = self.answers.pop(0)
        return answer if isinstance(answer, ModelResponse) else said(answer)

    def workspace(self) -> Workspace:
        assert self.repository is not None
        self.opened += 1
        tree = self.tree or self.repository.base_tree
        return self.repository.workspace(f"scorer-{self.opened}", tree)

    def sandbox(self) -> Sandbox:
        return open_sandbox(self.sandbox_name, {})

    def command_environment(self) -> Mapping[str, str]:
        return fixed_environment(home=self.folder, source_date_epoch=0, path=self.path)

    async def call_python(self, target: str, arguments: JsonObject) -> JsonValue:
        file, _, function = target.partition(":")
        request: dict[str, JsonValue] = {
            "file": str(self.folder / file),
            "function": function,
            "arguments": dict(arguments),
        }
        done = await self.sandbox().run(
            CommandRequest(
                argv=(sys.executable, str(_CHILD)),
                root=self.folder,
                timeout=60,
                env=self.command_environment(),
                stdin=canonical_bytes(request),
            )
        )
        reply = json.loads(done.stdout)
        if "error" in reply:
            raise StepFailed(str(reply["error"]))
        value: JsonValue = reply["value"]
        return value

    def read(self, path: str) -> bytes:
        try:
            return (self.folder / path).read_bytes()
        except OSError as error:
            raise UsageError(f"cannot read `{path}`") from error

    def list_files(self, folder: str) -> tuple[str, ...]:
        files = (path for path in (self.folder / folder).rglob("*") if path.is_file())
        return tuple(sorted(path.relative_to(self.folder).as_posix() for path in files))


def said(text: str, reason: FinishReason = FinishReason.STOP) -> ModelResponse:
    """Return a model's answer."""
    parts = (TextPart(text),) if text else ()
    return ModelResponse(Message("assistant", parts), reason, Usage(10, 5, calls=1), "m")


def verdict(word: str, reasons: str = "because") -> str:
    """Return a judge's answer."""
    return json.dumps({"reasons": reasons, "verdict": word})


def write_files(folder: Path, files: Mapping[str, str]) -> Path:
    """Write `files` below `folder`, with the folders that they need."""
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def services_for(
    tmp_path: Path,
    *,
    suite: Mapping[str, str] | None = None,
    before: Mapping[str, str] | None = None,
    after: Mapping[str, str] | None = None,
) -> Services:
    """Return services with the files of a suite, and of a repository before and after the work."""
    folder = write_files(tmp_path / "suite", suite or {})
    if before is None:
        return Services(folder)
    store = tmp_path / "store"
    repository = open_folder(write_files(tmp_path / "target", before), store)
    work = repository.workspace("target", repository.base_tree)
    write_files(work.folder(), after or {})
    tree = work.snapshot().after
    work.close()
    return Services(folder, repository, tree)


def case(expected: JsonValue = None, **fields: Any) -> Case:
    """Return a case."""
    row: dict[str, JsonValue] = {"id": "one", "expected": expected, **fields}
    return Case("one", fields.get("input"), expected, row, digest_json({"id": "one"}))


def subject(output: JsonValue, expected: JsonValue = None, **more: Any) -> Subject:
    """Return what a target did with a case."""
    return Subject(more.pop("case", case(expected)), output, more.pop("outcome", "passed"), **more)


def changed(services: Services, output: JsonValue = "done", **more: Any) -> Subject:
    """Return the work that `services` have files of."""
    repository = services.repository
    assert repository is not None
    return subject(
        output,
        base_tree=repository.base_tree,
        tree=services.tree,
        changed_paths=repository.changed_paths(repository.base_tree, services.tree),
        patch=repository.diff(repository.base_tree, services.tree),
        **more,
    )


def score(
    kind: str, options: Mapping[str, Any], what: Subject, services: Services | None = None
) -> Score:
    """Judge as a suite would."""
    parsed = parse_options(kind, options)
    used = services or Services(Path("/nonexistent"))
    return asyncio.run(scorer(kind).score(what, parsed, used))


def names(score_: Score, key: str) -> Iterable[Any]:
    """Return a list of a score's details."""
    value = score_.details[key]
    assert isinstance(value, list)
    return value
