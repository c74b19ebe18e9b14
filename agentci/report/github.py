"""A decision for GitHub Actions: annotations at the lines of cases, and the outputs of a step."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from hashlib import sha256
from itertools import islice
from typing import TYPE_CHECKING, Final

from agentci.gate.decision import CaseChange
from agentci.report.characters import legible, one_line
from agentci.report.wording import (
    blocking_cases,
    commits,
    counts_words,
    explanation_of,
    headline,
    record_command,
    score_of,
)
from agentci.report.workflow_command import workflow_command

if TYPE_CHECKING:
    from agentci.core.digest import Digest
    from agentci.gate.decision import CaseComparison, Decision, SuiteDecision
    from agentci.report.workflow_command import Level

MOST_ANNOTATIONS: Final = 10
"""GitHub shows as many errors a step, and drops the rest without a word."""
_MOST_NAMES: Final = 500
"""Names in one output of a step; the count is always complete."""


def decision_annotations(decision: Decision) -> str:
    """Return workflow commands: one that sums up, then one for each case that has to be looked at.

    There are never more than GitHub shows. Newly broken cases come first, then those that could
    not be judged; each stands at the line of its row in the dataset.
    """
    cases = [
        (suite, case, change)
        for change in (CaseChange.NEWLY_BROKEN, CaseChange.NOT_JUDGED)
        for suite in decision.suites
        for case in suite.cases
        if case.change is change
    ]
    cases.sort(key=lambda each: each[1].case not in blocking_cases(each[0]))
    room = MOST_ANNOTATIONS - 1
    shown = "".join(_case(suite, case) for suite, case, _change in islice(cases, room))
    return _roll_up(decision, left_out=max(0, len(cases) - room)) + shown


def step_outputs(
    decision: Decision, *, report_path: str | None, run_digest: Digest | None
) -> Mapping[str, str]:
    """Return what a step of a workflow hands to the next ones, by name.

    Args:
        decision: gives most of it.
        report_path: of the report that was written for people, if one was.
        run_digest: of what head answered.
    """
    score = score_of(decision)
    broken = _names(decision, CaseChange.NEWLY_BROKEN)
    missing = _names(decision, CaseChange.NOT_JUDGED)
    return {
        "verdict": str(decision.verdict),
        "exit-code": str(decision.exit_code),
        "blocks": str(decision.blocks).lower(),
        "score": "" if score.rate is None else f"{score.rate:.4f}",
        "cases": str(sum(len(suite.cases) for suite in decision.suites)),
        "judged": str(score.judged),
        "newly-broken": str(len(broken)),
        "newly-broken-cases": json.dumps(broken[:_MOST_NAMES]),
        "newly-fixed": str(len(_names(decision, CaseChange.NEWLY_FIXED))),
        "not-judged": str(len(missing)),
        "not-judged-cases": json.dumps(missing[:_MOST_NAMES]),
        "report-path": report_path or "",
        "run-digest": run_digest or "",
    }


def output_file(values: Mapping[str, str]) -> str:
    """Return `values` in the form of `$GITHUB_OUTPUT`, whatever they hold.

    A value stands between two lines with a delimiter that is a digest of the value itself, so no
    value can hold its own and go on with an output of its choice.
    """
    return "".join(_output(name, value) for name, value in values.items())


def _output(name: str, value: str) -> str:
    text = legible(value)
    delimiter = f"agentci-{sha256(text.encode()).hexdigest()}"
    return f"{name}<<{delimiter}\n{text}\n{delimiter}\n"


def _roll_up(decision: Decision, *, left_out: int) -> str:
    level: Level = "error" if decision.blocks else "notice"
    lines = [commits(decision), *(_suite(suite) for suite in decision.suites)]
    if left_out:
        lines.append(f"{left_out} more cases are in the summary of the job")
    title = f"agentci gate {headline(decision)}"
    return workflow_command(level, legible("\n".join(lines)), properties={"title": title})


def _suite(suite: SuiteDecision) -> str:
    blocking = [one_line(each.message) for each in suite.reasons if each.blocks]
    why = f": {'; '.join(blocking)}" if blocking else ""
    return f"{one_line(suite.suite)}: {suite.verdict}{why} ({counts_words(suite)})"


def _case(suite: SuiteDecision, case: CaseComparison) -> str:
    level: Level = "error" if case.case in blocking_cases(suite) else "warning"
    lines: Sequence[str] = tuple(_lines(suite, case))
    title = f"{case.change}: {one_line(case.case, 100)}"
    file = None if case.file is None else legible(case.file)
    properties = {"file": file, "line": case.line, "title": title}
    return workflow_command(level, "\n".join(lines), properties=properties)


def _lines(suite: SuiteDecision, case: CaseComparison) -> Iterator[str]:
    yield f"{one_line(suite.suite)}: {one_line(case.case)}"
    explanation = explanation_of(case)
    if explanation:
        yield legible(explanation)[:1000]
    if case.change is CaseChange.NOT_JUDGED:
        yield f"to record: {legible(record_command(suite, case))}"


def _names(decision: Decision, change: CaseChange) -> list[str]:
    return [
        f"{suite.suite}::{case.case}"
        for suite in decision.suites
        for case in suite.cases
        if case.change is change
    ]
