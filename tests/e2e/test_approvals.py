"""Approvals: bound to exactly what was shown, void after an edit, replayed without a person."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.support.projects import Project, small

STEPS = """
inputs: {who: {default: you}}
repository: files
steps:
  - {id: ask, agent: a, prompt: ask.md, with: {question: "${{ inputs.who }}"}}
  - {id: ok, approve: "Ship ${{ steps.ask.output.text }}?"}
  - {id: ship, run: [python, -c, "open('shipped', 'w')"], side_effects: workspace}
  - {id: commit, commit: {message: shipped}}
"""


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return small(tmp_path / "project", STEPS, pipelines__small__files__x__DOTtxt="one\n")


def wait(project: Project) -> str:
    """Run up to the approval and return its token."""
    report = project.run("small", code=8)
    assert report["verdict"] == "waiting"
    return token(project)


def token(project: Project) -> str:
    (approval,) = project.report("approve")["waiting"]
    found: str = approval["token"]
    return found


def test_an_approved_run_goes_on_where_it_stopped(project: Project) -> None:
    found = wait(project)
    done = project.call("approve", found)
    assert done.code == 0, done.err
    report = project.report("resume")
    assert report["verdict"] == "passed"
    sources = {step["lane"]: step["source"] for step in report["steps"]}
    assert sources["ask"] == "resumed"
    assert "shipped" in report["patch"]


def test_an_approval_is_recorded_and_a_replay_needs_no_person(project: Project) -> None:
    project.call("approve", wait(project))
    first = project.report("resume")
    project.forget()
    again = project.run("small", "--mode", "replay")
    assert again["run_digest"] == first["run_digest"]
    assert not again["unplayed"]


def test_a_denied_run_fails_and_stays_denied(project: Project) -> None:
    done = project.call("approve", wait(project), "--deny")
    assert done.code == 0, done.err
    report = project.report("resume", code=1)
    outcomes = {step["lane"]: step["outcome"] for step in report["steps"]}
    assert outcomes["ok"] == "denied"
    assert "ship" not in outcomes


def test_a_resume_without_a_decision_waits_again_with_the_same_token(project: Project) -> None:
    found = wait(project)
    assert project.report("resume", code=8)["verdict"] == "waiting"
    assert token(project) == found


def test_a_wrong_token_decides_nothing(project: Project) -> None:
    wait(project)
    assert project.call("approve", "0" * 16).code == 5
    assert project.report("resume", code=8)["verdict"] == "waiting"


def edit(name: str, old: str, new: str) -> Callable[[Project], Any]:
    def change(project: Project) -> None:
        path = project.folder / "pipelines/small" / name
        text = path.read_text()
        assert old in text
        path.write_text(text.replace(old, new))

    return change


EDITS = {
    "prompt": edit("ask.md", "{{", "Now {{"),
    "a step that is still to come": edit("pipeline.yaml", "shipped'", "else'"),
    "the question": edit("pipeline.yaml", "Ship $", "Really ship $"),
    "an input's default": edit("pipeline.yaml", "default: you", "default: me"),
    "the model": edit("pipeline.yaml", "id: m", "id: other"),
    "a script": edit("script.yaml", "yes", "no"),
}


@pytest.mark.parametrize("change", EDITS.values(), ids=EDITS)
def test_any_edit_voids_an_approval(project: Project, change: Callable[[Project], Any]) -> None:
    found = wait(project)
    change(project)
    done = project.call("approve", found)
    assert done.code == 8, done.err
    assert "void" in done.err


@pytest.mark.parametrize("change", EDITS.values(), ids=EDITS)
def test_an_edit_after_the_approval_stops_the_run(
    project: Project, change: Callable[[Project], Any]
) -> None:
    assert project.call("approve", wait(project)).code == 0
    change(project)
    done = project.call("resume")
    assert done.code == 4, done.err
    assert "changed since" in done.err
    fresh = project.call("run", "small", "--json")
    assert fresh.code in {4, 8}, "a decision about something else must not count"


def test_what_was_approved_is_what_goes_on_whatever_happens_to_the_files(project: Project) -> None:
    found = wait(project)
    edit("files/x.txt", "one", "two")(project)
    assert project.call("approve", found).code == 0
    report = project.report("resume")
    assert report["verdict"] == "passed"
    assert "two" not in report["patch"]
    later = project.run("small", code=8)
    assert later["base"] != report["base"]
    assert later["verdict"] == "waiting", "other files need another approval"


def test_a_commit_to_the_project_does_not_void_what_was_approved(tmp_path: Path) -> None:
    project = small(tmp_path / "project", STEPS.replace("repository: files\n", ""))
    found = wait(project)
    project.write("unrelated.txt", "new\n")
    project.git("add", "unrelated.txt")
    project.git("commit", "-q", "-m", "meanwhile")
    assert project.call("approve", found).code == 0
    report = project.report("resume")
    assert report["verdict"] == "passed"
    assert "unrelated" not in report["patch"]


def test_two_approvals_at_the_same_time_are_decided_one_by_one(tmp_path: Path) -> None:
    steps = """
steps:
  - id: both
    parallel:
      branches:
        left: [{id: ok, approve: left?}, {id: run, run: [python, -c, "print(1)"]}]
        right: [{id: ok, approve: right?}]
"""
    project = small(tmp_path / "project", steps)
    project.run("small", code=8)
    first, second = (each["token"] for each in project.report("approve")["waiting"])
    assert project.call("approve", first).code == 0
    assert project.report("resume", code=8)["verdict"] == "waiting"
    assert [each["token"] for each in project.report("approve")["waiting"]] == [second]
    assert project.call("approve", second).code == 0
    assert project.report("resume")["verdict"] == "passed"
