"""What a run's recordings promise: a replay uses all of them, a change is named, records prune."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.support.projects import Project, shipped, small

ASK = """
steps:
  - {id: ask, agent: a, prompt: ask.md, with: {question: one}}
  - {id: also, agent: a, prompt: ask.md, with: {question: two}}
"""
PIPELINE = "pipelines/small/pipeline.yaml"


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return small(tmp_path / "project", ASK)


def change(project: Project, old: str, new: str, name: str = PIPELINE) -> None:
    path = project.folder / name
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def lanes(project: Project) -> list[str]:
    top = project.folder / "cassettes/small"
    return sorted(path.relative_to(top).as_posix() for path in top.rglob("*.yaml"))


def test_a_recording_that_nobody_asks_for_fails_a_replay_and_record_mode_removes_it(
    project: Project,
) -> None:
    project.run("small")
    change(project, "question: two", "question: three")
    miss = project.call("run", "small", "--mode", "replay")
    assert (miss.code, "also/a" in miss.err) == (4, True)
    assert "three" in miss.err
    project.run("small")
    left = project.run("small", "--mode", "replay", code=4)
    assert left["unplayed"]
    assert left["error"]["code"] == "ACI-R102"
    assert "--mode record" in left["error"]["hint"]
    project.run("small", "--mode", "record")
    assert project.run("small", "--mode", "replay")["unplayed"] == []


def test_record_mode_also_removes_what_steps_that_are_gone_had_recorded(project: Project) -> None:
    project.run("small")
    change(project, "{id: also,", "{id: other,")
    project.run("small", "--mode", "record")
    assert lanes(project) == ["ask/a.yaml", "other/a.yaml"]
    assert project.run("small", "--mode", "replay")["unplayed"] == []


def test_record_mode_removes_nothing_when_the_run_fails(project: Project) -> None:
    project.run("small")
    change(project, "question: two}}", 'question: two}, when: "${{ steps.ask.outcome }}"}')
    assert project.call("run", "small", "--mode", "record").code == 1
    assert lanes(project) == ["also/a.yaml", "ask/a.yaml"]


def test_a_run_with_other_inputs_has_recordings_of_its_own(tmp_path: Path) -> None:
    steps = ASK.replace("question: one", 'question: "${{ inputs.q }}"')
    project = small(tmp_path / "project", "inputs: {q: {default: one}}" + steps)
    first = project.run("small")
    other = project.run("small", "--set", "q=else")
    assert first["cassettes"] != other["cassettes"]
    project.forget()
    assert project.run("small", "--mode", "replay")["run_digest"] == first["run_digest"]
    replay = project.run("small", "--mode", "replay", "--set", "q=else")
    assert replay["run_digest"] == other["run_digest"]


def test_a_live_run_is_marked_everywhere_and_keeps_nothing(project: Project) -> None:
    report = project.run("small", "--mode", "live")
    assert (report["mode"], report["reproducible"], report["matches_lock"]) == ("live", False, None)
    assert not (project.folder / "cassettes").exists()
    text = project.call("run", "small", "--mode", "live")
    assert "not reproducible" in text.out
    refused = project.call("accept")
    assert (refused.code, "live" in refused.err) == (2, True)


def test_everything_recorded_anew_survives_a_crash_in_the_middle(project: Project) -> None:
    project.run("small")
    project.forget()
    assert project.die(8, "before", "run", "small", "--mode", "record", "--all").code == -9
    report = project.report("resume")
    assert report["verdict"] == "passed"
    project.forget()
    again = project.run("small", "--mode", "replay")
    assert (again["run_digest"], again["unplayed"]) == (report["run_digest"], [])


# Planted faults: each must change the digest or be named.

PLANTED = {
    "the clock": "import time\nprint(time.time_ns())\n",
    "a random id": "import uuid\nprint(uuid.uuid4())\n",
    "an object's address": "print(hash(object()))\n",
}


@pytest.mark.parametrize("code", PLANTED.values(), ids=PLANTED)
def test_a_step_that_reads_something_of_this_machine_changes_the_digest(
    tmp_path: Path, code: str
) -> None:
    steps = "steps: [{id: quiet, run: [python, -c, 'print(1)']}, {id: bad, run: [python, bad.py]}]"
    project = small(tmp_path / "project", steps, bad__DOTpy=code)
    first = project.run("small")
    second = project.run("small", "--no-cache")
    if first["run_digest"] == second["run_digest"]:
        pytest.fail("the planted fault was not seen")
    digests = [{s["lane"]: s["output"] for s in each["steps"]} for each in (first, second)]
    assert digests[0]["quiet"] == digests[1]["quiet"]
    assert digests[0]["bad"]["stdout"] != digests[1]["bad"]["stdout"]


def test_iterating_a_set_is_harmless_because_the_hash_seed_is_fixed(tmp_path: Path) -> None:
    steps = "steps: [{id: set, run: [python, bad.py]}]"
    code = "print({'a', 'b', 'c', 'd', 'e', 'f', 'g'})\n"
    project = small(tmp_path / "project", steps, bad__DOTpy=code)
    digests = {
        project.run("small", "--no-cache", env={"PYTHONHASHSEED": str(seed)})["run_digest"]
        for seed in range(3)
    }
    assert len(digests) == 1


def test_iterating_a_set_with_a_hash_seed_of_its_own_changes_the_digest(tmp_path: Path) -> None:
    steps = "steps: [{id: set, run: [python, bad.py], env: {PYTHONHASHSEED: random}}]"
    code = "print([str(n) for n in {chr(97 + n) for n in range(20)}])\n"
    project = small(tmp_path / "project", steps, bad__DOTpy=code)
    digests = {project.run("small", "--no-cache")["run_digest"] for _ in range(3)}
    assert len(digests) > 1


def test_an_edited_prompt_is_a_miss_that_names_lane_and_words(tmp_path: Path) -> None:
    project = shipped(tmp_path)
    path = tmp_path / "pipelines/bugfix/prompts/review.md"
    path.write_text(path.read_text() + "Be unkind about zebras.\n")
    done = project.call("run", "pipelines/bugfix", "--mode", "replay")
    assert done.code == 4
    assert "fix[1]/review/reviewer" in done.err
    assert "zebras" in done.err


def test_an_extra_request_is_a_miss(project: Project) -> None:
    project.run("small")
    change(project, "  - {id: also,", "  - {id: extra, agent: a, prompt: ask.md, with: "
           "{question: one}}\n  - {id: also,")  # fmt: skip
    done = project.call("run", "small", "--mode", "replay")
    assert (done.code, "extra/a" in done.err) == (4, True)


def test_an_edited_recording_is_seen(project: Project) -> None:
    first = project.run("small")
    change(project, "yes", "yes!", "cassettes/small/also/a.yaml")
    again = project.run("small", "--mode", "replay")
    assert again["run_digest"] != first["run_digest"]
    sources = {step["lane"]: step["source"] for step in again["steps"]}
    assert sources == {"ask": "cached", "also": "replayed"}


def test_an_edited_definition_changes_the_digest_and_why_names_the_field(project: Project) -> None:
    first = project.run("small")
    change(project, "question: two}}", "question: two}, salt: x}")
    again = project.run("small")
    assert again["run_digest"] != first["run_digest"]
    why: Any = project.report("why", "last", "also")
    fields = {each["field"] for each in why["changes"]}
    assert fields
    assert all("definition" in each or "salt" in each for each in fields)


def test_a_changed_definition_is_named_by_the_lock(project: Project) -> None:
    project.run("small")
    assert project.call("accept").code == 0
    assert project.run("small", "--mode", "replay")["matches_lock"] is True
    change(project, "question: two}}", "question: two}, salt: x}")
    report = project.run("small", "--mode", "replay", code=4)
    assert report["matches_lock"] is False
    assert "definition" in report["lock_note"]


def test_a_budget_is_the_same_with_a_warm_cache(tmp_path: Path) -> None:
    project = small(tmp_path / "project", ASK.replace("steps:", "limits: {tokens: 3}\nsteps:"))
    for _ in range(3):
        done = project.call("run", "small")
        assert (done.code, "limits.tokens" in done.err) == (7, True)
    assert project.call("resume").code == 7


def test_a_time_limit_ends_a_run(tmp_path: Path) -> None:
    steps = "limits: {seconds: 0.5}\nsteps: [{id: slow, run: [sleep, '60']}]"
    done = small(tmp_path / "project", steps).call("run", "small")
    assert (done.code, "limits.seconds" in done.err) == (7, True)
