"""Projects with a suite: an agent with a scripted model, or whatever target a test writes."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tests.support.projects import Project

PIPELINE = """\
format: agentci/pipeline
version: 1
name: ask
sandbox: process
models: {m: {provider: scripted, id: m, script: script.yaml}}
agents: {a: {model: m, system: system.md}}
steps: [{id: s, agent: a, prompt: fixed.md}]
"""
SCRIPT = """\
format: agentci/script
version: 1
rules:
  - when: {first_contains: sky}
    reply: {text: blue}
  - reply: {text: "42"}
"""
SUITE = """\
format: agentci/suite
version: 1
name: answers
"""
AGENT = """\
target: {agent: {agent: a, prompt: ask.md}}
dataset: {path: cases.jsonl}
"""
EXACT = "scorers: [{kind: exact}]\n"
SUITE_PATH = "pipelines/ask/suite.yaml"
CASES: tuple[Mapping[str, Any], ...] = (
    {"id": "sky", "input": "the sky", "expected": "blue"},
    {"id": "sum", "input": "6 * 7", "expected": "42"},
    {"id": "wrong", "input": "7 * 7", "expected": "49"},
)


def eval_project(
    folder: Path, suite: str = AGENT + EXACT, *, cases: Sequence[Mapping[str, Any]] = CASES
) -> Project:
    """Return a project with the pipeline `ask` and its suite; `suite` follows the suite's head."""
    project = Project(folder)
    folder.mkdir(parents=True, exist_ok=True)
    project.write("agentci.yaml", "format: agentci/config\nversion: 1\n")
    place = "pipelines/ask"
    project.write(f"{place}/pipeline.yaml", PIPELINE)
    project.write(f"{place}/script.yaml", SCRIPT)
    project.write(f"{place}/system.md", "You answer in one word.\n")
    project.write(f"{place}/ask.md", "What is {{ input }}?\n")
    project.write(f"{place}/fixed.md", "What is the sky?\n")
    project.write(SUITE_PATH, SUITE + suite)
    write_cases(project, cases)
    return project


def write_cases(project: Project, cases: Sequence[Mapping[str, Any]]) -> None:
    """Write the dataset."""
    lines = "".join(json.dumps(case) + "\n" for case in cases)
    project.write("pipelines/ask/cases.jsonl", lines)


def states(report: Mapping[str, Any]) -> dict[str, list[str]]:
    """Return the cases of a `--json` report's first suite by state, empty lists left out."""
    summary = report["summary"][0]
    names = ("failed", "quarantined", "not_judged", "errors", "flaky")
    return {name: summary[name] for name in names if summary[name]}


def case_of(report: Mapping[str, Any], case: str) -> dict[str, Any]:
    """Return a case of a `--json` report's first suite."""
    found: dict[str, Any] = next(
        each for each in report["suites"][0]["cases"] if each["case"] == case
    )
    return found
