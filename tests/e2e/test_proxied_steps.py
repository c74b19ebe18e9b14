"""Steps whose programs ask models themselves: recorded, replayed, cached, and missed."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tests.support.command_line import ROOT
from tests.support.model_server import ModelServer
from tests.support.projects import Project, small
from tests.support.recorded_programs import writes_a_file

PROGRAM = (ROOT / "tests/support/sdk_program.py").read_text()
CALL = """
import asyncio, sys
sys.argv = ["x", "openai", "stream"]
import agent

def ask(way):
    sys.argv = ["x", "openai", way]
    asyncio.run(agent.main())
    return way
"""
STEPS = f"""
steps:
  - id: ask
    run: [{sys.executable}, agent.py, anthropic, stream]
    proxy: true
    side_effects: workspace
  - id: call
    python: call.py:ask
    with: {{way: sync}}
    proxy: true
"""


def project(folder: Path, steps: str = STEPS) -> Project:
    files = {"agent.py": PROGRAM, "pipelines__small__agent.py": PROGRAM}
    return small(folder, steps, **files, **{"pipelines__small__call.py": CALL})


def test_a_step_is_recorded_and_replayed_in_another_place(tmp_path: Path) -> None:
    one = project(tmp_path / "one")
    with ModelServer(writes_a_file) as server:
        first = one.run("small", "--mode", "record", env=server.environment)
    two = project(tmp_path / "two" / "deeper")
    (two.folder / "cassettes").symlink_to(one.folder / "cassettes")
    for _ in range(2):
        fresh = two.run("small", "--mode", "replay", "--no-cache")
        assert fresh["run_digest"] == first["run_digest"]
    again = two.run("small", "--mode", "replay")
    again = two.run("small", "--mode", "replay")
    assert again["run_digest"] == first["run_digest"]
    assert [step["source"] for step in again["steps"]] == ["cached", "cached"]


def test_a_miss_fails_the_run_though_the_program_does_not_mind(tmp_path: Path) -> None:
    steps = STEPS.replace("run: [", "run: [sh, -c, '\"$@\" || true', sh, ")
    there = project(tmp_path, steps)
    done = there.call("run", "small", "--mode", "replay")
    assert done.code == 4, done.err
    assert "ACI-R101" in done.err


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ("sandbox: docker", "the sandbox `docker`"),
        ("side_effects: external", "not run by a replay"),
    ],
)
def test_a_step_that_cannot_have_a_proxy_is_refused(
    change: str, reason: str, tmp_path: Path
) -> None:
    steps = STEPS.replace("side_effects: workspace", change)
    done = project(tmp_path, steps).call("run", "small")
    assert done.code == 2
    assert reason in done.err
