"""The step kind `foreach`: the same steps for each item of a list or matrix."""

from __future__ import annotations

import re
from dataclasses import replace
from itertools import product
from typing import TYPE_CHECKING

from agentci.core.errors import Location, StepFailed
from agentci.core.lane import iteration_lane
from agentci.steps.fan_out import Branch, outputs_of, run_branches

if TYPE_CHECKING:
    from agentci.core.json_types import JsonValue
    from agentci.spec.pipeline import ForeachBody, ForeachStep
    from agentci.steps.context import StepContext
    from agentci.steps.results import StepResult

VERSION = 1

_WORD = re.compile(r"[A-Za-z0-9_.-]{1,64}")


async def execute(step: ForeachStep, context: StepContext) -> StepResult:
    """Run the steps for every item; the output keeps the order of the items."""
    items = _items(step.foreach, context)
    keys = _keys(step.foreach, items, context)
    branches = [
        Branch(
            key,
            step.foreach.steps,
            context.at(iteration_lane(context.lane, key)).with_scope(item=item),
        )
        for key, item in zip(keys, items, strict=True)
    ]
    fan = await run_branches(
        branches,
        context,
        limit=step.foreach.concurrency,
        keep_going=step.foreach.on_failure == "continue",
    )
    return replace(fan.result, output={"keys": keys, "items": outputs_of(fan.blocks)})


def _items(body: ForeachBody, context: StepContext) -> list[JsonValue]:
    if body.matrix is not None:
        axes = {name: _list(context, values) for name, values in body.matrix.items()}
        return [dict(zip(axes, values, strict=True)) for values in product(*axes.values())]
    return _list(context, body.items)


def _list(context: StepContext, value: JsonValue) -> list[JsonValue]:
    resolved = context.resolve(value)
    if not isinstance(resolved, list | tuple):
        raise StepFailed(
            f"`foreach` needs a list, and got `{type(resolved).__name__}`",
            code="ACI-S120",
            location=Location(lane=context.lane),
            hint="print the value with `agentci show` on the step it comes from",
        )
    return list(resolved)


def _keys(body: ForeachBody, items: list[JsonValue], context: StepContext) -> list[str]:
    keys = [_key(body, item, index, context) for index, item in enumerate(items)]
    for index, key in enumerate(keys):
        if key in keys[:index]:
            raise StepFailed(
                f"two items of `foreach` have the key `{key}`",
                code="ACI-S121",
                location=Location(lane=context.lane),
                hint="give `foreach.key` an expression that is different for each item",
            )
    return keys


def _key(body: ForeachBody, item: JsonValue, index: int, context: StepContext) -> str:
    if body.key is not None:
        return context.with_scope(item=item).text(body.key)
    if isinstance(item, dict) and body.matrix is not None:
        words = [str(value) for value in item.values()]
        joined = ",".join(words)
        return joined if all(_WORD.fullmatch(word) for word in words) else str(index)
    if isinstance(item, str | int) and _WORD.fullmatch(str(item)):
        return str(item)
    return str(index)
