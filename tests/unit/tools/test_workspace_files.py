"""Paths cannot leave the workspace."""

from __future__ import annotations

import errno
import os
import shutil
import socket
import threading
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentci.core.errors import StorageError
from agentci.tools.protocol import ToolProblem
from agentci.tools.workspace_files import WorkspaceFiles, decode_text, split_path


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "secret").write_text("outside")
    root = tmp_path / "ws"
    (root / "src").mkdir(parents=True)
    (root / "src" / "a.py").write_text("a\n")
    (root / ".git").mkdir()
    (root / ".git" / "config").write_text("[core]")
    (root / ".agentci").mkdir()
    (root / ".agentci" / "x").write_text("x")
    return root


@pytest.mark.parametrize(
    "path",
    [
        "../secret",
        "src/../../secret",
        "src/..",
        "/etc/passwd",
        "/workspace/../secret",
        "/workspacex/a",
        "//etc/passwd",
        ".git/config",
        ".GIT/config",
        "src/.git/x",
        ".agentci/x",
        ".AgentCI/x",
        "a\0b",
        "\ud800",
        ".agentci-write",
    ],
)
def test_paths_that_leave_or_are_reserved_are_refused(root: Path, path: str) -> None:
    files = WorkspaceFiles(root)
    with pytest.raises(ToolProblem):
        files.read(path)
    with pytest.raises(ToolProblem):
        files.write(path, b"x")
    assert (root.parent / "secret").read_text() == "outside"


@pytest.mark.parametrize(
    "path", ["src/a.py", "./src/a.py", "src//a.py", "/workspace/src/a.py", "src/./a.py"]
)
def test_spellings_of_an_inner_path_are_the_same_file(root: Path, path: str) -> None:
    assert WorkspaceFiles(root).read(path).data == b"a\n"


@given(st.text(alphabet="./ab\\~", max_size=12))
def test_a_split_path_has_no_part_that_moves(path: str) -> None:
    try:
        parts = split_path(path)
    except ToolProblem:
        return
    assert not {"", ".", ".."} & set(parts)


@pytest.mark.parametrize(
    "target", ["../secret", "/etc/passwd", "../ws/../secret", "src/../../secret"]
)
def test_links_that_lead_outside_are_refused(root: Path, target: str) -> None:
    (root / "link").symlink_to(target)
    files = WorkspaceFiles(root)
    with pytest.raises(ToolProblem, match="symbolic link"):
        files.read("link")
    with pytest.raises(ToolProblem, match="symbolic link"):
        files.write("link", b"x")
    assert (root.parent / "secret").read_text() == "outside"


def test_a_linked_folder_that_leads_outside_is_refused(root: Path) -> None:
    (root / "up").symlink_to("..")
    files = WorkspaceFiles(root)
    with pytest.raises(ToolProblem):
        files.read("up/secret")
    with pytest.raises(ToolProblem):
        files.write("up/new", b"x")
    assert not (root.parent / "new").exists()


@pytest.mark.parametrize("target", [".git/config", ".git", ".agentci"])
def test_links_to_reserved_folders_are_refused(root: Path, target: str) -> None:
    (root / "link").symlink_to(target)
    with pytest.raises(ToolProblem, match="belongs to git or agentci"):
        WorkspaceFiles(root).read("link" if "/" in target else "link/config")


def test_links_inside_the_workspace_are_followed_and_kept(root: Path) -> None:
    (root / "link").symlink_to("src/../src/a.py")
    (root / "folder").symlink_to("src")
    files = WorkspaceFiles(root)
    assert files.read("link").data == b"a\n"
    assert files.real_parts("folder/a.py") == ("src", "a.py")
    files.write("link", b"new\n")
    assert (root / "link").is_symlink()
    assert (root / "src" / "a.py").read_text() == "new\n"


def test_a_link_that_ends_in_dot_dot_is_a_folder(root: Path) -> None:
    (root / "src" / "back").symlink_to("..")
    assert WorkspaceFiles(root).is_folder("src/back")
    assert WorkspaceFiles(root).read("src/back/src/a.py").data == b"a\n"


def test_a_circle_of_links_is_refused(root: Path) -> None:
    (root / "x").symlink_to("y")
    (root / "y").symlink_to("x")
    with pytest.raises(ToolProblem, match="too many symbolic links"):
        WorkspaceFiles(root).read("x")


def test_a_file_that_links_elsewhere_by_hard_link_is_not_written_through(root: Path) -> None:
    os.link(root.parent / "secret", root / "hard")
    WorkspaceFiles(root).write("hard", b"changed")
    assert (root.parent / "secret").read_text() == "outside"
    assert (root / "hard").read_text() == "changed"


def test_a_folder_swapped_for_a_link_while_working_never_leads_outside(root: Path) -> None:
    outside = root.parent / "outside"
    outside.mkdir()
    (root / "swap").mkdir()
    stop = threading.Event()

    def swap() -> None:
        while not stop.is_set():
            try:
                (root / "swap").rename(root / "kept")
                (root / "swap").symlink_to("../outside")
                (root / "swap").unlink()
                (root / "kept").rename(root / "swap")
            except OSError:  # the writer made the folder in between
                shutil.rmtree(root / "kept", ignore_errors=True)

    thread = threading.Thread(target=swap)
    thread.start()
    files = WorkspaceFiles(root)
    try:
        for index in range(300):
            try:
                files.write(f"swap/f{index}", b"x")
            except ToolProblem:
                continue
    finally:
        stop.set()
        thread.join()
    assert list(outside.iterdir()) == []


def test_special_files_are_refused_without_waiting(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    os.mkfifo(root / "pipe")
    monkeypatch.chdir(root)
    with socket.socket(socket.AF_UNIX) as server:
        server.bind("s")
    files = WorkspaceFiles(root)
    for name in ("pipe", "s"):
        with pytest.raises(ToolProblem):
            files.read(name)
        with pytest.raises(ToolProblem, match="not a regular file"):
            files.write(name, b"x")


def test_writing_keeps_mode_bits_and_new_files_have_fixed_ones(root: Path) -> None:
    (root / "run.sh").write_text("x")
    (root / "run.sh").chmod(0o755)
    files = WorkspaceFiles(root)
    old = os.umask(0o077)
    try:
        assert files.write("run.sh", b"y") is False
        assert files.write("new/deep/file", b"z") is True
    finally:
        os.umask(old)
    assert (root / "run.sh").stat().st_mode & 0o777 == 0o755
    assert (root / "new/deep/file").stat().st_mode & 0o777 == 0o644
    assert (root / "new").stat().st_mode & 0o777 == 0o755
    assert sorted(p.name for p in (root / "new/deep").iterdir()) == ["file"]


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("missing", "no such file"),
        ("missing/deep", "no such file"),
        ("src", "it is a folder"),
        (".", "it is a folder"),
        ("src/a.py/x", "a file, not a folder"),
        ("x" * 300, "name is too long"),
    ],
)
def test_what_is_wrong_with_a_path_is_said(root: Path, path: str, words: str) -> None:
    with pytest.raises(ToolProblem, match=words):
        WorkspaceFiles(root).read(path)


def test_a_file_in_the_way_of_a_folder_is_said(root: Path) -> None:
    with pytest.raises(ToolProblem, match="a file, not a folder"):
        WorkspaceFiles(root).write("src/a.py/new", b"x")
    with pytest.raises(ToolProblem, match="it is a folder"):
        WorkspaceFiles(root).write("src", b"x")


def test_a_file_of_exactly_the_limit_is_read_and_one_more_byte_is_not(root: Path) -> None:
    (root / "big").write_bytes(b"x" * 11)
    files = WorkspaceFiles(root)
    assert len(files.read("big", max_bytes=11).data) == 11
    with pytest.raises(ToolProblem, match="larger than 10 bytes"):
        files.read("big", max_bytes=10)


def test_a_full_disk_is_a_fault_of_the_machine_and_leaves_the_file(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "full")

    monkeypatch.setattr(os, "rename", full)
    with pytest.raises(StorageError) as caught:
        WorkspaceFiles(root).write("src/a.py", b"new")
    assert caught.value.hint
    assert (root / "src/a.py").read_text() == "a\n"
    assert sorted(p.name for p in (root / "src").iterdir()) == ["a.py"]


def test_no_descriptor_stays_open(root: Path) -> None:
    files = WorkspaceFiles(root)
    descriptors = Path("/proc/self/fd")
    before = sum(1 for _ in descriptors.iterdir())
    for path in ("src/a.py", "missing/x", "../x", "src/a.py/x"):
        try:
            files.read(path)
            files.write(path, b"x")
        except ToolProblem:
            pass
    with files.open_folder("src"):
        pass
    assert sum(1 for _ in descriptors.iterdir()) == before


def test_binary_and_other_encodings_are_named() -> None:
    with pytest.raises(ToolProblem, match="binary file of 3 bytes"):
        decode_text(b"a\0b", "x")
    with pytest.raises(ToolProblem, match="not UTF-8 text: byte 2 is 0xe9"):
        decode_text(b"ca\xe9", "x")
    assert decode_text("é\r\n".encode(), "x") == "é\r\n"
