"""A decision as SARIF 2.1.0: what a reader has to look at, each at the line of its case.

OASIS, "Static Analysis Results Interchange Format (SARIF) Version 2.1.0". Paragraphs are its.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Final
from urllib.parse import quote

from agentci import __version__
from agentci.core.digest import digest_json
from agentci.gate.decision import CaseChange
from agentci.report.characters import legible, one_line
from agentci.report.wording import blocking_cases, explanation_of, record_command

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from agentci.core.json_types import JsonObject, JsonValue
    from agentci.gate.decision import CaseComparison, Decision, Reason, SuiteDecision

_SCHEMA: Final = (
    "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
)
_FINGERPRINT: Final = "agentciCase/v1"
"""Digest of suite, case and rule: equal while the same thing is wrong, wherever its line moves."""
MOST_RESULTS: Final = 5_000
"""As many of a run are shown by GitHub, and no more than 25,000 are taken."""

_RULES: Final[Mapping[str, str]] = {
    "newly-broken": "A case passed at the base and fails at head.",
    "not-judged": "A case could not be judged, because a request has no recording.",
    "harness-error": "The harness failed, which says nothing about the case.",
    "less-often": "Of several trials fewer pass than at the base.",
    "new-failing": "A new case fails.",
    "case-removed": "A case is no longer in the dataset.",
    "quarantine-expired": "The quarantine of a case has expired.",
    "worse-pass-rate": "The pass rate of a suite or a slice is worse than at the base.",
    "worse-metric": "Something that is spent or scored is worse than the policy allows.",
    "no-power": "A suite is too small for its policy, or for the evidence that was asked for.",
}
_OF_REASON: Final[Mapping[str, str]] = {
    "statistic": "worse-pass-rate",
    "slice": "worse-pass-rate",
    "metric": "worse-metric",
    "no_power": "no-power",
    "not_enough_evidence": "no-power",
    "nothing_judged": "not-judged",
}
"""Reasons that name no case."""
_PLACEHOLDER: Final = re.compile(r"\{(\d+)\}")


def decision_sarif(decision: Decision) -> str:
    """Return a decision as a SARIF log with one run.

    Of more than `MOST_RESULTS` results the least are left out, and a notification says how many.
    """
    found = [result for suite in decision.suites for result in _suite_results(suite)]
    found.sort(key=lambda each: each["level"] != "error")
    left = len(found) - MOST_RESULTS
    notes = [_notification(note) for note in decision.notes]
    if left > 0:
        notes.append(_notification(f"{left} more results are left out"))
    invocation: JsonObject = {
        "executionSuccessful": decision.exit_code in {0, 1},
        "exitCode": decision.exit_code,
        "toolExecutionNotifications": notes,
    }
    run: JsonObject = {
        "tool": {"driver": _driver()},
        "automationDetails": {"id": "agentci/gate/"},
        "columnKind": "unicodeCodePoints",
        "originalUriBaseIds": {"SRCROOT": {"description": {"text": "The project's folder."}}},
        "invocations": [invocation],
        "results": list(found[:MOST_RESULTS]),
        "properties": {
            "verdict": str(decision.verdict),
            "base": decision.base,
            "head": decision.head,
            "policy": decision.policy,
        },
    }
    log = {"$schema": _SCHEMA, "version": "2.1.0", "runs": [run]}
    return json.dumps(log, indent=1, ensure_ascii=True) + "\n"


def _driver() -> JsonObject:
    rules: list[JsonValue] = [
        {
            "id": name,
            "name": "".join(part.capitalize() for part in name.split("-")),
            "shortDescription": {"text": text},
            "fullDescription": {"text": text},
            "help": {"text": "`agentci gate` says more, and `agentci gate --html` shows both."},
            "defaultConfiguration": {"level": "error"},
            "properties": {"tags": ["evaluation"]},
        }
        for name, text in _RULES.items()
    ]
    return {
        "name": "agentci",
        "semanticVersion": __version__,
        "rules": rules,
    }


def _suite_results(suite: SuiteDecision) -> Iterator[JsonObject]:
    blocking = blocking_cases(suite)
    for case in suite.cases:
        rule = _rule(case)
        if rule is not None:
            yield _case_result(suite, case, rule, blocks=case.case in blocking)
    for reason in suite.reasons:
        if reason.kind in _OF_REASON:
            yield _suite_result(suite, reason)


def _rule(case: CaseComparison) -> str | None:
    if case.head is not None and case.head.status == "error":
        return "harness-error"
    if case.change is CaseChange.NEW:
        failing = case.head is not None and case.head.passes < case.head.trials
        return "new-failing" if failing else None
    if case.quarantine is not None and case.quarantine.expired:
        return "quarantine-expired" if case.change is not CaseChange.NEWLY_BROKEN else _BROKEN
    return {
        CaseChange.NEWLY_BROKEN: _BROKEN,
        CaseChange.NOT_JUDGED: "not-judged",
        CaseChange.LESS_OFTEN: "less-often",
        CaseChange.REMOVED: "case-removed",
    }.get(case.change)


_BROKEN: Final = "newly-broken"


def _case_result(
    suite: SuiteDecision, case: CaseComparison, rule: str, *, blocks: bool
) -> JsonObject:
    words = [f"{one_line(case.case)}: {case.change}"]
    explanation = explanation_of(case)
    if explanation:
        words.append(legible(explanation)[:2_000])
    if rule == "not-judged":
        words.append(f"to record: {legible(record_command(suite, case))}")
    result: JsonObject = {
        **_result(rule, "\n".join(words), blocks=blocks),
        "locations": [_location(suite, case.file, case.line, name=case.case)],
        "partialFingerprints": _fingerprint(suite.suite, case.case, rule),
    }
    if case.quarantine is None or case.quarantine.expired:
        return result
    held = case.quarantine
    why = legible(f"{held.owner}, until {held.expires}: {held.reason}")
    return {**result, "suppressions": [{"kind": "external", "justification": why}]}


def _suite_result(suite: SuiteDecision, reason: Reason) -> JsonObject:
    rule = _OF_REASON[reason.kind]
    # what stands before the colon names the value; a number of cases would change with them
    about = reason.kind if reason.kind == "no_power" else reason.message.partition(":")[0]
    return {
        **_result(rule, f"{suite.suite}: {reason.message}", blocks=reason.blocks),
        "locations": [_location(suite, f"{suite.suite}/suite.yaml", 1, name=suite.suite)],
        "partialFingerprints": _fingerprint(suite.suite, about, rule),
    }


def _result(rule: str, text: str, *, blocks: bool) -> dict[str, JsonValue]:
    return {
        "ruleId": rule,
        "ruleIndex": list(_RULES).index(rule),
        "level": "error" if blocks else "warning",
        "message": {"text": _message(text)},
    }


def _message(text: str) -> str:
    """Return `text` without what a reader of SARIF would take for more (3.11.5 and 3.11.6).

    `[text](target)` would be a link, `{0}` a place for an argument.
    """
    shown = legible(text)
    if "](" in shown:
        shown = shown.replace("[", "\\[").replace("]", "\\]")
    return _PLACEHOLDER.sub(r"{{\1}}", shown)


def _location(suite: SuiteDecision, file: str | None, line: int | None, *, name: str) -> JsonObject:
    path = file if file is not None else f"{suite.suite}/suite.yaml"
    uri = quote(legible(path), safe="/")
    return {
        "physicalLocation": {
            "artifactLocation": {"uri": uri, "uriBaseId": "SRCROOT"},
            "region": {"startLine": max(1, line or 1)},
        },
        "logicalLocations": [{"fullyQualifiedName": one_line(f"{suite.suite}::{name}", 500)}],
    }


def _fingerprint(suite: str, case: str, rule: str) -> JsonObject:
    return {_FINGERPRINT: digest_json([suite, case, rule]).removeprefix("sha256:")}


def _notification(text: str) -> JsonObject:
    return {"level": "note", "message": {"text": _message(text)}}
