"""A project with a pipeline and suites, in memory."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from textwrap import dedent

from agentci.app.project import Project, open_project
from agentci.app.suites import LoadedSuite, load_suite
from tests.support.memory_files import MemoryFiles

ROOT = Path("/project")
HOME = ROOT / "pipelines" / "qa"

PIPELINE = """\
format: agentci/pipeline
version: 1
name: qa
sandbox: process
inputs: {question: {type: string}, level: {type: integer, default: 1}}
models:
  m: {provider: scripted, id: m, script: script.yaml}
  judge: {provider: scripted, id: j, script: script.yaml}
agents:
  a: {model: m, system: system.md}
  b: {model: m, system: gone.md}
steps: [{id: ask, agent: a, prompt: ask.md, with: {question: "${{ inputs.question }}"}}]
output: {text: "${{ steps.ask.output.text }}"}
"""

FILES = {
    "pipelines/qa/pipeline.yaml": PIPELINE.replace("  b: {model: m, system: gone.md}\n", ""),
    "pipelines/qa/ask.md": "{{ question }}\n",
    "pipelines/qa/system.md": "Answer.\n",
    "pipelines/qa/script.yaml": (
        "format: agentci/script\nversion: 1\nrules: [{reply: {text: hello}}]\n"
    ),
    "pipelines/qa/rows.jsonl": (
        '{"id": "b", "input": {"question": "2?"}, "expected": "2", "tags": ["hard"]}\n'
        '{"id": "a", "input": {"question": "1?"}, "expected": "1"}\n'
    ),
}


def project_files(more: Mapping[str, str | bytes] | None = None) -> MemoryFiles:
    """Return the files of the project, with others instead or besides."""
    return MemoryFiles({str(ROOT / path): data for path, data in {**FILES, **(more or {})}.items()})


def suite_text(
    target: str = "{}",
    *,
    dataset: str = "{path: rows.jsonl}",
    more: str = "",
    scorers: str = "[{kind: exact}]",
    name: str = "qa",
) -> str:
    """Return a definition of a suite; parts are YAML, and `more` is added at its end."""
    return (
        f"format: agentci/suite\nversion: 1\nname: {name}\ntarget: {target}\n"
        f"dataset: {dataset}\nscorers: {scorers}\n{dedent(more)}"
    )


def opened(files: MemoryFiles) -> Project:
    """Return the project in `files`."""
    files.content.setdefault(ROOT / "agentci.yaml", b"format: agentci/config\nversion: 1\n")
    return open_project(ROOT, files)


def loaded(files: MemoryFiles, folder: Path = HOME) -> LoadedSuite:
    """Return the suite in `folder`."""
    return load_suite(folder, files, root=ROOT)
