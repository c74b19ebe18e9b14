"""One case at one side: what its trials say together."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from agentci.core.digest import Digest, digest_json
from agentci.gate.decision import Side

if TYPE_CHECKING:
    from agentci.evals.results import CaseResult, TrialResult, TrialStatus


def side_of(result: CaseResult) -> Side:
    """Return what the trials of a case say together."""
    status = _status(result)
    shown = _shown(result)
    failing = sorted(
        {
            name
            for trial in result.trials
            if trial.status == "judged" and not trial.passed
            for name in trial.failing
        }
    )
    return Side(
        status=status,
        passes=result.passes,
        trials=len(result.trials),
        scores=_means({n: s.value for n, s in t.scores.items()} for t in result.trials),
        failing=tuple(failing),
        explanation=_explanation(shown),
        output=shown.output if shown is not None else None,
        output_digest=_outputs(result),
        metrics=_means(dict(trial.metrics) for trial in result.trials),
    )


def same_recordings(base: CaseResult, head: CaseResult) -> bool:
    """Return whether both sides were replayed from the same recordings, trial by trial.

    A difference between them is then the work of the change, and no sampling noise.
    """
    return [trial.recordings for trial in base.trials] == [
        trial.recordings for trial in head.trials
    ]


def _status(result: CaseResult) -> TrialStatus:
    """Return the worst of the trials: an error hides what a missing recording would say."""
    found = {trial.status for trial in result.trials}
    if "error" in found:
        return "error"
    return "judged" if found == {"judged"} else "not_judged"


def _shown(result: CaseResult) -> TrialResult | None:
    """Return the trial that a reader wants to see: the first that is not fine, else the first."""
    bad = (trial for trial in result.trials if trial.status != "judged" or not trial.passed)
    return next(bad, result.trials[0] if result.trials else None)


def _explanation(trial: TrialResult | None) -> str:
    if trial is None:
        return "it has no trial"
    if trial.status != "judged":
        return trial.reason
    return next((trial.scores[name].explanation for name in trial.failing), trial.reason)


def _outputs(result: CaseResult) -> Digest | None:
    """Return one digest for all trials; where they answered alike, it is that of the answer."""
    outputs = [trial.output_digest for trial in result.trials]
    return outputs[0] if len(set(outputs)) == 1 else digest_json(outputs)


def _means(rows: Iterable[dict[str, float]]) -> dict[str, float]:
    """Return the mean of each name over the rows that have it."""
    found: dict[str, list[float]] = {}
    for row in rows:
        for name, value in row.items():
            found.setdefault(name, []).append(value)
    return {name: sum(values) / len(values) for name, values in sorted(found.items())}
