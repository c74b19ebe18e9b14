"""What a run would do, found out without doing it.

Steps whose results are in the cache are looked up as a run would, so the steps behind them are
known exactly. Behind a step that would have to run, only the plan and the recordings are known.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, TypeAlias

from agentci.core.errors import AgentciError
from agentci.core.lane import ROOT
from agentci.engine.blocks import Blocks
from agentci.engine.executor import RunSetup
from agentci.engine.step_runner import key_of
from agentci.spec.pipeline import kind_of
from agentci.steps.context import StepContext
from agentci.steps.registry import CONTAINERS, step_kind
from agentci.steps.results import StepRecord

if TYPE_CHECKING:
    from agentci.core.errors import StepFailed
    from agentci.core.lane import Lane
    from agentci.engine.step_cache import StepCache
    from agentci.spec.pipeline import StepBase

Action: TypeAlias = Literal["cached", "unknown", "skipped"]


@dataclass(slots=True)
class PreviewRunner:
    """Stands in for the runner of steps: looks up what is cached, and stops at what is not."""

    cache: StepCache
    actions: dict[Lane, Action] = field(default_factory=dict)

    async def run(self, step: StepBase, context: StepContext) -> StepRecord:
        """Return the record that a run would have, or one that stops the steps behind it."""
        kind = kind_of(step) or ""
        try:
            if not context.holds(step.when):
                return self._stop(step, context, "skipped")
            if kind in CONTAINERS:
                result = await step_kind(kind).execute(step, context)
                return StepRecord(
                    lane=context.lane,
                    step=step.id,
                    kind=kind,
                    outcome=result.outcome,
                    output=result.output,
                    tree=context.workspace.tree,
                    passed=result.outcome in {"done", "approved"},
                )
            cached = self.cache.load(step, context, key_of(step, context, kind))
        except AgentciError:
            return self._stop(step, context, "unknown")
        if cached is None:
            return self._stop(step, context, "unknown")
        self.actions[context.lane] = "cached"
        return cached

    def refuse(self, step: StepBase, context: StepContext, error: StepFailed) -> StepRecord:
        """Stop: the step would fail."""
        del error
        return self._stop(step, context, "unknown")

    def _stop(self, step: StepBase, context: StepContext, action: Action) -> StepRecord:
        self.actions[context.lane] = action
        return StepRecord(
            lane=context.lane,
            step=step.id,
            kind=kind_of(step) or "",
            outcome="skipped" if action == "skipped" else "waiting",
            output=None,
            tree=context.workspace.tree,
            passed=action == "skipped",
        )


async def preview(setup: RunSetup) -> dict[Lane, Action]:
    """Return what is known of the steps that a run would come to."""
    runner = PreviewRunner(setup.cache)
    services = setup.services
    workspace = services.repository.workspace("main", services.repository.base_tree)
    context = StepContext(
        lane=ROOT,
        workspace=workspace,
        scope={"inputs": dict(setup.inputs), "run": {"seed": services.seed}, "steps": {}},
        bundle=setup.bundle,
        services=services,
        blocks=Blocks(runner),
    )
    try:
        await context.blocks.run_block(setup.bundle.spec.steps, context)
    finally:
        workspace.close()
    return runner.actions
