"""The step kind `run`: a command of the repository, as in any CI."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from typing import TYPE_CHECKING

from agentci.steps.commands import (
    DEFAULT_TIMEOUT,
    StepCommand,
    passed_environment,
    render_words,
    run_command,
    settle_files,
)
from agentci.steps.external import send_once
from agentci.steps.proxying import PROXY_URL, proxied
from agentci.steps.results import StepResult
from agentci.tools.masking import Masker

if TYPE_CHECKING:
    from collections.abc import Mapping

    from agentci.core.json_types import JsonObject, JsonValue
    from agentci.spec.pipeline import CommandStep
    from agentci.steps.context import StepContext

VERSION = 1


def inputs(step: CommandStep, context: StepContext) -> JsonObject:
    """Return the command with all expressions evaluated."""
    return {
        "run": list(render_words(step.run, context)),
        "folder": context.text(step.folder),
        "stdin": context.text(step.stdin),
        "env": {name: context.text(value) for name, value in step.env.items()},
        "pass_env": passed_environment(step.pass_env, context),
    }


async def execute(step: CommandStep, context: StepContext) -> StepResult:
    """Run the command; the output has its exit code and its masked stdout and stderr."""
    env = {
        **passed_environment(step.pass_env, context),
        **{name: context.text(value) for name, value in step.env.items()},
    }
    command = StepCommand(
        argv=render_words(step.run, context),
        folder=context.text(step.folder),
        env=env,
        stdin=context.text(step.stdin),
        sandbox=step.sandbox,
        timeout=step.timeout or DEFAULT_TIMEOUT,
    )
    if step.side_effects != "external":
        return _result(step, await _run(step, command, context))

    async def send(extra: Mapping[str, str]) -> JsonObject:
        return await _run(step, replace(command, env={**env, **extra}), context)

    request: JsonObject = {
        "command": list(command.argv),
        "folder": command.folder,
        "env": env,
        "stdin": command.stdin,
    }
    return _result(step, await send_once(request, context, send))


async def _run(step: CommandStep, command: StepCommand, context: StepContext) -> JsonObject:
    async with proxied(step, context, command.folder) as variables:
        command = replace(command, env={**variables, **(command.env or {})})
        result = await run_command(command, context)
    # the address is another one in every run
    extra = (*step.mask, *(re.escape(variables[name]) for name in (PROXY_URL,) if variables))
    masker = Masker(root=context.workspace.path, home=context.services.home, extra=extra)
    changed = settle_files(context, step.side_effects)
    return {
        "exit_code": result.exit_code,
        "stdout": masker.mask(result.stdout),
        "stderr": masker.mask(result.stderr),
        "changed": list(changed),
        "timed_out": result.timed_out,
    }


def _result(step: CommandStep, output: JsonObject) -> StepResult:
    shown: dict[str, JsonValue] = {k: v for k, v in output.items() if k != "timed_out"}
    if output["timed_out"]:
        return StepResult("timed_out", shown, message="the command was stopped by its timeout")
    if output["exit_code"] not in step.expect:
        return StepResult("failed", shown, message=_why(step, shown))
    if step.parse == "json":
        try:
            shown["json"] = json.loads(str(output["stdout"]))
        except ValueError as error:
            return StepResult("failed", shown, message=f"standard output is not JSON: {error}")
    notes: dict[str, JsonValue] = {}
    if shown["changed"] and step.side_effects == "pure":
        notes["dropped"] = shown["changed"]
    return StepResult("done", shown, notes=notes)


def _why(step: CommandStep, output: JsonObject) -> str:
    tail = (str(output["stderr"]) or str(output["stdout"])).strip().splitlines()[-12:]
    expected = ", ".join(str(code) for code in step.expect)
    return "\n".join([f"exit code {output['exit_code']}, expected {expected}", *tail])
