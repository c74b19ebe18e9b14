"""Results of evaluations as JSON, and the file that a shard leaves for the others.

One form for caches, files and `--json`. Fields with their default are left out, so that what a
later release adds changes nothing that is stored.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, cast

from agentci.core.digest import Digest
from agentci.evals.results import CaseResult, Score, SuiteResult, TrialResult, TrialStatus

if TYPE_CHECKING:
    from agentci.core.json_types import JsonObject, JsonValue


def trial_json(trial: TrialResult) -> JsonObject:
    """Return a trial as JSON."""
    found: dict[str, JsonValue] = {
        "trial": trial.trial,
        "status": trial.status,
        "passed": trial.passed,
        "key": trial.key,
        "scores": {name: _score_json(score) for name, score in sorted(trial.scores.items())},
    }
    if trial.reason:
        found["reason"] = trial.reason
    if trial.output is not None:
        found["output"] = trial.output
    if trial.failing:
        found["failing"] = list(trial.failing)
    if trial.metrics:
        found["metrics"] = dict(sorted(trial.metrics.items()))
    for name in ("output_digest", "run_digest", "recordings"):
        value = getattr(trial, name)
        if value is not None:
            found[name] = value
    return found


def read_trial(data: Mapping[str, Any]) -> TrialResult:
    """Return the trial that `trial_json` wrote."""
    return TrialResult(
        trial=data["trial"],
        status=cast("TrialStatus", data["status"]),
        key=Digest(data["key"]),
        reason=data.get("reason", ""),
        scores={name: _read_score(each) for name, each in data["scores"].items()},
        passed=data["passed"],
        failing=tuple(data.get("failing", ())),
        output=data.get("output"),
        output_digest=data.get("output_digest"),
        metrics=data.get("metrics", {}),
        run_digest=data.get("run_digest"),
        recordings=data.get("recordings"),
    )


def _score_json(score: Score) -> JsonObject:
    found: dict[str, JsonValue] = {"value": score.value, "passed": score.passed}
    if score.explanation:
        found["explanation"] = score.explanation
    if score.details:
        found["details"] = score.details
    return found


def _read_score(data: Mapping[str, Any]) -> Score:
    return Score(
        data["value"], data["passed"], data.get("explanation", ""), data.get("details", {})
    )


def case_json(case: CaseResult) -> JsonObject:
    """Return a case as JSON."""
    found: dict[str, JsonValue] = {"case": case.case, "row": case.row}
    for name in ("group", "file", "line"):
        value = getattr(case, name)
        if value is not None:
            found[name] = value
    if case.tags:
        found["tags"] = list(case.tags)
    if case.required:
        found["required"] = True
    found["trials"] = [trial_json(trial) for trial in case.trials]
    return found


def read_case(data: Mapping[str, Any]) -> CaseResult:
    """Return the case that `case_json` wrote."""
    return CaseResult(
        case=data["case"],
        row=Digest(data["row"]),
        trials=tuple(read_trial(each) for each in data["trials"]),
        group=data.get("group"),
        tags=tuple(data.get("tags", ())),
        required=data.get("required", False),
        line=data.get("line"),
        file=data.get("file"),
    )


def suite_json(suite: SuiteResult) -> JsonObject:
    """Return a suite as JSON."""
    return {
        "suite": suite.suite,
        "name": suite.name,
        "trials": suite.trials,
        "live": suite.live,
        "digests": dict(sorted(suite.digests.items())),
        "cases": [case_json(case) for case in suite.cases],
    }


def read_suite(data: Mapping[str, Any]) -> SuiteResult:
    """Return the suite that `suite_json` wrote."""
    return SuiteResult(
        suite=data["suite"],
        name=data["name"],
        trials=data["trials"],
        digests={name: Digest(value) for name, value in data["digests"].items()},
        cases=tuple(read_case(each) for each in data["cases"]),
        live=data["live"],
    )


def compact(value: JsonValue | Sequence[JsonValue]) -> bytes:
    """Return JSON in one line, in the order that it has."""
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False, default=_plain).encode(
        "utf-8", "surrogatepass"
    )


def _plain(value: object) -> object:
    return dict(value) if isinstance(value, Mapping) else list(cast("Sequence[object]", value))
