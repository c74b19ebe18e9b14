"""Results as JSON Lines: one trial in a line."""

from __future__ import annotations

from collections.abc import Sequence

from agentci.core.json_types import JsonObject
from agentci.evals.results import SuiteResult
from agentci.evals.results_json import compact, trial_json


def trials_jsonl(suites: Sequence[SuiteResult]) -> bytes:
    """Return a line for each trial, in order of suites, cases and trials."""
    lines: list[bytes] = []
    for suite in suites:
        for case in suite.cases:
            about: JsonObject = {
                "suite": suite.suite,
                "case": case.case,
                "group": case.group,
                "tags": list(case.tags),
                "live": suite.live,
            }
            lines += [compact({**about, **trial_json(trial)}) + b"\n" for trial in case.trials]
    return b"".join(lines)
