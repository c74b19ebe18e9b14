"""Say why a case of a suite has to be evaluated again: which part of its key changed."""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING

from agentci.app import wiring
from agentci.app.eval_progress import SuiteProgress
from agentci.app.eval_request import EvalRequest
from agentci.app.eval_store import SuiteStore
from agentci.app.evaluate import plan_for
from agentci.app.project import open_project
from agentci.app.suites import find_suites
from agentci.core.errors import NothingMatched, UsageError
from agentci.spec.suggestion import did_you_mean

if TYPE_CHECKING:
    from pathlib import Path

    from agentci.evals.keys import KeyChange


@dataclass(frozen=True, slots=True)
class CaseExplanation:
    """What is known of a case, and what changed."""

    suite: str
    case: str
    known: bool
    """Whether every trial's result is known, so that it is only read."""
    judged_before: bool
    changes: tuple[KeyChange, ...]
    """Parts of the key that differ from when it was last judged here."""


def explain_case(start: Path, suite: str, case: str) -> CaseExplanation:
    """Explain a case of a suite.

    Raises:
        NothingMatched: when there is no such suite or case.
        UsageError: when the name stands for several suites.
    """
    project = open_project(start, wiring.files())
    folders = find_suites(project, (suite,))
    if len(folders) > 1:
        shown = ", ".join(f"`{folder.as_posix()}`" for folder in folders)
        raise UsageError(f"`{suite}` names several suites", code="ACI-U470", hint=f"one of {shown}")
    plan = plan_for(folders[0], project, EvalRequest(start=start))
    planned = next((each for each in plan.cases if each.case.id == case), None)
    if planned is None:
        hint = did_you_mean(case, [each.case.id for each in plan.cases])
        raise NothingMatched(
            f"suite `{plan.suite.path}` has no case `{case}`",
            code="ACI-N331",
            hint=hint or f"`agentci eval {plan.suite.path} --all` lists them",
        )
    with closing(SuiteStore.open(wiring.files(), project.root, plan.suite.path)) as store:
        progress = SuiteProgress(plan, store, live=False)
        progress.look_up([planned])
        return CaseExplanation(
            suite=plan.suite.path,
            case=case,
            known=not progress.misses(planned),
            judged_before=any(store.last_key(case, trial.number) for trial in planned.trials),
            changes=progress.changes(planned),
        )
