"""What runs before a commit: on what it touches, and quickly where nothing has changed."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import pytest
import yaml

from tests.support.command_line import ROOT, CommandOutput
from tests.support.planted_secrets import PLANTED
from tests.support.projects import QUIET_GIT, Project, shipped

PROMPT = "pipelines/triage/prompts/sort.md"
SUITE_RECORDING = "cassettes/pipelines.triage/vim-keys/1/target/sorter.yaml"
UNCHANGED = "ok: nothing has changed since it passed\n"


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """The shipped pipelines, committed, with both hooks passed once."""
    project = shipped(tmp_path_factory.mktemp("shipped"))
    project.write(".gitignore", ".agentci/\n.pre-commit-cache/\n")
    project.git("init", "--quiet", "--initial-branch=main")
    project.git("add", "--all")
    project.git("commit", "--quiet", "--message", "first")
    for hook in ("cassettes", "gate"):
        done = project.call("hook", hook)
        assert done.code == 0, done.out + done.err
    return project


@pytest.fixture
def project(template: Project, tmp_path: Path) -> Project:
    shutil.copytree(template.folder, tmp_path / "p", symlinks=True)
    return Project(tmp_path / "p")


def _edit(project: Project, name: str, text: str = "\nBe quick.\n") -> None:
    with (project.folder / name).open("a") as file:
        file.write(text)
    project.git("add", "--all")


def _hook(project: Project, name: str, *arguments: str) -> CommandOutput:
    return project.call("hook", name, *arguments)


def test_everything_is_looked_at_where_nothing_is_staged(project: Project) -> None:
    project.forget()
    done = _hook(project, "cassettes")
    assert (done.code, done.out.startswith("ok: 3 pipelines, 1 suite, ")) == (0, True)
    gate = _hook(project, "gate")
    assert gate.code == 0
    assert "pipelines/triage" in gate.out


@pytest.mark.parametrize("hook", ["cassettes", "gate"])
def test_the_same_state_is_not_looked_at_twice(project: Project, hook: str) -> None:
    project.write("readme.md", "Hello.\n")
    project.git("add", "--all")
    assert _hook(project, hook).out != UNCHANGED
    assert _hook(project, hook).out == UNCHANGED
    _edit(project, "readme.md")
    assert _hook(project, hook).out != UNCHANGED


@pytest.mark.parametrize("hook", ["cassettes", "gate"])
def test_a_commit_that_touches_nothing_of_ours_passes_at_once(project: Project, hook: str) -> None:
    project.write("src/a.py", "print(1)\n")
    project.git("add", "--all")
    done = _hook(project, hook)
    said = "ok: the commit touches no suite\n", "ok: 0 pipelines, 0 suites, 0 files looked at\n"
    assert (done.code, done.out in said) == (0, True)


def test_an_edited_prompt_makes_recordings_stale(project: Project) -> None:
    _edit(project, PROMPT)
    done = _hook(project, "cassettes")
    assert done.code == 4
    assert "stale: cassettes/triage/sort/sorter.yaml" in done.out
    assert "case `crash-large-file`: no recording of model request" in done.out
    assert "bugfix" not in done.out
    assert "hint: `agentci record --changed`" in done.err
    assert _hook(project, "cassettes").code == 4


def test_an_edited_prompt_cannot_be_judged(project: Project) -> None:
    _edit(project, PROMPT)
    done = _hook(project, "gate")
    assert done.code == 4
    assert "not judged" in done.out
    assert _hook(project, "gate").code == 4


def test_a_case_that_the_commit_breaks_blocks_it(project: Project) -> None:
    path = project.folder / "pipelines/triage/issues.jsonl"
    path.write_text(path.read_text().replace('{"kind": "bug"', '{"kind": "question"', 1))
    project.git("add", "--all")
    done = _hook(project, "gate")
    assert done.code == 1
    assert "crash-large-file" in done.out
    assert project.report("hook", "gate", code=1)["decision"]["verdict"] == "regression"


def test_a_removed_recording_is_missed(project: Project) -> None:
    (project.folder / SUITE_RECORDING).unlink()
    project.git("add", "--all")
    done = _hook(project, "cassettes")
    assert done.code == 4
    assert "case `vim-keys`" in done.out


def test_a_secret_in_a_recording_is_refused_and_not_shown(project: Project) -> None:
    secret = PLANTED[0].secret
    path = project.folder / SUITE_RECORDING
    path.write_text(path.read_text().replace("You sort", f"{PLANTED[0].text} You sort", 1))
    assert secret in path.read_text()
    project.git("add", "--all")
    done = _hook(project, "cassettes")
    assert done.code == 8
    assert f"secret: {project.folder.resolve()}/{SUITE_RECORDING}:" in done.out
    assert secret not in done.out + done.err


def test_a_file_that_is_too_large_is_refused(project: Project) -> None:
    path = "cassettes/triage/sort/sorter.yaml"
    _edit(project, path, "# a comment\n")
    size = (project.folder / path).stat().st_size
    done = _hook(project, "cassettes", "--max-size", str(size - 1))
    assert done.code == 4
    assert f"size: {path}" in done.out.replace("./", "")
    assert _hook(project, "cassettes", "--max-size", str(size)).code == 0


def test_a_file_outside_that_a_suite_reads_counts(project: Project) -> None:
    suite = project.folder / "pipelines/triage/suite.yaml"
    shared = project.write("shared/sort.md", (project.folder / PROMPT).read_text())
    suite.write_text(suite.read_text().replace("prompts/sort.md", "../../shared/sort.md"))
    project.git("add", "--all")
    project.git("commit", "--quiet", "--message", "the prompt is shared")
    shared.write_text(shared.read_text() + "\nBe quick.\n")
    project.git("add", "--all")
    assert _hook(project, "gate").code == 4


def test_what_is_not_staged_is_named(project: Project) -> None:
    _edit(project, "pipelines/triage/suite.yaml", "# a comment\n")
    project.write("pipelines/triage/note.md", "not staged\n")
    done = _hook(project, "gate")
    assert done.code == 0
    assert "not as they are staged: `pipelines/triage/note.md`" in done.err


def test_the_first_commit_of_a_repository_passes(tmp_path: Path) -> None:
    project = shipped(tmp_path)
    project.git("init", "--quiet")
    project.git("add", "--all")
    assert _hook(project, "gate").out == "ok: the commit touches no suite\n"


def test_outside_of_a_repository_it_says_so(tmp_path: Path) -> None:
    done = _hook(shipped(tmp_path), "cassettes")
    assert done.code == 2
    assert "git init" in done.err


def test_a_damaged_stamp_is_no_stamp(project: Project) -> None:
    stamp = project.folder / ".agentci" / "hooks-v1.json"
    for text in ("", "[]", '{"format": "agentci/hook-stamp", "passed": 3}', "\x00"):
        stamp.write_text(text)
        assert _hook(project, "gate").out != UNCHANGED
        assert _hook(project, "gate").out == UNCHANGED


PROBE = """
import json, sys
from agentci.__main__ import main
sys.argv = ["agentci", "hook", sys.argv[1]]
code = main()
print(json.dumps(sorted(sys.modules)), file=sys.stderr)
sys.exit(code)
"""


@pytest.mark.parametrize("hook", ["cassettes", "gate"])
def test_an_unchanged_state_is_decided_before_pydantic(template: Project, hook: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", PROBE, hook],
        cwd=template.folder,
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "HOME": str(template.folder)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == UNCHANGED
    for name in ("pydantic", "yaml", "jinja2", "asyncio", "agentci.app.gate"):
        assert f'"{name}"' not in done.stderr


@pytest.mark.slow
def test_pre_commit_runs_the_hooks_of_a_clone(project: Project, tmp_path: Path) -> None:
    """As `pre-commit try-repo` does: it installs what the hooks name, into a place of its own."""
    source = tmp_path / "agentci"
    subprocess.run(
        ["git", "clone", "--quiet", "--depth=1", f"file://{ROOT}", str(source)], check=True
    )
    shutil.copy(ROOT / ".pre-commit-hooks.yaml", source)
    ids = [hook["id"] for hook in yaml.safe_load((source / ".pre-commit-hooks.yaml").read_text())]
    _edit(project, "pipelines/triage/suite.yaml", "# a comment\n")
    assert _try_repo(project, source, tmp_path) == dict.fromkeys(ids, "Passed")
    _edit(project, PROMPT)
    outcomes = _try_repo(project, source, tmp_path)
    assert outcomes == {
        "agentci-check": "Passed", "agentci-cassettes": "Failed", "agentci-gate": "Failed"
    }  # fmt: skip


def _try_repo(project: Project, source: Path, tmp_path: Path) -> dict[str, str]:
    pip = {n: v for n, v in os.environ.items() if n.upper().startswith(("PIP_", "HTTP", "SSL_"))}
    done = subprocess.run(
        [sys.executable, "-m", "pre_commit", "try-repo", str(source), "--color=never", "--verbose"],
        cwd=project.folder,
        env={
            **QUIET_GIT,
            **pip,
            "HOME": os.environ.get("HOME", str(tmp_path)),
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
            "PRE_COMMIT_HOME": str(tmp_path / "cache"),
            "CI": "true",
        },
        capture_output=True,
        text=True,
        check=False,
        timeout=500,
    )
    lines = done.stdout.splitlines()
    found = {}
    for line, following in pairwise(lines):
        if following.startswith("- hook id: "):
            found[following.removeprefix("- hook id: ")] = line.rpartition(".")[2]
    assert found, done.stdout + done.stderr
    return found
