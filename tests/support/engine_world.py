"""A small world for the engine: files that survive crashes, trees without git, shuffled time.

Everything that a run leaves behind is in memory, so that a thousand crashes take seconds. What is
tested is real: executor, step kinds, gateway, cassettes and journal.
"""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Literal, cast

from agentci.adapters.files import LocalFiles
from agentci.agents.protocol import AnswerPort
from agentci.app.definitions import checked_bundle
from agentci.core.digest import digest_json
from agentci.core.effects import (
    AppendFile,
    CommandRequest,
    CommandResult,
    CommitRequest,
    Effects,
    MergeOutcome,
    TreeChange,
    Workspace,
)
from agentci.core.errors import ProviderError
from agentci.core.json_types import JsonValue
from agentci.core.lane import Lane
from agentci.core.messages import ModelRequest
from agentci.core.wire import HttpRequest, WireResponse
from agentci.engine.budget import BudgetedGateway, RunBudget
from agentci.engine.executor import RunResult, RunSetup, execute, inputs_digest
from agentci.engine.journal_events import RunHistory, read_history
from agentci.engine.listener import SilentListener
from agentci.engine.step_cache import StepCache
from agentci.models.gateway import Gateway
from agentci.plan.bundle import Bundle
from agentci.plan.inputs import bind_inputs
from agentci.record.action_cache import ActionCache
from agentci.record.interaction import Address
from agentci.record.journal import Journal, read_journal
from agentci.record.session import Mode, RecordingSession
from agentci.spec.pipeline import ModelSpec
from agentci.spec.script import Script
from agentci.steps.context import Services
from tests.support.memory_files import MemoryFiles

JOURNAL = Path("/project/.agentci/runs/1/journal.jsonl")
CASSETTES = Path("/project/cassettes/world")

Moment = Literal["before", "torn", "after"]
"""When a crash comes: before a write, in the middle of it, or right after it."""


class Crash(BaseException):
    """The machine lost power. Nothing that a run does may catch this."""


class DurableFiles(MemoryFiles):
    """Files in memory that also append and lock, and that crash at a chosen write."""

    def __init__(self) -> None:
        super().__init__()
        self.writes = 0
        self.crash_at: int | None = None
        self.moment: Moment = "before"
        self.dead = False
        self._locked: set[Path] = set()

    def power_on(self) -> None:
        """Go on after a crash with what was written."""
        self.dead, self.crash_at = False, None
        self.writes = 0
        self._locked.clear()

    def read(self, path: Path) -> bytes:
        self._alive()
        return super().read(path)

    def write_atomic(self, path: Path, data: bytes) -> None:
        self._count(lambda: None)
        super().write_atomic(path, data)
        self._after()

    def open_append(self, path: Path) -> AppendFile:
        self._alive()
        self.content.setdefault(path, b"")
        return _Append(self, path)

    def append(self, path: Path, data: bytes) -> None:
        def torn() -> None:
            self.content[path] += data[: len(data) // 2]

        self._alive()
        if self.content[path] and not self.content[path].endswith(b"\n"):
            self.content[path] += b"\n"
        self._count(torn)
        self.content[path] += data
        self._after()

    def update(self, path: Path, change: Callable[[bytes], bytes | None]) -> None:
        self._count(lambda: None)
        super().update(path, change)
        self._after()

    @contextmanager
    def lock(self, path: Path) -> Iterator[bool]:
        if path in self._locked:
            yield False
            return
        self._locked.add(path)
        try:
            yield True
        finally:
            self._locked.discard(path)

    def _alive(self) -> None:
        if self.dead:
            raise Crash

    def _count(self, torn: Callable[[], None]) -> None:
        self._alive()
        self.writes += 1
        if self.writes == self.crash_at and self.moment != "after":
            if self.moment == "torn":
                torn()
            self.dead = True
            raise Crash

    def _after(self) -> None:
        if self.writes == self.crash_at:
            self.dead = True
            raise Crash


@dataclass
class _Append:
    files: DurableFiles
    path: Path

    def append(self, data: bytes, *, sync: bool = False) -> None:
        self.files.append(self.path, data)

    def sync(self) -> None:
        pass

    def close(self) -> None:
        pass


class Trees:
    """A repository whose trees are mappings from path to text."""

    base_date = 1_767_225_600
    notes: tuple[str, ...] = ()

    def __init__(
        self, content: Mapping[str, str], known: dict[str, dict[str, str]] | None = None
    ) -> None:
        self.known = {} if known is None else known
        self.open: dict[Path, _TreeWorkspace] = {}
        self.base_tree = self.keep(dict(content))
        self.base_commit = "base-commit"
        self.commits: dict[str, CommitRequest] = {}

    def keep(self, content: dict[str, str]) -> str:
        tree = digest_json(cast("JsonValue", content)).removeprefix("sha256:")[:40]
        self.known[tree] = dict(content)
        return tree

    def workspace(self, name: str, tree: str) -> Workspace:
        opened = _TreeWorkspace(self, name, tree)
        assert opened.path not in self.open, f"two workspaces `{name}` at the same time"
        self.open[opened.path] = opened
        return opened

    def merge(self, base: str, ours: str, theirs: str) -> MergeOutcome:
        sides = [self.known[each] for each in (base, ours, theirs)]
        merged, conflicts = {}, []
        for path in sorted({path for side in sides for path in side}):
            old, mine, other = (side.get(path) for side in sides)
            if other in (mine, old):
                result = mine
            elif mine == old:
                result = other
            else:
                conflicts.append(path)
                continue
            if result is not None:
                merged[path] = result
        if conflicts:
            return MergeOutcome(None, tuple(conflicts))
        return MergeOutcome(self.keep(merged))

    def commit(self, request: CommitRequest) -> str:
        content = [request.tree, list(request.parents), request.message, request.author]
        name = digest_json(cast("JsonValue", content)).removeprefix("sha256:")[:40]
        self.commits[name] = request
        return name

    def blob_id(self, tree: str, path: str) -> str | None:
        text = self.known[tree].get(path)
        return None if text is None else digest_json(text)

    def has_tree(self, tree: str) -> bool:
        return tree in self.known

    def diff(self, before: str, after: str) -> str:
        return f"{before} {after}"

    def changed_paths(self, before: str, after: str) -> tuple[str, ...]:
        old, new = self.known[before], self.known[after]
        return tuple(sorted(p for p in {*old, *new} if old.get(p) != new.get(p)))

    def publish(self, commit: str, branch: str) -> None:
        raise NotImplementedError


class _TreeWorkspace:
    def __init__(self, trees: Trees, name: str, tree: str) -> None:
        self.name = name
        self._trees = trees
        self.tree = tree
        self.files = dict(trees.known[tree])
        self.path = Path("/work") / (name or "root").replace("/", "%")

    def folder(self) -> Path:
        return self.path

    def snapshot(self) -> TreeChange:
        before, self.tree = self.tree, self._trees.keep(self.files)
        return self.change_since(before)

    def apply(self, change: TreeChange) -> None:
        assert change.before == self.tree
        self.reset(change.after)

    def change_since(self, before: str) -> TreeChange:
        patch = b"" if before == self.tree else json.dumps(self.files).encode()
        return TreeChange(before, self.tree, patch)

    def reset(self, tree: str) -> None:
        self.tree, self.files = tree, dict(self._trees.known[tree])

    def fork(self, name: str) -> Workspace:
        return self._trees.workspace(name, self.tree)

    def close(self) -> None:
        self._trees.open.pop(self.path, None)


@dataclass
class ShuffledClock:
    """Time in which every wait takes as long as a seed says, so that any order happens."""

    random: Random
    slept: list[float] = field(default_factory=list)

    def now(self) -> float:
        return 1_790_000_000.0

    def monotonic(self) -> float:
        return 0.0

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        await self.pause()

    async def pause(self) -> None:
        for _ in range(self.random.randrange(12)):
            await asyncio.sleep(0)


class FixedEnv:
    """An environment with a key for the endpoint and nothing else."""

    def __init__(self, values: Mapping[str, str] | None = None) -> None:
        self.values = dict(values or {"OPENAI_API_KEY": "k", "OPENAI_BASE_URL": "http://model/v1"})

    def get(self, name: str) -> str | None:
        return self.values.get(name)


class FixedRandom:
    """Always the same bytes."""

    def token(self, size: int) -> bytes:
        return b"\0" * size


@dataclass
class ModelPlan:
    """How the model behaves."""

    faults: Sequence[int] = ()
    """Requests that get no answer, counted from 1 in each run."""
    hangs: Sequence[int] = ()
    """Requests that are never answered."""
    texts: Sequence[str] = ()
    """What it says to each request; afterwards, or without, it never says the same twice."""
    tokens: int = 1


class OnceOnlyModel:
    """An endpoint that never gives the same answer twice, whatever it is asked."""

    def __init__(self, clock: ShuffledClock, plan: ModelPlan) -> None:
        self.clock = clock
        self.plan = plan
        self.asked = 0
        self.answered = 0

    async def send(
        self, request: HttpRequest, *, on_chunk: Callable[[bytes], None] | None = None
    ) -> WireResponse:
        self.asked += 1
        number = self.asked
        await self.clock.pause()
        if number in self.plan.hangs:
            await asyncio.Event().wait()
        if number in self.plan.faults:
            raise ProviderError("no answer")
        self.answered += 1
        said = self.plan.texts[number - 1 : number] or [f"<answer-{self.answered}>"]
        tokens = self.plan.tokens
        body = {
            "id": "x",
            "object": "chat.completion",
            "choices": [
                {
                    "index": 0,
                    "finish_reason": "stop",
                    "message": {"role": "assistant", "content": said[0]},
                }
            ],
            "usage": {"prompt_tokens": tokens, "completion_tokens": 0, "total_tokens": tokens},
        }
        data = json.dumps(body).encode()
        await self.clock.pause()
        return WireResponse(200, {"content-type": "application/json"}, (data,))

    async def close(self) -> None:
        pass


@dataclass
class CountingSandbox:
    """Programs `put FILE TEXT`, `say TEXT`, `fail` on trees; counts what each workspace ran."""

    trees: Trees
    clock: ShuffledClock
    executed: Counter[str] = field(default_factory=Counter)
    environments: list[Mapping[str, str]] = field(default_factory=list)
    name: str = "process"

    async def run(self, request: CommandRequest) -> CommandResult:
        workspace = self.trees.open[request.root]
        await self.clock.pause()
        self.executed[f"{workspace.name}: {' '.join(request.argv[:2])}"] += 1
        self.environments.append(request.env)
        program, *words = request.argv
        if program == "put":
            workspace.files[words[0]] = words[1]
        await self.clock.pause()
        if program == "fail":
            return CommandResult(1, b"", b"asked to fail\n")
        return CommandResult(0, " ".join(words).encode(), b"")

    async def close(self) -> None:
        pass


@dataclass
class _Watched:
    """A gateway that notes which lane got which answers."""

    gateway: Gateway
    clock: ShuffledClock
    got: dict[str, list[str]]
    blind: bool

    async def complete(self, spec: ModelSpec, request: ModelRequest, *, lane: Lane) -> AnswerPort:
        asked = Lane("everyone") if self.blind else lane
        answer = await self.gateway.complete(spec, request, lane=asked)
        self.got.setdefault(lane, []).append(answer.response.message.text)
        await self.clock.pause()
        return answer


@dataclass
class World:
    """A project in memory, whose pipeline can be run, crashed, resumed and replayed."""

    bundle: Bundle
    base: Mapping[str, str] = field(default_factory=lambda: {"readme": "hello"})
    files: DurableFiles = field(default_factory=DurableFiles)
    env: FixedEnv = field(default_factory=FixedEnv)
    answered: int = 0
    """Calls that the model has answered, in all lives of this world."""
    executed: Counter[str] = field(default_factory=Counter)
    """Commands that were executed in the last run."""
    got: dict[str, list[str]] = field(default_factory=dict)
    """Answers by lane in the last run."""
    environments: list[Mapping[str, str]] = field(default_factory=list)
    inputs: Mapping[str, JsonValue] = field(default_factory=dict)
    trees: dict[str, dict[str, str]] = field(default_factory=dict)
    """All trees that ever were: a run's git store survives a crash."""
    commits: dict[str, CommitRequest] = field(default_factory=dict)
    """Of the last run."""
    models: ModelPlan = field(default_factory=ModelPlan)
    clock: ShuffledClock = field(default_factory=lambda: ShuffledClock(Random(0)))
    """Of the last run."""
    unplayed: tuple[Address, ...] = ()
    """Of the last run that passed."""
    blind: bool = False
    """A planted fault: answers are told apart by the order of the calls alone."""

    def run(
        self,
        seed: int = 0,
        *,
        mode: Mode = Mode.AUTO,
        jobs: int = 8,
        fresh: bool = False,
        run_seed: int | None = None,
    ) -> RunResult:
        """Start the run, or go on with the one whose journal is there unless `fresh`."""
        clock = ShuffledClock(Random(seed))
        model = OnceOnlyModel(clock, self.models)
        self.clock = clock
        model.answered = self.answered
        trees = Trees(self.base, self.trees)
        self.commits = trees.commits
        sandbox = CountingSandbox(trees, clock)
        self.executed, self.environments, self.got = sandbox.executed, sandbox.environments, {}
        if fresh:
            self.files.remove(JOURNAL)
        try:
            return asyncio.run(
                self._run(clock, model, trees, sandbox=sandbox, mode=mode, jobs=jobs, own=run_seed)
            )
        finally:
            self.answered = model.answered

    async def _run(
        self,
        clock: ShuffledClock,
        model: OnceOnlyModel,
        trees: Trees,
        *,
        sandbox: CountingSandbox,
        mode: Mode,
        jobs: int,
        own: int | None,
    ) -> RunResult:
        if self.files.exists(JOURNAL):
            journal = Journal.open(self.files, JOURNAL)
        else:
            journal = Journal.create(self.files, JOURNAL, {"run": "1"})
        history = read_history(journal.content.events)
        session = RecordingSession(self.files, CASSETTES, mode=mode)
        gateway = Gateway(
            session=session,
            http=model,
            clock=clock,
            env=self.env,
            scripts={
                path: Script.model_validate(data) for path, data in self.bundle.scripts.items()
            },
        )
        bound = bind_inputs(self.bundle.spec, self.inputs)
        budget = RunBudget(self.bundle.spec.limits)

        def dispatch(lane: Lane) -> None:
            journal.write({"type": "step.dispatched", "lane": lane}, sync=True)

        services = Services(
            effects=Effects(
                clock=clock, random=FixedRandom(), env=self.env, files=self.files, http=model
            ),
            session=session,
            gateway=BudgetedGateway(_Watched(gateway, clock, self.got, self.blind), budget),
            repository=trees,
            seed=self.bundle.spec.seed if own is None else own,
            plan_digest=self.bundle.digest,
            inputs_digest=inputs_digest(bound),
            run_id="1",
            home=Path("/home/none"),
            search_path="/bin",
            python="python",
            open_sandbox=lambda _name: sandbox,
            folder_of=lambda _bundle: Path("/definition"),
            live=mode is Mode.LIVE,
            decisions=history.decisions,
            dispatched=history.dispatched,
            on_dispatch=dispatch,
        )
        setup = RunSetup(
            bundle=self.bundle,
            inputs=bound,
            services=services,
            journal=journal,
            history=history,
            cache=StepCache(cast("ActionCache", None), enabled=False),
            listener=SilentListener(),
            jobs=jobs,
        )
        try:
            result = await execute(setup)
            session.seal(complete=result.verdict == "passed")
            self.unplayed = session.unplayed()
            journal.write({"type": "run.finished"})
        finally:
            journal.close()
        return result

    @property
    def base_tree(self) -> str:
        """The tree that runs start from."""
        return Trees(self.base).base_tree

    def history(self) -> RunHistory:
        """Return what the journal says; empty where it was not started."""
        if not self.files.exists(JOURNAL):
            return RunHistory()
        return read_history(read_journal(self.files, JOURNAL).events)

    def finished(self) -> frozenset[Lane]:
        """Return the lanes of the leaf steps that the journal has as finished."""
        return frozenset(self.history().steps)

    def recorded(self) -> dict[str, str]:
        """Return the text of each cassette by its path."""
        return {
            path.relative_to(CASSETTES).as_posix(): data.decode()
            for path, data in self.files.content.items()
            if CASSETTES in path.parents and path.suffix == ".yaml"
        }


def read_world(folder: Path, *, inputs: Mapping[str, JsonValue] | None = None) -> World:
    """Return a world around the pipeline in `folder`."""
    bundle = checked_bundle(folder, LocalFiles(), root=folder)
    return World(bundle, inputs=inputs or {})


def write_files(folder: Path, files: Mapping[str, str]) -> Path:
    """Write files of a definition below `folder` and return it."""
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return folder


def world_of(
    folder: Path,
    steps: str,
    *,
    script: str = "",
    agents: str = "",
    files: Mapping[str, str] | None = None,
) -> World:
    """Return a world around a pipeline of `steps`.

    Its agent `asker` uses a model that never answers twice alike, its agent `actor` the rules in
    `script`. Both prompts are `ask.md`, which shows `question` where that is given.
    """
    head = (
        "format: agentci/pipeline\nversion: 1\nname: main\nsandbox: process\n"
        "models:\n"
        "  m: {provider: openai, id: a-model, parameters: {max_tokens: 10}, attempts: 1}\n"
        + ("  s: {provider: scripted, id: s, script: script.yaml}\n" if script else "")
        + "agents:\n  asker: {model: m}\n"
        + ("  actor: {model: s}\n" if script else "")
        + agents
    )
    rules = f"format: agentci/script\nversion: 1\nrules:\n{script}\n" if script else ""
    content = {
        "pipeline.yaml": head + steps,
        "ask.md": "{{ question | default('Say something.') }}\n",
        **({"script.yaml": rules} if script else {}),
        **(files or {}),
    }
    return read_world(write_files(folder, content))
