"""The scorer that calls a function, in a real process."""

from __future__ import annotations

from pathlib import Path

import pytest

from agentci.core.errors import StepFailed, UsageError
from agentci.core.json_types import JsonValue
from agentci.evals.case import ToolUse
from tests.support.scorer_services import case, score, services_for, subject

CODE = """\
from helper import limit

def given(subject, returned):
    return returned

def look(subject):
    return {
        "value": 0.25,
        "passed": len(subject["text"]) < limit(),
        "explanation": subject["case"]["id"] + " " + subject["trajectory"][0]["name"],
        "details": {"seen": sorted(subject)},
    }

def raises(subject):
    raise ValueError("no")
"""
SUITE = {"checks/scorers.py": CODE, "checks/helper.py": "def limit():\n    return 3\n"}


@pytest.mark.parametrize(
    ("returned", "value", "passed"),
    [
        (True, 1, True),
        (False, 0, False),
        (1, 1, True),
        (0.75, 0.75, False),
        ({"value": 0.75, "passed": True}, 0.75, True),
        ({"value": True, "passed": False, "explanation": "why"}, 1, False),
    ],
)
def test_value(returned: JsonValue, value: float, *, passed: bool, tmp_path: Path) -> None:
    services = services_for(tmp_path, suite=SUITE)
    options = {"function": "checks/scorers.py:given", "arguments": {"returned": returned}}
    found = score("python", options, subject("x"), services)
    assert (found.value, found.passed) == (value, passed)
    assert found.passed or found.explanation


@pytest.mark.parametrize(
    "returned", [2, -0.1, "yes", None, [1], {"passed": True}, {"value": 1, "x": 1}]
)
def test_what_is_no_score_is_an_error(returned: JsonValue, tmp_path: Path) -> None:
    services = services_for(tmp_path, suite=SUITE)
    options = {"function": "checks/scorers.py:given", "arguments": {"returned": returned}}
    with pytest.raises(StepFailed, match="which is no score") as caught:
        score("python", options, subject("x"), services)
    assert caught.value.code == "ACI-S506"


def test_a_function_sees_the_whole_work(tmp_path: Path) -> None:
    services = services_for(tmp_path, suite=SUITE)
    what = subject("abcd", case=case(x=1), trajectory=(ToolUse("run", {}, "l"),))
    found = score("python", {"function": "checks/scorers.py:look"}, what, services)
    assert (found.value, found.passed, found.explanation) == (0.25, False, "one run")
    seen = found.details["seen"]
    assert isinstance(seen, list)
    assert {"output", "text", "patch", "metrics", "messages", "changed_paths"} < set(seen)


def test_a_function_that_fails_is_an_error(tmp_path: Path) -> None:
    services = services_for(tmp_path, suite=SUITE)
    with pytest.raises(StepFailed, match="no"):
        score("python", {"function": "checks/scorers.py:raises"}, subject("x"), services)
    with pytest.raises(UsageError, match="function"):
        score("python", {"function": "scorers:raises"}, subject("x"), services)
