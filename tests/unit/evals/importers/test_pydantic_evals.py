"""Datasets of pydantic-evals become suites; evaluators without an equal are named."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from agentci.core.digest import digest_json
from agentci.core.errors import AgentciError
from agentci.evals.case import Case, Subject
from agentci.evals.importers.findings import ImportedSuite
from agentci.evals.importers.pydantic_evals import import_pydantic_evals
from agentci.evals.importers.registry import format_of
from agentci.evals.scorers.registry import parse_options, scorer
from tests.support.scorer_services import Services

TEXT = """\
name: capitals
cases:
- name: france
  inputs: {question: capital of France?}
  expected_output: Paris
  metadata: {level: easy}
  evaluators:
  - EqualsExpected
  - Contains: {value: PAR, case_sensitive: false}
  - HasMatchingSpan: {query: {name_equals: x}}
- inputs: 1
  evaluators:
  - MyOwn: {x: 1}
evaluators:
- IsInstance: str
"""


def imported(text: str) -> ImportedSuite:
    return import_pydantic_evals(text.encode(), "data.yaml", name="capitals")


def rows(suite: ImportedSuite) -> list[dict[str, Any]]:
    data = suite.files["cases.jsonl"]
    assert isinstance(data, bytes)
    return [json.loads(line) for line in data.splitlines()]


def passes(evaluator: Mapping[str, Any], output: Any, **metrics: float) -> bool:
    case = Case("c", None, None, {}, digest_json(0))
    options = parse_options("pydantic_evals", {"evaluators": [evaluator]})
    subject = Subject(case, output, "passed", metrics=metrics)
    kind = scorer("pydantic_evals")
    return asyncio.run(kind.score(subject, options, Services(Path("/")))).passed


def test_cases_and_evaluators_are_taken_over() -> None:
    suite = imported(TEXT)
    first, second = rows(suite)
    assert first["id"] == "france"
    assert first["input"] == {"question": "capital of France?"}
    assert first["expected"] == "Paris"
    assert first["evaluators"] == [
        {"type": "IsInstance", "value": "str"},
        {"type": "Equals", "value": "Paris"},
        {"type": "Contains", "value": "PAR", "case_sensitive": False},
    ]
    assert second["evaluators"] == [{"type": "IsInstance", "value": "str"}]


def test_what_has_no_equal_is_named_with_its_line() -> None:
    told = [f"{note.place} {note.why}" for note in imported(TEXT).notes]
    assert any("data.yaml:10 " in each and "HasMatchingSpan" in each for each in told)
    assert any("data.yaml:13 " in each and "`MyOwn` is Python code" in each for each in told)
    assert any("def task(...)" in each for each in told)


@pytest.mark.parametrize(
    ("evaluator", "output", "verdict"),
    [
        ({"type": "Equals", "value": "42"}, "42", True),
        ({"type": "Equals", "value": 42}, "42", False),
        ({"type": "Equals", "value": [1, {"a": 1.0}]}, [1.0, {"a": 1}], True),
        ({"type": "Equals", "value": "x"}, {"text": "x"}, True),
        ({"type": "Contains", "value": "b"}, "abc", True),
        ({"type": "Contains", "value": "b"}, ["a", "b"], True),
        ({"type": "Contains", "value": "b"}, {"b": 1}, True),
        ({"type": "Contains", "value": {"b": 2}}, {"b": 1}, False),
        ({"type": "Contains", "value": {"b": 1}}, {"b": 1, "c": 2}, True),
        ({"type": "Contains", "value": 1}, "a1", False),
        ({"type": "Contains", "value": 1, "as_strings": True}, "a1", True),
        ({"type": "Contains", "value": [1]}, {"a": 1}, False),
        ({"type": "Contains", "value": 1}, 12, False),
        ({"type": "IsInstance", "value": "int"}, True, True),
        ({"type": "IsInstance", "value": "float"}, 1, False),
        ({"type": "IsInstance", "value": "object"}, None, True),
    ],
)
def test_evaluators_judge_as_python_does(
    evaluator: Mapping[str, Any], output: Any, *, verdict: bool
) -> None:
    assert passes(evaluator, output) is verdict


def test_a_duration_is_held_against_what_was_recorded() -> None:
    assert passes({"type": "MaxDuration", "value": 2}, "x", latency=2.0)
    assert not passes({"type": "MaxDuration", "value": 2}, "x", latency=2.1)
    with pytest.raises(AgentciError, match="not known"):
        passes({"type": "MaxDuration", "value": 2}, "x")


@pytest.mark.parametrize(
    "text",
    ["cases: 1", "cases: []", "cases: [1]", "[]", "cases: [{inputs: 1, evaluators: [MyOwn]}]",
     "cases: [{inputs: 1, surprise: 2}]"],
)  # fmt: skip
def test_what_holds_no_case_is_refused(text: str) -> None:
    with pytest.raises(AgentciError):
        imported(text)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text("aE:_", max_size=5)
    | st.sampled_from(["Contains", "EqualsExpected", "IsInstance", "MaxDuration"]),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(
        st.sampled_from(["name", "inputs", "evaluators", "Equals", "Contains", "value", "seconds",
                         "IsInstance", "MaxDuration", "expected_output", "metadata"]),
        inner,
        max_size=3,
    ),
    max_leaves=10,
)  # fmt: skip


@given(JSON, JSON)
def test_any_dataset_is_imported_or_refused(cases: Any, evaluators: Any) -> None:
    text = yaml.safe_dump({"cases": cases, "evaluators": evaluators})
    try:
        imported(text)
    except AgentciError:
        return


@pytest.mark.parametrize(
    ("name", "data", "found"),
    [
        ("a.eval", b"", "inspect"),
        ("a.zip", b"PK\x03\x04", "inspect"),
        ("a.json", b'{"version": 2, "status": "success", "eval": {}}', "inspect"),
        ("promptfooconfig.yaml", b"description: x\nprompts:\n- a\n", "promptfoo"),
        ("a.json", b'{"prompts": ["x"]}', "promptfoo"),
        ("a.yaml", TEXT.encode(), "pydantic-evals"),
        ("a.json", b'{\n  "name": "x",\n  "cases": []}', "pydantic-evals"),
        ("a.yaml", b"x: 1", None),
        ("a.py", b"prompts: x", None),
    ],
)
def test_a_format_is_told_by_name_and_beginning(name: str, data: bytes, found: str | None) -> None:
    assert format_of(name, data) == found
