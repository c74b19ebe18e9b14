"""JSON Schema checks of hostile answers.

A schema with regular expressions is checked in a process that can be killed: such an expression may
take exponential time, and nothing in this process could stop it.
"""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from agentci.core.errors import StepFailed, UsageError
from agentci.core.json_types import JsonObject, JsonValue
from agentci.tools.json_schema import Violation, violations

SECONDS: Final = 20.0
"""Time for one answer in a process of its own, its start included."""

_CHILD: Final = Path(__file__).with_name("schema_child.py")
_EXPRESSIONS: Final = frozenset({"pattern", "patternProperties", "format"})


async def find_violations(schema: JsonObject, value: JsonValue) -> tuple[Violation, ...]:
    """Return where `value` does not fit `schema`, as `agentci.tools.json_schema.violations`.

    Raises:
        UsageError: when the schema itself is wrong.
        StepFailed: when a regular expression in it takes too long.
        RecursionError: when the value nests too deep.
    """
    if not _has_expressions(schema):
        return violations(schema, value)
    # the child starts without the folder and the environment of whoever called us
    request = json.dumps({"path": sys.path, "schema": schema, "value": value}).encode("ascii")
    reply = await asyncio.to_thread(_ask, request)
    if "recursion" in reply:
        raise RecursionError
    if "problem" in reply:
        raise UsageError(**reply["problem"])
    return tuple(Violation(path, text) for path, text in reply["violations"])


def _has_expressions(node: Any) -> bool:
    if isinstance(node, Mapping):
        return not _EXPRESSIONS.isdisjoint(node) or any(map(_has_expressions, node.values()))
    return (
        isinstance(node, Sequence)
        and not isinstance(node, str)
        and any(map(_has_expressions, node))
    )


def _ask(request: bytes) -> dict[str, Any]:
    try:
        done = subprocess.run(
            [sys.executable, "-I", "-W", "ignore", str(_CHILD)],
            input=request,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            timeout=SECONDS,
            check=True,
        )
    except subprocess.TimeoutExpired as error:
        raise StepFailed(
            f"a regular expression of the JSON Schema did not end within {SECONDS:g} seconds",
            code="ACI-S503",
            hint="write it without a repetition inside a repetition, such as `(a+)+`",
        ) from error
    reply: dict[str, Any] = json.loads(done.stdout)
    return reply
