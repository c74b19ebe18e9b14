"""Keys planned from a commit are those planned from its checkout, and see what git keeps."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from agentci.app import wiring
from agentci.app.eval_plan import PlanSettings, SuitePlan, plan_suite
from agentci.core.effects import Files
from tests.support.eval_project import SUITE, SUITE_PATH, eval_project
from tests.support.projects import Project

PLACE = "pipelines/ask"
SCORERS = """\
scorers:
  - {kind: exact}
  - {kind: python, name: own, gates: false, with: {function: "check.py:check"}}
"""
TARGETS = {
    "pipeline": "target: {}\n",
    "pipeline elsewhere": "target: {pipeline: ../other}\n",
    "agent": "target: {agent: {agent: a, prompt: ask.md}}\n",
    "agent with tools": "target: {agent: {agent: b, prompt: ask.md}}\n",
    "python": 'target: {python: "code.py:answer", repository: files}\n',
    "python on the project": 'target: {python: "code.py:answer", proxy: true}\n',
    "command": 'target: {command: [cat], stdin: "${{ case.input }}", repository: files}\n',
    "command in a folder of the case": (
        'target: {command: [cat], stdin: "${{ case.input }}", repository: "${{ case.folder }}"}\n'
    ),
}
ROWS = [
    {"id": "sky", "input": "the sky", "expected": "blue", "folder": "files", "tags": "a, b"},
    {"id": "über/sum", "input": "6 * 7", "expected": "42", "folder": "other files"},
]
DATASETS = {
    "yaml": ("rows.yaml", json.dumps(ROWS)),
    "json": ("rows.json", json.dumps(ROWS, indent=1)),
    "jsonl": ("rows.jsonl", "".join(json.dumps(row) + "\n" for row in ROWS)),
    "csv": (
        "rows.csv",
        "id,input,expected,folder\nsky,the sky,blue,files\nüber/sum,6 * 7,42,other files\n",
    ),
    "tasks": ("tasks", ""),
    "inline": ("", ""),
}


def project_of(folder: Path) -> Project:
    """Return a project with fixtures that have all that git can keep, and with recordings."""
    project = eval_project(folder)
    pipeline = project.folder / PLACE / "pipeline.yaml"
    agents = "agents: {a: {model: m, system: system.md}, b: {model: m, tools: [read_file]}}"
    text = pipeline.read_text().replace("agents: {a: {model: m, system: system.md}}", agents)
    text = text.replace("sandbox: process\n", "sandbox: process\ninputs: {input: {type: string}}\n")
    pipeline.write_text(text)
    for name in ("script.yaml", "fixed.md", "system.md"):
        project.write(f"pipelines/other/{name}", (project.folder / PLACE / name).read_text())
    project.write("pipelines/other/pipeline.yaml", text.replace("name: ask", "name: other"))
    project.write(f"{PLACE}/code.py", "import helper\n\n\ndef answer(input):\n    return input\n")
    project.write(f"{PLACE}/helper.py", "A = 1\n")
    project.write(f"{PLACE}/check.py", "import helper\n\n\ndef check(subject):\n    return True\n")
    for fixture in ("files", "other files", "tasks/one/repository", "tasks/two/repository"):
        project.write(f"{PLACE}/{fixture}/run.sh", "#!/bin/sh\n").chmod(0o755)
        project.write(f"{PLACE}/{fixture}/deep/größe.txt", f"{fixture}\n")
        project.write(f"{PLACE}/{fixture}/.gitignore", "*.log\n")
        (project.folder / PLACE / fixture / "link").symlink_to("deep/größe.txt")
        (project.folder / PLACE / fixture / "folder").symlink_to("deep")
        (project.folder / PLACE / fixture / "nowhere").symlink_to("not there")
    for task in ("one", "two"):
        about = f"instruction: do {task}\nfolder: files\ninput: x\n"
        project.write(f"{PLACE}/tasks/{task}/task.yaml", about)
        project.write(f"{PLACE}/tasks/{task}/tests/test_it.py", "def test_it(): pass\n")
    for case in ("sky", "one"):
        lane = f"cassettes/pipelines.ask/{case}/1/target/a.yaml"
        project.write(lane, "# a recording\nprovenance: 1\n")
    return project


def plan(project: Project, files: Files, commit: str) -> SuitePlan:
    root = project.folder
    return plan_suite(
        root / PLACE,
        files,
        root=root,
        cassettes_root=root / "cassettes",
        settings=PlanSettings(project_commit=lambda: commit),
    )


def committed(project: Project) -> str:
    project.git("add", "--all")
    project.git("commit", "--quiet", "--message", "state")
    return project.git("rev-parse", "HEAD")


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Project:
    project = project_of(tmp_path_factory.mktemp("repository") / "p")
    project.git("init", "--quiet")
    for name, text in DATASETS.values():
        if text:
            project.write(f"{PLACE}/{name}", text)
    return project


@pytest.mark.parametrize("dataset", DATASETS)
@pytest.mark.parametrize("target", TARGETS)
def test_a_commit_and_its_checkout_have_the_same_keys(
    repository: Project, target: str, dataset: str
) -> None:
    name = DATASETS[dataset][0]
    source = f"{{path: {name}}}" if name else f"{{cases: {json.dumps(ROWS)}}}"
    text = f"{SUITE}{TARGETS[target]}dataset: {source}\n{SCORERS}"
    repository.write(SUITE_PATH, text)
    commit = committed(repository)
    here = plan(repository, wiring.files(), commit)
    past = wiring.history(repository.folder).files_at(commit)
    try:
        then = plan(repository, past, commit)
    finally:
        past.close()
    assert then.digests == here.digests
    assert [each.case.id for each in then.cases] == [each.case.id for each in here.cases]
    for old, new in zip(then.cases, here.cases, strict=True):
        for before, after in zip(old.trials, new.trials, strict=True):
            assert dict(before.scores_key.fields) == dict(after.scores_key.fields)
            assert before.scores_key.digest == after.scores_key.digest
            assert before.recordings == after.recordings
    recorded = [each.trials[0].recordings.target is not None for each in here.cases]
    assert any(recorded)
    assert not all(recorded)


def _executable(project: Project) -> None:
    (project.folder / PLACE / "files/run.sh").chmod(0o644)


def _link(project: Project) -> None:
    link = project.folder / PLACE / "files/link"
    link.unlink()
    link.symlink_to("run.sh")


def _link_to_folder(project: Project) -> None:
    (project.folder / PLACE / "files/folder").unlink()


@pytest.mark.parametrize("change", [_executable, _link, _link_to_folder])
def test_modes_and_links_of_a_fixture_are_in_the_key(tmp_path: Path, change: object) -> None:
    project = project_of(tmp_path / "p")
    target = 'target: {python: "code.py:answer", repository: files}\n'
    project.write(SUITE_PATH, f"{SUITE}{target}dataset: {{path: cases.jsonl}}\n{SCORERS}")
    before = plan(project, wiring.files(), "").cases[0].trials[0].key
    assert callable(change)
    change(project)
    after = plan(project, wiring.files(), "").cases[0].trials[0].key
    assert before.digest != after.digest
    assert [name for name in before.fields if before.fields[name] != after.fields[name]] == [
        "repository"
    ]
    (project.folder / PLACE / "files/deep/größe.txt").chmod(0o600)
    assert plan(project, wiring.files(), "").cases[0].trials[0].key.digest == after.digest
