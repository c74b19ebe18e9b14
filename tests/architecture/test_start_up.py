"""What a start loads. Deterministic, unlike a time: a heavy import shows up here by name."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.command_line import ROOT
from tests.support.gate_project import GateProject

HEAVY = (
    "agentci.adapters.byte_store",
    "agentci.adapters.http",
    "agentci.engine",
    "anthropic",
    "asyncio",
    "click",
    "diskcache",
    "docker",
    "git",
    "google",
    "httpx",
    "httpx2",
    "openai",
    "pytest",
    "rich",
    "sqlite3",
    "ssl",
    "vcr",
)
"""Not even a command that reads definitions may load these."""

PARSING = ("importlib.metadata", "jinja2", "jsonschema", "pydantic", "pydantic_core", "yaml")
"""Not for help."""

_PROBE = """
import json, sys
sys.argv = ["agentci", *json.loads(sys.argv[1])]
from agentci.__main__ import main
code = main()
sys.stderr.write("\\n" + json.dumps([code, sorted(sys.modules)]))
"""


def _modules_after(*arguments: str, code: int = 0, folder: Path = ROOT) -> frozenset[str]:
    done = subprocess.run(
        [sys.executable, "-c", _PROBE, json.dumps(arguments)],
        cwd=folder,
        env={"PYTHONPATH": str(ROOT), "NO_COLOR": "1"},
        capture_output=True,
        text=True,
        check=True,
    )
    found, modules = json.loads(done.stderr.rpartition("\n")[2])
    assert found == code, done.stderr
    return frozenset(modules)


def _loaded(banned: tuple[str, ...], modules: frozenset[str]) -> list[str]:
    return [name for name in banned if name in modules]


def test_version_loads_nothing_but_the_version() -> None:
    modules = _modules_after("--version")
    own = {name for name in modules if name.startswith("agentci")}
    assert own == {"agentci", "agentci.__main__"}
    assert not _loaded(("typer", "dataclasses", "typing", "pathlib", "argparse"), modules)


def test_help_loads_the_parser_and_no_command() -> None:
    modules = _modules_after("--help")
    assert not _loaded(HEAVY + PARSING, modules)
    assert not [name for name in modules if name.startswith(("agentci.spec", "agentci.plan"))]


@pytest.mark.parametrize("command", ["check", "graph", "schema"])
def test_commands_on_definitions_load_no_engine(command: str, tmp_path: Path) -> None:
    _modules_after("init", folder=tmp_path)
    arguments = {"graph": ("pipelines/bugfix",), "schema": ("pipeline",)}.get(command, ())
    assert not _loaded(HEAVY, _modules_after(command, *arguments, folder=tmp_path))


def test_a_check_of_an_unchanged_project_is_decided_before_pydantic(tmp_path: Path) -> None:
    for command in ("init", "check"):
        _modules_after(command, folder=tmp_path)
    assert not _loaded(HEAVY + PARSING, _modules_after("check", folder=tmp_path))


NOT_FOR_A_CHECK = (
    "agentci.agents",
    "agentci.core.effects",
    "agentci.core.messages",
    "agentci.core.wire",
    "agentci.record",
    "agentci.spec.script",
    "agentci.spec.wording",
    "agentci.steps",
    "agentci.tools.masking",
    "agentci.tools.text_search",
    "agentci.tools.walk",
    "agentci.tools.workspace_files",
    "jinja2",
    "jsonschema",
)
"""Definitions are read and judged; nothing of a run is loaded for that."""

NOT_FOR_A_REPLAY = (
    "agentci.adapters.git_publish",
    "agentci.agents.sampling",
    "agentci.app.approve",
    "agentci.app.plan",
    "agentci.app.resume",
    "agentci.engine.preview",
    "agentci.models.calling",
    "agentci.models.endpoints",
    "agentci.models.retries",
    "agentci.models.scripted",
    "agentci.plan.explain",
    "agentci.plan.planner",
    "agentci.record.document",
    "agentci.record.http",
    "agentci.record.miss",
    "agentci.record.seal",
    "agentci.record.secrets",
    "agentci.record.text_diff",
    "agentci.record.yaml_text",
    "agentci.spec.script",
    "agentci.spec.wording",
    "agentci.tools.text_search",
    "agentci.tools.walk",
    "agentci.tools.workspace_files",
    "anthropic",
    "docker",
    "git",
    "google",
    "httpx",
    "httpx2",
    "jinja2",
    "jsonschema",
    "openai",
    "rich",
    "vcr",
)
"""What only asks a model, records, explains a miss, or serves other commands."""


def test_a_check_loads_nothing_of_a_run(tmp_path: Path) -> None:
    shutil.copytree(ROOT / "pipelines", tmp_path / "pipelines")
    modules = _modules_after("check", "--no-cache", folder=tmp_path)
    assert not _loaded(NOT_FOR_A_CHECK, modules)


def test_a_replay_loads_nothing_that_only_a_recording_needs(tmp_path: Path) -> None:
    for name in ("pipelines", "cassettes"):
        shutil.copytree(ROOT / name, tmp_path / name)
    arguments = ("run", "pipelines/bugfix", "--mode", "replay", "--json")
    assert not _loaded(NOT_FOR_A_REPLAY, _modules_after(*arguments, folder=tmp_path))


NOT_FOR_KNOWN_RESULTS = (
    "agentci.agents",
    "agentci.app.eval_jobs",
    "agentci.engine",
    "agentci.models.gateway",
    "agentci.models.spending",
    "agentci.steps",
    "jinja2",
    "jsonschema",
    "numpy",
    "scipy",
)
"""Whatever carries out a trial, where each one's result is known."""


def test_results_that_are_known_are_judged_without_what_runs_a_trial(tmp_path: Path) -> None:
    project = GateProject.create(tmp_path)
    assert project.agentci("gate").code == 0
    for command in ("eval", "gate"):
        modules = _modules_after(command, folder=tmp_path)
        assert not _loaded(HEAVY + NOT_FOR_KNOWN_RESULTS, modules)
