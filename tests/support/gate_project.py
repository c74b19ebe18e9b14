"""A repository with a suite whose answers come from a script, for changes that a gate judges."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

from tests.support.command_line import CommandOutput, agentci

SUITE = "pipelines/triage"

_PIPELINE = """\
format: agentci/pipeline
version: 1
name: triage
inputs:
  text: {type: string}
models:
  small: {provider: scripted, id: scripted, script: script.yaml}
agents:
  sorter: {model: small}
steps:
  - id: sort
    agent: sorter
    prompt: prompts/sort.md
    with: {text: "${{ inputs.text }}"}
output:
  label: "${{ steps.sort.output.text }}"
"""
_SUITE = """\
format: agentci/suite
version: 1
name: triage
target:
  pipeline: .
  with: {text: "${{ case.input }}"}
  output: "${{ output.label }}"
dataset: {path: cases.jsonl}
scorers:
  - kind: exact
"""


def git(folder: Path, *arguments: str) -> str:
    """Run git as a person with a name, and return what it prints."""
    done = subprocess.run(
        ("git", "-c", "user.name=t", "-c", "user.email=t@localhost", *arguments),
        cwd=folder,
        check=True,
        capture_output=True,
        text=True,
    )
    return done.stdout.strip()


class GateProject:
    """A repository on the branch `main` with recorded answers, all of them right."""

    def __init__(self, root: Path) -> None:
        """Use the repository at `root`."""
        self.root = root
        self.folder = root / SUITE

    @classmethod
    def create(cls, root: Path, *, cases: int = 6) -> GateProject:
        """Write, record and commit the project."""
        project = cls(root)
        (project.folder / "prompts").mkdir(parents=True)
        project.write("pipeline.yaml", _PIPELINE)
        project.write("suite.yaml", _SUITE)
        project.write("prompts/sort.md", "Sort this: {{ text }}\n")
        project.write_cases(cases)
        project.answer(bugs="crash")
        git(root, "init", "-q", "-b", "main")
        assert project.agentci("eval", "--mode", "record").code == 0
        project.commit("first")
        return project

    def write(self, path: str, text: str) -> None:
        """Write a file of the suite's folder."""
        (self.folder / path).write_text(text)

    def append(self, path: str, text: str) -> None:
        """Add to a file of the suite's folder."""
        with (self.folder / path).open("a") as file:
            file.write(text)

    def write_cases(self, count: int) -> None:
        """Write cases that are in turn questions and crashes."""
        kinds = (("how to", "question"), ("crash", "bug"))
        rows = [
            {"id": f"c{i:02}", "input": f"{kinds[i % 2][0]} {i}.", "expected": kinds[i % 2][1]}
            for i in range(count)
        ]
        self.write("cases.jsonl", "".join(json.dumps(row) + "\n" for row in rows))

    def answer(self, *, bugs: str, otherwise: str = "question") -> None:
        """Answer `bug` to texts with `bugs` in them, and something else to the others."""
        rules: list[dict[str, Any]] = [
            {"when": {"last_contains": bugs}, "reply": {"text": "bug"}},
            {"when": {}, "reply": {"text": otherwise}},
        ]
        script = {"format": "agentci/script", "version": 1, "rules": rules}
        self.write("script.yaml", json.dumps(script))

    def record_anew(self) -> None:
        """Draw every answer again."""
        git(self.root, "rm", "-rqf", "--ignore-unmatch", "cassettes")
        self.agentci("eval", "--mode", "record")

    def commit(self, message: str) -> str:
        """Commit everything and return the id."""
        git(self.root, "add", "--all")
        git(self.root, "commit", "-qm", message)
        return git(self.root, "rev-parse", "HEAD")

    def forget(self) -> None:
        """Remove what this machine knows of earlier evaluations."""
        shutil.rmtree(self.root / ".agentci", ignore_errors=True)

    def agentci(self, *arguments: str, **env: str) -> CommandOutput:
        """Call agentci in the repository."""
        return agentci(*arguments, folder=self.root, env=env)

    def gate(self, *arguments: str, **env: str) -> dict[str, Any]:
        """Judge, and return the decision with the exit code as `code`."""
        done = self.agentci("gate", "--json", *arguments, **env)
        assert done.out, done.err
        return {**json.loads(done.out), "code": done.code}

    def commit_nothing(self) -> None:
        """Make a commit without files."""
        git(self.root, "commit", "-qm", "nothing", "--allow-empty")
