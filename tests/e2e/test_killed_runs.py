"""`kill -9` at every write of the shipped pipeline, then `agentci resume`: the same digest."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from agentci.spec.script import read_script
from tests.support.command_line import ROOT
from tests.support.model_server import ModelServer
from tests.support.projects import Project, shipped

BUGFIX = "pipelines/bugfix"
WHEN = re.compile(r"^  (?:at|seconds): .*\n", re.MULTILINE)
"""When an answer was recorded and how long it took: provenance, which no digest covers."""

REPLAY_WRITES = 17
"""Writes of a replay: header, start of the run, two for each of seven leaf steps, end."""


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Return the digest of a run that nobody disturbs."""
    project = shipped(tmp_path_factory.mktemp("whole"))
    digest: str = project.run(BUGFIX, "--mode", "auto")["run_digest"]
    return digest


def test_a_replay_has_as_many_writes_as_these_tests_kill_it_at(tmp_path: Path) -> None:
    death = shipped(tmp_path).die(0, "before", "run", BUGFIX)
    assert (death.code, death.writes) == (0, REPLAY_WRITES)


@pytest.mark.parametrize("moment", ["before", "torn", "after"])
@pytest.mark.parametrize("write", [3, 8, 17])
def test_a_replay_killed_at_some_writes_resumes_to_the_same_digest(
    tmp_path: Path, write: int, moment: str, whole: str
) -> None:
    kill_and_resume(shipped(tmp_path), write, moment, digest=whole)


@pytest.mark.slow
@pytest.mark.parametrize("moment", ["before", "torn", "after"])
@pytest.mark.parametrize("write", range(2, REPLAY_WRITES + 1))
def test_a_replay_killed_at_any_write_resumes_to_the_same_digest(
    tmp_path: Path, write: int, moment: str, whole: str
) -> None:
    kill_and_resume(shipped(tmp_path), write, moment, digest=whole)


def kill_and_resume(project: Project, write: int, moment: str, *, digest: str) -> None:
    death = project.die(write, moment, "run", BUGFIX)
    assert death.code == -9, death.err
    before = finished_steps(project)
    report = project.report("resume")
    assert report["run_digest"] == digest
    sources = {step["lane"]: step["source"] for step in leaves(report["steps"])}
    assert {lane for lane, source in sources.items() if source == "resumed"} == before
    again = project.call("resume")
    assert (again.code, "nothing to resume" in again.err) == (5, True)


def test_a_run_killed_before_its_first_event_is_started_anew(tmp_path: Path, whole: str) -> None:
    project = shipped(tmp_path)
    for moment in ("before", "torn"):
        assert project.die(1, moment, "run", BUGFIX).code == -9
        done = project.call("resume")
        assert done.code in {2, 5}
        assert "agentci run" in done.err
    assert project.run(BUGFIX)["run_digest"] == whole


def test_a_recording_killed_at_a_write_asks_again_only_for_the_call_in_flight(
    tmp_path: Path,
) -> None:
    for write, moment in ((9, "before"), (14, "torn"), (22, "after")):
        record_and_kill(tmp_path / moment, [write], [moment])


@pytest.mark.slow
@pytest.mark.parametrize("part", range(6))  # so that several workers share them
def test_a_recording_killed_at_any_write_asks_again_only_for_the_call_in_flight(
    tmp_path: Path, part: int
) -> None:
    record_and_kill(tmp_path, range(2 + part, 60, 6), ["before", "torn", "after"])


def record_and_kill(tmp_path: Path, writes: Sequence[int], moments: Sequence[str]) -> None:
    """Kill recordings at each of `writes`, as far as there are so many, at `moments` in turn."""
    script = read_script((ROOT / BUGFIX / "script.yaml").read_bytes(), "script")
    arguments = ("run", BUGFIX, "--mode", "record", "--sandbox", "process")
    with ModelServer(script) as server:
        whole = shipped(tmp_path / "whole", cassettes=False)
        done = whole.die(0, "before", *arguments, env=server.environment)
        assert done.code == 0, done.err
        needed = len(server.requests)
        expected = recordings(whole)
        expected_digest = whole.run(BUGFIX)["run_digest"]
        possible = [write for write in writes if write <= done.writes]
        assert possible
        for number, write in enumerate(possible):
            moment = moments[number % len(moments)]
            project = shipped(tmp_path / f"{write}", cassettes=False)
            server.requests.clear()
            death = project.die(write, moment, *arguments, env=server.environment)
            assert death.code == -9, death.err
            kept = recordings(project)
            report = project.report("resume", env=server.environment)
            assert report["run_digest"] == expected_digest
            assert len(server.requests) <= needed + 1
            assert recordings(project) == expected
            assert_kept(kept, expected)
            project.forget()
            replayed = project.run(BUGFIX, "--mode", "replay")
            assert replayed["run_digest"] == expected_digest


def recordings(project: Project) -> dict[str, str]:
    top = project.folder / "cassettes"
    return {
        path.relative_to(top).as_posix(): WHEN.sub("", path.read_text())
        for path in sorted(top.rglob("*.yaml"))
        if "objects" not in path.as_posix()
    }


def assert_kept(kept: Mapping[str, str], expected: Mapping[str, str]) -> None:
    """What a killed run had recorded is in the cassettes at the end, call by call."""
    for path, text in kept.items():
        for line in text.splitlines():
            if line.startswith("key: ") and text.endswith("\n"):
                assert line in expected[path]


def finished_steps(project: Project) -> set[str]:
    (run,) = (project.folder / ".agentci" / "runs").iterdir()
    lines = (run / "journal.jsonl").read_text().split("\n")[:-1]
    events = [json.loads(line)["event"] for line in lines]
    return {event["record"]["lane"] for event in events if event.get("type") == "step.finished"}


def leaves(steps: list[dict[str, Any]]) -> list[dict[str, Any]]:
    found = []
    for step in steps:
        found += leaves(step["steps"]) or [step]
    return found
