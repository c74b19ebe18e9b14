"""The run digest is the same wherever, however and by whomever the recordings are replayed."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.support.command_line import ROOT
from tests.support.projects import Project, environment, shipped

PIPELINES = ("pipelines/bugfix", "pipelines/fleet")
ENVIRONMENTS: tuple[Mapping[str, str], ...] = (
    {"TZ": "Pacific/Kiritimati", "LANG": "de_DE.UTF-8", "LC_ALL": "C", "PYTHONHASHSEED": "1"},
    {"TZ": "America/St_Johns", "LANG": "tr_TR.UTF-8", "PYTHONHASHSEED": "4294967295"},
    {"TZ": "UTC", "LC_ALL": "POSIX", "USER": "somebody", "LOGNAME": "somebody", "CI": "true"},
    {"GIT_DIR": "/nowhere", "GIT_AUTHOR_NAME": "x", "SOURCE_DATE_EPOCH": "1", "NO_COLOR": "1"},
)


@pytest.fixture(scope="module")
def expected(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Return the digest of each pipeline, replayed once in the plainest way."""
    project = plain(tmp_path_factory.mktemp("plain"))
    return {name: project.run(name, "--mode", "replay")["run_digest"] for name in PIPELINES}


def plain(folder: Path) -> Project:
    """Return a copy of what ships without the lock file, so that only digests are compared."""
    project = shipped(folder)
    (folder / "agentci.lock").unlink()
    return project


@pytest.mark.parametrize("pipeline", PIPELINES)
def test_the_shipped_recordings_replay_to_the_accepted_digest(
    tmp_path: Path, pipeline: str
) -> None:
    report = shipped(tmp_path).run(pipeline, "--mode", "replay")
    lock = json.loads((ROOT / "agentci.lock").read_text())["pipelines"]
    assert report["run_digest"] == lock[pipeline]["run_digest"]
    assert report["matches_lock"] is True
    assert not report["unplayed"]
    assert {leaf["source"] for leaf in leaves(report["steps"])} <= {"replayed", "executed"}


@pytest.mark.parametrize("pipeline", PIPELINES)
def test_environment_folder_and_jobs_do_not_matter(
    tmp_path: Path, pipeline: str, expected: dict[str, str]
) -> None:
    places = ("a", "a folder with ü and spaces", "deep/er/and/deeper/still", "z")
    for place, env, jobs in zip(places, ENVIRONMENTS, ("1", "8", "3", "64"), strict=True):
        project = plain(tmp_path / place)
        home = tmp_path / f"home of {place.replace('/', '-')}"
        home.mkdir()
        (home / ".gitconfig").write_text("[core]\nautocrlf = true\n[user]\nname = Else\n")
        given = {**env, "HOME": str(home)}
        report = project.run(pipeline, "--mode", "replay", "--jobs", jobs, env=given)
        assert report["run_digest"] == expected[pipeline], place
        assert not list(home.glob(".[!g]*")), "something was written to the user's home"


@pytest.mark.parametrize("mask", [0o000, 0o077, 0o027])
def test_the_umask_does_not_matter(tmp_path: Path, mask: int, expected: dict[str, str]) -> None:
    project = plain(tmp_path)
    done = start(project, "run", PIPELINES[0], "--mode", "replay", "--json", umask=mask)
    assert json.loads(done.stdout)["run_digest"] == expected[PIPELINES[0]]


def test_the_modes_of_a_clone_do_not_matter(tmp_path: Path, expected: dict[str, str]) -> None:
    project = plain(tmp_path)
    for path in (tmp_path / "pipelines").rglob("*"):
        path.chmod(0o700 if path.is_dir() else 0o600)
    assert project.run(PIPELINES[0], "--mode", "replay")["run_digest"] == expected[PIPELINES[0]]


def test_two_clones_of_a_repository_agree(tmp_path: Path, expected: dict[str, str]) -> None:
    origin = plain(tmp_path / "origin")
    origin.git("init", "-q", "-b", "main")
    origin.git("add", "-A")
    origin.git("commit", "-q", "-m", "everything")
    for name in ("one", "other"):
        origin.git("clone", "-q", str(origin.folder), str(tmp_path / name))
        project = Project(tmp_path / name)
        for pipeline in PIPELINES:
            report = project.run(pipeline, "--mode", "replay")
            assert report["run_digest"] == expected[pipeline]
        assert project.git("status", "--porcelain") in {"", "?? .agentci/"}


@pytest.mark.parametrize("pipeline", PIPELINES)
def test_a_warm_cache_gives_the_same_digest_and_executes_nothing_again(
    tmp_path: Path, pipeline: str, expected: dict[str, str]
) -> None:
    project = plain(tmp_path)
    cold = project.run(pipeline, "--mode", "replay")
    warm = project.run(pipeline, "--mode", "replay")
    no_cache = project.run(pipeline, "--mode", "replay", "--no-cache")
    digests = {each["run_digest"] for each in (cold, warm, no_cache)}
    assert digests == {expected[pipeline]}
    assert warm["commit"] == cold["commit"]
    assert {leaf["source"] for leaf in leaves(warm["steps"]) if leaf["kind"] != "commit"} == {
        "cached"
    }
    assert "cached" not in {leaf["source"] for leaf in leaves(no_cache["steps"])}


@pytest.mark.skipif(shutil.which("unshare") is None, reason="`unshare` denies the network")
def test_the_network_is_not_needed(tmp_path: Path, expected: dict[str, str]) -> None:
    if subprocess.run(["unshare", "-rn", "true"], check=False, capture_output=True).returncode:
        pytest.skip("this kernel lets nobody make a network namespace")
    project = plain(tmp_path)
    for pipeline in PIPELINES:
        done = start(
            project, "run", pipeline, "--mode", "replay", "--json", before=("unshare", "-rn")
        )
        assert done.returncode == 0, done.stderr
        assert json.loads(done.stdout)["run_digest"] == expected[pipeline]


def test_a_replay_needs_no_sandbox_and_no_key(tmp_path: Path, expected: dict[str, str]) -> None:
    tools = tmp_path / "bin"
    tools.mkdir()
    for name in ("git", "python"):
        (tools / name).symlink_to(str(shutil.which(name)))
    project = plain(tmp_path / "project")
    report = project.run(PIPELINES[0], "--mode", "replay", env={"PATH": str(tools)})
    assert report["run_digest"] == expected[PIPELINES[0]]


def start(
    project: Project, *arguments: str, before: tuple[str, ...] = (), umask: int = 0o022
) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [*before, sys.executable, "-m", "agentci", *arguments],
        cwd=project.folder,
        env={**environment(project.folder), "PATH": os.environ["PATH"]},
        capture_output=True,
        check=False,
        timeout=120,
        umask=umask,
    )


def leaves(steps: list[dict[str, Any]]) -> list[dict[str, Any]]:
    found = []
    for step in steps:
        found += leaves(step["steps"]) or [step]
    return found
