"""What results of evaluations mean for whoever asked: counts, scores, and why it is not green.

Pure: results in, a summary out. The gate judges a change; this judges one state by itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from agentci.core.errors import (
    AgentciError,
    EnvironmentProblem,
    Location,
    NotReproducible,
    StepFailed,
)
from agentci.core.intervals import Share, wilson
from agentci.evals.compare.trials import pass_at_k, pass_hat_k
from agentci.gate.quarantine import quarantined

if TYPE_CHECKING:
    from collections.abc import Mapping

    from agentci.app.eval_request import EvaluatedSuite
    from agentci.evals.results import CaseResult, SuiteResult


@dataclass(frozen=True, slots=True)
class SuiteSummary:
    """A suite's result in numbers and lists. Each case is in exactly one of the lists."""

    suite: str
    name: str
    passed: tuple[CaseResult, ...]
    """Every trial of them passed."""
    failed: tuple[CaseResult, ...]
    quarantined: tuple[CaseResult, ...]
    """Those that failed and do not block for the time being."""
    not_judged: tuple[CaseResult, ...]
    errors: tuple[CaseResult, ...]
    flaky: tuple[str, ...]
    """Judged cases of whose trials only some passed."""
    rate: float
    """Mean over judged cases of the share of trials that passed, 0 to 1."""
    share: Share
    """Of judged cases that passed, with its interval."""
    repeats: Mapping[str, float] = field(default_factory=dict)
    """With several trials: `pass@k` and `pass^k`, means over cases."""
    metrics: Mapping[str, float] = field(default_factory=dict)
    """Sums over all trials."""

    @property
    def judged(self) -> int:
        """Number of cases that were judged."""
        return len(self.passed) + len(self.failed) + len(self.quarantined)


def summarize(evaluated: EvaluatedSuite, *, today: str) -> SuiteSummary:
    """Return the summary of a suite; `today` is a day as `2026-11-23`."""
    result = evaluated.result
    held = quarantined(evaluated.quarantine, today=today)
    lists: dict[str, list[CaseResult]] = {}
    for case in result.cases:
        entry = held.get(case.case)
        lists.setdefault(_state(case, held=entry is not None and not entry.expired), []).append(
            case
        )
    judged = [case for case in result.cases if case.judged]
    passed = tuple(lists.get("passed", ()))
    return SuiteSummary(
        suite=result.suite,
        name=result.name,
        passed=passed,
        failed=tuple(lists.get("failed", ())),
        quarantined=tuple(lists.get("quarantined", ())),
        not_judged=tuple(lists.get("not_judged", ())),
        errors=tuple(lists.get("error", ())),
        flaky=tuple(case.case for case in judged if case.flaky),
        rate=_mean([case.pass_rate for case in judged]),
        share=wilson(len(passed), len(judged)),
        repeats=_repeats(judged),
        metrics=_metrics(result),
    )


def _state(case: CaseResult, *, held: bool) -> str:
    if any(trial.status == "error" for trial in case.trials):
        return "error"
    if not case.judged:
        return "not_judged"
    if case.passes == len(case.trials):
        return "passed"
    return "quarantined" if held else "failed"


def _repeats(cases: Sequence[CaseResult]) -> Mapping[str, float]:
    k = min((len(case.trials) for case in cases), default=0)
    if k < 2:
        return {}
    counts = [(len(case.trials), case.passes) for case in cases]
    return {
        f"pass@{k}": _mean([pass_at_k(n, c, k) for n, c in counts]),
        f"pass^{k}": _mean([pass_hat_k(n, c, k) for n, c in counts]),
    }


def _metrics(result: SuiteResult) -> Mapping[str, float]:
    found: dict[str, float] = {}
    for case in result.cases:
        for trial in case.trials:
            for name, value in trial.metrics.items():
                found[name] = found.get(name, 0) + value
    return {name: found[name] for name in sorted(found)}


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values) if values else 0.0


def why_not_green(summaries: Sequence[SuiteSummary]) -> AgentciError | None:
    """Return why an evaluation may not count as passed, or None where it may.

    An error of the harness comes first, then what is not judged, then what failed.
    """
    errors = [case for each in summaries for case in each.errors]
    if errors:
        return EnvironmentProblem(
            f"{_cases(errors)} ended with an error, which says nothing about them: "
            f"{_first_line(errors[0], 'error')}",
            code="ACI-E453",
            hint="see to the cause and run it again; finished trials are kept",
            location=_place(errors[0]),
        )
    left = [case for each in summaries for case in each.not_judged]
    if left:
        return NotReproducible(
            f"{_cases(left)} could not be judged: {_first_line(left[0], 'not_judged')}",
            code="ACI-R470",
            hint=_hint(left[0]) or "agentci eval --mode record",
            location=_place(left[0]),
        )
    if not sum(each.judged for each in summaries):
        return NotReproducible(
            "no case was judged", code="ACI-R471", hint="name cases with `--case`, or none at all"
        )
    failed = [case for each in summaries for case in each.failed]
    if failed:
        return StepFailed(
            f"{_cases(failed)} failed: {failing_explanation(failed[0])}",
            code="ACI-S470",
            hint="look at the failures above; a case under repair belongs into `quarantine`",
            location=_place(failed[0]),
        )
    return None


def failing_explanation(case: CaseResult) -> str:
    """Return why a case failed, in a line: the first scorer that did not pass, and its words."""
    for trial in case.trials:
        if trial.passed or trial.status != "judged":
            continue
        for name in trial.failing:
            score = trial.scores[name]
            words = score.explanation or f"{score.value:g}"
            reason = f" ({trial.reason.splitlines()[0]})" if trial.reason else ""
            return f"{name}: {words}{reason}"
        return trial.reason or "the target failed"
    return ""


def reason_of(case: CaseResult) -> str:
    """Return why a case is not judged, or what error it ended with."""
    return next((t.reason for t in case.trials if t.status != "judged"), "")


def _first_line(case: CaseResult, status: str) -> str:
    reason = next((t.reason for t in case.trials if t.status == status), "")
    return f"`{case.case}`: {reason.splitlines()[0] if reason else status}"


def _hint(case: CaseResult) -> str | None:
    lines = reason_of(case).splitlines()
    return next((line.removeprefix("hint: ") for line in lines if line.startswith("hint: ")), None)


def _cases(cases: Sequence[CaseResult]) -> str:
    return "1 case" if len(cases) == 1 else f"{len(cases)} cases"


def _place(case: CaseResult) -> Location:
    return Location(case.file, case.line)


def day(seconds: float) -> str:
    """Return the day of a time in seconds since the Unix epoch, in UTC, as `2026-11-23`."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d")
