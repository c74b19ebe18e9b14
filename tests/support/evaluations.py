"""Evaluations with a known truth, made of outcomes instead of runs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from agentci.core.digest import digest_json
from agentci.evals.results import CaseResult, Score, SuiteResult, TrialResult, TrialStatus


@dataclass(frozen=True, slots=True)
class Row:
    """One case to be made: whether each trial passes, and what else is known of it."""

    passes: Sequence[bool]
    text: str = "answer"
    group: str | None = None
    tags: tuple[str, ...] = ()
    required: bool = False
    status: TrialStatus = "judged"
    recordings: str | None = "same"
    metrics: Mapping[str, float] = field(default_factory=dict)
    score: float | None = None


def suite_result(rows: Mapping[str, Row], *, live: bool = False) -> SuiteResult:
    """Return a result with the cases `rows`, by id."""
    cases = tuple(_case(name, row, line) for line, (name, row) in enumerate(sorted(rows.items())))
    trials = max((len(row.passes) for row in rows.values()), default=1)
    return SuiteResult("pipelines/demo", "demo", trials, {}, cases, live=live)


def _case(name: str, row: Row, line: int) -> CaseResult:
    return CaseResult(
        case=name,
        row=digest_json(name),
        trials=tuple(
            _trial(name, row, number, passed=passed)
            for number, passed in enumerate(row.passes, start=1)
        ),
        group=row.group,
        tags=row.tags,
        required=row.required,
        line=line + 1,
        file="pipelines/demo/cases.jsonl",
    )


def _trial(name: str, row: Row, number: int, *, passed: bool) -> TrialResult:
    judged = row.status == "judged"
    value = row.score if row.score is not None else float(passed)
    explanation = "" if passed else f"expected another answer than `{row.text}`"
    return TrialResult(
        trial=number,
        status=row.status,
        key=digest_json([name, number, row.text, row.recordings]),
        reason="" if judged else "no recording fits",
        scores={"right": Score(value, passed, explanation)} if judged else {},
        passed=judged and passed,
        failing=() if passed or not judged else ("right",),
        output={"text": row.text} if judged else None,
        output_digest=digest_json(row.text) if judged else None,
        metrics=row.metrics,
        recordings=digest_json([row.recordings, number]) if row.recordings else None,
    )
