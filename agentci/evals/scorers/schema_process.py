"""JSON Schema checks of hostile answers.

A schema with regular expressions is checked in a process that can be killed: such an expression may
take exponential time, and nothing in this process could stop it.
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Mapping, Sequence
from functools import cache
from typing import TYPE_CHECKING, Any, Final

from agentci.core.errors import StepFailed, UsageError
from agentci.core.json_types import JsonObject, JsonValue
from agentci.tools.json_schema import Violation, violations

if TYPE_CHECKING:
    from agentci.evals.scorers.kept_process import KeptProcess

SECONDS: Final = 20.0
"""Time for one answer in a process of its own, its start included."""

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
    answer = await asyncio.to_thread(_process().ask, request, seconds=SECONDS)
    if answer is None:
        raise StepFailed(
            f"a regular expression of the JSON Schema did not end within {SECONDS:g} seconds",
            code="ACI-S503",
            hint="write it without a repetition inside a repetition, such as `(a+)+`",
        )
    reply: dict[str, Any] = json.loads(answer)
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


@cache
def _process() -> KeptProcess:
    # a process is seldom needed, and what starts it takes long to import
    from agentci.evals.scorers.kept_process import kept_process  # noqa: PLC0415

    return kept_process("schema_child.py")
