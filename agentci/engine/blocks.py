"""Running sibling steps by their needs, each on the files that its needs have left.

A step that fails stops only the steps that need it. Its other siblings run to their end, so that
what a failed run records does not depend on who was faster.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any, Protocol

from agentci.core.lane import child_lane
from agentci.engine.concurrency import gather_ordered
from agentci.plan.graph import Needs, ancestors, resolve_needs, topological_order, tree_origin
from agentci.steps.commits import MadeCommit, commits_after, joined
from agentci.steps.merging import MergeConflict, merge_branches
from agentci.steps.results import BlockResult, StepRecord, scope_entry

if TYPE_CHECKING:
    from collections.abc import Mapping

    from agentci.core.errors import StepFailed
    from agentci.core.json_types import JsonValue
    from agentci.spec.pipeline import StepBase
    from agentci.steps.context import StepContext


class StepRunning(Protocol):
    """Runs one step."""

    async def run(self, step: StepBase, context: StepContext) -> StepRecord:
        """Run `step` and return its record."""

    def refuse(self, step: StepBase, context: StepContext, error: StepFailed) -> StepRecord:
        """Return the record of a step that could not start, because of `error`."""


class Blocks:
    """Runs blocks of steps; what steps that contain others are given."""

    def __init__(self, runner: StepRunning) -> None:
        """Run single steps with `runner`."""
        self._runner = runner

    async def run_block(self, steps: Sequence[StepBase], context: StepContext) -> BlockResult:
        """Run `steps`; afterwards `context.workspace` has their merged files."""
        needs = resolve_needs(steps)
        order = topological_order(needs)
        by_id = {step.id: step for step in steps}
        ordered = [by_id[name] for name in order]
        if _is_chain(needs):
            return await self._run_chain(ordered, context)
        return await _Graph(self._runner, needs, ordered, context).run()

    async def gather(self, calls: Sequence[Callable[[], Any]], *, limit: int | None) -> list[Any]:
        """Await `calls` at the same time and return their results in the order of `calls`."""
        return await gather_ordered(calls, limit=limit)

    async def _run_chain(self, steps: Sequence[StepBase], context: StepContext) -> BlockResult:
        records: list[StepRecord] = []
        seen = dict(_outer(context))
        base = context.services.repository.base_commit
        commits = context.commits
        for step in steps:
            inner = _enter(step, replace(context, commits=commits), seen)
            record = await self._runner.run(step, inner)
            records.append(record)
            seen[step.id] = scope_entry(record)
            commits = commits_after(record, commits, base)
            if not record.passed:
                return BlockResult(tuple(records), stopped=record, commits=commits)
        return BlockResult(tuple(records), commits=commits)


class _Graph:
    """A block whose steps do not simply follow each other."""

    def __init__(
        self,
        runner: StepRunning,
        needs: Needs,
        steps: Sequence[StepBase],
        context: StepContext,
    ) -> None:
        self._runner = runner
        self._needs = needs
        self._above = ancestors(needs)
        self._steps = steps
        self._context = context
        self._base = context.workspace.tree
        self._records: dict[str, StepRecord] = {}
        self._commits: dict[str, tuple[MadeCommit, ...]] = {}

    async def run(self) -> BlockResult:
        """Run every step as soon as its needs are there, and merge the files at the end."""
        done = {step.id: asyncio.Event() for step in self._steps}
        await gather_ordered([partial(self._when_ready, step, done) for step in self._steps])
        records = tuple(self._records[step.id] for step in self._steps if step.id in self._records)
        stopped = next((record for record in records if not record.passed), None)
        if stopped is None:
            self._context.workspace.reset(self._tree(self._needs))
        return BlockResult(records, stopped, self._visible([record.step for record in records]))

    async def _when_ready(self, step: StepBase, done: Mapping[str, Any]) -> None:
        try:
            for need in self._needs[step.id]:
                await done[need].wait()
            if all(self._passed(need) for need in self._needs[step.id]):
                self._records[step.id] = await self._run(step)
        finally:
            done[step.id].set()

    def _passed(self, step: str) -> bool:
        return step in self._records and self._records[step].passed

    async def _run(self, step: StepBase) -> StepRecord:
        seen = dict(_outer(self._context))
        above = self._above[step.id]
        seen.update(
            (each.id, scope_entry(self._records[each.id]))
            for each in self._steps
            if each.id in above
        )
        commits = self._visible(self._needs[step.id])
        inner = _enter(step, replace(self._context, commits=commits), seen)
        workspace = self._context.workspace.fork(inner.lane)
        inner = replace(inner, workspace=workspace)
        try:
            record = await self._run_on(self._needs[step.id], step, inner)
        finally:
            workspace.close()
        base = self._context.services.repository.base_commit
        self._commits[step.id] = commits_after(record, commits, base)
        return record

    async def _run_on(
        self, needs: Sequence[str], step: StepBase, context: StepContext
    ) -> StepRecord:
        try:
            context.workspace.reset(self._tree(needs))
        except MergeConflict as error:
            return self._runner.refuse(step, context, error)
        return await self._runner.run(step, context)

    def _visible(self, steps: Sequence[str]) -> tuple[MadeCommit, ...]:
        return joined([self._context.commits, *(self._commits[step] for step in steps)])

    def _tree(self, steps: Sequence[str] | Needs) -> str:
        """Return the tree with the work of all `steps`.

        Raises:
            MergeConflict: when they changed the same place.
        """
        origin = tree_origin(self._needs, steps)
        if origin.first is None:
            return self._base
        tree = self._records[origin.first].tree
        for merge in origin.merges:
            theirs = self._records[merge.theirs].tree
            base = self._tree(merge.base) if merge.base else self._base
            tree = merge_branches(
                self._context.services.repository,
                base,
                {"": tree, merge.theirs: theirs},
                lane=self._context.lane,
            )
        return tree


def _is_chain(needs: Needs) -> bool:
    above: tuple[str, ...] = ()
    for step, wanted in needs.items():
        if wanted != above:
            return False
        above = (step,)
    return True


def _outer(context: StepContext) -> Mapping[str, JsonValue]:
    steps = context.scope.get("steps", {})
    assert isinstance(steps, dict)
    return steps


def _enter(step: StepBase, context: StepContext, seen: Mapping[str, JsonValue]) -> StepContext:
    lane = child_lane(context.lane, step.id)
    return context.at(lane, scope={**context.scope, "steps": dict(seen)})
