"""A suite's results as an entry of `agentci.lock`, and back."""

from __future__ import annotations

from typing import TYPE_CHECKING

from agentci.core.errors import UsageError
from agentci.evals.results import Score, TrialResult
from agentci.spec.suite_lock import SuiteLock, TrialLock

if TYPE_CHECKING:
    from agentci.core.digest import Digest
    from agentci.evals.results import SuiteResult


def suite_entry(result: SuiteResult) -> SuiteLock:
    """Return the entry of a suite whose cases have all been judged.

    Raises:
        UsageError: when a case was not judged, or answers were live: nobody could repeat it.
    """
    missing = [case.case for case in result.cases if not case.judged]
    if result.live or missing:
        why = "its answers were live" if result.live else f"`{missing[0]}` was not judged"
        raise UsageError(
            f"the results of `{result.suite}` cannot be accepted: {why}",
            code="ACI-U485",
            hint=f"agentci eval {result.suite} --mode record",
        )
    return SuiteLock(
        digests=dict(result.digests),
        passed=sum(case.passes == len(case.trials) for case in result.cases),
        cases={case.case: tuple(map(_row, case.trials)) for case in result.cases},
    )


def accepted_results(entry: SuiteLock) -> dict[Digest, TrialResult]:
    """Return the trials of an entry by their keys, without what only a run knows."""
    return {
        row.key: TrialResult(
            trial=number,
            status="judged",
            key=row.key,
            scores={
                name: Score(value, name not in row.failing) for name, value in row.scores.items()
            },
            passed=row.passed,
            failing=row.failing,
            output_digest=row.output,
            metrics=row.metrics,
            recordings=row.recordings,
        )
        for rows in entry.cases.values()
        for number, row in enumerate(rows, start=1)
    }


def _row(trial: TrialResult) -> TrialLock:
    return TrialLock(
        key=trial.key,
        passed=trial.passed,
        scores={name: trial.scores[name].value for name in sorted(trial.scores)},
        failing=trial.failing,
        output=trial.output_digest,
        recordings=trial.recordings,
        metrics=dict(trial.metrics),
    )
