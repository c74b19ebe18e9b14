"""The step kind `parallel`: branches at the same time, merged in the order written."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from agentci.core.lane import child_lane
from agentci.steps.fan_out import Branch, outputs_of, run_branches

if TYPE_CHECKING:
    from agentci.spec.pipeline import ParallelStep
    from agentci.steps.context import StepContext
    from agentci.steps.results import StepResult

VERSION = 1


async def execute(step: ParallelStep, context: StepContext) -> StepResult:
    """Run all branches; the output has the outputs of each branch's steps under its name."""
    named = step.parallel.branches
    branches = [
        Branch(name, steps, context.at(child_lane(context.lane, name)))
        for name, steps in named.items()
    ]
    fan = await run_branches(branches, context)
    return replace(fan.result, output=dict(zip(named, outputs_of(fan.blocks), strict=True)))
