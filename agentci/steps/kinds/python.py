"""The step kind `python`: a function of the repository, in a process of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from agentci.steps.commands import passed_environment, settle_files
from agentci.steps.external import send_once
from agentci.steps.proxying import proxied
from agentci.steps.python_call import PythonCall, call_function
from agentci.steps.results import StepResult

if TYPE_CHECKING:
    from collections.abc import Mapping

    from agentci.core.json_types import JsonObject, JsonValue
    from agentci.spec.pipeline import PythonStep
    from agentci.steps.context import StepContext
    from agentci.steps.results import Outcome

VERSION = 1


def inputs(step: PythonStep, context: StepContext) -> JsonObject:
    """Return the arguments with all expressions evaluated."""
    return {
        "with": {name: context.resolve(value) for name, value in step.with_.items()},
        "pass_env": passed_environment(step.pass_env, context),
    }


async def execute(step: PythonStep, context: StepContext) -> StepResult:
    """Call the function with the arguments in `with`; its return value is the output."""
    arguments = {name: context.resolve(value) for name, value in step.with_.items()}
    env = passed_environment(step.pass_env, context)

    async def call(extra: Mapping[str, str]) -> JsonObject:
        async with proxied(step, context) as variables:
            complete = {**variables, **env, **extra}
            target = PythonCall(step.python, arguments, timeout=step.timeout, env=complete)
            reply = await call_function(target, context)
        changed = settle_files(context, step.side_effects)
        return {
            "value": reply.value,
            "error": reply.error,
            "timed_out": reply.timed_out,
            "changed": list(changed),
        }

    if step.side_effects == "external":
        request: JsonObject = {"python": step.python, "arguments": arguments, "env": env}
        answer = await send_once(request, context, call)
    else:
        answer = await call({})
    if answer["error"] is not None:
        outcome: Outcome = "timed_out" if answer["timed_out"] else "failed"
        return StepResult(outcome, None, message=str(answer["error"]))
    notes: dict[str, JsonValue] = {}
    if answer["changed"] and step.side_effects == "pure":
        notes["dropped"] = answer["changed"]
    return StepResult("done", answer["value"], notes=notes)
