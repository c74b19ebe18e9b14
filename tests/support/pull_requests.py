"""Histories of pull requests, made with git: a remote as GitHub keeps it, and checkouts of it."""

from __future__ import annotations

import json
import os
import shlex
import shutil
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.support.action_runner import Job, Storage
from tests.support.command_line import ROOT
from tests.support.eval_project import EXACT, SCRIPT, eval_project
from tests.support.projects import QUIET_GIT, Project

NUMBER = 7
AGENT_BY_ID = """\
target: {agent: {agent: a, prompt: ask.md}}
dataset: {path: cases.jsonl}
"""


@dataclass(frozen=True, slots=True)
class Remote:
    """A bare repository that gives any commit by its id, as GitHub does."""

    folder: Path
    commits: Mapping[str, str]
    """Ids by name: `main`, the branches, and `merge-<branch>` as in `refs/pull/N/merge`."""

    @property
    def url(self) -> str:
        """Its address; a path alone would be copied without regard to depth."""
        return f"file://{self.folder}"


def make_remote(folder: Path) -> Remote:
    """Make the remote. Its branches, each one commit after `main`'s first, and how they differ.

    `good` changes a text, `bad` breaks the case `sky`, `stale` changes a prompt and records
    nothing. `main` has one more commit, after they branched off.
    """
    work = eval_project(folder / "work", AGENT_BY_ID + EXACT)
    work.write(".gitignore", ".agentci/\n")
    _record(work)
    work.git("init", "--quiet", "--initial-branch=main")
    _commit(work, "first")
    for name in ("good", "bad", "stale"):
        work.git("checkout", "--quiet", "-b", name, "main")
        _change(work, name)
        _commit(work, name)
    work.git("checkout", "--quiet", "main")
    work.write("notes.md", "main goes on\n")
    _commit(work, "second")
    for name in ("good", "bad", "stale"):
        work.git("checkout", "--quiet", "--detach", "main")
        work.git("merge", "--quiet", "--no-ff", "--no-edit", name)
        work.git("update-ref", f"refs/pull/{name}/merge", "HEAD")
    work.git("checkout", "--quiet", "main")
    bare = folder / "remote.git"
    work.git("clone", "--quiet", "--mirror", ".", str(bare))
    for setting in ("allowAnySHA1InWant", "allowFilter"):
        work.git("--git-dir", str(bare), "config", f"uploadpack.{setting}", "true")
    branches = {name: work.git("rev-parse", name) for name in ("main", "good", "bad", "stale")}
    merges = {
        f"merge-{name}": work.git("rev-parse", f"refs/pull/{name}/merge")
        for name in ("good", "bad", "stale")
    }
    first = {"first": work.git("rev-parse", "main~1")}
    return Remote(bare, {**branches, **merges, **first})


def _record(work: Project) -> None:
    done = work.call("eval", "--mode", "record")
    assert done.code in {0, 1}, done.err
    work.forget()


def _change(work: Project, name: str) -> None:
    if name == "good":
        work.write("readme.md", "Hello.\n")
        return
    work.write("pipelines/ask/system.md", "You answer in two words.\n")
    if name == "bad":
        work.write("pipelines/ask/script.yaml", SCRIPT.replace("blue", "green"))
        shutil.rmtree(work.folder / "cassettes")
        _record(work)


def _commit(work: Project, message: str) -> None:
    work.git("add", "--all")
    work.git("commit", "--quiet", "--message", message)


@dataclass(frozen=True, slots=True)
class Checkout:
    """What `actions/checkout` leaves."""

    project: Project
    commit: str


def check_out(remote: Remote, folder: Path, commit: str, *, depth: int = 0) -> Checkout:
    """Check `commit` out as `actions/checkout` does, with `fetch-depth: depth`."""
    folder.mkdir(parents=True)
    project = Project(folder)
    project.git("init", "--quiet", "--initial-branch=unused")
    project.git("remote", "add", "origin", remote.url)
    fetch = ("fetch", "--quiet", "--no-tags", "--no-recurse-submodules")
    if depth:
        project.git(*fetch, f"--depth={depth}", "origin", commit)
    else:
        project.git(*fetch, "origin", "+refs/heads/*:refs/remotes/origin/*", commit)
    project.git("checkout", "--quiet", "--detach", commit)
    return Checkout(project, commit)


@dataclass(frozen=True, slots=True)
class Event:
    """What a workflow is started by."""

    name: str
    payload: Mapping[str, Any]
    env: Mapping[str, str] = field(default_factory=dict)


def pull_request(base: str, *, number: int = NUMBER) -> Event:
    """Return the event of a pull request into `main`, which was at `base`."""
    payload = {"number": number, "pull_request": {"number": number, "base": {"sha": base}}}
    return Event("pull_request", payload, {"GITHUB_BASE_REF": "main"})


def merge_group(base: str) -> Event:
    """Return the event of a merge queue."""
    return Event("merge_group", {"merge_group": {"base_sha": base, "base_ref": "refs/heads/main"}})


def push(before: str, *, forced: bool = False) -> Event:
    """Return the event of a push to `main`."""
    return Event("push", {"before": before, "ref": "refs/heads/main", "forced": forced})


def job(
    checkout: Checkout,
    event: Event,
    *,
    api: str = "",
    token: str = "",
    storage: Storage | None = None,
) -> Job:
    """Return a job on a checkout, whose `agentci` is that of this repository."""
    folder = checkout.project.folder
    around = folder.parent / f"{folder.name}-machine"
    programs = around / "bin"
    programs.mkdir(parents=True, exist_ok=True)
    _program(programs / "agentci", f'exec {shlex.quote(sys.executable)} -m agentci "$@"')
    _program(programs / "python", f'echo "python $*" >> {shlex.quote(str(around / "python.log"))}')
    (around / "event.json").write_text(json.dumps(event.payload))
    (around / "home").mkdir(exist_ok=True)
    env = {
        **QUIET_GIT,
        "PATH": f"{programs}:{os.environ['PATH']}",
        "HOME": str(around / "home"),
        "PYTHONPATH": str(ROOT),
        "CI": "true",
        "GITHUB_ACTIONS": "true",
        "GITHUB_API_URL": api,
        "GITHUB_EVENT_NAME": event.name,
        "GITHUB_EVENT_PATH": str(around / "event.json"),
        "GITHUB_REPOSITORY": "owner/project",
        **event.env,
    }
    kept = around / "kept"
    kept.mkdir(exist_ok=True)
    github = {"token": token, "sha": checkout.commit}
    return Job(folder, env, storage or Storage(kept), github)


def installed_by(checkout: Checkout) -> list[str]:
    """Return the calls of `python` that steps of the job made."""
    folder = checkout.project.folder
    log = folder.parent / f"{folder.name}-machine" / "python.log"
    return log.read_text().splitlines() if log.exists() else []


def _program(path: Path, line: str) -> None:
    path.write_text(f"#!/bin/sh\n{line}\n")
    path.chmod(0o755)
