"""The step kind `pipeline`: another pipeline as a step, on the same files."""

from __future__ import annotations

from typing import TYPE_CHECKING

from agentci.plan.inputs import bind_inputs
from agentci.steps.results import StepResult, scope_entry

if TYPE_CHECKING:
    from agentci.spec.pipeline import PipelineStep
    from agentci.steps.context import StepContext

VERSION = 1


async def execute(step: PipelineStep, context: StepContext) -> StepResult:
    """Run the child with its own names: it sees its inputs and steps, nothing of its parent."""
    child = context.bundle.children[step.pipeline]
    given = {name: context.resolve(value) for name, value in step.with_.items()}
    scope = {
        "inputs": bind_inputs(child.spec, given),
        "run": context.scope["run"],
        "steps": {},
    }
    inner = context.at(context.lane, bundle=child, scope=scope)
    block = await context.blocks.run_block(child.spec.steps, inner)
    if block.stopped is not None:
        return StepResult(
            outcome="waiting" if block.stopped.outcome == "waiting" else "failed",
            output=None,
            message=f"`{block.stopped.lane}`: {block.stopped.outcome}",
            children=block.records,
        )
    after = inner.with_scope(steps={record.step: scope_entry(record) for record in block.records})
    output = after.resolve(child.spec.output)
    return StepResult("done", output, children=block.records, commits=block.commits)
