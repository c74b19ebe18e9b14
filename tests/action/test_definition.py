"""`action.yml`, the hooks and the workflows are what GitHub and pre-commit take, and safe."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.support.command_line import ROOT, agentci

ACTION = ROOT / "action.yml"
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
TEMPLATE = ROOT / "templates" / "init" / ".github" / "workflows" / "agentci.yml"
_KEBAB = re.compile(r"[a-z]+(-[a-z]+)*")
_FENCE = re.compile(r"^```yaml\n(.*?)^```", re.MULTILINE | re.DOTALL)


def _action() -> dict[str, Any]:
    content: dict[str, Any] = yaml.safe_load(ACTION.read_text())
    return content


def _tool(name: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    program = Path(sys.executable).parent / name
    return subprocess.run(
        [str(program), *arguments], cwd=ROOT, capture_output=True, text=True, check=False
    )


def _valid(schema: str, files: Sequence[Path]) -> None:
    names = [str(file) for file in files]
    done = _tool("check-jsonschema", "--builtin-schema", f"vendor.{schema}", *names)
    assert done.returncode == 0, done.stdout + done.stderr


def _safe(files: Sequence[Path]) -> None:
    done = _tool("zizmor", "--offline", "--no-progress", *(str(file) for file in files))
    assert done.returncode == 0, done.stdout + done.stderr


def _documented_workflows(folder: Path) -> list[Path]:
    """Write the workflows that docs/ci.md shows into files, and return those."""
    found = []
    for number, text in enumerate(_FENCE.findall((ROOT / "docs" / "ci.md").read_text())):
        if "jobs:" in text and "runs-on:" in text:
            place = folder / ".github" / "workflows" / f"{number}.yml"
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_text(text)
            found.append(place)
    return found


def test_the_action_is_valid() -> None:
    _valid("github-actions", [ACTION])


def test_workflows_are_valid(tmp_path: Path) -> None:
    assert agentci("init", folder=tmp_path).code == 0
    written = tmp_path / ".github" / "workflows" / "agentci.yml"
    _valid("github-workflows", [*WORKFLOWS, written, *_documented_workflows(tmp_path)])


def test_nothing_in_them_can_be_abused(tmp_path: Path) -> None:
    _safe([ACTION, *WORKFLOWS, TEMPLATE, *_documented_workflows(tmp_path)])


def test_inputs_and_outputs_are_named_alike_and_described() -> None:
    action = _action()
    for name, declared in {**action["inputs"], **action["outputs"]}.items():
        assert _KEBAB.fullmatch(name)
        assert declared["description"].strip()
    assert all("default" in declared for declared in action["inputs"].values())


def test_no_expression_stands_in_a_script() -> None:
    scripts = [step["run"] for step in _action()["runs"]["steps"] if "run" in step]
    assert scripts
    assert not [script for script in scripts if "${{" in script]
    assert all(len(script.splitlines()) == 1 for script in scripts)


def test_every_input_is_used() -> None:
    text = ACTION.read_text()
    assert not [name for name in _action()["inputs"] if f"inputs.{name}" not in text]


def test_every_input_and_output_is_documented() -> None:
    page = (ROOT / "docs" / "ci.md").read_text()
    action = _action()
    assert not [n for n in [*action["inputs"], *action["outputs"]] if f"`{n}`" not in page]


@pytest.mark.parametrize("hook", yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text()))
def test_a_hook_names_a_command_that_is_there(hook: dict[str, Any]) -> None:
    program, *arguments = hook["entry"].split()
    assert program == "agentci"
    assert agentci(*arguments, "--help", folder=ROOT).code == 0
    assert hook["pass_filenames"] is False
    pattern = re.compile(hook["files"])
    for path in ("agentci.yaml", "agentci.lock", "pipelines/a/b.md", "cassettes/a/b.yaml"):
        assert pattern.search(path)
    for path in ("src/pipelines/a", "readme.md", "agentci.yaml.orig"):
        assert not pattern.search(path)
