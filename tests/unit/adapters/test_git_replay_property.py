"""Two machines get the same trees and commits, whatever was done to the files."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from agentci.adapters.git_objects import LooseObjects
from agentci.adapters.git_repository import open_folder, open_repository
from agentci.core.effects import CommitRequest, TreeChange
from tests.support.git_sandbox import git, make_repository, read_files

NAMES = st.sampled_from(
    ["a", "b", "a.txt", "dir", "dir/a", "dir/b", "dir/sub/c", "a b", "new\nline", "ü", "\udcff"]
)
CONTENTS = st.one_of(
    st.sampled_from([b"", b"x", b"x\n", b"\r\n", b"a\nb\nc\n", b"a\r\nb\n\0", b"\xff\xfe" * 40]),
    st.lists(st.sampled_from([b"one", b"two", b"", b"  "]), max_size=12).map(b"\n".join),
    st.binary(max_size=300),
)
EDITS = st.one_of(
    st.tuples(st.just("write"), NAMES, CONTENTS),
    st.tuples(st.just("run"), NAMES, CONTENTS),
    st.tuples(st.just("link"), NAMES, st.just(b"a")),
    st.tuples(st.just("remove"), NAMES, st.just(b"")),
)


def apply_edit(root: Path, kind: str, name: str, content: bytes) -> None:
    path = root / name
    for above in [p for p in reversed(path.parents) if root in p.parents]:
        if above.is_symlink() or above.is_file():
            above.unlink()
    if path.is_dir() and not path.is_symlink():
        for below in sorted(path.rglob("*"), reverse=True):
            below.rmdir() if below.is_dir() and not below.is_symlink() else below.unlink()
        path.rmdir()
    elif path.is_symlink() or path.exists():
        path.unlink()
    if kind == "remove":
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    if kind == "link":
        path.symlink_to(os.fsdecode(content))
    else:
        path.write_bytes(content)
        path.chmod(0o755 if kind == "run" else 0o644)


@settings(max_examples=25, deadline=None)
@given(
    st.lists(st.lists(EDITS, max_size=4), min_size=1, max_size=5),
    st.sets(st.integers(0, 4)),
)
def test_replayed_changes_lead_to_the_same_trees_and_commits(
    rounds: list[list[tuple[str, str, bytes]]], looks: set[int]
) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        target = make_repository(folder / "target", {"a": "1\n", "dir/a": "2\n", "keep": "k"})
        first = open_repository(target, folder / "first")
        recorded = first.workspace("main", first.base_tree)
        changes: list[TreeChange] = []
        for edits in rounds:
            root = recorded.folder()
            for kind, path, content in edits:
                apply_edit(root, kind, path, content)
            changes.append(recorded.snapshot())
        second = open_repository(target, folder / "second")
        replayed = second.workspace("main", second.base_tree)
        for number, change in enumerate(changes):
            replayed.apply(change)
            if number in looks:
                replayed.folder()
        whole = open_repository(target, folder / "third").workspace("main", first.base_tree)
        whole.apply(recorded.change_since(first.base_tree))
        assert replayed.tree == recorded.tree == whole.tree
        assert read_files(replayed.folder()) == read_files(recorded.folder())
        assert read_files(whole.folder()) == read_files(recorded.folder())
        assert replayed.snapshot().patch == b""
        request = CommitRequest(
            tree=recorded.tree,
            parents=(first.base_commit,),
            message="m",
            author="a <b@c>",
            date=1,
        )
        assert first.commit(request) == second.commit(request)


@settings(max_examples=25, deadline=None)
@given(st.lists(EDITS, max_size=8))
def test_a_plain_folder_gets_the_tree_that_git_gives_it(
    edits: list[tuple[str, str, bytes]],
) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "files").mkdir()
        for kind, path, content in edits:
            apply_edit(folder / "files", kind, path, content)
        ours = open_folder(folder / "files", folder / "store").base_tree
        git(folder / "files", "init", "-q")
        git(folder / "files", "add", "--all")
        assert ours == git(folder / "files", "write-tree")


@given(st.binary(max_size=2000))
def test_equal_bytes_are_stored_once(data: bytes) -> None:
    with tempfile.TemporaryDirectory() as name:
        objects = LooseObjects(Path(name), "sha1")
        assert objects.blob(data) == objects.blob(data)
        assert len([path for path in Path(name).rglob("*") if path.is_file()]) == 1
