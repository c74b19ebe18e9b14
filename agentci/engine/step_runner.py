"""One step from start to finish: condition, resume, cache, attempts, journal."""

from __future__ import annotations

import asyncio
from contextlib import nullcontext
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from agentci.core.digest import Digest
from agentci.core.errors import (
    CassetteMiss,
    Diverged,
    Location,
    ProviderError,
    SpecError,
    StepFailed,
)
from agentci.core.lane import attempt_lane
from agentci.core.seed import derive_seed, unit_interval
from agentci.engine.attempts import AttemptLog
from agentci.engine.evidence import count_as_played, evidence_in
from agentci.engine.journal_events import RunHistory, step_finished, step_started
from agentci.plan.keys import StepInstance, StepKey, step_key
from agentci.spec.pipeline import kind_of
from agentci.steps.external import Halted
from agentci.steps.registry import CONTAINERS, cacheable_kind, step_kind
from agentci.steps.results import PASSING, StepRecord, StepResult, misses_in

if TYPE_CHECKING:
    from collections.abc import Mapping

    from agentci.core.json_types import JsonValue
    from agentci.engine.listener import RunListener
    from agentci.engine.step_cache import StepCache
    from agentci.record.journal import Journal
    from agentci.spec.pipeline import StepBase
    from agentci.steps.context import StepContext
    from agentci.steps.results import Outcome, Source

_OWN_TIMEOUT = frozenset({"run", "python"})
"""Kinds that stop their commands themselves when the time is over."""


@dataclass(frozen=True, slots=True)
class _TryAgain:
    """An attempt failed in a way after which another one is made."""

    delay: float
    """Seconds; doubles with each attempt."""


@dataclass(slots=True)
class StepRunner:
    """Runs single steps for one run."""

    journal: Journal
    history: RunHistory
    cache: StepCache
    listener: RunListener
    gate: asyncio.Semaphore
    """Bounds how many leaf steps work at the same time."""

    async def run(self, step: StepBase, context: StepContext) -> StepRecord:
        """Run `step` and return its record; the workspace has its files.

        Failures of the step are in the record, and so are requests without a recording: other
        steps go on, so that one replay finds all of them. What ends the whole run is raised.
        """
        kind = kind_of(step) or ""
        try:
            wanted = context.holds(step.when)
        except (StepFailed, SpecError) as error:
            return self.refuse(step, context, error)
        if not wanted:
            result = StepResult("skipped", None)
            return self._settle(self._record(step, context, result, source="skipped"))
        if kind in CONTAINERS:
            self.listener.step_started(context.lane, kind)
            started = context.services.effects.clock.monotonic()
            result = await self._attempts(step, context)
            record = self._record(step, context, result, started=started)
            self.listener.step_finished(record)
            return record
        async with self.gate:
            return await self._run_leaf(step, context, kind)

    async def _run_leaf(self, step: StepBase, context: StepContext, kind: str) -> StepRecord:
        try:
            key = key_of(step, context, kind)
        except (StepFailed, SpecError) as error:
            return self.refuse(step, context, error)
        resumed = self._resume(context, key)
        if resumed is not None:
            return resumed
        self.listener.step_started(context.lane, kind)
        started = context.services.effects.clock.monotonic()
        self.journal.write(step_started(context.lane, kind, key))
        before = context.workspace.tree
        cached = self.cache.load(step, context, key)
        if cached is not None:
            context.services.charge(cached.usage, cached.cost)
            record = replace(cached, seconds=context.services.effects.clock.monotonic() - started)
        else:
            result = await self._attempts(step, context)
            record = self._record(step, context, result, started=started)
            self.cache.save(step, context, key, record=record, before=before)
        return self._settle(record, key)

    def refuse(
        self, step: StepBase, context: StepContext, error: StepFailed | SpecError
    ) -> StepRecord:
        """Return the record of a step that could not start, because of `error`."""
        return self._settle(self._record(step, context, _failure(error)))

    def _settle(self, record: StepRecord, key: StepKey | None = None) -> StepRecord:
        self.journal.write(step_finished(record, key.digest if key else None))
        if record.outcome == "waiting":
            self.journal.write({"type": "approval.requested", "lane": record.lane, **record.notes})
        self.listener.step_finished(record)
        return record

    def _resume(self, context: StepContext, key: StepKey | None) -> StepRecord | None:
        """Return the record of a step that an earlier part of the run has finished."""
        finished = self.history.steps.get(context.lane)
        if finished is None or not finished.record.passed:
            return None
        if finished.key != (key.digest if key else None):
            from agentci.plan.explain import explain  # noqa: PLC0415 - only to refuse

            old = StepKey(finished.key or Digest(""), self.history.keys.get(context.lane, {}))
            changed = ", ".join(
                f"`{change.field}`" for change in (explain(old, key) if key else ())
            )
            raise Diverged(
                f"step `{context.lane}` finished before with another {changed or 'definition'}",
                code="ACI-R110",
                location=Location(lane=context.lane),
                hint="start a new run; recorded answers that still fit are used again",
            )
        if not context.services.repository.has_tree(finished.record.tree):
            return None  # its files were only claimed by recordings; these replay them
        context.workspace.reset(finished.record.tree)
        count_as_played(context.services.session, finished.record.interactions)
        record = finished.record.from_source("resumed")
        context.services.charge(record.usage, record.cost)
        self.listener.step_finished(record)
        return record

    async def _attempts(self, step: StepBase, context: StepContext) -> StepResult:
        attempts = 1 if step.retry is None else step.retry.attempts
        before = context.workspace.tree
        for attempt in range(1, attempts + 1):
            inner = context.at(attempt_lane(context.lane, attempt))
            result = await self._try(step, inner, last=attempt == attempts)
            if isinstance(result, StepResult):
                if result.outcome == "timed_out" and kind_of(step) not in _OWN_TIMEOUT:
                    context.workspace.reset(before)  # a replay does not know how far it had come
                return result
            context.workspace.reset(before)
            await context.services.effects.clock.sleep(result.delay * 2 ** (attempt - 1))
        raise AssertionError("the last attempt has a result or raises")

    async def _try(
        self, step: StepBase, context: StepContext, *, last: bool
    ) -> StepResult | _TryAgain:
        """Make one attempt, unless it is recorded that it was lost."""
        log = AttemptLog(context.services.session)
        reason = log.lost(context.lane) if _may_be_lost(step) else None
        if reason == "timeout" and last:
            return _timed_out(step)
        if reason is not None and last:
            raise Diverged(
                f"every attempt of `{context.lane}` is recorded as lost",
                code="ACI-R111",
                location=Location(lane=context.lane),
                hint="record the step again with `--mode record`",
            )
        if reason is not None:
            return _TryAgain(0.0)
        retried_on = () if step.retry is None or last else step.retry.on
        try:
            result = await self._attempt(step, context)
        except ProviderError:
            if "provider" not in retried_on:
                raise
            log.note(context.lane, "provider")
        else:
            again = _failure_kind(result) in retried_on
            goes_on = again or step.allow_failure
            if result.outcome == "timed_out" and goes_on and _may_be_lost(step):
                log.note(context.lane, "timeout")
            if not again:
                return result
        draw = unit_interval(derive_seed(context.services.seed, context.lane, "retry"))
        return _TryAgain(step.retry.delay * (0.5 + draw) if step.retry is not None else 0.0)

    async def _attempt(self, step: StepBase, context: StepContext) -> StepResult:
        kind = kind_of(step) or ""
        limit = (
            asyncio.timeout(step.timeout)
            if step.timeout is not None and kind not in _OWN_TIMEOUT
            else nullcontext()
        )
        try:
            async with limit:
                return await step_kind(kind).execute(step, context)
        except TimeoutError:
            if isinstance(limit, asyncio.Timeout) and limit.expired():
                return _timed_out(step)
            raise
        except (StepFailed, SpecError) as error:
            return _failure(error)
        except CassetteMiss as error:
            return _missed(error)

    def _record(
        self,
        step: StepBase,
        context: StepContext,
        result: StepResult,
        *,
        source: Source | None = None,
        started: float | None = None,
    ) -> StepRecord:
        services = context.services
        kind = kind_of(step) or ""
        leaf = kind not in CONTAINERS
        now = services.effects.clock.monotonic() if started is not None else 0.0
        return StepRecord(
            lane=context.lane,
            step=step.id,
            kind=kind,
            outcome=result.outcome,
            output=result.output,
            tree=context.workspace.tree,
            interactions=evidence_in(services.session, context.lane) if leaf else (),
            children=result.children,
            passed=_passed(step, result),
            message=result.message,
            source=source or self._source(step, context),
            seconds=now - started if started is not None else 0.0,
            usage=result.usage,
            cost=result.cost,
            notes=result.notes,
            commits=result.commits,
            misses=result.misses,
        )

    def _source(self, step: StepBase, context: StepContext) -> Source:
        services = context.services
        asks = kind_of(step) in {"agent", "approve"} or _is_external(step)
        if not asks or services.live or not services.session.evidence(context.lane):
            return "executed"
        return "recorded" if services.session.recorded_in(context.lane) else "replayed"


def _failure(error: StepFailed | SpecError) -> StepResult:
    notes: Mapping[str, JsonValue] = {"code": error.code, "hint": error.hint}
    outcome: Outcome = "halted" if isinstance(error, Halted) else "failed"
    return StepResult(outcome, None, message=error.message, notes=notes)


def _missed(error: CassetteMiss) -> StepResult:
    notes: Mapping[str, JsonValue] = {"code": error.code, "hint": error.hint}
    return StepResult("missed", None, message=error.message, notes=notes, misses=error.misses)


def _is_missed(result: StepResult) -> bool:
    """Say whether a step, or one inside it, has no recording to go on with.

    Then nothing is allowed to follow it, and trying again is of no use.
    """
    return bool(result.misses or misses_in(result.children))


def _timed_out(step: StepBase) -> StepResult:
    return StepResult("timed_out", None, message=f"stopped after {step.timeout:g} seconds")


def _may_be_lost(step: StepBase) -> bool:
    """Say whether a replay has to know which attempts of `step` ended without an answer.

    Commands are executed again by a replay, so they need no such note.
    """
    if kind_of(step) in _OWN_TIMEOUT:
        return False
    return step.retry is not None or (step.timeout is not None and step.allow_failure)


def _failure_kind(result: StepResult) -> str | None:
    """Return what `retry.on` calls the failure of an attempt; None where trying again is no use."""
    if _is_missed(result):
        return None
    if result.outcome == "timed_out":
        return "timeout"
    passing = result.outcome in PASSING if result.passing is None else result.passing
    return None if passing or result.outcome in {"waiting", "denied", "halted"} else "failed"


def _is_external(step: StepBase) -> bool:
    return getattr(step, "side_effects", "pure") == "external"


def _passed(step: StepBase, result: StepResult) -> bool:
    if result.outcome in {"waiting", "halted"} or _is_missed(result):
        return False
    if result.passing is not None:
        return result.passing or step.allow_failure
    return result.outcome in PASSING or step.allow_failure


def key_of(step: StepBase, context: StepContext, kind: str) -> StepKey | None:
    """Return the cache key of a step instance, or None for kinds whose results are never kept."""
    module = cacheable_kind(kind)
    if module is None:
        return None
    instance = StepInstance(
        implementation=f"{kind}/{module.VERSION}",
        tree=context.workspace.tree,
        seed=derive_seed(context.services.seed, context.lane),
        inputs=module.inputs(step, context),
        env={"SOURCE_DATE_EPOCH": str(context.services.repository.base_date)},
        sandbox=context.services.sandbox_override or "",
        lane=context.lane if kind == "agent" else None,
    )
    return step_key(context.bundle, step, instance=instance)
