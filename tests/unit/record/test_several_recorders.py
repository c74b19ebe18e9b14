"""Several sessions record into one folder at once: what one of them needs, no other removes."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from agentci.adapters.files import LocalFiles
from agentci.core.errors import StorageError
from agentci.core.lane import Lane
from agentci.record.session import Mode, RecordingSession
from tests.support.recordings import play, request_of, response_of, user

ROOT = Path(__file__).parents[3]
LANE = Lane("shared")

RECORD = """
import sys
from pathlib import Path
from agentci.adapters.files import LocalFiles
from agentci.core.lane import Lane
from agentci.record.session import Mode, RecordingSession
from tests.support.recordings import play, request_of, response_of, user
folder, mode, seals, name = Path(sys.argv[1]), Mode(sys.argv[2]), int(sys.argv[3]), sys.argv[4]
session = RecordingSession(LocalFiles(), folder, mode=mode)
for number in range(30):
    if number == 1:  # it is there, and waits for the others
        print(flush=True)
        sys.stdin.readline()
    text = f"{name} asks {number}"
    play(session, request_of(user(text)), response_of(user(text)), Lane("shared"))
    play(session, request_of(user(text)), response_of(user(text)), Lane(f"of/{name}"))
    if number < seals:
        session.seal()
session.seal(whole_folder=True)
"""


def open_session(folder: Path, mode: Mode = Mode.RECORD) -> RecordingSession:
    return RecordingSession(LocalFiles(), folder, mode=mode)


def ask(session: RecordingSession, *texts: str, lane: Lane = LANE) -> None:
    for text in texts:
        play(session, request_of(user(text)), response_of(user(text)), lane)


def kept(folder: Path, *texts: str, lane: Lane = LANE) -> bool:
    """Say whether a replay finds exactly `texts` in `lane`."""
    session = open_session(folder, Mode.REPLAY)
    ask(session, *texts, lane=lane)
    return session.unplayed([lane]) == ()


def left_behind(folder: Path) -> list[str]:
    return sorted(
        path.name for path in folder.rglob("*") if path.is_file() and path.suffix != ".yaml"
    )


def test_one_that_comes_later_does_not_remove_what_an_earlier_one_has_just_recorded(
    tmp_path: Path,
) -> None:
    earlier = open_session(tmp_path)
    ask(earlier, "1", "2")
    later = open_session(tmp_path)
    ask(later, "3")
    later.seal(whole_folder=True)
    earlier.seal(whole_folder=True)
    assert kept(tmp_path, "1", "2", "3")
    assert left_behind(tmp_path) == []


def test_one_that_came_first_does_not_remove_what_a_later_one_has_recorded_and_left(
    tmp_path: Path,
) -> None:
    old = open_session(tmp_path)
    ask(old, "old", "played by the second alone")
    old.seal()
    first = open_session(tmp_path)
    ask(first, "1", lane=Lane("first"))
    second = open_session(tmp_path, Mode.AUTO)
    ask(second, "played by the second alone", "2")
    ask(second, "other", lane=Lane("second"))
    second.seal()
    ask(first, "2")
    first.seal(whole_folder=True)
    assert kept(tmp_path, "old", "played by the second alone", "2")
    assert kept(tmp_path, "other", lane=Lane("second"))
    assert left_behind(tmp_path) == []


def test_what_is_kept_because_of_others_is_said_and_goes_with_the_next_recording(
    tmp_path: Path,
) -> None:
    old = open_session(tmp_path)
    ask(old, "1", "old")
    old.seal()
    first, second = open_session(tmp_path), open_session(tmp_path)
    ask(first, "1")
    ask(second, "1")
    first.seal()
    second.seal()
    assert kept(tmp_path, "1", "old")
    for session in (first, second):
        (note,) = session.notes
        assert "another process" in note
    third = open_session(tmp_path)
    ask(third, "1")
    third.seal()
    assert third.notes == ()
    assert kept(tmp_path, "1")


def test_a_killed_one_is_in_nobodys_way(tmp_path: Path) -> None:
    old = open_session(tmp_path)
    ask(old, "1", "old")
    old.seal()
    code = RECORD.replace("session.seal(whole_folder=True)", "import os; os.kill(os.getpid(), 9)")
    alone = open_session(tmp_path)
    ask(alone, "1")  # so that the killed one has to say that it was there
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path), "record", "0", "killed"],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT)},
        input=b"\n",
        capture_output=True,
        check=False,
    )
    assert done.returncode == -9
    alone.seal(whole_folder=True)
    assert len(open_session(tmp_path, Mode.REPLAY).unplayed()) == 2 + 30 + 30
    following = open_session(tmp_path)
    ask(following, "1")
    following.seal(whole_folder=True)
    assert kept(tmp_path, "1")
    assert left_behind(tmp_path) == []


def test_objects_of_others_stay(tmp_path: Path) -> None:
    first, second = open_session(tmp_path), open_session(tmp_path)
    ask(first, "1")
    ask(second, "2")
    digest = second.blobs.put(b"an object that no recording names yet")
    first.seal(whole_folder=True)
    assert second.blobs.get(digest)


def test_a_replay_is_nobody_that_recording_has_to_wait_for(tmp_path: Path) -> None:
    old = open_session(tmp_path)
    ask(old, "1", "old")
    old.seal()
    replay = open_session(tmp_path, Mode.REPLAY)
    ask(replay, "1")
    session = open_session(tmp_path)
    ask(session, "1")
    session.seal()
    assert kept(tmp_path, "1")


class Refusing(LocalFiles):
    """A read-only checkout, as far as this can be told from inside."""

    def write_atomic(self, path: Path, data: bytes) -> None:
        raise StorageError(f"cannot write `{path}`")


def test_two_that_only_replay_in_a_read_only_checkout_do_so(tmp_path: Path) -> None:
    old = open_session(tmp_path)
    ask(old, "1")
    old.seal()
    sessions = [RecordingSession(Refusing(), tmp_path, mode=Mode.AUTO) for _ in range(2)]
    for session in sessions:
        ask(session, "1")
    for session in sessions:
        session.seal()
        session.close()


@pytest.mark.parametrize(("mode", "seals"), [("auto", 30), ("record", 0)])
def test_processes_that_record_and_seal_all_the_time_lose_nothing(
    mode: str, seals: int, tmp_path: Path
) -> None:
    workers = [
        subprocess.Popen(
            [sys.executable, "-c", RECORD, str(tmp_path), mode, str(seals), name],
            cwd=ROOT,
            env={"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        for name in "abcd"
    ]
    for worker in workers:  # all are there before any of them records
        assert worker.stdout is not None
        worker.stdout.readline()
    for worker in workers:
        assert worker.stdin is not None
        worker.stdin.write(b"\n")
        worker.stdin.flush()
    for worker in workers:
        worker.communicate()
    assert [worker.returncode for worker in workers] == [0, 0, 0, 0]
    everything = [f"{name} asks {number}" for name in "abcd" for number in range(30)]
    found = open_session(tmp_path, Mode.REPLAY)
    for text in everything:
        play(found, request_of(user(text)), {}, LANE)
        play(found, request_of(user(text)), {}, Lane(f"of/{text[0]}"))
    assert found.unplayed() == ()
    assert found.notes == ()
    assert left_behind(tmp_path) == []


def test_who_has_sealed_and_only_looks_is_in_nobodys_way(tmp_path: Path) -> None:
    old = open_session(tmp_path)
    ask(old, "1", "old")
    ask(old, "1", lane=Lane("other"))
    old.seal()
    first = open_session(tmp_path)
    ask(first, "1")
    first.seal()
    assert len(first.unplayed()) == 1
    second = open_session(tmp_path)
    ask(second, "1")
    second.seal(whole_folder=True)
    assert not second.was_shared
    assert second.unplayed() == ()
