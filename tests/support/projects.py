"""Projects to run the command line in: a copy of what ships, or a small one written on the spot."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.support.command_line import ROOT, CommandOutput, agentci, run_module

QUIET_GIT = {
    "GIT_CONFIG_GLOBAL": "/dev/null",
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_AUTHOR_NAME": "a",
    "GIT_AUTHOR_EMAIL": "a@localhost",
    "GIT_COMMITTER_NAME": "a",
    "GIT_COMMITTER_EMAIL": "a@localhost",
    "GIT_AUTHOR_DATE": "2026-01-02T03:04:05Z",
    "GIT_COMMITTER_DATE": "2026-01-02T03:04:05Z",
}


@dataclass(frozen=True, slots=True)
class Project:
    """A folder with pipelines, and the command line in it."""

    folder: Path
    env: Mapping[str, str] = field(default_factory=dict)

    def call(self, *arguments: str, env: Mapping[str, str] | None = None) -> CommandOutput:
        """Run `agentci ARGUMENTS` here."""
        done = agentci(*arguments, folder=self.folder, env={**self.env, **(env or {})})
        assert "Traceback" not in done.err, done.err
        return done

    def run(self, *arguments: str, code: int = 0, env: Mapping[str, str] | None = None) -> Any:
        """Run `agentci run ARGUMENTS --json`, check the exit code, and return the report."""
        return self.report("run", *arguments, code=code, env=env)

    def report(self, *arguments: str, code: int = 0, env: Mapping[str, str] | None = None) -> Any:
        """Run a command that prints one JSON object, check the exit code, and return it."""
        done = self.call(*arguments, "--json", env=env)
        assert done.code == code, f"{done.code}: {done.err}\n{done.out[-2000:]}"
        return json.loads(done.out)

    def die(
        self, write: int, moment: str, *arguments: str, env: Mapping[str, str] | None = None
    ) -> Death:
        """Run `agentci ARGUMENTS` in a process that kills itself at a write; see the module."""
        counted = self.folder / "writes-counted"
        counted.write_text("0")
        module = "tests.support.dying_process"
        command = [str(write), moment, str(counted), *arguments]
        done = run_module(module, command, folder=self.folder, env={**self.env, **(env or {})})
        return Death(done.code, int(counted.read_text()), done.err)

    def write(self, name: str, text: str) -> Path:
        """Write a file of the project."""
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return path

    def git(self, *arguments: str) -> str:
        """Run git here."""
        done = subprocess.run(
            ["git", *arguments],
            cwd=self.folder,
            env={"PATH": os.environ["PATH"], "HOME": str(self.folder), **QUIET_GIT},
            capture_output=True,
            check=True,
        )
        return done.stdout.decode().strip()

    def forget(self) -> None:
        """Remove everything that the machine keeps: runs and cache."""
        shutil.rmtree(self.folder / ".agentci", ignore_errors=True)


@dataclass(frozen=True, slots=True)
class Death:
    """How a process that was to kill itself ended."""

    code: int
    """-9 where it did."""
    writes: int
    err: str


def environment(home: Path) -> dict[str, str]:
    """Return the environment that a user's process starts with."""
    return {"PATH": os.environ["PATH"], "HOME": str(home), "PYTHONPATH": str(ROOT)}


def shipped(folder: Path, *, cassettes: bool = True) -> Project:
    """Return a copy of the shipped pipelines with their recordings, below `folder`."""
    shutil.copytree(ROOT / "pipelines", folder / "pipelines")
    if cassettes:
        shutil.copytree(ROOT / "cassettes", folder / "cassettes")
        shutil.copy(ROOT / "agentci.lock", folder)
    return Project(folder)


def small(folder: Path, steps: str, **files: str) -> Project:
    """Return a git repository with the pipeline `small` of `steps`, and `files`.

    A model `m` answers from `script.yaml`; the agent `a` uses it. Names of files have `__` for `/`.
    """
    project = Project(folder)
    folder.mkdir(parents=True, exist_ok=True)
    head = "format: agentci/pipeline\nversion: 1\nname: small\nsandbox: process\n"
    models = "models: {m: {provider: scripted, id: m, script: script.yaml}}\n"
    agents = "agents: {a: {model: m}}\n"
    uses_agent = "agent: a" in steps and "agents:" not in steps
    text = head + (models + agents if uses_agent else "") + steps
    project.write("pipelines/small/pipeline.yaml", text)
    project.write("pipelines/small/ask.md", "{{ question }}\n")
    if uses_agent or "script.yaml" in steps:
        rules = '[{reply: {text: "yes"}}]'
        script = f"format: agentci/script\nversion: 1\nrules: {rules}\n"
        project.write("pipelines/small/script.yaml", files.pop("script", script))
    project.write("readme.txt", "hello\n")
    project.write(".gitignore", "/.agentci/\nwrites-counted\n")
    for name, content in files.items():
        project.write(name.replace("__DOT", ".").replace("__", "/"), content)
    project.git("init", "-q", "-b", "main")
    project.git("add", "-A")
    project.git("commit", "-q", "-m", "first")
    return project
