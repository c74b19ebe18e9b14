"""JUnit XML, read by a library that others read it with."""

from __future__ import annotations

from xml.etree import ElementTree as ET

import pytest
from junitparser import Error, Failure, JUnitXml, Skipped

from agentci.gate.decision import Decision, Quarantine
from agentci.report.junit import decision_junit, results_junit
from tests.support.decisions import broken, decided, hostile_decision, rich_decision, rows
from tests.support.evaluations import Row, suite_result


def outcomes(text: str) -> dict[str, str]:
    """Return what each case of the first suite is: `passed`, or the element with its type."""
    found = {}
    for suite in list(JUnitXml.fromstring(text.encode()))[:1]:
        for case in suite:
            told = [
                f"{type(each).__name__.lower()} {each.type or ''}".strip() for each in case.result
            ]
            found[str(case.name)] = told[0] if told else "passed"
    return found


def test_only_what_blocks_is_red() -> None:
    found = outcomes(decision_junit(rich_decision()))
    red = {name: kind for name, kind in found.items() if kind.startswith(("failure", "error"))}
    assert red == {
        "c011": "error not judged",
        "c020": "failure newly broken",
        "c030": "failure newly broken",
        "c050": "failure newly broken",
        "gate: metric": "failure metric",
    }
    assert found["c012"] == found["c002"] == found["c059"] == "skipped"
    assert found["c001"] == found["c010"] == "passed"


def test_counts_are_those_of_the_cases() -> None:
    text = decision_junit(rich_decision())
    parsed = JUnitXml.fromstring(text.encode())
    kinds = [type(each) for suite in parsed for case in suite for each in case.result]
    assert parsed.tests == sum(1 for suite in parsed for _case in suite) == 102
    assert parsed.failures == kinds.count(Failure) == 4
    assert parsed.errors == kinds.count(Error) == 1
    assert sum(suite.skipped for suite in parsed) == kinds.count(Skipped)


ALLOWED = {
    "testsuites": {"name", "tests", "failures", "errors", "time"},
    "testsuite": {"name", "tests", "failures", "errors", "skipped", "time"},
    "properties": set(),
    "property": {"name", "value"},
    "testcase": {"name", "classname", "time"},
    "failure": {"message", "type"},
    "error": {"message", "type"},
    "skipped": {"message"},
    "system-out": set(),
}
"""Of what we use, what the schema junit-10 of Jenkins' xUnit plugin has a place for."""


def test_it_keeps_to_what_jenkins_takes() -> None:
    for text in (decision_junit(rich_decision()), decision_junit(hostile_decision())):
        for element in ET.fromstring(text).iter():
            assert set(element.attrib) <= ALLOWED[element.tag]


def test_a_failure_begins_with_its_place() -> None:
    texts = [
        each.text or "" for each in ET.fromstring(decision_junit(rich_decision())).iter("failure")
    ]
    assert texts[0].startswith("pipelines/demo/cases.jsonl:21\nexpected another answer")


NOT_JUDGED = {"a": Row([True], status="not_judged"), "b": Row([True])}
FAILED = {"a": Row([True], status="error"), "b": Row([True])}
HELD = {"c001": Quarantine("ana", "flaky", "2030-01-01", expired=False)}
MARGIN = {"statistics": {"margin": 0.05, "without_power": "refuse"}}


@pytest.mark.parametrize(
    "decision",
    [
        rich_decision(),
        hostile_decision(),
        decided(rows(9), rows(9)),
        decided(rows(9), broken(rows(9), "c001")),
        decided(rows(9), broken(rows(9), "c001"), quarantine=HELD),
        decided(rows(9), broken(rows(9), "c001"), {"cases": {"newly_broken": 1}}),
        decided(rows(9), rows(8), {"cases": {"removed": "block"}}),
        decided(rows(9), rows(9), MARGIN),
        decided(rows(2), NOT_JUDGED),
        decided(rows(2), NOT_JUDGED, {"cases": {"not_judged": "report"}}),
        decided(rows(2), FAILED),
        decided(None, rows(0)),
        decided(None, rows(3, failing=1), {"cases": {"new_failing": "block"}}),
    ],
)
def test_a_suite_is_red_exactly_when_it_blocks(decision: Decision) -> None:
    parsed = JUnitXml.fromstring(decision_junit(decision).encode())
    for suite, judged in zip(parsed, decision.suites, strict=True):
        assert bool(suite.failures + suite.errors) is bool(judged.exit_code)


def test_an_evaluation_alone_is_red_where_cases_fail() -> None:
    cases = {
        "good": Row([True]),
        "bad": Row([True, False]),
        "held": Row([False]),
        "lost": Row([True], status="not_judged"),
        "crashed": Row([True], status="error"),
    }
    text = results_junit([suite_result(cases)], quarantined={"pipelines/demo": ["held"]})
    assert outcomes(text) == {
        "good": "passed",
        "bad": "failure failed",
        "held": "skipped",
        "lost": "error not judged",
        "crashed": "error harness error",
    }
