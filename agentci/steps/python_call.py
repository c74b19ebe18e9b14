"""Calling a Python function of the repository in a process of its own."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from agentci.core.canonical import canonical_bytes
from agentci.core.effects import CommandRequest
from agentci.steps.commands import DEFAULT_TIMEOUT, environment
from agentci.steps.proxying import PROXY_URL
from agentci.tools.masking import Masker

if TYPE_CHECKING:
    from agentci.core.json_types import JsonObject, JsonValue
    from agentci.steps.context import StepContext

_CHILD = Path(__file__).with_name("python_child.py")
_OUTPUT_LIMIT = 16_000_000


@dataclass(frozen=True, slots=True)
class PythonCall:
    """A function and its keyword arguments."""

    target: str
    """`file.py:function`, relative to the pipeline's folder."""
    arguments: Mapping[str, JsonValue]
    timeout: float | None = None
    """Seconds."""
    env: Mapping[str, str] | None = None


@dataclass(frozen=True, slots=True)
class PythonReply:
    """What the function returned, or how it failed."""

    value: JsonValue = None
    error: str | None = None
    """Masked, for people; None when the function returned."""
    timed_out: bool = False


async def call_function(call: PythonCall, context: StepContext) -> PythonReply:
    """Call the function with the workspace as working directory."""
    file, _, function = call.target.partition(":")
    request: JsonObject = {
        "file": str(context.services.folder_of(context.bundle) / file),
        "function": function,
        "arguments": dict(call.arguments),
    }
    services = context.services
    if PROXY_URL in (call.env or {}) and services.python_lanes is not None:
        request = {**request, "lanes": services.python_lanes, "agentci": str(_CHILD.parents[2])}
    result = await services.open_sandbox("process").run(
        CommandRequest(
            argv=(services.python, str(_CHILD)),
            root=context.workspace.folder(),
            timeout=call.timeout or DEFAULT_TIMEOUT,
            env=environment(context, call.env),
            stdin=canonical_bytes(request),
            output_limit=_OUTPUT_LIMIT,
        )
    )
    if result.timed_out:
        return PythonReply(error="the function was stopped by its timeout", timed_out=True)
    masker = Masker(root=context.workspace.path, home=services.home)
    try:
        reply = json.loads(result.stdout)
    except ValueError:
        tail = masker.mask(result.stderr).strip().splitlines()[-12:]
        return PythonReply(
            error="\n".join([f"the function ended its process with {result.exit_code}", *tail])
        )
    if "error" in reply:
        return PythonReply(error=masker.mask(str(reply["error"]).encode()))
    return PythonReply(value=reply["value"])
