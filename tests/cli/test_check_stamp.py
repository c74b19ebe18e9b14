"""A check that is remembered counts only while everything that it saw is still so."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from agentci.app import check_stamp, wiring
from agentci.app.check import execute
from agentci.app.check_result import CheckRequest, CheckResult
from tests.support.command_line import agentci


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project that was checked; the current folder is in it."""
    assert agentci("init", folder=tmp_path).code == 0
    monkeypatch.chdir(tmp_path)
    execute(REQUEST)
    return tmp_path


REQUEST = CheckRequest(start=Path())


def _recall(request: CheckRequest = REQUEST) -> CheckResult | None:
    return check_stamp.recall(request, wiring.files())


def _append(name: str) -> Callable[[Path], None]:
    def change(project: Path) -> None:
        with (project / name).open("a") as file:
            file.write("\n# changed\n")

    return change


def _new_pipeline(project: Path) -> None:
    folder = project / "pipelines" / "second"
    folder.mkdir()
    (folder / "pipeline.yaml").write_text("nonsense")


def _remove_prompt(project: Path) -> None:
    (project / "pipelines/bugfix/prompts/plan.md").unlink()


def test_nothing_changed(project: Path) -> None:
    assert _recall() == execute(REQUEST)


@pytest.mark.parametrize(
    "change",
    [
        _append("pipelines/bugfix/pipeline.yaml"),
        _append("pipelines/bugfix/prompts/plan.md"),
        _append("agentci.yaml"),
        _new_pipeline,
        _remove_prompt,
    ],
    ids=["definition", "prompt", "settings", "another pipeline", "a prompt is gone"],
)
def test_a_change_is_seen(project: Path, change: Callable[[Path], None]) -> None:
    change(project)
    assert _recall() is None


def test_what_a_check_does_not_read_does_not_matter(project: Path) -> None:
    (project / "README.md").write_text("other")
    assert _recall() is not None


def test_another_question_is_another_check(project: Path) -> None:
    assert _recall(CheckRequest(start=Path(), pipelines=("bugfix",))) is None


def test_another_agentci_checks_again(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("agentci.__version__", "99")
    assert _recall() is None


@pytest.mark.parametrize("content", ["", "{}", "[]", '{"format": "agentci/check-stamp"}', "\x00"])
def test_a_damaged_stamp_is_ignored(project: Path, content: str) -> None:
    (project / ".agentci" / "check-v1.json").write_text(content)
    assert _recall() is None
    assert agentci("check", folder=project).code == 0


def test_problems_are_never_remembered(project: Path) -> None:
    _new_pipeline(project)
    for _ in range(2):
        assert agentci("check", folder=project).code == 2


def test_the_answer_is_the_same_either_way(project: Path) -> None:
    arguments = ("check", "--json")
    fresh = agentci(*arguments, "--no-cache", folder=project)
    agentci(*arguments, folder=project)
    assert agentci(*arguments, folder=project) == fresh
    assert json.loads(fresh.out)["pipelines"][0]["name"] == "bugfix"


def test_its_folder_is_ignored_by_git(project: Path) -> None:
    assert (project / ".agentci" / ".gitignore").read_text() == "*\n"
