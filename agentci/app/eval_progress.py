"""How far a suite is: which trials are known, which are missing, and the result when all are there.

Carries nothing out. Keeps each finished trial at once, so that a killed process loses none.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from agentci.app.eval_execution import Execution, execution_json, read_execution
from agentci.app.eval_plan import cassettes_digest
from agentci.app.eval_store import StoredTrial
from agentci.core.messages import Usage
from agentci.evals.keys import key_changes
from agentci.evals.results import CaseResult, SuiteResult

if TYPE_CHECKING:
    from agentci.app.eval_plan import PlannedCase, PlannedTrial, SuitePlan
    from agentci.app.eval_request import EvalListener
    from agentci.app.eval_store import SuiteStore
    from agentci.app.eval_trial import TrialOutcome
    from agentci.core.digest import Digest
    from agentci.evals.keys import KeyChange
    from agentci.evals.results import TrialResult


@dataclass(slots=True)
class Spent:
    """What live calls of one command have taken so far, over all suites."""

    cost: float = 0.0
    usage: Usage = field(default_factory=Usage)


@dataclass(frozen=True, slots=True)
class Job:
    """A trial to be carried out."""

    case: PlannedCase
    trial: PlannedTrial
    known: Execution | None = None
    """What the target did, where only the scorers have to be asked."""


@dataclass(slots=True)
class SuiteProgress:
    """The trials of one suite."""

    plan: SuitePlan
    store: SuiteStore
    live: bool
    """Whether answers are drawn anew: then nothing is known, and nothing is kept."""
    redraw: bool = False
    """Whether answers are recorded anew: then nothing is known."""
    accepted: Mapping[Digest, TrialResult] = field(default_factory=dict)
    """Results that somebody has vouched for, by their keys."""
    taken_over: int = 0
    """Trials whose result is one of these."""
    missing: list[Job] = field(default_factory=list)
    _results: dict[tuple[str, int], TrialResult] = field(default_factory=dict)
    _recordings: dict[tuple[str, int], Digest | None] = field(default_factory=dict)

    def look_up(self, cases: Sequence[PlannedCase]) -> None:
        """Find out what is known of `cases`."""
        for case in cases:
            for trial in case.trials:
                self._look_up(case, trial)

    def _look_up(self, case: PlannedCase, trial: PlannedTrial) -> None:
        if self.live or self.redraw:
            self.missing.append(Job(case, trial))
            return
        result = self.store.result(trial.scores_key)
        if result is None and trial.scores_key.digest in self.accepted:
            result = self.accepted[trial.scores_key.digest]
            self.taken_over += 1
        if result is not None:
            self._results[case.case.id, trial.number] = result
            return
        found = self.store.executions.get(trial.key.digest)
        self.missing.append(Job(case, trial, None if found is None else read_execution(found)))

    def known(self, cases: Sequence[PlannedCase]) -> int:
        """Return how many trials of `cases` are known."""
        return sum(
            (each.case.id, trial.number) in self._results for each in cases for trial in each.trials
        )

    def misses(self, case: PlannedCase) -> bool:
        """Say whether a trial of `case` is missing."""
        return any((case.case.id, trial.number) not in self._results for trial in case.trials)

    def changes(self, case: PlannedCase) -> tuple[KeyChange, ...]:
        """Return what differs from when the missing trials of `case` were last judged."""
        found: dict[str, KeyChange] = {}
        for trial in case.trials:
            if (case.case.id, trial.number) not in self._results:
                old = self.store.last_key(case.case.id, trial.number)
                if old is not None:
                    changes = key_changes(old, trial.scores_key.fields)
                    found.update((change.field, change) for change in changes)
        return tuple(found[name] for name in sorted(found))

    def take(self, job: Job, outcome: TrialOutcome, listener: EvalListener) -> None:
        """Take in what came of a job, and keep it where every replay gives the same."""
        case, trial, result = job.case, job.trial, outcome.result
        if outcome.recordings != trial.recordings:
            # what was recorded just now is part of the key from now on
            trial = self.plan.trial(case, trial.number, outcome.recordings)
            result = replace(result, key=trial.scores_key.digest, recordings=outcome.recordings.all)
        place = (case.case.id, trial.number)
        self._results[place] = result
        self._recordings[place] = outcome.recordings.all
        if outcome.lasting:
            if job.known is None and outcome.execution is not None:
                kept = execution_json(outcome.execution)
                self.store.executions.put(trial.key.digest, kept)
            self.store.keep(case.case.id, result, trial.scores_key)
        listener.trial_finished(self.plan.suite.path, case.case.id, result)

    def tidy(self) -> None:
        """Drop what is long out of use."""
        used = [
            StoredTrial(case.case.id, each.number, each.key.digest, each.scores_key.digest)
            for case in self.plan.cases
            for each in case.trials
        ]
        self.store.tidy(used)

    def suite_result(self, cases: Sequence[PlannedCase]) -> SuiteResult:
        """Return the result of `cases`, all of whose trials are there."""
        plan = self.plan
        recordings = {
            (each.case.id, trial.number): trial.recordings.all
            for each in plan.cases
            for trial in each.trials
        }
        digests = plan.digests
        if self._recordings:
            digest = cassettes_digest({**recordings, **self._recordings})
            digests = {**digests, "cassettes": digest}
        return SuiteResult(
            suite=plan.suite.path,
            name=plan.suite.spec.name,
            trials=plan.trials,
            digests=digests,
            cases=tuple(self._case_result(each) for each in cases),
            live=self.live,
        )

    def _case_result(self, planned: PlannedCase) -> CaseResult:
        case = planned.case
        return CaseResult(
            case=case.id,
            row=case.digest,
            trials=tuple(self._results[case.id, trial.number] for trial in planned.trials),
            group=case.group,
            tags=case.tags,
            required=case.required,
            line=case.line,
            file=case.file,
        )
