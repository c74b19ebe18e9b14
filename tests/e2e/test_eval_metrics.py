"""What trials took is read from the recordings: for agents, for a target's own program, apart for
judges."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from agentci.spec.script import read_script
from tests.support.eval_project import AGENT, EXACT, PIPELINE, SUITE, SUITE_PATH, eval_project
from tests.support.model_server import ModelServer
from tests.support.projects import Project

PLACE = "pipelines/ask"
CASES = ({"id": "sky", "input": "the sky", "expected": "blue"},)
PRICED = "{provider: openai, id: m, price: {input: 1000, output: 2000}}"
SCRIPTED = "{provider: scripted, id: m, script: script.yaml}"
PROXIED = """\
target:
  python: "code.py:answer"
  with: {question: "${{ case.input }}"}
  proxy: true
  repository: files
dataset: {path: cases.jsonl}
"""
CODE = """\
import json
import os
import urllib.request


def answer(question):
    for model in MODELS:
        body = {"model": model, "messages": [{"role": "user", "content": question}]}
        request = urllib.request.Request(
            os.environ["OPENAI_BASE_URL"] + "/chat/completions",
            data=json.dumps(body).encode(),
            headers={"content-type": "application/json", "authorization": "Bearer x"},
        )
        with urllib.request.urlopen(request) as reply:
            text = json.load(reply)["choices"][0]["message"]["content"]
    return text
"""


def project_of(folder: Path, suite: str, *, models: tuple[str, ...] = ("m",)) -> Project:
    project = eval_project(folder, suite, cases=CASES)
    project.write(f"{PLACE}/pipeline.yaml", PIPELINE.replace(SCRIPTED, PRICED))
    project.write(f"{PLACE}/files/readme.txt", "hello\n")
    project.write(f"{PLACE}/code.py", f"MODELS = {list(models)}\n\n{CODE}")
    return project


def metrics(project: Project, *arguments: str, code: int = 0, serve: bool = False) -> Any:
    """Return the metrics of the only trial."""
    if not serve:
        report = project.report("eval", *arguments, code=code)
        return report["suites"][0]["cases"][0]["trials"][0].get("metrics", {})
    script = read_script((project.folder / PLACE / "script.yaml").read_bytes(), "script.yaml")
    with ModelServer(script) as server:
        report = project.report("eval", *arguments, code=code, env=server.environment)
    return report["suites"][0]["cases"][0]["trials"][0].get("metrics", {})


def replayed(project: Project) -> Any:
    project.forget()
    return metrics(project, "--mode", "replay")


def without_times(project: Project) -> None:
    """Make the recordings what an older release has left."""
    for path in (project.folder / "cassettes").rglob("*.yaml"):
        path.write_text(re.sub(r"^  seconds: .*\n", "", path.read_text(), flags=re.MULTILINE))


@pytest.mark.parametrize("target", [AGENT, PROXIED])
def test_an_agent_and_a_program_are_measured_alike(tmp_path: Path, target: str) -> None:
    project = project_of(tmp_path, target + EXACT)
    recorded = metrics(project, serve=True)
    assert sorted(recorded) == ["cost", "latency", "steps", "tokens"]
    assert recorded["steps"] == 1
    assert recorded["tokens"] > 1
    assert 1000 <= recorded["cost"] * 1e6 / recorded["tokens"] <= 2000
    assert replayed(project) == recorded, "a replay takes the times of the recording"
    without_times(project)
    older = replayed(project)
    assert older == {name: recorded[name] for name in ("cost", "steps", "tokens")}


@pytest.mark.parametrize("target", [AGENT, PROXIED])
def test_live_answers_are_measured_as_they_come(tmp_path: Path, target: str) -> None:
    project = project_of(tmp_path, target + EXACT)
    found = metrics(project, "--mode", "live", serve=True)
    assert sorted(found) == ["cost", "latency", "steps", "tokens"]
    assert found["steps"] == 1
    assert found["tokens"] == metrics(project, serve=True)["tokens"]


def test_without_the_price_of_one_model_there_is_no_cost(tmp_path: Path) -> None:
    project = project_of(tmp_path, PROXIED + EXACT, models=("m", "other"))
    found = metrics(project, serve=True)
    assert sorted(found) == ["latency", "steps", "tokens"]
    assert found["steps"] == 2


def test_a_scorer_holds_latency_against_a_maximum(tmp_path: Path) -> None:
    scorers = "scorers: [{kind: exact}, {kind: latency, with: {max: %s}}]\n"
    project = project_of(tmp_path, AGENT + scorers % "60")
    metrics(project, serve=True)
    lane = project.folder / "cassettes/pipelines.ask/sky/1/target/a.yaml"
    lane.write_text(
        re.sub(r"^  seconds: .*$", "  seconds: 2.5", lane.read_text(), flags=re.MULTILINE)
    )
    assert replayed(project)["latency"] == 2.5
    project.write(SUITE_PATH, SUITE + AGENT + scorers % "2")
    assert "expected at most 2 seconds, got 2.5" in project.call("eval", "--mode", "replay").out


def test_judges_count_apart_and_scripts_take_no_time(tmp_path: Path) -> None:
    judge = "scorers: [{kind: judge, with: {rubric: Is it a colour?, models: [j]}}]\n"
    project = project_of(tmp_path, AGENT + judge)
    second = "models: {j: {provider: scripted, id: j, script: judge.yaml}, m:"
    pipeline = project.folder / PLACE / "pipeline.yaml"
    pipeline.write_text(PIPELINE.replace("models: {m:", second))
    project.write(
        f"{PLACE}/judge.yaml",
        "format: agentci/script\nversion: 1\nrules:\n"
        "  - reply: {json: {reasons: it is, verdict: pass}}\n",
    )
    found = metrics(project)
    assert sorted(found) == ["judge_tokens", "steps", "tokens"], "neither has a price"
    assert found["judge_tokens"] > 0
    alone = project_of(tmp_path / "alone", AGENT + EXACT)
    alone.write(f"{PLACE}/pipeline.yaml", PIPELINE)
    assert metrics(alone) == {name: found[name] for name in ("steps", "tokens")}
    assert replayed(project) == found
