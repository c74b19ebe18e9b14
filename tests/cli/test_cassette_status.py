"""`agentci cassette status`: every lane is judged, and nothing is touched."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

from tests.support.projects import Project, small

PIPELINE = "pipelines/small/pipeline.yaml"
STEPS = """
models: {m: {provider: scripted, id: m, script: script.yaml}}
agents: {a: {model: m}, b: {model: m}}
steps:
  - {id: ask, needs: [], agent: a, prompt: ask.md, with: {question: one}}
  - {id: then, needs: [ask], agent: a, prompt: ask.md, with: {question: two}}
  - {id: also, needs: [], agent: a, prompt: ask.md, with: {question: three}}
  - id: fix
    needs: []
    loop:
      max: 3
      until: ${{ loop.iteration >= 2 }}
      steps:
        - {id: code, agent: b, prompt: ask.md, with: {question: "${{ loop.iteration }}"}}
"""


@pytest.fixture
def project(tmp_path: Path) -> Project:
    project = small(tmp_path, STEPS)
    project.run("small")
    return project


def change(project: Project, old: str, new: str) -> None:
    path = project.folder / PIPELINE
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def states(project: Project, *arguments: str, code: int = 4) -> dict[str, str]:
    return {lane["lane"]: lane["state"] for lane in _lanes(project, *arguments, code=code)}


def _lanes(project: Project, *arguments: str, code: int = 4) -> list[Any]:
    (status,) = project.report("cassette", "status", *arguments, code=code)["pipelines"]
    lanes: list[Any] = status["lanes"]
    return lanes


def snapshot(folder: Path) -> dict[str, bytes]:
    files = (path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}


def test_everything_is_fresh_after_recording_and_nothing_is_touched(project: Project) -> None:
    before = snapshot(project.folder)
    result = project.report("cassette", "status")
    assert result["fresh"] is True
    assert result["counts"]["fresh"] == 5
    assert snapshot(project.folder) == before
    text = project.call("cassette", "status", "small")
    assert (text.code, text.err) == (0, "")
    assert text.out.endswith("5 lanes: 5 fresh\n")


def test_a_stale_lane_says_why_and_what_needs_it_was_not_reached(project: Project) -> None:
    change(project, "question: one", "question: uno")
    assert states(project) == {
        "ask/a": "stale",
        "then/a": "unreached",
        "also/a": "fresh",
        "fix[1]/code/b": "fresh",
        "fix[2]/code/b": "fresh",
    }
    stale = _lanes(project)[0]
    assert stale["causes"] == ["prompt edited"]
    assert "[-one-]{+uno+}" in stale["changes"][0]
    text = project.call("cassette", "status")
    assert text.code == 4
    assert "[-one-]{+uno+}" in text.out
    assert "agentci record --changed" in text.err


def test_several_stale_lanes_are_all_found_at_once(project: Project) -> None:
    change(project, "question: one", "question: uno")
    change(project, "question: three", "question: tre")
    found = states(project)
    assert (found["ask/a"], found["also/a"]) == ("stale", "stale")


def test_what_is_not_asked_any_more_is_unplayed_or_orphaned(project: Project) -> None:
    change(project, "iteration >= 2", "iteration >= 1")
    change(project, "  - {id: also, needs: [], agent: a", "  - {id: also, needs: [], agent: b")
    found = states(project)
    assert found["fix[2]/code/b"] == "unplayed"
    assert found["also/a"] == "orphaned"
    assert found["also/b"] == "new"
    change(project, "max: 3", "max: 1")
    assert states(project)["fix[2]/code/b"] == "orphaned"


def test_a_pipeline_without_recordings_is_new(project: Project) -> None:
    shutil.rmtree(project.folder / "cassettes")
    project.forget()
    found = states(project)
    assert found == {"ask/a": "new", "also/a": "new", "fix[1]/code/b": "new"}


def test_a_large_file_is_oversized(project: Project) -> None:
    assert project.report("cassette", "status", "--max-size", "100", code=4)["counts"] == {
        **dict.fromkeys(("stale", "new", "unplayed", "unreached", "orphaned"), 0),
        "fresh": 5,
        "oversized": 5,
    }


def test_recordings_of_other_inputs_are_named_and_judged_when_asked(tmp_path: Path) -> None:
    steps = STEPS.replace("question: one", 'question: "${{ inputs.q }}"')
    project = small(tmp_path, "inputs: {q: {default: one}}" + steps)
    project.run("small")
    project.run("small", "--set", "q=else")
    result = project.report("cassette", "status")
    (note,) = result["notes"]
    assert "recorded with other inputs" in note
    assert set(states(project, "small", "--set", "q=else", code=0).values()) == {"fresh"}
    assert states(project, "small", "--set", "q=third")["ask/a"] == "new"


def test_a_failing_step_is_a_problem_of_the_pipeline(project: Project) -> None:
    change(project, "  - id: fix", "  - {id: bad, needs: [], run: ['false']}\n  - id: fix")
    (status,) = project.report("cassette", "status", code=4)["pipelines"]
    assert status["problem"] == "the step `bad` ended with `failed`"


@pytest.mark.parametrize(
    ("arguments", "code"), [(("smal",), 5), (("--set", "x"), 2), (("--max-size", "0"), 2)]
)
def test_wrong_calls_say_what_to_do(
    project: Project, arguments: tuple[str, ...], code: int
) -> None:
    done = project.call("cassette", "status", *arguments)
    assert (done.code, done.out) == (code, "")
    assert "hint: " in done.err
