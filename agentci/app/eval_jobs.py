"""Carries out the trials of a suite that are not known: several at a time, in one event loop.

Results do not depend on who finishes first: each trial has its own recordings, files and seed.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from agentci.app import wiring
from agentci.app.eval_redraw import RedrawnTrials
from agentci.app.eval_repository import SharedBase
from agentci.app.eval_trial import TrialOutcome, TrialRun, TrialSetting
from agentci.app.execution import DEFAULT_JOBS
from agentci.app.record_changed import models_without_price, prices_of
from agentci.app.run_services import Sandboxes
from agentci.core.errors import BudgetExceeded, Interrupted, UsageError
from agentci.engine.concurrency import gather_ordered
from agentci.models.spending import Spending
from agentci.record.session import Mode

if TYPE_CHECKING:
    from agentci.app.eval_plan import SuitePlan
    from agentci.app.eval_progress import Job, Spent
    from agentci.app.eval_request import EvalRequest
    from agentci.app.project import Project
    from agentci.core.effects import Repository


@dataclass(frozen=True, slots=True)
class EvalJobs:
    """The jobs of one suite."""

    plan: SuitePlan
    request: EvalRequest
    project: Project
    mode: Mode
    spent: Spent

    def carry_out(
        self, jobs: Sequence[Job], finished: Callable[[Job, TrialOutcome], None]
    ) -> tuple[str, ...]:
        """Carry out all `jobs`; each one's outcome is handed over as soon as it is there.

        Returns what a user should know of the files that the targets worked on.

        Raises:
            BudgetExceeded: at a limit. Trials under way are given up, what they recorded is kept.
            AgentciError: what else ends an evaluation.
            Interrupted: when the user stopped it.
        """
        spending = self._spending()
        try:
            with wiring.scratch() as scratch, wiring.ending_interrupts():
                return asyncio.run(self._all(jobs, finished, scratch=scratch, spending=spending))
        except KeyboardInterrupt:
            raise Interrupted(
                "the evaluation was interrupted; finished trials and everything recorded are kept",
                hint="run the same command again, which goes on from there",
            ) from None
        finally:
            self.spent.cost += spending.cost
            self.spent.usage += spending.usage

    async def _all(
        self,
        jobs: Sequence[Job],
        finished: Callable[[Job, TrialOutcome], None],
        *,
        scratch: Path,
        spending: Spending,
    ) -> tuple[str, ...]:
        setting = TrialSetting(
            plan=self.plan,
            mode=self.mode,
            effects=wiring.effects(),
            config=self.project.config,
            sandboxes=Sandboxes(self.project.config.defaults.image),
            scratch=scratch,
            spending=spending,
            note=self.request.note,
            redraw=self.request.redraw,
            redrawn=RedrawnTrials.of(self.project),
            redact=self.request.redact,
            jobs=self._jobs,
        )
        bases = _Bases(self.plan, scratch)
        waiting = iter(jobs)
        limit = self.plan.suite.spec.limits.seconds
        time = asyncio.timeout(limit)
        workers = [partial(_work, waiting, setting, bases, finished)] * min(self._jobs, len(jobs))
        try:
            async with time:
                await gather_ordered(workers)
            return bases.notes()
        except TimeoutError:
            if not time.expired():
                raise
            raise BudgetExceeded(
                f"the evaluation took longer than the {limit:g} seconds that `limits.seconds` "
                "allows",
                code="ACI-B450",
                hint="raise `limits.seconds` and run it again, which goes on from there",
            ) from None
        finally:
            await setting.sandboxes.close()
            await setting.effects.http.close()

    @property
    def _jobs(self) -> int:
        return self.request.jobs or self.project.config.defaults.jobs or DEFAULT_JOBS

    def _spending(self) -> Spending:
        limits = self.plan.suite.spec.limits
        cost = _lowest(limits.cost, _left(self.request.max_cost, self.spent.cost))
        tokens = _lowest(limits.tokens, _left(self.request.max_tokens, self.spent.usage.tokens))
        whole = None if tokens is None else int(tokens)
        if cost is not None and self.mode is not Mode.REPLAY:
            missing = sorted(set(models_without_price(self.plan.bundle)))
            if missing:
                shown = ", ".join(f"`{name}`" for name in missing)
                raise UsageError(
                    f"a limit on the cost cannot be kept: no price is declared for {shown}",
                    code="ACI-U478",
                    hint="declare `price` beside the model in the definition, or limit the tokens",
                )
        return Spending(prices_of(self.plan.bundle), max_cost=cost, max_tokens=whole)


async def _work(
    waiting: Iterator[Job],
    setting: TrialSetting,
    bases: _Bases,
    finished: Callable[[Job, TrialOutcome], None],
) -> None:
    """Carry out one job after the other until none waits."""
    for job in waiting:
        base = bases.of(job.case.repository)
        run = TrialRun(setting, job.case, job.trial, base, known=job.known)
        finished(job, await run.run())


class _Bases:
    """The bases of a suite's trials, each opened once."""

    def __init__(self, plan: SuitePlan, scratch: Path) -> None:
        self._plan = plan
        self._scratch = scratch
        self._open: dict[str | None, SharedBase] = {}

    def of(self, repository: str | None) -> SharedBase:
        """Return the base of trials that work on the folder `repository`."""
        if repository not in self._open:
            store = self._scratch / f"base-{len(self._open) + 1}"
            unused = not self._plan.uses_files
            self._open[repository] = SharedBase(partial(self._opened, repository, store), unused)
        return self._open[repository]

    def notes(self) -> tuple[str, ...]:
        """Return what a user should know of them: uncommitted changes that were left out."""
        found = (note for base in self._open.values() for note in base.notes())
        # what defines suite and target is read as it is, committed or not
        place = "in the files that targets work on, "
        told = (place + note if note.startswith("uncommitted") else note for note in found)
        return tuple(dict.fromkeys(told))

    def _opened(self, repository: str | None, store: Path) -> Repository:
        root = self._plan.root
        if repository is None and not self._plan.uses_files:
            empty = store / "empty"
            empty.mkdir(parents=True)
            return wiring.open_folder(empty, store)
        if repository is None:
            return wiring.open_repository(root, store)
        folder = Path(os.path.normpath(root / repository))
        if wiring.files().exists(folder / ".git"):
            return wiring.open_repository(folder, store)
        return wiring.open_folder(folder, store)


def _left(limit: float | None, spent: float) -> float | None:
    return None if limit is None else max(0.0, limit - spent)


def _lowest(*limits: float | None) -> float | None:
    return min((each for each in limits if each is not None), default=None)
