"""Step kinds by name, as import strings, so that a run imports only the kinds it uses."""

from __future__ import annotations

from importlib import import_module
from typing import Any, Protocol

from agentci.core.json_types import JsonObject
from agentci.steps.context import StepContext
from agentci.steps.results import StepResult

_KINDS = {
    "agent": "agentci.steps.kinds.agent",
    "approve": "agentci.steps.kinds.approve",
    "commit": "agentci.steps.kinds.commit",
    "foreach": "agentci.steps.kinds.foreach",
    "loop": "agentci.steps.kinds.loop",
    "parallel": "agentci.steps.kinds.parallel",
    "pipeline": "agentci.steps.kinds.pipeline",
    "python": "agentci.steps.kinds.python",
    "run": "agentci.steps.kinds.run",
}

CONTAINERS = frozenset({"foreach", "loop", "parallel", "pipeline"})
"""Kinds that only arrange other steps."""

CACHEABLE = frozenset({"agent", "python", "run"})
"""Kinds whose modules also offer `inputs`, and whose results the action cache may keep."""


class StepKind(Protocol):
    """What the module of a step kind offers."""

    VERSION: int
    """Raised when the same definition would give another result; part of the cache key."""

    async def execute(self, step: Any, context: StepContext) -> StepResult:
        """Do the step's work and return its result."""


class CacheableKind(StepKind, Protocol):
    """A kind whose result depends on nothing but what its cache key covers."""

    def inputs(self, step: Any, context: StepContext) -> JsonObject:
        """Return every template of the step with its value."""


def step_kind(name: str) -> StepKind:
    """Return the kind `name`."""
    module: Any = import_module(_KINDS[name])
    kind: StepKind = module
    return kind


def cacheable_kind(name: str) -> CacheableKind | None:
    """Return the kind `name`, or None where its results are never kept."""
    if name not in CACHEABLE:
        return None
    module: Any = import_module(_KINDS[name])
    kind: CacheableKind = module
    return kind
