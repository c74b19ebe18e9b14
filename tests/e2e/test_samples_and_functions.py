"""Agent steps with several samples, and `python` steps, through the command line."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.support.projects import Project, small

SCRIPT = """format: agentci/script
version: 1
rules:
  - when: {lane: "ask/a#0"}
    reply: {text: "blue"}
  - when: {lane: "ask/a#2"}
    reply: {text: "blue"}
  - reply: {text: "red"}
"""
SCORE = "def score(outputs):\n    return [-len(each['text']) for each in outputs]\n"


def run(folder: Path, select: str, **files: str) -> tuple[Project, Any]:
    step = "{id: ask, agent: a, prompt: ask.md, with: {question: q}, samples: 4, select: SELECT}"
    steps = f"steps: [{step.replace('SELECT', select)}]"
    project = small(folder / "project", steps, script=SCRIPT, **files)
    return project, project.run("small")


def check_replay(project: Project, first: Any) -> None:
    project.forget()
    again = project.run("small", "--mode", "replay", "--jobs", "1")
    assert again["run_digest"] == first["run_digest"]
    assert again["unplayed"] == []


def test_the_majority_is_picked_and_a_tie_is_broken_the_same_way_every_time(tmp_path: Path) -> None:
    project, first = run(tmp_path, "{majority: true}")
    (step,) = first["steps"]
    assert step["notes"]["selected"]["votes"] == 2
    assert step["notes"]["selected"]["tied"]
    check_replay(project, first)


def test_the_first_sample_that_passes_a_command_is_picked(tmp_path: Path) -> None:
    project, first = run(tmp_path, "{first_passing: [cat, readme.txt]}")
    assert first["steps"][0]["output"] == {"text": "blue"}
    check_replay(project, first)


def test_the_sample_with_the_best_score_is_picked(tmp_path: Path) -> None:
    project, first = run(tmp_path, '{best: "score.py:score"}', pipelines__small__score__DOTpy=SCORE)
    assert first["steps"][0]["output"] == {"text": "red"}
    check_replay(project, first)


FUNCTIONS = """
import os, sys


def add(a, b):
    print("this is no answer")
    return {"sum": a + b}


def write(text):
    with open("made.txt", "w") as file:
        file.write(text)
    return None


def fail():
    raise ValueError("not today")


def leave():
    sys.exit(3)


def strange():
    return {1, 2}
"""


def call(tmp_path: Path, steps: str, *, code: int = 0) -> Any:
    project = small(tmp_path / "project", "steps:\n" + steps, pipelines__small__f__DOTpy=FUNCTIONS)
    return project.run("small", code=code)


def test_a_function_gets_arguments_and_returns_its_output(tmp_path: Path) -> None:
    steps = """
  - {id: add, python: "f.py:add", with: {a: 1, b: 2}}
  - id: made
    python: f.py:write
    with: {text: "${{ steps.add.output.sum }}!"}
    side_effects: workspace
  - {id: dropped, python: "f.py:write", with: {text: gone}}
  - {id: commit, commit: {message: done}}
"""
    report = call(tmp_path, steps)
    assert report["steps"][0]["output"] == {"sum": 3}
    assert "+3!" in report["patch"]
    assert report["steps"][2]["notes"]["dropped"] == ["made.txt"]


@pytest.mark.parametrize(
    ("function", "said"),
    [("fail", "not today"), ("leave", "3"), ("strange", "JSON"), ("gone", "gone")],
)
def test_a_function_that_fails_fails_its_step_with_the_reason(
    tmp_path: Path, function: str, said: str
) -> None:
    report = call(tmp_path, f'  - {{id: bad, python: "f.py:{function}"}}\n', code=1)
    (step,) = report["steps"]
    assert step["outcome"] == "failed"
    assert said in step["message"]
