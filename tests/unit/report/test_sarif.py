"""SARIF: places, levels, identities that outlive an edit. Its validator is asked in e2e."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

from agentci.gate.decision import Decision
from agentci.report.sarif import MOST_RESULTS, decision_sarif
from tests.support.decisions import HOSTILE, broken, decided, hostile_decision, rich_decision, rows


def run_of(decision: Decision) -> dict[str, Any]:
    log = json.loads(decision_sarif(decision))
    assert log["version"] == "2.1.0"
    (run,) = log["runs"]
    assert isinstance(run, dict)
    return run


def test_results_stand_at_the_lines_of_their_cases() -> None:
    results = run_of(rich_decision())["results"]
    found = [
        (
            each["ruleId"],
            each["level"],
            each["locations"][0]["physicalLocation"]["region"]["startLine"],
        )
        for each in results
        if each["ruleId"] in {"newly-broken", "not-judged"}
    ]
    assert found == [
        ("not-judged", "error", 12),
        ("newly-broken", "error", 21),
        ("newly-broken", "error", 31),
        ("newly-broken", "error", 51),
        ("newly-broken", "warning", 13),
    ]
    (metric,) = (each for each in results if each["ruleId"] == "worse-metric")
    place = metric["locations"][0]["physicalLocation"]["artifactLocation"]
    assert place == {"uri": "pipelines/support/suite.yaml", "uriBaseId": "SRCROOT"}


def test_a_case_in_quarantine_is_suppressed_with_its_reason() -> None:
    (held,) = (each for each in run_of(rich_decision())["results"] if "suppressions" in each)
    assert held["suppressions"] == [
        {"kind": "external", "justification": "ana, until 2026-12-31: waits for the new parser"}
    ]


def test_rules_are_those_that_the_tool_describes() -> None:
    run = run_of(rich_decision())
    rules = [each["id"] for each in run["tool"]["driver"]["rules"]]
    assert [rules[each["ruleIndex"]] for each in run["results"]] == [
        each["ruleId"] for each in run["results"]
    ]


def test_identities_stay_when_lines_move_and_differ_between_results() -> None:
    decision = rich_decision()
    suite = decision.suites[0]
    moved = replace(
        suite, cases=tuple(replace(each, line=(each.line or 0) + 7) for each in suite.cases)
    )
    before = run_of(decision)["results"]
    after = run_of(replace(decision, suites=(moved, *decision.suites[1:])))["results"]
    prints = [each["partialFingerprints"]["agentciCase/v1"] for each in before]
    assert prints == [each["partialFingerprints"]["agentciCase/v1"] for each in after]
    assert len(set(prints)) == len(prints)
    assert before != after


def test_hostile_texts_are_neither_links_nor_places_for_arguments() -> None:
    text = run_of(hostile_decision())["results"][0]["message"]["text"]
    assert "\\[x\\](javascript:alert(3))" in text
    assert "{{0}}" in text
    assert "\x1b" not in text
    assert "{0}" in HOSTILE


def test_paths_are_addresses() -> None:
    decision = decided(rows(1), broken(rows(1), "c000"))
    suite = decision.suites[0]
    odd = replace(suite, cases=(replace(suite.cases[0], file="a b/ü%41.jsonl", line=None),))
    (result,) = run_of(replace(decision, suites=(odd,)))["results"]
    place = result["locations"][0]["physicalLocation"]
    assert place["artifactLocation"]["uri"] == "a%20b/%C3%BC%2541.jsonl"
    assert place["region"] == {"startLine": 1}


def test_there_are_not_more_results_than_github_shows_and_errors_come_first() -> None:
    many = rows(MOST_RESULTS + 5)
    head = broken(many, *many)
    del head["c000"]
    run = run_of(decided(many, head))
    assert len(run["results"]) == MOST_RESULTS
    assert {each["level"] for each in run["results"]} == {"error"}
    assert "6 more results are left out" in json.dumps(run["invocations"])
