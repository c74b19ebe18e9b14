"""External steps: sent at most once, with a stable key, and never again by replay or resume."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.projects import Project, small

SEND = """
import os, pathlib, sys, time
outbox = pathlib.Path(sys.argv[1])
with outbox.open("a") as file:
    file.write(os.environ["AGENTCI_IDEMPOTENCY_KEY"] + "\\n")
if len(sys.argv) > 2:
    time.sleep(float(sys.argv[2]))
print("sent")
"""


def project_that_sends(folder: Path, *, more: str = "", extra: str = "") -> Project:
    outbox = folder / "outbox"
    steps = f"""
steps:
  - {{id: before, run: [python, -c, "print(1)"]}}
  - {{id: send, run: [python, send.py, "{outbox}"{extra}], side_effects: external}}
{more}
"""
    return small(folder / "project", steps, send__DOTpy=SEND)


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return project_that_sends(tmp_path)


def sent(project: Project) -> list[str]:
    outbox = project.folder.parent / "outbox"
    return outbox.read_text().splitlines() if outbox.exists() else []


def test_what_was_sent_is_not_sent_again_by_another_run_or_a_replay(project: Project) -> None:
    first = project.run("small")
    assert len(sent(project)) == 1
    project.forget()
    again = project.run("small", "--mode", "replay")
    assert again["run_digest"] == first["run_digest"]
    project.run("small", "--mode", "record")
    assert len(sent(project)) == 1


def test_a_replay_without_a_recording_sends_nothing_and_names_the_lane(project: Project) -> None:
    done = project.call("run", "small", "--mode", "replay")
    assert done.code == 4
    assert "send" in done.err
    assert sent(project) == []


def test_recording_all_again_sends_again_with_another_key(project: Project) -> None:
    project.run("small")
    project.run("small", "--mode", "record", "--all")
    keys = sent(project)
    assert len(keys) == 2
    assert len(set(keys)) == 2


@pytest.mark.parametrize(("write", "moment"), [(6, "torn"), (6, "after"), (7, "torn"), (8, "torn")])
def test_a_run_killed_around_the_sending_never_sends_twice(
    tmp_path: Path, write: int, moment: str
) -> None:
    kill_and_resume(tmp_path, write, moment)


@pytest.mark.slow
@pytest.mark.parametrize("moment", ["before", "torn", "after"])
@pytest.mark.parametrize("write", range(2, 9))
def test_a_killed_run_never_sends_twice(tmp_path: Path, write: int, moment: str) -> None:
    kill_and_resume(tmp_path, write, moment)


def kill_and_resume(tmp_path: Path, write: int, moment: str) -> None:
    project = project_that_sends(tmp_path)
    death = project.die(write, moment, "run", "small")
    assert death.code == -9
    known = len(sent(project))
    done = project.call("resume")
    if done.code == 0:
        assert len(sent(project)) == 1
        return
    # it was sent, and nobody knows what came of it
    assert (done.code, known) in {(1, 0), (1, 1)}
    assert "was sent before the run stopped" in done.err or "halted" in done.err
    for _ in range(2):
        assert project.call("resume").code == 1, "a halted step stays halted"
    assert len(sent(project)) == known
    report = project.report("resume", "--resend", "send")
    assert report["verdict"] == "passed"
    assert len(sent(project)) == known + 1
    assert len(set(sent(project))) == 1, "the same run has the same idempotency key"


def test_a_halted_step_is_shown_as_such(tmp_path: Path) -> None:
    project = project_that_sends(tmp_path)
    project.die(7, "before", "run", "small")
    report = project.report("resume", code=1)
    outcomes = {step["lane"]: (step["outcome"], step["source"]) for step in report["steps"]}
    assert outcomes["before"] == ("done", "resumed")
    assert outcomes["send"][0] == "halted"
    assert "--resend send" in project.call("resume").err


def test_only_a_step_that_was_sent_can_be_sent_again(project: Project) -> None:
    project.die(3, "after", "run", "small")
    done = project.call("resume", "--resend", "send")
    assert done.code == 2
    assert "not an external step that was sent" in done.err


def test_an_external_step_cannot_be_tried_again_by_itself(tmp_path: Path) -> None:
    retry = "retry: {attempts: 2, on: [failed], delay: 0}"
    steps = f"steps: [{{id: send, run: [python, send.py], side_effects: external, {retry}}}]"
    done = small(tmp_path / "project", steps, send__DOTpy=SEND).call("run", "small")
    assert done.code == 2
    assert "sent at most once" in done.err
