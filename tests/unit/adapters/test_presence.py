"""Who works in a folder at the same time as others."""

from __future__ import annotations

import os
import threading
from pathlib import Path

from agentci.adapters.files import LocalFiles
from agentci.core.presence import Presence


def enter(folder: Path) -> Presence:
    return LocalFiles().enter(folder)


def test_one_is_alone_until_another_comes_and_not_when_it_has_gone_again(tmp_path: Path) -> None:
    first = enter(tmp_path / "new" / "folder")
    second = enter(tmp_path / "new" / "folder")
    assert not first.is_alone()
    second.leave()
    assert not first.is_alone()
    first.leave()
    assert not list((tmp_path / "new" / "folder").iterdir())
    third = enter(tmp_path / "new" / "folder")
    assert third.is_alone()
    third.leave()
    third.leave()


def test_who_comes_to_others_is_not_alone_when_they_have_gone(tmp_path: Path) -> None:
    first, second = enter(tmp_path), enter(tmp_path)
    first.leave()
    assert not second.is_alone()
    second.leave()
    assert not list(tmp_path.iterdir())


def test_what_a_killed_one_left_is_cleared_up(tmp_path: Path) -> None:
    first, second = enter(tmp_path), enter(tmp_path)
    (mark,) = tmp_path.iterdir()
    first.leave()
    second.leave()
    mark.touch()
    assert LocalFiles().list(tmp_path) == ()
    third = enter(tmp_path)
    assert third.is_alone()
    third.leave()
    assert not list(tmp_path.iterdir())


def test_one_who_is_dropped_leaves(tmp_path: Path) -> None:
    enter(tmp_path)
    second = enter(tmp_path)
    assert second.is_alone()
    second.leave()


def test_a_folder_that_was_replaced_is_not_the_one_where_one_is_alone(tmp_path: Path) -> None:
    first = enter(tmp_path / "folder")
    (tmp_path / "folder").rename(tmp_path / "old")
    assert not first.is_alone()
    second = enter(tmp_path / "folder")
    assert not first.is_alone()
    assert second.is_alone()
    first.leave()
    second.leave()


def test_a_forked_child_neither_ends_the_stay_nor_prolongs_it(tmp_path: Path) -> None:
    first = enter(tmp_path)
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:  # pragma: no cover - another process
        first.leave()
        os.read(reader, 1)
        os._exit(0)
    second = enter(tmp_path)
    assert not second.is_alone()
    second.leave()
    first.leave()
    third = enter(tmp_path)
    assert third.is_alone()
    third.leave()
    os.write(writer, b"\n")
    assert os.waitpid(child, 0)[1] == 0
    os.close(reader)
    os.close(writer)


def test_those_who_leave_at_the_same_time_leave_no_mark(tmp_path: Path) -> None:
    files = LocalFiles()
    for _ in range(60):
        guests = [files.enter(tmp_path) for _ in range(4)]
        together = threading.Barrier(len(guests))

        def leave(guest: Presence, together: threading.Barrier = together) -> None:
            together.wait()
            guest.leave()

        threads = [threading.Thread(target=leave, args=(guest,)) for guest in guests]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert list(tmp_path.iterdir()) == []
