"""Suites of every kind of target, from recording to a replay on a machine that knows nothing."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from agentci.spec.script import read_script
from tests.support.eval_project import (
    AGENT,
    CASES,
    EXACT,
    SUITE,
    SUITE_PATH,
    case_of,
    eval_project,
    states,
)
from tests.support.model_server import ModelServer
from tests.support.projects import Project, environment

PLACE = "pipelines/ask"


def _scores(report: Any, case: str) -> dict[str, tuple[float, bool]]:
    trial = case_of(report, case)["trials"][0]
    assert trial["status"] == "judged", trial
    return {name: (each["value"], each["passed"]) for name, each in trial["scores"].items()}


def _replays(project: Project, code: int = 0) -> Any:
    """Record, forget everything, replay, and return the report, which is the same."""
    recorded = project.report("eval", code=code)
    project.forget()
    replayed = project.report("eval", "--mode", "replay", code=code)
    assert replayed == recorded
    assert project.report("eval", "--mode", "replay", code=code) == recorded
    return replayed


def test_a_pipeline_is_evaluated_with_the_files_that_it_leaves(tmp_path: Path) -> None:
    suite = """\
target: {with: {word: "${{ case.input }}"}}
dataset: {cases: [{id: one, input: yes}, {id: two, input: no}]}
scorers:
  - {kind: command, with: {run: [grep, -q, "${{ case.input }}", made.txt]}}
  - {kind: files, name: touched, with: {allowed: [made.txt], max_files: 1}}
"""
    project = eval_project(tmp_path, suite)
    project.write(
        f"{PLACE}/pipeline.yaml",
        "format: agentci/pipeline\nversion: 1\nname: ask\nsandbox: process\n"
        "repository: files\ninputs: {word: {type: string}}\n"
        "steps:\n  - id: make\n    side_effects: workspace\n"
        '    run: [sh, -c, \'echo "$1" > made.txt\', sh, "${{ inputs.word }}"]\n',
    )
    project.write(f"{PLACE}/files/readme.txt", "hello\n")
    suite_file = project.folder / SUITE_PATH
    report = _replays(project)
    assert _scores(report, "one") == {"command": (1.0, True), "touched": (1.0, True)}
    # a scorer that changed is asked again, without a run of the target
    changed = suite_file.read_text().replace("grep, -q", "grep, -qv")
    suite_file.write_text(changed)
    assert project.call("eval", "--mode", "replay").code == 1


def test_a_python_function_is_evaluated(tmp_path: Path) -> None:
    suite = """\
target: {python: "code.py:answer", with: {question: "${{ case.input }}"}, repository: files}
dataset: {path: cases.jsonl}
scorers: [{kind: exact}]
"""
    project = eval_project(tmp_path, suite)
    project.write(f"{PLACE}/files/readme.txt", "hello\n")
    project.write(f"{PLACE}/helper.py", "COLOUR = 'blue'\n")
    project.write(
        f"{PLACE}/code.py",
        "from helper import COLOUR\n\n\ndef answer(question):\n"
        "    if question == '7 * 7':\n        raise ValueError(question)\n"
        "    return COLOUR if 'sky' in question else '42'\n",
    )
    report = _replays(project, code=1)
    assert states(report) == {"failed": ["wrong"]}
    assert "ValueError" in case_of(report, "wrong")["trials"][0]["reason"]
    project.write(f"{PLACE}/helper.py", "COLOUR = 'grey'\n")
    assert states(project.report("eval", code=1)) == {"failed": ["sky", "wrong"]}


def test_a_command_is_evaluated_by_what_it_prints(tmp_path: Path) -> None:
    suite = """\
target:
  command: [sh, -c, 'read x; printf %s "$1$x"', sh, "${{ case.input }}"]
  stdin: "!\\n"
  repository: files
dataset: {cases: [{id: a, input: hey, expected: "hey!"}, {id: b, input: -n, expected: "-n!"}]}
scorers: [{kind: exact}]
"""
    project = eval_project(tmp_path, suite)
    project.write(f"{PLACE}/files/readme.txt", "hello\n")
    assert states(_replays(project)) == {}


def test_a_command_on_the_projects_own_repository_follows_its_commit(tmp_path: Path) -> None:
    suite = """\
target: {command: [cat, "${{ case.input }}"]}
dataset: {cases: [{id: a, input: word.txt, expected: "one\\n"}]}
scorers: [{kind: exact}]
"""
    project = eval_project(tmp_path, suite)
    project.write("word.txt", "one\n")
    project.git("init", "-q", "-b", "main")
    assert project.call("eval").code == 2
    project.git("add", "-A")
    project.git("commit", "-q", "-m", "first")
    assert project.call("eval").code == 0
    project.write("word.txt", "two\n")
    assert project.call("eval").code == 0, "what is not committed is not there"
    project.forget()
    assert "uncommitted changes are left out: `word.txt`" in project.call("eval").err
    project.git("commit", "-q", "-a", "-m", "second")
    assert "changed `repository`: the files to work on" in project.call("why", "ask", "a").out
    assert project.call("eval").code == 1


def test_a_judge_is_recorded_in_its_own_lane(tmp_path: Path) -> None:
    judge = "scorers: [{kind: judge, with: {rubric: Is it a colour?, models: [j]}}]\n"
    project = eval_project(tmp_path, AGENT + judge, cases=CASES[:2])
    pipeline = project.folder / PLACE / "pipeline.yaml"
    second = "models: {j: {provider: scripted, id: j, script: judge.yaml}, m:"
    pipeline.write_text(pipeline.read_text().replace("models: {m:", second))
    project.write(
        f"{PLACE}/judge.yaml",
        "format: agentci/script\nversion: 1\nrules:\n"
        "  - when: {any_contains: blue}\n"
        "    reply: {json: {reasons: It is., verdict: pass}}\n"
        "  - reply: {json: {reasons: It is not., verdict: fail}}\n",
    )
    report = project.report("eval", code=1)
    assert states(report) == {"failed": ["sum"]}, report
    lanes = sorted((project.folder / "cassettes/pipelines.ask/sky/1").rglob("*.yaml"))
    assert {lane.relative_to(project.folder).parts[4] for lane in lanes} == {"judge", "target"}
    project.forget()
    assert project.report("eval", "--mode", "replay", code=1) == report
    shutil.rmtree(project.folder / "cassettes/pipelines.ask/sky/1/judge")
    missing = project.report("eval", "--mode", "replay", code=4)
    assert states(missing)["not_judged"] == ["sky"]


def test_scorers_see_the_files_that_an_agent_without_tools_does_not(tmp_path: Path) -> None:
    suite = AGENT.replace("target: {", "target: {repository: files, ")
    scorer = "scorers: [{kind: command, with: {run: [grep, -qx, '${{ text }}', colours.txt]}}]\n"
    project = eval_project(tmp_path, suite + scorer, cases=CASES[:2])
    project.write(f"{PLACE}/files/colours.txt", "blue\ngreen\n")
    report = _replays(project, code=1)
    assert states(report) == {"failed": ["sum"]}
    project.write(f"{PLACE}/files/colours.txt", "42\n")
    assert states(project.report("eval", "--mode", "replay", code=1)) == {"failed": ["sky"]}


def test_trials_have_seeds_and_recordings_of_their_own(tmp_path: Path) -> None:
    project = eval_project(tmp_path, AGENT + EXACT + "trials: 3\n", cases=CASES[:1])
    report = _replays(project)
    trials = case_of(report, "sky")["trials"]
    assert [each["trial"] for each in trials] == [1, 2, 3]
    assert len({each["key"] for each in trials}) == 3
    folder = project.folder / "cassettes/pipelines.ask/sky"
    assert sorted(each.name for each in folder.iterdir()) == ["1", "2", "3"]


def test_ids_that_no_file_system_likes_are_kept_apart(tmp_path: Path) -> None:
    names = ["a", "a/1", "A", "a.yaml", "..", "c:d", "%61", "é", "e\u0301", "x" * 200, "objects"]
    cases = [{"id": name, "input": f"{name} sky", "expected": "blue"} for name in names]
    project = eval_project(tmp_path, cases=cases)
    assert len(_replays(project)["suites"][0]["cases"]) == len(names)
    assert project.call("cassette", "verify").code == 0


@pytest.mark.slow
def test_what_a_killed_evaluation_has_finished_is_not_carried_out_again(tmp_path: Path) -> None:
    cases = [{"id": f"c{i:03}", "input": f"{i} sky", "expected": "blue"} for i in range(150)]
    project = eval_project(tmp_path, cases=cases)
    command = [sys.executable, "-m", "agentci", "eval", "--jobs", "2"]
    env = environment(project.folder)
    process = subprocess.Popen(command, cwd=project.folder, env=env, stdout=subprocess.DEVNULL)
    kept = project.folder / ".agentci/cache/evals/pipelines.ask/results.jsonl"
    while not (kept.exists() and kept.read_bytes().count(b"\n") > 5):
        assert process.poll() is None
        time.sleep(0.01)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    finished = kept.read_bytes().count(b"\n") - 1
    done = project.call("eval", "-v")
    assert done.code == 0, done.err
    known = int(done.err.split(" trials known")[0].rsplit(" ", 1)[-1])
    assert finished - 1 <= known <= finished
    project.forget()
    assert project.call("eval", "--mode", "replay").code == 0


def test_an_interrupted_evaluation_is_130_and_goes_on(tmp_path: Path) -> None:
    suite = """\
target: {command: [sh, -c, 'test "$1" = quick || sleep 30', sh, "${{ case.id }}"], repository: f}
dataset: {cases: [{id: quick}, {id: slow}]}
scorers: [{kind: exact, with: {value: ""}}]
"""
    project = eval_project(tmp_path, suite)
    project.write(f"{PLACE}/f/readme.txt", "hello\n")
    command = [sys.executable, "-m", "agentci", "eval", "--jobs", "1"]
    env = environment(project.folder)
    process = subprocess.Popen(command, cwd=project.folder, env=env, stderr=subprocess.PIPE)
    kept = project.folder / ".agentci/cache/evals/pipelines.ask/results.jsonl"
    while not kept.exists():
        assert process.poll() is None
        time.sleep(0.02)
    time.sleep(0.1)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=20)
    assert process.returncode == 130, err
    assert b"finished trials" in err
    suite_file = project.folder / SUITE_PATH
    suite_file.write_text(SUITE + suite.replace("sleep 30", "true"))
    assert project.call("eval").code == 0


PROXIED = """\
import json
import os
import urllib.request


def answer(question):
    body = {"model": "m", "messages": [{"role": "user", "content": question}]}
    request = urllib.request.Request(
        os.environ["OPENAI_BASE_URL"] + "/chat/completions",
        data=json.dumps(body).encode(),
        headers={"content-type": "application/json", "authorization": "Bearer x"},
    )
    with urllib.request.urlopen(request) as reply:
        return json.load(reply)["choices"][0]["message"]["content"]
"""


def test_model_calls_of_a_targets_own_code_are_recorded_by_case(tmp_path: Path) -> None:
    suite = """\
target:
  python: "code.py:answer"
  with: {question: "${{ case.input }}"}
  proxy: true
  repository: files
dataset: {path: cases.jsonl}
scorers: [{kind: exact}]
"""
    project = eval_project(tmp_path, suite)
    project.write(f"{PLACE}/files/readme.txt", "hello\n")
    project.write(f"{PLACE}/code.py", PROXIED)
    script = read_script((project.folder / PLACE / "script.yaml").read_bytes(), "script.yaml")
    with ModelServer(script) as server:
        recorded = project.report("eval", code=1, env=server.environment)
    assert states(recorded) == {"failed": ["wrong"]}
    project.forget()
    assert project.report("eval", "--mode", "replay", code=1) == recorded
    shutil.rmtree(project.folder / "cassettes/pipelines.ask/sky")
    assert states(project.report("eval", "--mode", "replay", code=4))["not_judged"] == ["sky"]
