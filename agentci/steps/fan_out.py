"""Running blocks of steps at the same time, each on its own copy of the files."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

from agentci.steps.commits import joined
from agentci.steps.merging import MergeConflict, merge_branches
from agentci.steps.results import BlockResult, StepResult

if TYPE_CHECKING:
    from agentci.core.json_types import JsonValue
    from agentci.spec.pipeline import StepBase
    from agentci.steps.context import StepContext
    from agentci.steps.results import Outcome


@dataclass(frozen=True, slots=True)
class Branch:
    """One of several blocks that run at the same time."""

    name: str
    """Unique among its siblings; names its workspace."""
    steps: Sequence[StepBase]
    context: StepContext
    """Lane and scope of the branch; the workspace is replaced by one of its own."""


@dataclass(frozen=True, slots=True)
class FanOut:
    """How branches ended."""

    blocks: tuple[BlockResult, ...]
    """In the order of the branches."""
    result: StepResult


async def run_branches(
    branches: Sequence[Branch],
    context: StepContext,
    *,
    limit: int | None = None,
) -> FanOut:
    """Run `branches` at the same time and merge their files into `context.workspace`.

    When one fails, the others still run to their end, so that what is recorded does not depend on
    who was faster.
    """
    base = context.workspace.tree
    states = await context.blocks.gather(
        [partial(_run, branch, context) for branch in branches], limit=limit
    )
    blocks = tuple(block for block, _tree in states)
    records = tuple(record for block in blocks for record in block.records)
    stopped = next((block.stopped for block in blocks if block.stopped is not None), None)
    if stopped is not None:
        outcome: Outcome = "waiting" if _all_waiting(blocks) else "failed"
        message = f"`{stopped.lane}`: {stopped.outcome}"
        return FanOut(blocks, StepResult(outcome, None, message=message, children=records))
    trees = {branch.name: tree for branch, (_block, tree) in zip(branches, states, strict=True)}
    try:
        merged = merge_branches(context.services.repository, base, trees, lane=context.lane)
    except MergeConflict as error:
        return FanOut(blocks, StepResult("failed", None, message=error.message, children=records))
    context.workspace.reset(merged)
    commits = joined(block.commits for block in blocks) or context.commits
    return FanOut(blocks, StepResult("done", None, children=records, commits=commits))


def _all_waiting(blocks: Sequence[BlockResult]) -> bool:
    stopped = [block.stopped for block in blocks if block.stopped is not None]
    return all(record.outcome == "waiting" for record in stopped)


async def _run(branch: Branch, context: StepContext) -> tuple[BlockResult, str]:
    workspace = context.workspace.fork(branch.context.lane)
    try:
        block = await context.blocks.run_block(
            branch.steps, replace(branch.context, workspace=workspace)
        )
        return block, workspace.tree
    finally:
        workspace.close()


def outputs_of(blocks: Sequence[BlockResult]) -> list[JsonValue]:
    """Return the outputs of each branch, by step id."""
    return [dict(block.outputs) for block in blocks]
