"""A whole run: from a bundle and its inputs to a sealed outcome."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias

from agentci.core.digest import Digest, digest_json
from agentci.core.errors import BudgetExceeded, missed
from agentci.core.lane import ROOT
from agentci.engine.blocks import Blocks
from agentci.engine.canonical_log import run_digest
from agentci.engine.step_runner import StepRunner
from agentci.steps.context import Services, StepContext
from agentci.steps.results import misses_in, scope_entry

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from agentci.core.json_types import JsonObject, JsonValue
    from agentci.engine.journal_events import RunHistory
    from agentci.engine.listener import RunListener
    from agentci.engine.step_cache import StepCache
    from agentci.plan.bundle import Bundle
    from agentci.record.journal import Journal
    from agentci.steps.results import StepRecord

RunVerdict: TypeAlias = Literal["passed", "failed", "waiting"]


@dataclass(frozen=True, slots=True)
class RunSetup:
    """Everything that a run needs."""

    bundle: Bundle
    inputs: Mapping[str, JsonValue]
    services: Services
    journal: Journal
    history: RunHistory
    cache: StepCache
    listener: RunListener
    jobs: int

    @property
    def identity(self) -> JsonObject:
        """What was asked for; the first line of the canonical log."""
        return {
            "pipeline": self.bundle.spec.name,
            "definition": self.bundle.digest,
            "inputs": self.services.inputs_digest,
            "seed": self.services.seed,
            "base": self.services.repository.base_commit,
        }


@dataclass(frozen=True, slots=True)
class RunResult:
    """How a run ended."""

    verdict: RunVerdict
    records: tuple[StepRecord, ...]
    run_digest: Digest
    tree: str
    """Git tree id at the end."""
    commit: str | None
    """The last commit that a step made."""
    output: JsonValue
    """What the pipeline's `output` says, or None where the run did not pass."""
    stopped: StepRecord | None
    """The step that ended the run, innermost, or None."""

    def walk(self) -> Iterator[StepRecord]:
        """Yield every record, inner ones before the step around them."""
        yield from walk_records(self.records)


def walk_records(records: Sequence[StepRecord]) -> Iterator[StepRecord]:
    """Yield records and those inside them, inner ones first."""
    for record in records:
        yield from walk_records(record.children)
        yield record


async def execute(setup: RunSetup) -> RunResult:
    """Execute a run to its end.

    Raises:
        CassetteMiss: when requests have no recording: all that could be found, in plan order.
        AgentciError: what ends a run as a whole: a limit, a refusal, the environment.
    """
    services = setup.services
    runner = StepRunner(
        journal=setup.journal,
        history=setup.history,
        cache=setup.cache,
        listener=setup.listener,
        gate=asyncio.Semaphore(setup.jobs),
    )
    workspace = services.repository.workspace("main", services.repository.base_tree)
    context = StepContext(
        lane=ROOT,
        workspace=workspace,
        scope={"inputs": dict(setup.inputs), "run": {"seed": services.seed}, "steps": {}},
        bundle=setup.bundle,
        services=services,
        blocks=Blocks(runner),
    )
    setup.journal.write({"type": "run.started", "identity": setup.identity})
    limit = setup.bundle.spec.limits.seconds
    time = asyncio.timeout(limit)
    try:
        async with time:
            block = await context.blocks.run_block(setup.bundle.spec.steps, context)
        tree = workspace.tree
    except TimeoutError:
        if not time.expired():
            raise
        raise BudgetExceeded(
            f"the run took longer than the {limit:g} seconds that `limits.seconds` allows",
            code="ACI-B103",
            hint="raise `limits.seconds` and run again; what is recorded is not paid twice",
        ) from None
    finally:
        workspace.close()
    misses = misses_in(block.records)
    if misses:
        raise missed(misses)
    output: JsonValue = None
    if block.stopped is None:
        steps = {record.step: scope_entry(record) for record in block.records}
        output = context.with_scope(steps=steps).resolve(setup.bundle.spec.output)
    return RunResult(
        verdict=_verdict(block.stopped),
        records=block.records,
        run_digest=run_digest(setup.identity, block.records),
        tree=tree,
        commit=_last_commit(block.records),
        output=output,
        stopped=_innermost(block.stopped),
    )


def inputs_digest(inputs: Mapping[str, JsonValue]) -> Digest:
    """Return the digest of bound inputs."""
    return digest_json(dict(inputs))


def _verdict(stopped: StepRecord | None) -> RunVerdict:
    if stopped is None:
        return "passed"
    return "waiting" if stopped.outcome == "waiting" else "failed"


def _innermost(record: StepRecord | None) -> StepRecord | None:
    while record is not None:
        inner = next((child for child in record.children if not child.passed), None)
        if inner is None:
            return record
        record = inner
    return None


def _last_commit(records: Sequence[StepRecord]) -> str | None:
    commit = None
    for record in walk_records(records):
        if record.kind == "commit" and isinstance(record.output, dict):
            commit = str(record.output["commit"])
    return commit
