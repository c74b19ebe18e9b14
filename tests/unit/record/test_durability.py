"""What was paid for stays: killed processes, several processes, full disks, read-only folders."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from agentci.adapters.files import LocalAppendFile, LocalFiles
from agentci.core.errors import StorageError
from agentci.core.lane import Lane
from agentci.record.journal import Journal, read_journal
from agentci.record.session import Mode, RecordingSession
from tests.support.recordings import LANE, converse, play, request_of, response_of, user

ROOT = Path(__file__).parents[3]

RECORD = """
import sys
import tempfile
import traceback
from pathlib import Path
from agentci.adapters.files import LocalFiles
from agentci.core.lane import Lane
from agentci.record.session import Mode, RecordingSession
from tests.support.recordings import play, request_of, response_of, user
folder, name, count = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
session = RecordingSession(LocalFiles(), folder, mode=Mode.AUTO)
for number in range(count):
    text = f"{name} asks {number}"
    play(session, request_of(user(text)), response_of(user(text)), Lane("shared"))
    print(number, flush=True)
if "seal" in sys.argv:
    session.seal()
"""


def process(*arguments: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-c", RECORD, *arguments],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
    )


def recorded(folder: Path) -> int:
    session = RecordingSession(LocalFiles(), folder, mode=Mode.REPLAY)
    return len(session.unplayed([Lane("shared")]))


@pytest.mark.parametrize("after", [0, 1, 7, 19])
def test_kill_9_while_recording_loses_at_most_the_call_in_flight(
    after: int, tmp_path: Path
) -> None:
    with process(str(tmp_path), "a", "100000") as worker:
        assert worker.stdout is not None
        for _ in range(after + 1):
            seen = int(worker.stdout.readline())
        worker.send_signal(signal.SIGKILL)
        seen = max([seen, *map(int, worker.stdout.read().split()[-1:])])
    kept = recorded(tmp_path)
    assert kept in {seen + 1, seen + 2}

    session = RecordingSession(LocalFiles(), tmp_path, mode=Mode.AUTO)
    for number in range(kept + 2):
        text = f"a asks {number}"
        play(session, request_of(user(text)), response_of(user(text)), Lane("shared"))
    session.seal()
    assert recorded(tmp_path) == kept + 2


@pytest.mark.parametrize("finish", [(), ("seal",)])
def test_four_processes_keep_all_of_their_100_recordings_in_one_file(
    finish: tuple[str, ...], tmp_path: Path
) -> None:
    workers = [process(str(tmp_path), name, "25", *finish) for name in "abcd"]
    for worker in workers:
        worker.communicate()
    assert [worker.returncode for worker in workers] == [0, 0, 0, 0]
    replay = RecordingSession(LocalFiles(), tmp_path, mode=Mode.REPLAY)
    for name in "abcd":
        for number in range(25):
            text = f"{name} asks {number}"
            found = play(replay, request_of(user(text)), {}, Lane("shared"))
            assert found.response == response_of(user(text))
            assert found.request == request_of(user(text))
    assert replay.unplayed() == ()
    assert replay.notes == ()


def lane_file(folder: Path) -> Path:
    (path,) = folder.rglob("*.yaml")
    return path


def test_a_file_cut_anywhere_keeps_every_whole_recording(tmp_path: Path) -> None:
    answers = converse(RecordingSession(LocalFiles(), tmp_path, mode=Mode.RECORD), 3, text="x")
    path = lane_file(tmp_path)
    data = path.read_bytes()
    ends = [n + 5 for n in range(len(data)) if data.startswith(b"\n...\n", n)]
    assert len(ends) == 3
    around_ends = {end + offset for end in ends for offset in range(-6, 6)}
    for cut in sorted({*range(0, len(data), 5), *around_ends} & {*range(len(data) + 1)}):
        path.write_bytes(data[:cut])
        session = RecordingSession(LocalFiles(), tmp_path, mode=Mode.REPLAY)
        whole = sum(end - 1 <= cut for end in ends)
        assert len(session.unplayed([LANE])) == whole, cut
        is_torn = b"\n---\n" in data[ends[whole - 1] - 1 if whole else 0 : cut]
        assert bool(session.notes) == is_torn, cut
        if cut % 29 == 0 or cut in ends:
            again = RecordingSession(LocalFiles(), tmp_path, mode=Mode.AUTO)
            assert converse(again, 3, text="x") == answers
            again.seal()
            assert path.read_bytes() == data, cut


def test_half_a_recording_in_the_middle_costs_only_itself(tmp_path: Path) -> None:
    session = RecordingSession(LocalFiles(), tmp_path, mode=Mode.RECORD)
    for number in range(3):
        play(session, request_of(user(f"{number}")), response_of(user(f"{number}")))
    path = lane_file(tmp_path)
    first, second, third, fourth = path.read_bytes().split(b"---\n")
    path.write_bytes(b"---\n".join([first, second, third[: len(third) // 2] + b"\n", fourth]))
    session = RecordingSession(LocalFiles(), tmp_path, mode=Mode.REPLAY)
    assert len(session.unplayed([LANE])) == 2
    assert "half-written" in session.notes[0]
    session = RecordingSession(LocalFiles(), tmp_path, mode=Mode.AUTO)
    for number in range(3):
        play(session, request_of(user(f"{number}")), response_of(user(f"{number}")))
    session.seal()
    assert path.read_bytes() == b"---\n".join([first, second, third, fourth])


class FullDisk(LocalFiles):
    """Fails from the nth append on, after half of it was written."""

    def __init__(self, appends: int) -> None:
        self.left = appends

    def open_append(self, path: Path) -> LocalAppendFile:
        files = self

        class File(LocalAppendFile):
            def append(self, data: bytes, *, sync: bool = False) -> None:
                if files.left <= 0:
                    with path.open("ab") as stream:
                        stream.write(data[: len(data) // 2])
                    raise StorageError("no space left on device", code="ACI-E121")
                files.left -= 1
                super().append(data, sync=sync)

        return File(path)


def test_a_full_disk_keeps_what_was_recorded_even_when_half_a_call_is_left(tmp_path: Path) -> None:
    session = RecordingSession(FullDisk(2), tmp_path, mode=Mode.RECORD)
    with pytest.raises(StorageError):
        converse(session, 5, text="x")
    session.seal(complete=False)
    again = RecordingSession(LocalFiles(), tmp_path, mode=Mode.AUTO)
    assert len(again.unplayed([LANE])) == 2
    assert len(converse(again, 5, text="x")) == 5
    assert len(RecordingSession(LocalFiles(), tmp_path, mode=Mode.REPLAY).unplayed()) == 5


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "small"
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(folder)],
        capture_output=True,
        check=False,
    )
    if mounted.returncode:
        pytest.skip("a small disk cannot be mounted here")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


def test_on_a_really_full_disk_nothing_recorded_is_lost(small_disk: Path) -> None:
    session = RecordingSession(LocalFiles(), small_disk, mode=Mode.RECORD)
    with pytest.raises(StorageError, match="no space left") as caught:
        converse(session, 100)
    assert caught.value.code == "ACI-E121"
    kept = len(session.played)
    session.close()
    assert kept > 5
    replay = RecordingSession(LocalFiles(), small_disk, mode=Mode.REPLAY)
    assert len(converse(replay, kept)) == kept
    assert replay.unplayed() == ()
    assert replay.notes == ()

    path = lane_file(small_disk)
    with pytest.raises(StorageError):
        Journal.create(LocalFiles(), small_disk / "journal", {"run": "1"})
    assert not (small_disk / "journal").exists()

    path.unlink()
    journal = Journal.create(LocalFiles(), small_disk / "journal", {"run": "1"})
    with pytest.raises(StorageError):  # noqa: PT012 - which write fails is the disk's choice
        for number in range(1000):
            journal.write({"number": number, "text": "x" * 500})
    journal.close()
    content = read_journal(LocalFiles(), small_disk / "journal")
    assert not content.torn
    assert [event["number"] for event in content.events] == list(range(len(content.events)))
    assert len(content.events) > 50


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that other users reach: pytest closes its own to them."""
    with tempfile.TemporaryDirectory() as name:
        yield Path(name)


def run_as_nobody(work: Callable[[], None]) -> str:
    """Run `work` in a child that permissions hold for, and return what went wrong."""
    reader, writer = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            if os.getuid() == 0:
                os.setgroups([])
                os.setgid(65534)
                os.setuid(65534)
            work()
        except BaseException:  # noqa: BLE001 - the parent reports it
            os.write(writer, traceback.format_exc().encode()[-4000:])
        finally:
            os._exit(0)
    os.close(writer)
    with os.fdopen(reader) as stream:
        problem = stream.read()
    os.waitpid(pid, 0)
    return problem


@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")
def test_a_read_only_folder_replays_and_refuses_a_miss_before_anything_is_paid_for(
    open_folder: Path,
) -> None:
    converse(RecordingSession(LocalFiles(), open_folder, mode=Mode.RECORD), 2, text="x")
    for path in [open_folder, *open_folder.rglob("*")]:
        path.chmod(0o555 if path.is_dir() else 0o444)

    def work() -> None:
        for mode in (Mode.REPLAY, Mode.AUTO, Mode.RECORD):
            session = RecordingSession(LocalFiles(), open_folder, mode=mode)
            converse(session, 2, text="x")
            session.seal()
            assert session.unplayed() == ()
        session = RecordingSession(LocalFiles(), open_folder, mode=Mode.AUTO)
        with pytest.raises(StorageError) as caught:
            converse(session, 3, text="x")
        assert caught.value.code == "ACI-E122"

    try:
        assert run_as_nobody(work) == ""
    finally:
        for path in [open_folder, *open_folder.rglob("*")]:
            path.chmod(0o755 if path.is_dir() else 0o644)


def test_an_empty_file_that_a_killed_process_left_is_no_recording(tmp_path: Path) -> None:
    session = RecordingSession(LocalFiles(), tmp_path, mode=Mode.AUTO)
    play(session, request_of(user("hello")), response_of(user("hi")))
    session.seal()
    (tmp_path / "send.yaml").write_bytes(b"")
    again = RecordingSession(LocalFiles(), tmp_path, mode=Mode.REPLAY)
    assert again.recorded_lanes() == (LANE,)
    assert [address.lane for address in again.unplayed()] == [LANE]
