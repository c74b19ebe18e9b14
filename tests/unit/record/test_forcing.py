"""Files are forced to the disk together, in the background, and all of them before the end."""

from __future__ import annotations

from pathlib import Path
from threading import Event, active_count
from threading import enumerate as enumerate_threads

import pytest

from agentci.adapters.files import LocalFiles
from agentci.core.errors import StorageError
from agentci.record import forcing
from agentci.record.forcing import Forcing
from agentci.record.session import Mode, RecordingSession
from tests.support.recordings import converse


class Watched(LocalFiles):
    """Notes what is forced, and fails on request."""

    def __init__(self) -> None:
        self.forced: list[str] = []
        self.happened = Event()
        self.fails = False

    def force(self, path: Path) -> None:
        if self.fails:
            raise StorageError(f"cannot write `{path}`")
        super().force(path)
        self.forced.append(path.name)
        self.happened.set()


def test_files_are_forced_out_by_themselves_and_each_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(forcing, "DELAY", 0.05)
    files = Watched()
    work = Forcing(files)
    for name in ("a", "b", "a", "gone"):
        (tmp_path / name).write_bytes(b"x") if name != "gone" else None
        work.wrote(tmp_path / name)
    assert files.happened.wait(10)
    work.finish()
    assert sorted(files.forced) == ["a", "b", "gone"]


def test_the_end_does_not_wait_for_the_delay_and_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(forcing, "DELAY", 3600)
    files = Watched()
    threads = active_count()
    session = RecordingSession(files, tmp_path, mode=Mode.RECORD)
    converse(session, 3, text="x")
    assert files.forced == []
    session.close()
    session.close()
    assert files.forced == ["coder.yaml"]
    assert active_count() == threads


def test_a_sealed_folder_is_on_the_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(forcing, "DELAY", 3600)
    files = Watched()
    session = RecordingSession(files, tmp_path, mode=Mode.RECORD)
    converse(session, 1, text="x")
    session.seal()
    assert files.forced == ["coder.yaml"]


def test_a_disk_that_fails_in_the_background_is_told_of_at_the_next_call_or_the_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = Watched()
    files.fails = True
    work = Forcing(files)
    work.wrote(tmp_path / "a")
    with pytest.raises(StorageError, match="cannot write"):
        work.finish()
    work.finish()  # it was told

    monkeypatch.setattr(forcing, "DELAY", 0.01)
    work.wrote(tmp_path / "a")
    for thread in enumerate_threads():
        if thread.name == forcing.THREAD:
            thread.join()
    with pytest.raises(StorageError, match="cannot write"):
        work.wrote(tmp_path / "b")
    files.fails = False
    work.finish()
