"""The step kind `foreach`: the same steps for each item of a list or matrix."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from agentci.core.lane import iteration_lane
from agentci.plan.items import expand_items
from agentci.steps.fan_out import Branch, outputs_of, run_branches

if TYPE_CHECKING:
    from agentci.core.json_types import JsonObject
    from agentci.spec.pipeline import ForeachStep
    from agentci.steps.context import StepContext
    from agentci.steps.results import StepResult

VERSION = 1


async def execute(step: ForeachStep, context: StepContext) -> StepResult:
    """Run the steps for every item; the output keeps the order of the items."""
    items = expand_items(step.foreach, context.scope)
    branches = [
        Branch(
            item.key,
            step.foreach.steps,
            context.at(iteration_lane(context.lane, item.key)).with_scope(item=item.value),
        )
        for item in items
    ]
    fan = await run_branches(branches, context, limit=step.foreach.concurrency)
    output: JsonObject = {"keys": [item.key for item in items], "items": outputs_of(fan.blocks)}
    return replace(fan.result, output=output)
