"""Formats of suites and policies: strict, and the schema for editors says the same."""

from __future__ import annotations

from typing import Any

import jsonschema
import pytest
import yaml

from agentci.core.errors import SpecError
from agentci.core.json_types import JsonValue
from agentci.spec.jsonschema import schemas
from agentci.spec.policy import PolicyFile, PolicySpec
from agentci.spec.suite import SuiteSpec
from agentci.spec.validation import validate
from agentci.spec.yaml_document import parse_document

HEAD = "format: agentci/suite\nversion: 1\nname: x\n"
REST = "target: {}\ndataset: {path: a.csv}\nscorers: [{kind: exact}]\n"


def suite(text: str) -> SuiteSpec:
    return validate(parse_document((HEAD + text).encode(), "suite.yaml"), SuiteSpec)


def valid(name: str, text: str) -> bool:
    value: JsonValue = yaml.safe_load(text)
    checker: Any = jsonschema.Draft202012Validator(schemas()[name])
    return bool(checker.is_valid(value))


def test_a_short_suite_has_defaults() -> None:
    spec = suite(REST)
    assert (spec.trials, spec.policy, spec.dataset.id, spec.scorers[0].threshold) == (
        1, None, "id", 1.0
    )  # fmt: skip


def test_a_policy_is_inline_or_a_file() -> None:
    assert suite(REST + "policy: a.yaml\n").policy == "a.yaml"
    inline = suite(REST + "policy: {statistics: {margin: 0.05}}\n").policy
    assert isinstance(inline, PolicySpec)
    assert inline.statistics.margin == 0.05


@pytest.mark.parametrize(
    ("text", "says", "line"),
    [
        ("target: {}\ndataset: {}\nscorers: []\n", "`scorers` needs at least 1 entry", 6),
        (REST + "trials: 0\n", "`trials` has to be at least 1", 7),
        (REST + "trial: 3\n", "unknown key `trial`", 7),
        (REST + "quarantine: [{case: a, owner: me, reason: x, expires: soon}]\n", "expires", 7),
        (REST + "quarantine: [{case: a, reason: x, expires: '2027-01-01'}]\n", "owner", 7),
        (REST + "policy: {cases: {newly_broken: -1}}\n", "newly_broken", 7),
        (REST + "policy: {statistics: {margn: 0.1}}\n", "`margn`", 7),
        (REST + "policy: {metrics: [{metric: cost}]}\n", "allowance", 7),
        (REST.replace("exact", "exact, threshold: 2"), "threshold", 6),
        (REST.replace("a.csv", "a.csv, sample: {size: 0}"), "size", 5),
    ],
)
def test_what_is_wrong_is_told_and_the_schema_refuses_it_too(
    text: str, says: str, line: int
) -> None:
    with pytest.raises(SpecError) as caught:
        suite(text)
    problem = caught.value.problems[0]
    assert says in problem.message
    assert problem.location.line == line
    assert not valid("suite", HEAD + text)


@pytest.mark.parametrize(
    "target",
    [
        "{}",
        "{pipeline: .., with: {q: 1}, output: '${{ output }}'}",
        "{agent: {agent: a, prompt: p.md}}",
        "{python: 'a.py:f', proxy: true}",
        "{command: [a, b], stdin: x, repository: r, timeout: 3}",
    ],
)
def test_the_schema_takes_what_the_loader_takes(target: str) -> None:
    text = REST.replace("target: {}", f"target: {target}")
    suite(text)
    assert valid("suite", HEAD + text)


def test_a_policy_file_has_a_header_and_an_inline_one_has_none() -> None:
    text = "format: agentci/policy\nversion: 1\nslices: [a]\n"
    assert validate(parse_document(text.encode(), "policy.yaml"), PolicyFile).slices == ("a",)
    assert valid("policy", text)
    assert not valid("policy", "slices: [a]\n")
    with pytest.raises(SpecError):
        suite(REST + "policy: {format: agentci/policy, version: 1}\n")


def test_places_inside_a_document_are_those_of_the_document() -> None:
    positions = parse_document(b"a:\n  b: [1, {c: 2}]\n", "x").positions
    inner = positions.inside(("a", "b"))
    assert inner.locate((1, "c")) == positions.locate(("a", "b", 1, "c"))
    assert inner.locate(()) == positions.locate(("a", "b"))
    assert positions.inside(("a", "z", 3)).locate(("y",)) == positions.locate(("a",))
