"""Results as JUnit XML: a suite is a `testsuite`, a case a `testcase`.

A program that reads JUnit shows red where anything failed. So of a decision only what blocks is a
failure or an error, and a suite that blocks always has at least one:

| in the decision | in JUnit |
|---|---|
| newly broken, and other cases that a blocking reason names | `failure`, its type the change |
| not judged, and that blocks | `error` of type `not judged` |
| an error of the harness | `error` of type `harness error` |
| a blocking reason without cases (statistic, metric, power) | a `testcase` named `gate: KIND` |
| still failing, in quarantine, not judged but accepted, removed | `skipped`, with the reason |
| all others | passed |

Elements and attributes are those of the schema that Jenkins' xUnit plugin checks (junit-10). It has
no place for a file: where a case stands is the first line of what is said of it. There is no time
in it but what was recorded.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal, TypeAlias
from xml.etree import ElementTree as ET

from agentci.gate.decision import CaseChange
from agentci.report.characters import legible, one_line
from agentci.report.wording import (
    blocking_cases,
    commits,
    explanation_of,
    output_text,
    place_of,
    record_command,
    verdict_words,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from agentci.evals.results import CaseResult, SuiteResult
    from agentci.gate.decision import CaseComparison, Decision, Side, SuiteDecision

_Kind: TypeAlias = Literal["failure", "error", "skipped"]
_LONGEST: Final = 8_000
"""Characters of one answer."""


def decision_junit(decision: Decision) -> str:
    """Return a decision as JUnit XML."""
    suites = [_decided_suite(suite, decision) for suite in decision.suites]
    return _document(suites)


def results_junit(
    results: Iterable[SuiteResult], *, quarantined: Mapping[str, Iterable[str]]
) -> str:
    """Return evaluations as JUnit XML, without a base to compare with.

    `quarantined` are the cases that do not block for the time being, by the path of their suite.
    Cases that fail are failures, those in quarantine are skipped; what could not be judged is an
    error.
    """
    return _document(
        [_evaluated_suite(each, frozenset(quarantined.get(each.suite, ()))) for each in results]
    )


def _document(suites: Sequence[ET.Element]) -> str:
    root = ET.Element("testsuites", {"name": "agentci", **_sums(suites)})
    root.extend(suites)
    ET.indent(root)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{ET.tostring(root, encoding="unicode")}\n'


def _decided_suite(suite: SuiteDecision, decision: Decision) -> ET.Element:
    element = ET.Element("testsuite")
    properties = ET.SubElement(element, "properties")
    for name, value in (
        ("verdict", verdict_words(suite)),
        ("exit-code", str(suite.exit_code)),
        ("compared", commits(decision)),
        ("base-from", suite.base_source),
    ):
        ET.SubElement(properties, "property", {"name": name, "value": legible(value)})
    blocking = blocking_cases(suite)
    for case in suite.cases:
        _decided_case(element, suite, case, blocks=case.case in blocking)
    for reason in suite.reasons:
        if reason.blocks and not reason.cases:
            test = _testcase(element, suite.suite, f"gate: {reason.kind}")
            kind: _Kind = "failure" if reason.exit_code == 1 else "error"
            _verdict(test, kind, reason.kind.replace("_", " "), reason.message)
    return _counted(element, suite.suite)


def _decided_case(
    parent: ET.Element, suite: SuiteDecision, case: CaseComparison, *, blocks: bool
) -> None:
    side = case.head or case.base
    test = _testcase(parent, suite.suite, case.case, side=side)
    why, place = explanation_of(case), place_of(case)
    if case.head is not None and case.head.status == "error":
        _verdict(test, "error", "harness error", why, place=place)
    elif blocks and case.change is CaseChange.NOT_JUDGED:
        why = f"{why}\nto record: {record_command(suite, case)}"
        _verdict(test, "error", "not judged", why, place=place)
    elif blocks:
        _verdict(test, "failure", str(case.change), why or str(case.change), place=place)
    elif case.change is CaseChange.REMOVED:
        _verdict(test, "skipped", "", "removed: the change has no such case")
    elif case.quarantine is not None and not _passes(case):
        held = case.quarantine
        _verdict(test, "skipped", "", f"in quarantine ({held.owner}): {held.reason}")
    elif not _passes(case):
        _verdict(test, "skipped", "", f"{case.change}, which does not block: {why}")
    _outputs(test, case.head)


def _passes(case: CaseComparison) -> bool:
    head = case.head
    return head is not None and head.status == "judged" and head.passes == head.trials


def _evaluated_suite(result: SuiteResult, held: frozenset[str]) -> ET.Element:
    element = ET.Element("testsuite")
    for case in result.cases:
        test = _testcase(element, result.suite, case.case)
        status = _worst_status(case)
        trial = next((t for t in case.trials if t.status == status and not t.passed), None)
        if trial is None:
            continue
        scores = (f"{n}: {trial.scores[n].explanation}" for n in trial.failing if n in trial.scores)
        why = trial.reason or "\n".join(scores)
        if status == "error":
            _verdict(test, "error", "harness error", why)
        elif status == "not_judged":
            _verdict(test, "error", "not judged", why)
        elif case.case in held:
            _verdict(test, "skipped", "", f"in quarantine: {why}")
        else:
            _verdict(test, "failure", "failed", why or "failed")
    return _counted(element, result.suite)


def _worst_status(case: CaseResult) -> str:
    found = {trial.status for trial in case.trials}
    return next((each for each in ("error", "not_judged") if each in found), "judged")


def _testcase(
    parent: ET.Element,
    suite: str,
    name: str,
    *,
    side: Side | None = None,
) -> ET.Element:
    seconds = side.metrics.get("latency", 0.0) if side is not None else 0.0
    attributes = {"name": legible(name), "classname": legible(suite.replace("/", "."))}
    return ET.SubElement(parent, "testcase", {**attributes, "time": f"{seconds:.3f}"})


def _verdict(test: ET.Element, kind: _Kind, type_: str, why: str, *, place: str = "") -> None:
    attributes = {"message": one_line(why or type_, 500)}
    if kind != "skipped":
        attributes["type"] = type_
    element = ET.SubElement(test, kind, attributes)
    if kind != "skipped":
        element.text = legible("\n".join(part for part in (place, why) if part))


def _outputs(test: ET.Element, side: Side | None) -> None:
    if side is None or len(test) == 0 or test[0].tag == "skipped":
        return
    text = output_text(side.output)
    if text:
        cut = text if len(text) <= _LONGEST else f"{text[:_LONGEST]}\n... cut"
        ET.SubElement(test, "system-out").text = cut


def _counted(element: ET.Element, name: str) -> ET.Element:
    tests = element.findall("testcase")
    counts = {
        "tests": len(tests),
        "failures": sum(each.find("failure") is not None for each in tests),
        "errors": sum(each.find("error") is not None for each in tests),
        "skipped": sum(each.find("skipped") is not None for each in tests),
    }
    seconds = sum(float(each.get("time", "0")) for each in tests)
    element.attrib.update({"name": legible(name), **{k: str(v) for k, v in counts.items()}})
    element.set("time", f"{seconds:.3f}")
    return element


def _sums(suites: Sequence[ET.Element]) -> dict[str, str]:
    names = ("tests", "failures", "errors")
    found = {name: str(sum(int(s.get(name, "0")) for s in suites)) for name in names}
    return {**found, "time": f"{sum(float(s.get('time', '0')) for s in suites):.3f}"}
