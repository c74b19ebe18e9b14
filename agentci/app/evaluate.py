"""Evaluate suites: what is known is read, the rest is carried out, replayed or recorded."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from agentci.app import wiring
from agentci.app.eval_plan import PlanSettings, plan_suite
from agentci.app.eval_progress import Spent, SuiteProgress
from agentci.app.eval_redraw import RedrawnTrials
from agentci.app.eval_request import EvaluatedSuite
from agentci.app.eval_store import SuiteStore
from agentci.app.project import open_project
from agentci.app.run_request import resolve_mode
from agentci.app.state_folder import state_folder
from agentci.app.suites import find_suites
from agentci.core.errors import NothingMatched, UsageError
from agentci.evals.datasets.cases import matches
from agentci.record.session import Mode
from agentci.spec.lock import LOCK_FILE, Lock, load_lock

if TYPE_CHECKING:
    from agentci.app.eval_plan import PlannedCase, SuitePlan
    from agentci.app.eval_request import EvalListener, EvalRequest
    from agentci.app.project import Project
    from agentci.core.digest import Digest
    from agentci.evals.keys import KeyChange
    from agentci.evals.results import SuiteResult, TrialResult


def evaluate(request: EvalRequest, listener: EvalListener) -> tuple[SuiteResult, ...]:
    """Return the results of the suites that are asked for. Raises what `evaluate_suites` raises."""
    return tuple(each.result for each in evaluate_suites(request, listener))


def evaluate_suites(request: EvalRequest, listener: EvalListener) -> tuple[EvaluatedSuite, ...]:
    """Evaluate the suites that are asked for, in order of their paths.

    Raises:
        NothingMatched: when there is no such suite or case.
        SpecError: when a suite or its target is invalid; nothing has run.
        BudgetExceeded: at a limit; what was recorded until then is kept.
        SafetyRefusal: when a person has to look first.
        Interrupted: when the user stopped it; finished trials are kept.
    """
    files = wiring.files()
    project = open_project(request.start, files)
    folders = find_suites(project, request.suites)
    mode = resolve_mode(request.mode, project.config.defaults.mode, wiring.env())
    if mode in {Mode.AUTO, Mode.RECORD}:
        RedrawnTrials.of(project).finish()
    plans = [plan_for(folder, project, request) for folder in folders]
    chosen = [_Chosen.of(plan, request) for plan in plans]
    if request.cases:
        chosen = [each for each in chosen if each.cases]
    if not any(each.cases for each in chosen) and request.shard is None:
        raise _no_case(request)
    lock = load_lock(project.root / LOCK_FILE, files) if request.only_changed else Lock()
    around = Surroundings(project, mode, lock=lock)
    found = tuple(
        evaluate_plan(each.plan, request, listener, around=around, cases=each.cases)
        for each in chosen
    )
    if request.only_changed and not any(each.result.cases for each in found):
        raise NothingMatched(
            "no case has changed", code="ACI-N332", hint="`agentci eval` shows the known results"
        )
    return found


def plan_for(
    folder: Path, project: Project, request: EvalRequest, *, commit: str | None = None
) -> SuitePlan:
    """Return the plan of a suite of the project. Raises what `plan_suite` raises.

    `commit` is the one that the project's files are from, where it is not what is checked out.
    """
    settings = PlanSettings(
        project_commit=partial(_head, project.root) if commit is None else lambda: commit,
        trials=request.trials,
        add_trials=request.add_trials,
        sandbox=request.sandbox or project.config.defaults.sandbox,
        image=project.config.defaults.image,
    )
    return plan_suite(
        folder,
        project.files,
        root=project.root,
        cassettes_root=project.root / project.config.cassettes,
        settings=settings,
    )


def _head(root: Path) -> str:
    commit = wiring.history(root).commit("HEAD")
    if commit is None:
        raise UsageError(
            "the repository has no commit yet, and a suite's target starts from one",
            code="ACI-U477",
            hint="commit something, or name a `repository` in the suite's target",
        )
    return commit


@dataclass(frozen=True, slots=True)
class _Chosen:
    plan: SuitePlan
    cases: tuple[PlannedCase, ...]

    @classmethod
    def of(cls, plan: SuitePlan, request: EvalRequest) -> _Chosen:
        """Return the cases of a plan that a request asks for."""
        cases = plan.cases
        if request.cases:
            cases = tuple(
                each
                for each in cases
                if any(matches(pattern, each.case.id) for pattern in request.cases)
            )
        if request.shard is not None:
            cases = tuple(each for each in cases if request.shard.has(each.case.id))
        return cls(plan, cases)


def _no_case(request: EvalRequest) -> NothingMatched:
    shown = ", ".join(f"`{each}`" for each in request.cases)
    return NothingMatched(
        f"no case matches {shown}" if shown else "the suites have no cases",
        code="ACI-N330",
        hint="`agentci eval --all` lists the cases",
    )


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What the suites of one command have in common."""

    project: Project
    """Where the suites are."""
    mode: Mode
    spent: Spent = field(default_factory=Spent)
    kept_at: Path | None = None
    """The project whose store keeps results, where it is another one."""
    accepted: Mapping[Digest, TrialResult] = field(default_factory=dict)
    """Results that somebody has vouched for, by their keys."""
    lock: Lock = field(default_factory=Lock)
    """What `--only-changed` compares with."""


def _is_changed(case: PlannedCase, progress: SuiteProgress, around: Surroundings) -> bool:
    """Say whether a case differs from what was accepted or, without that, from what is known."""
    entry = around.lock.suites.get(progress.plan.suite.path)
    if entry is None:
        return progress.misses(case)
    accepted = {row.key for row in entry.cases.get(case.case.id, ())}
    return any(trial.scores_key.digest not in accepted for trial in case.trials)


def evaluate_plan(
    plan: SuitePlan,
    request: EvalRequest,
    listener: EvalListener,
    *,
    around: Surroundings,
    cases: tuple[PlannedCase, ...],
) -> EvaluatedSuite:
    """Evaluate `cases` of a planned suite. Raises what `evaluate_suites` raises."""
    project, mode = around.project, around.mode
    with ExitStack() as stack:
        store = SuiteStore.open(wiring.files(), around.kept_at or project.root, plan.suite.path)
        stack.callback(store.close)
        live = mode is Mode.LIVE
        progress = SuiteProgress(
            plan, store, live=live, redraw=request.redraw, accepted=around.accepted
        )
        progress.look_up(cases)
        changes: dict[str, tuple[KeyChange, ...]] = {}
        if request.only_changed:
            cases = tuple(each for each in cases if _is_changed(each, progress, around))
            changes = {each.case.id: progress.changes(each) for each in cases}
        taken = {each.case.id for each in cases}
        missing = [job for job in progress.missing if job.case.case.id in taken]
        listener.suite_started(plan.suite.path, known=progress.known(cases), missing=len(missing))
        notes: tuple[str, ...] = ()
        if missing:
            # an evaluation that only reads needs nothing of an engine
            from agentci.app.eval_jobs import EvalJobs  # noqa: PLC0415

            state_folder(around.kept_at or project.root, wiring.files())
            jobs = EvalJobs(plan, request, project, mode, around.spent)
            notes = jobs.carry_out(
                missing, lambda job, outcome: progress.take(job, outcome, listener)
            )
            progress.tidy()
        result = progress.suite_result(cases)
        listener.suite_finished(result)
        return EvaluatedSuite(
            result=result,
            quarantine=plan.suite.spec.quarantine,
            computed=len(missing),
            changes=changes,
            notes=notes,
            left_out=len(plan.cases) - len(cases),
        )
