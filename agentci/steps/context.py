"""What a step kind is given: its place in the run, its files, and the services it may use."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Protocol

from agentci.agents.protocol import GatewayPort
from agentci.core.canonical import canonical_bytes
from agentci.core.digest import Digest
from agentci.core.effects import Effects, Repository, Sandbox, Workspace
from agentci.core.json_types import JsonObject, JsonValue
from agentci.core.lane import Lane
from agentci.core.messages import Usage
from agentci.plan.bundle import Bundle
from agentci.record.session import RecordingSession
from agentci.spec.expressions import evaluate, resolve, truth
from agentci.spec.pipeline import Condition, StepBase
from agentci.steps.commits import MadeCommit
from agentci.steps.proxying import ProxyPort
from agentci.steps.results import BlockResult
from agentci.tools.masking import Masker


class BlockRunner(Protocol):
    """Runs the steps inside a step. The engine implements it."""

    async def run_block(self, steps: Sequence[StepBase], context: StepContext) -> BlockResult:
        """Run sibling steps on `context.workspace`, which afterwards has their merged files."""

    async def gather(self, calls: Sequence[Callable[[], Any]], *, limit: int | None) -> list[Any]:
        """Await `calls` at the same time and return their results in the order of `calls`."""


@dataclass(frozen=True, slots=True)
class Services:
    """What all steps of a run share."""

    effects: Effects
    session: RecordingSession
    gateway: GatewayPort
    repository: Repository
    seed: int
    plan_digest: Digest
    """Digest of the definition and everything it refers to; approvals bind to it."""
    inputs_digest: Digest
    run_id: str
    home: Path
    """An empty folder that commands get as HOME."""
    search_path: str
    """PATH for commands."""
    python: str
    """The interpreter that runs `python` steps."""
    open_sandbox: Callable[[str], Sandbox]
    folder_of: Callable[[Bundle], Path]
    """Where the files of a definition are on this machine."""
    python_lanes: str | None = None
    """Module that gives the concurrent calls of a `python` step lanes of their own."""
    proxy: ProxyPort | None = None
    """For steps whose programs ask models themselves."""
    live: bool = False
    """Answers come from live endpoints and are not recorded."""
    sandbox_override: str | None = None
    """From `--sandbox`: where commands run, whatever the definition says."""
    execute_tools: bool = False
    """Execute recorded tool calls again and report differences."""
    decisions: Mapping[Digest, JsonObject] = field(default_factory=dict)
    """Decisions of people in this run, by the digest that they approved or denied."""
    dispatched: frozenset[Lane] = frozenset()
    """External steps that an earlier part of this run has sent and never heard of again."""
    on_dispatch: Callable[[Lane], None] = lambda _lane: None
    """Called, and durable, right before an external effect is sent."""
    charge: Callable[[Usage, float], None] = lambda _usage, _cost: None
    """Counts a step that did not run again against the limits of the run."""
    on_activity: Callable[[Lane, str], None] = lambda _lane, _text: None
    """Called with what a step is doing, for progress displays."""


@dataclass(frozen=True, slots=True)
class StepContext:
    """The place of one step instance in a run."""

    lane: Lane
    workspace: Workspace
    scope: Mapping[str, JsonValue]
    """What expressions see."""
    bundle: Bundle
    services: Services
    blocks: BlockRunner
    commits: tuple[MadeCommit, ...] = ()
    """What steps before this one have committed."""

    def at(self, lane: Lane, **changes: Any) -> StepContext:
        """Return the same context at another lane."""
        return replace(self, lane=lane, **changes)

    def with_scope(self, **names: JsonValue) -> StepContext:
        """Return the same context with more names for expressions."""
        return replace(self, scope={**self.scope, **names})

    def evaluate(self, text: str) -> JsonValue:
        """Return the value of an expression or template."""
        return evaluate(text, self.scope)

    def resolve(self, value: JsonValue) -> JsonValue:
        """Evaluate every template inside a value."""
        return resolve(value, self.scope)

    def text(self, template: str) -> str:
        """Return a template's value as text."""
        value = evaluate(template, self.scope)
        return value if isinstance(value, str) else _plain(value)

    def holds(self, condition: Condition) -> bool:
        """Return the truth of a condition; anything but a boolean is an error."""
        return truth(condition, self.scope)

    def masker(self) -> Masker:
        """Return the masker for output that mentions this workspace's folder."""
        return Masker(root=self.workspace.path, home=self.services.home)


def _plain(value: JsonValue) -> str:
    return canonical_bytes(value).decode()
