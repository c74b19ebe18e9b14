"""Files: whole or not at all, safe with several writers, and errors that say what to do."""

from __future__ import annotations

import errno
import fcntl
import os
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from agentci.adapters.files import LocalFiles
from agentci.core.errors import StorageError

FILES = LocalFiles()


def test_a_written_file_is_read_back_and_folders_are_made(tmp_path: Path) -> None:
    path = tmp_path / "a" / "b" / "c"
    FILES.write_atomic(path, b"1")
    FILES.write_atomic(path, b"2")
    assert FILES.read(path) == b"2"
    assert FILES.list(tmp_path) == (path,)
    assert sorted(path.parent.iterdir()) == [path]


def test_listing_is_sorted_and_does_not_show_leftovers_of_a_killed_writer(tmp_path: Path) -> None:
    for name in ("b", "a/z", "a/b", "a.x", ".agentci-tmp-1-2"):
        FILES.write_atomic(tmp_path / name, b"")
    names = [path.relative_to(tmp_path).as_posix() for path in FILES.list(tmp_path)]
    assert names == ["a/b", "a/z", "a.x", "b"]
    assert FILES.list(tmp_path / "none") == ()


def test_a_failed_replacement_keeps_the_old_content_and_leaves_nothing_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "f"
    FILES.write_atomic(path, b"old")
    monkeypatch.setattr(os, "fsync", raiser(errno.ENOSPC))
    with pytest.raises(StorageError) as caught:
        FILES.write_atomic(path, b"new")
    assert caught.value.code == "ACI-E121"
    assert path.read_bytes() == b"old"
    assert sorted(tmp_path.iterdir()) == [path]


def raiser(number: int) -> Callable[..., int]:
    def fail(*_: object) -> int:
        raise OSError(number, os.strerror(number))

    return fail


def test_an_append_that_fails_halfway_is_taken_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "log"
    log = FILES.open_append(path)
    log.append(b"one\n")
    real = os.write
    calls = []

    def half(descriptor: int, data: bytes) -> int:
        calls.append(data)
        if len(calls) > 1:
            raise OSError(errno.ENOSPC, "No space left on device")
        return real(descriptor, bytes(data)[: len(data) // 2])

    monkeypatch.setattr(os, "write", half)
    with pytest.raises(StorageError, match="no space left") as caught:
        log.append(b"two two two\n", sync=True)
    monkeypatch.undo()
    assert path.read_bytes() == b"one\n"
    assert caught.value.hint
    log.append(b"three\n")
    log.close()
    assert path.read_bytes() == b"one\nthree\n"


def test_short_writes_are_completed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = os.write
    monkeypatch.setattr(os, "write", lambda fd, data: real(fd, bytes(data)[:3]))
    log = FILES.open_append(tmp_path / "log")
    log.append(b"0123456789\n")
    log.close()
    assert (tmp_path / "log").read_bytes() == b"0123456789\n"


def test_an_append_after_half_a_line_starts_on_its_own_line(tmp_path: Path) -> None:
    path = tmp_path / "log"
    path.write_bytes(b"whole\nhal")
    log = FILES.open_append(path)
    log.append(b"next\n")
    log.close()
    log.close()
    assert path.read_bytes() == b"whole\nhal\nnext\n"


def test_an_append_goes_to_the_file_that_has_the_name_now(tmp_path: Path) -> None:
    path = tmp_path / "log"
    log = FILES.open_append(path)
    log.append(b"1\n")
    FILES.update(path, lambda data: b"0\n" + data)
    log.append(b"2\n")
    FILES.remove(path)
    log.append(b"3\n")
    log.close()
    assert path.read_bytes() == b"3\n"


def test_no_append_is_lost_while_the_file_is_being_replaced(tmp_path: Path) -> None:
    path = tmp_path / "log"

    def write(name: int) -> None:
        log = FILES.open_append(path)
        for number in range(100):
            log.append(f"{name}-{number}\n".encode())
        log.close()

    threads = [threading.Thread(target=write, args=(n,)) for n in range(4)]
    for thread in threads:
        thread.start()
    while any(thread.is_alive() for thread in threads):
        FILES.update(path, lambda data: b"".join(sorted(data.splitlines(keepends=True))))
    for thread in threads:
        thread.join()
    lines = path.read_text().splitlines()
    assert sorted(lines) == sorted(f"{n}-{i}" for n in range(4) for i in range(100))


def test_update_makes_changes_and_removes(tmp_path: Path) -> None:
    path = tmp_path / "a" / "f"
    FILES.update(path, lambda data: None)
    assert not path.parent.exists()
    FILES.update(path, lambda data: data + b"1")
    assert path.read_bytes() == b"1"
    before = path.stat()
    FILES.update(path, lambda data: data)
    assert path.stat() == before
    FILES.update(path, lambda data: None)
    assert not path.exists()


def test_a_failing_change_leaves_the_file_and_its_lock_alone(tmp_path: Path) -> None:
    path = tmp_path / "f"
    path.write_bytes(b"1")

    def fail(data: bytes) -> bytes:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        FILES.update(path, fail)
    FILES.update(path, lambda data: data + b"2")
    assert path.read_bytes() == b"12"


def test_a_lock_is_held_by_one_and_free_after_a_kill(tmp_path: Path) -> None:
    path = tmp_path / "locks" / "run"
    with FILES.lock(path) as first, FILES.lock(path) as second:
        assert first
        assert not second
    code = (
        "import sys, time; from pathlib import Path\n"
        "from agentci.adapters.files import LocalFiles\n"
        "with LocalFiles().lock(Path(sys.argv[1])) as got: print(got, flush=True); time.sleep(60)"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code, str(path)], stdout=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"True\n"
        with FILES.lock(path) as taken:
            assert not taken
        process.kill()
        process.wait()
    with FILES.lock(path) as taken:
        assert taken


def test_removing_takes_files_folders_links_and_nothing(tmp_path: Path) -> None:
    FILES.write_atomic(tmp_path / "d" / "f", b"")
    link = tmp_path / "link"
    link.symlink_to(tmp_path / "d")
    FILES.remove(link)
    assert (tmp_path / "d" / "f").exists()
    FILES.remove(tmp_path / "d")
    FILES.remove(tmp_path / "d")
    assert not FILES.exists(tmp_path / "d")


@pytest.mark.parametrize(
    ("number", "code"),
    [
        (errno.ENOSPC, "ACI-E121"),
        (errno.EDQUOT, "ACI-E121"),
        (errno.EROFS, "ACI-E122"),
        (errno.EACCES, "ACI-E122"),
        (errno.EIO, "ACI-E120"),
    ],
)
def test_each_failure_of_the_disk_has_its_code_and_names_the_file(
    number: int, code: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "open", raiser(number))
    for action in (
        lambda: FILES.write_atomic(tmp_path / "f", b""),
        lambda: FILES.open_append(tmp_path / "f"),
        lambda: FILES.update(tmp_path / "f", lambda data: b"x"),
    ):
        with pytest.raises(StorageError, match=r"`.*/f`") as caught:
            action()
        assert caught.value.code == code


def test_reading_what_is_not_there_is_an_error_with_a_place(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="none") as caught:
        FILES.read(tmp_path / "none")
    assert caught.value.code == "ACI-E123"


def test_a_file_system_without_locks_is_used_without_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fcntl, "flock", raiser(errno.ENOTSUP))
    log = FILES.open_append(tmp_path / "log")
    log.append(b"1\n")
    log.close()
    FILES.update(tmp_path / "log", lambda data: data + b"2\n")
    assert (tmp_path / "log").read_bytes() == b"1\n2\n"
