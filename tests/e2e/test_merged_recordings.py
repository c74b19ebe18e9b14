"""Recordings in branches: what real git makes of them, and what agentci says to that."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from agentci.adapters.files import LocalFiles
from agentci.core.errors import FormatError
from agentci.core.json_types import JsonValue
from agentci.core.lane import Lane
from agentci.record.session import Mode, RecordingSession
from tests.support.command_line import agentci
from tests.support.git_sandbox import ENV, git
from tests.support.recordings import play, request_of, response_of, user

LANE = Lane("fix[1]/coder")
QUESTIONS = tuple(f"Question {number}: what does function {number} do?" for number in range(9))


def record(
    project: Path,
    *questions: str,
    lane: Lane = LANE,
    answers: str = "an answer",
    again: bool = False,
) -> None:
    """Record independent calls as a run would: what is not asked for any more goes."""
    session = _session(project, record_all=again)
    for question in questions:
        play(
            session, request_of(user(question)), response_of(user(f"{answers} to {question}")), lane
        )
    session.seal()
    session.close()


def record_talk(project: Path, *turns: str) -> None:
    """Record a conversation, in which each request continues the one before."""
    session = _session(project)
    messages: list[JsonValue] = []
    for turn in turns:
        messages.append(user(turn))
        play(session, request_of(*messages), response_of(user(f"answer to {turn}")), LANE)
        messages.append({"role": "assistant", "content": f"answer to {turn}"})
    session.seal()
    session.close()


def _session(project: Path, *, record_all: bool = False) -> RecordingSession:
    return RecordingSession(
        LocalFiles(), project / "cassettes" / "bugfix", mode=Mode.RECORD, record_all=record_all
    )


def replays(project: Path, *questions: str, lane: Lane = LANE) -> bool:
    """Say whether a replay finds all `questions`, and nothing else in the lane."""
    folder = project / "cassettes" / "bugfix"
    session = RecordingSession(LocalFiles(), folder, mode=Mode.REPLAY)
    for question in questions:
        play(session, request_of(user(question)), {}, lane)
    return session.unplayed([lane]) == ()


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A repository as `agentci init` leaves it."""
    git(tmp_path, "init", "-q")
    assert agentci("init", folder=tmp_path).code == 0
    commit(tmp_path, "init")
    return tmp_path


def commit(project: Path, message: str) -> None:
    git(project, "add", "--all")
    git(project, "commit", "-q", "-m", message)


def merge(project: Path, branch: str) -> bool:
    """Merge as a person would; say whether git had no conflict."""
    done = subprocess.run(
        ["git", "merge", "-q", "-m", "merge", branch],
        cwd=project, env=ENV, capture_output=True, check=False,
    )  # fmt: skip
    return done.returncode == 0


def verify(project: Path) -> tuple[int, str]:
    done = agentci("cassette", "verify", folder=project)
    return done.code, done.err


def changed(questions: tuple[str, ...], *places: int) -> tuple[str, ...]:
    return tuple(f"{text} Now." if n in places else text for n, text in enumerate(questions))


def test_branches_that_record_different_lanes_merge_without_conflict(project: Path) -> None:
    lanes = [Lane(name) for name in ("plan/planner", "fix[1]/coder", "fix[2]/coder")]
    for lane in lanes:
        record(project, *QUESTIONS, lane=lane)
    commit(project, "record")
    git(project, "checkout", "-q", "-b", "other")
    record(project, *changed(QUESTIONS, 3), lane=lanes[0])
    record(project, *QUESTIONS[:2], lane=Lane("new/tester"))
    commit(project, "other")
    git(project, "checkout", "-q", "main")
    record(project, *QUESTIONS, lane=lanes[1], answers="another answer", again=True)
    commit(project, "mine")
    assert merge(project, "other")
    assert verify(project) == (0, "")
    assert replays(project, *changed(QUESTIONS, 3), lane=lanes[0])
    assert replays(project, *QUESTIONS, lane=lanes[1])
    assert replays(project, *QUESTIONS, lane=lanes[2])
    assert replays(project, *QUESTIONS[:2], lane=Lane("new/tester"))


def test_branches_that_record_calls_apart_in_one_lane_merge_without_conflict(project: Path) -> None:
    record(project, *QUESTIONS)
    commit(project, "record")
    git(project, "checkout", "-q", "-b", "other")
    record(project, *changed(QUESTIONS, 2))
    commit(project, "other")
    git(project, "checkout", "-q", "main")
    record(project, *changed(QUESTIONS, 6))
    commit(project, "mine")
    assert merge(project, "other")
    assert verify(project) == (0, "")
    assert replays(project, *changed(QUESTIONS, 2, 6))


def test_branches_that_record_the_same_call_conflict_and_that_is_named(project: Path) -> None:
    record(project, *QUESTIONS)
    commit(project, "record")
    git(project, "checkout", "-q", "-b", "other")
    record(project, *changed(QUESTIONS, 4))
    commit(project, "other")
    git(project, "checkout", "-q", "main")
    mine = tuple(f"{text} Mine." if n == 4 else text for n, text in enumerate(QUESTIONS))
    record(project, *mine)
    commit(project, "mine")
    assert not merge(project, "other")
    code, said = verify(project)
    assert code == 2
    assert "cassettes/bugfix/fix.1/coder.yaml:" in said
    assert "in the middle of a merge" in said
    with pytest.raises(FormatError, match="in the middle of a merge"):
        replays(project, *mine)

    # as the hint says
    git(project, "checkout", "--ours", "cassettes/bugfix/fix.1/coder.yaml")
    assert verify(project) == (0, "")
    assert replays(project, *mine)


def test_both_branches_add_the_same_lane(project: Path) -> None:
    git(project, "checkout", "-q", "-b", "other")
    record(project, *QUESTIONS[:4])
    commit(project, "other")
    git(project, "checkout", "-q", "main")
    record(project, *QUESTIONS[5:])
    commit(project, "mine")
    assert not merge(project, "other")
    code, said = verify(project)
    assert (code, "in the middle of a merge" in said) == (2, True)


def test_branches_that_change_two_turns_of_one_conversation_never_merge_silently(
    project: Path,
) -> None:
    turns = [f"turn {number} of a conversation " * 20 for number in range(8)]
    record_talk(project, *turns)
    commit(project, "record")
    git(project, "checkout", "-q", "-b", "other")
    record_talk(project, *turns[:6], "another turn 6", turns[7])
    commit(project, "other")
    git(project, "checkout", "-q", "main")
    record_talk(project, *turns[:2], "my turn 2", *turns[3:])
    commit(project, "mine")
    assert not merge(project, "other") or verify(project)[0] == 2


def test_git_shows_recordings_as_init_says(project: Path) -> None:
    record(project, *QUESTIONS)
    commit(project, "record")
    file = "cassettes/bugfix/fix.1/coder.yaml"
    attributes = git(
        project, "check-attr", "linguist-generated", "diff", "text", "--", file, "agentci.lock",
        "pipelines/bugfix/pipeline.yaml", "src/code.py",
    ).splitlines()  # fmt: skip
    assert attributes == [
        f"{file}: linguist-generated: set",
        f"{file}: diff: agentci",
        f"{file}: text: unset",
        "agentci.lock: linguist-generated: set",
        "agentci.lock: diff: unspecified",
        "agentci.lock: text: unset",
        "pipelines/bugfix/pipeline.yaml: linguist-generated: unspecified",
        "pipelines/bugfix/pipeline.yaml: diff: unspecified",
        "pipelines/bugfix/pipeline.yaml: text: unset",
        "src/code.py: linguist-generated: unspecified",
        "src/code.py: diff: unspecified",
        "src/code.py: text: unspecified",
    ]


def test_the_diff_driver_heads_each_part_with_the_recording_that_it_is_in(project: Path) -> None:
    record(project, *QUESTIONS)
    commit(project, "record")
    record(project, *QUESTIONS, answers="another answer", again=True)
    without = _heads(project)
    (line,) = (
        line.partition("git config ")[2]
        for line in (project / ".gitattributes").read_text().splitlines()
        if "git config " in line
    )
    name, _, pattern = line.partition(" ")
    git(project, "config", name, pattern.strip("'"))
    heads = _heads(project)
    keys = [
        line
        for line in (project / "cassettes/bugfix/fix.1/coder.yaml").read_text().splitlines()
        if line.startswith("key: ")
    ]
    assert heads == keys
    assert without != heads


def _heads(project: Path) -> list[str]:
    diff = git(project, "diff", "--", "cassettes").splitlines()
    return [line.rpartition("@@ ")[2] for line in diff if line.startswith("@@ ")]


def test_recordings_keep_their_bytes_where_git_changes_line_ends(project: Path) -> None:
    record(project, *QUESTIONS)
    commit(project, "record")
    file = project / "cassettes/bugfix/fix.1/coder.yaml"
    before = file.read_bytes()
    git(project, "config", "core.autocrlf", "true")
    file.unlink()
    git(project, "checkout", "--", "cassettes")
    assert file.read_bytes() == before
