"""The step kind `loop`: repeat steps until a condition holds, with carried state."""

from __future__ import annotations

from typing import TYPE_CHECKING

from agentci.core.lane import iteration_lane
from agentci.steps.results import BlockResult, StepRecord, StepResult, scope_entry

if TYPE_CHECKING:
    from agentci.core.json_types import JsonValue
    from agentci.spec.pipeline import LoopStep
    from agentci.steps.context import StepContext

VERSION = 1


async def execute(step: LoopStep, context: StepContext) -> StepResult:
    """Run iterations until `until` is true (`approved`) or `max` is reached (`exhausted`).

    A condition or carried value that cannot be evaluated fails the step: an error is never taken
    for an approval.
    """
    body = step.loop
    records: list[StepRecord] = []
    carry = context.resolve(body.initial)
    block = BlockResult(())
    for index in range(1, body.max + 1):
        lane = iteration_lane(context.lane, index)
        commits = block.commits if index > 1 else context.commits
        inner = context.at(lane, commits=commits).with_scope(
            carry=carry, loop={"iteration": index, "max": body.max}
        )
        block = await context.blocks.run_block(body.steps, inner)
        records.extend(block.records)
        if block.stopped is not None:
            return _result(index, carry, block, records, stopped=block.stopped)
        after = inner.with_scope(
            steps={
                **_steps(inner),
                **{record.step: scope_entry(record) for record in block.records},
            }
        )
        if after.holds(body.until):
            return _result(index, carry, block, records, stopped=None)
        if index < body.max:
            carry = after.resolve(body.carry)
    return StepResult(
        outcome="exhausted",
        output={"iterations": body.max, "carry": carry, "last": block.outputs},
        message=f"`until` was still false after {body.max} iterations",
        children=tuple(records),
        passing=body.on_exhausted == "continue",
        commits=block.commits,
    )


def _steps(context: StepContext) -> dict[str, JsonValue]:
    steps = context.scope.get("steps", {})
    assert isinstance(steps, dict)
    return steps


def _result(
    index: int,
    carry: JsonValue,
    block: BlockResult,
    records: list[StepRecord],
    *,
    stopped: StepRecord | None,
) -> StepResult:
    output: JsonValue = {"iterations": index, "carry": carry, "last": block.outputs}
    if stopped is None:
        return StepResult(
            outcome="approved",
            output=output,
            children=tuple(records),
            commits=block.commits,
        )
    return StepResult(
        outcome="waiting" if stopped.outcome == "waiting" else "failed",
        output=output,
        message=f"`{stopped.lane}`: {stopped.outcome}",
        children=tuple(records),
    )
