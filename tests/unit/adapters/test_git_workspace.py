"""Workspaces on real repositories: snapshots, replays, resets."""

from __future__ import annotations

import dataclasses
import os
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest

from agentci.adapters.git_commands import Git
from agentci.adapters.git_repository import GitRepository, open_folder, open_repository
from agentci.adapters.git_workspace import GitWorkspace, folder_name
from agentci.core.effects import Repository, TreeChange, Workspace
from agentci.core.errors import Diverged, EnvironmentProblem, SafetyRefusal
from tests.support.git_sandbox import git, make_repository, read_files, write

FILES: dict[str, str | bytes] = {
    "readme.md": "one\ntwo\nthree\n",
    "src/a.py": "a = 1\n",
    "src/b.py": "b = 2\n",
    ".gitignore": "*.log\nbuild/\n",
}


@pytest.fixture
def target(tmp_path: Path) -> Path:
    return make_repository(tmp_path / "target", FILES)


@pytest.fixture
def repository(target: Path, tmp_path: Path) -> GitRepository:
    return open_repository(target, tmp_path / "store")


@pytest.fixture
def workspace(repository: GitRepository) -> GitWorkspace:
    return repository.workspace("main", repository.base_tree)


@pytest.fixture
def counted(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Note the command of every git process."""
    seen: list[str] = []
    original = Git.run

    def run(self: Git, *args: str, **more: object) -> object:
        seen.append(args[0])
        return original(self, *args, **more)  # type: ignore[arg-type]  # passed on as given

    monkeypatch.setattr(Git, "run", run)
    return seen


def second(repository: GitRepository, name: str = "other") -> GitWorkspace:
    return repository.workspace(name, repository.base_tree)


def record(workspace: Workspace, edit: Callable[[Path], object]) -> TreeChange:
    edit(workspace.folder())
    return workspace.snapshot()


def test_the_adapters_are_the_ports(repository: GitRepository, workspace: GitWorkspace) -> None:
    as_repository: Repository = repository
    as_workspace: Workspace = workspace
    assert as_workspace.tree == as_repository.base_tree


def test_the_folder_has_the_files_and_nothing_of_agentci(workspace: GitWorkspace) -> None:
    expected = {name: str(text).encode() for name, text in FILES.items()}
    assert read_files(workspace.folder()) == expected
    assert sorted(p.name for p in workspace.folder().iterdir()) == [
        ".gitignore",
        "readme.md",
        "src",
    ]


def test_the_folder_always_has_the_same_name(repository: GitRepository) -> None:
    for name in ("main", "fleet[calc]/review", "Übung"):
        assert repository.workspace(name, repository.base_tree).folder().name == "workspace"


def test_a_snapshot_without_changes_is_one_process(
    workspace: GitWorkspace, counted: list[str]
) -> None:
    workspace.folder()
    counted.clear()
    change = workspace.snapshot()
    assert change == TreeChange(workspace.tree, workspace.tree, b"")
    assert counted == ["add"]


def test_a_snapshot_without_a_folder_is_no_process(
    workspace: GitWorkspace, counted: list[str]
) -> None:
    assert workspace.snapshot().patch == b""
    assert counted == []


def test_a_snapshot_takes_new_changed_and_removed_files(
    repository: GitRepository, workspace: GitWorkspace
) -> None:
    def edit(root: Path) -> None:
        write(root, {"src/a.py": "a = 3\n", "new/deep/file": "x"})
        (root / "src/b.py").unlink()
        (root / "readme.md").chmod(0o755)

    change = record(workspace, edit)
    assert change.before == repository.base_tree
    assert change.after == workspace.tree != change.before
    text = repository.diff(change.before, change.after)
    assert "+a = 3" in text
    assert "deleted file" in text
    assert "new mode 100755" in text
    assert repository.blob_id(workspace.tree, "new/deep/file") is not None
    assert repository.blob_id(workspace.tree, "src/b.py") is None


def test_ignored_files_stay_out_but_tracked_ones_count(target: Path, tmp_path: Path) -> None:
    write(target, {"kept.log": "1\n"})
    git(target, "add", "--force", "kept.log")
    git(target, "commit", "-qm", "second")
    repository = open_repository(target, tmp_path / "store")
    workspace = repository.workspace("main", repository.base_tree)
    root = workspace.folder()
    write(root, {"noise.log": "x", "build/out": "x"})
    assert workspace.snapshot().patch == b""
    write(root, {"kept.log": "2\n"})
    assert b"+2" in workspace.snapshot().patch


def test_a_recorded_change_replays_without_a_folder(
    repository: GitRepository, workspace: GitWorkspace, tmp_path: Path, counted: list[str]
) -> None:
    changes = [
        record(workspace, lambda root: write(root, {"src/a.py": "a = 2\n"})),
        record(workspace, lambda root: write(root, {"src/a.py": "a = 3\n", "c": "c"})),
        record(workspace, lambda root: (root / "c").unlink()),
    ]
    other = open_repository(tmp_path / "target", tmp_path / "second-store")
    replayed = other.workspace("main", other.base_tree)
    counted.clear()
    for change in changes:
        replayed.apply(change)
    assert replayed.tree == workspace.tree
    assert counted == []
    assert read_files(replayed.folder()) == read_files(workspace.folder())
    assert counted == ["read-tree", "apply", "write-tree", "read-tree"]
    counted.clear()
    replayed.folder()
    assert counted == []
    assert repository.base_tree == other.base_tree


def test_the_folder_follows_later_changes(
    repository: GitRepository, workspace: GitWorkspace
) -> None:
    change = record(workspace, lambda root: write(root, {"src/a.py": "a = 2\n"}))
    replayed = second(repository)
    root = replayed.folder()
    replayed.apply(change)
    assert replayed.folder() == root
    assert (root / "src/a.py").read_text() == "a = 2\n"


def test_a_change_from_another_tree_is_refused(
    repository: GitRepository, workspace: GitWorkspace
) -> None:
    record(workspace, lambda root: write(root, {"x": "1"}))
    change = record(workspace, lambda root: write(root, {"x": "2"}))
    with pytest.raises(Diverged) as caught:
        second(repository).apply(change)
    assert caught.value.code == "ACI-R211"


def test_a_change_that_leads_elsewhere_is_found_when_the_files_are_needed(
    workspace: GitWorkspace, tmp_path: Path
) -> None:
    first = record(workspace, lambda root: write(root, {"x": "1\n"}))
    wrong = record(workspace, lambda root: write(root, {"x": "2\n"}))
    wrong = dataclasses.replace(wrong, patch=wrong.patch.replace(b"+2", b"+3"))
    fresh = open_repository(tmp_path / "target", tmp_path / "second-store")
    replayed = fresh.workspace("main", fresh.base_tree)
    replayed.apply(first)
    replayed.apply(wrong)
    with pytest.raises(Diverged, match="change 2 of 2") as caught:
        replayed.folder()
    assert caught.value.code == "ACI-R212"


def test_a_patch_that_does_not_apply_is_named(workspace: GitWorkspace, tmp_path: Path) -> None:
    change = record(workspace, lambda root: write(root, {"readme.md": "one\nTWO\nthree\n"}))
    broken = dataclasses.replace(change, patch=change.patch.replace(b"-two", b"-no"))
    fresh = open_repository(tmp_path / "target", tmp_path / "second-store")
    replayed = fresh.workspace("main", fresh.base_tree)
    replayed.apply(broken)
    with pytest.raises(Diverged, match="change 1 of 1"):
        fresh.diff(fresh.base_tree, replayed.tree)


def test_an_emptied_patch_is_refused_at_once(workspace: GitWorkspace, tmp_path: Path) -> None:
    change = record(workspace, lambda root: write(root, {"x": "1"}))
    fresh = open_repository(tmp_path / "target", tmp_path / "second-store")
    with pytest.raises(Diverged):
        fresh.workspace("main", fresh.base_tree).apply(dataclasses.replace(change, patch=b""))


def test_trees_between_claimed_changes_can_be_asked_for(
    workspace: GitWorkspace, tmp_path: Path
) -> None:
    first = record(workspace, lambda root: write(root, {"x": "1\n"}))
    later = record(workspace, lambda root: write(root, {"x": "2\n"}))
    fresh = open_repository(tmp_path / "target", tmp_path / "second-store")
    replayed = fresh.workspace("main", fresh.base_tree)
    replayed.apply(first)
    replayed.apply(later)
    assert fresh.blob_id(later.after, "x") != fresh.blob_id(first.after, "x")
    assert replayed.change_since(first.after) == later
    assert b"+2" in replayed.change_since(fresh.base_tree).patch


def test_the_change_since_a_tree_replays_too(workspace: GitWorkspace, tmp_path: Path) -> None:
    base = workspace.tree
    record(workspace, lambda root: write(root, {"x": "1\n"}))
    record(workspace, lambda root: write(root, {"y": b"\0\1binary", "x": "2\n"}))
    whole = workspace.change_since(base)
    fresh = open_repository(tmp_path / "target", tmp_path / "second-store")
    replayed = fresh.workspace("main", fresh.base_tree)
    replayed.apply(whole)
    assert read_files(replayed.folder()) == read_files(workspace.folder())


def test_reset_drops_changes_untracked_and_ignored_files(workspace: GitWorkspace) -> None:
    base = workspace.tree
    root = workspace.folder()
    expected = read_files(root)
    record(workspace, lambda root: write(root, {"src/a.py": "a = 2\n", "added": "x"}))
    write(root, {"untracked": "x", "noise.log": "x", "build/deep/out": "x"})
    git(root, "init", "-q", "inner")
    workspace.reset(base)
    assert workspace.tree == base
    assert read_files(workspace.folder()) == expected


def test_reset_after_a_command_that_wrote_without_a_snapshot(workspace: GitWorkspace) -> None:
    root = workspace.folder()
    write(root, {"src/a.py": "garbage\n"})
    workspace.reset(workspace.tree)
    assert workspace.snapshot().patch == b""
    assert (workspace.folder() / "src/a.py").read_text() == "a = 1\n"


def test_reset_gets_past_folders_without_permission(workspace: GitWorkspace) -> None:
    root = workspace.folder()
    write(root, {"locked/file": "x"})
    (root / "locked").chmod(0o500)
    workspace.reset(workspace.tree)
    assert not (workspace.folder() / "locked").exists()


def test_a_fork_has_the_same_tree_and_its_own_folder(workspace: GitWorkspace) -> None:
    record(workspace, lambda root: write(root, {"x": "1"}))
    fork = workspace.fork("branch")
    assert fork.tree == workspace.tree
    record(fork, lambda root: write(root, {"x": "2"}))
    assert (workspace.folder() / "x").read_text() == "1"


def test_closing_removes_the_folder(repository: GitRepository, workspace: GitWorkspace) -> None:
    root = workspace.folder()
    workspace.close()
    workspace.close()
    assert not root.exists()
    again = repository.workspace("main", repository.base_tree)
    assert again.folder().exists()


def test_two_open_workspaces_cannot_share_a_name(
    repository: GitRepository, workspace: GitWorkspace
) -> None:
    with pytest.raises(ValueError, match="open already"):
        repository.workspace(workspace.name, repository.base_tree)


def test_leftovers_of_a_killed_run_are_dropped(
    repository: GitRepository, target: Path, tmp_path: Path
) -> None:
    killed = second(repository, "main")
    write(killed.folder(), {"half-done": "x"})
    (tmp_path / "store/index/work.main.lock").write_text("")
    reopened = open_repository(target, tmp_path / "store")
    workspace = reopened.workspace("main", reopened.base_tree)
    assert not (workspace.folder() / "half-done").exists()


def test_odd_file_names_replay(workspace: GitWorkspace, tmp_path: Path) -> None:
    names = [b"with space", b"new\nline", b"caf\xc3\xa9", b"\xff\xfe", b'quo"te', b"-dash", b"a\\b"]
    for name in names:
        (workspace.folder() / os.fsdecode(name)).write_bytes(b"x\n")
    change = workspace.snapshot()
    fresh = open_repository(tmp_path / "target", tmp_path / "second-store")
    replayed = fresh.workspace("main", fresh.base_tree)
    replayed.apply(change)
    present = {os.fsencode(path.name) for path in replayed.folder().iterdir()}
    assert set(names) <= present


def test_symlinks_and_type_changes_replay(workspace: GitWorkspace, tmp_path: Path) -> None:
    def edit(root: Path) -> None:
        (root / "link").symlink_to("src/a.py")
        (root / "dangling").symlink_to("/nowhere/at all")
        (root / "readme.md").unlink()
        (root / "readme.md").symlink_to("src")
        (root / "src/b.py").unlink()
        write(root, {"src/b.py/now/a/folder": "x"})

    change = record(workspace, edit)
    fresh = open_repository(tmp_path / "target", tmp_path / "second-store")
    replayed = fresh.workspace("main", fresh.base_tree)
    replayed.apply(change)
    root = replayed.folder()
    assert (root / "link").readlink() == Path("src/a.py")
    assert (root / "dangling").readlink() == Path("/nowhere/at all")
    assert (root / "readme.md").is_symlink()
    assert (root / "src/b.py/now/a/folder").read_text() == "x"


def test_line_endings_and_attributes_change_no_byte(tmp_path: Path) -> None:
    files: dict[str, str | bytes] = {
        "dos.txt": b"a\r\nb\r\n",
        "unix.bat": b"a\nb\n",
        "id.c": b"$Id$\n",
        "mixed": b"a\r\nb\nc\r",
    }
    target = make_repository(tmp_path / "target", files)
    attributes = "* text=auto\n*.txt eol=crlf\n*.bat text eol=crlf\n*.c ident\n*.x filter=evil\n"
    write(target, {".gitattributes": attributes})
    git(target, "config", "filter.evil.clean", f"touch {tmp_path}/evil-ran; cat")
    git(target, "add", ".gitattributes")
    git(target, "commit", "-qm", "attributes")
    repository = open_repository(target, tmp_path / "store")
    workspace = repository.workspace("main", repository.base_tree)
    root = workspace.folder()
    assert {name: (root / name).read_bytes() for name in files} == files
    assert workspace.snapshot().patch == b""
    write(root, {"new.bat": b"x\r\ny\n", "new.x": "x"})
    change = workspace.snapshot()
    fresh = open_repository(target, tmp_path / "second-store")
    replayed = fresh.workspace("main", fresh.base_tree)
    replayed.apply(change)
    assert (replayed.folder() / "new.bat").read_bytes() == b"x\r\ny\n"
    assert not (tmp_path / "evil-ran").exists()


def test_modes_do_not_depend_on_the_umask(target: Path, tmp_path: Path) -> None:
    trees = []
    for number, umask in enumerate((0o000, 0o022, 0o077, 0o177)):
        before = os.umask(umask)
        try:
            repository = open_repository(target, tmp_path / f"store{number}")
            workspace = repository.workspace("main", repository.base_tree)
            root = workspace.folder()
        finally:
            os.umask(before)
        assert (root / "src").stat().st_mode & 0o777 == 0o755
        assert (root / "readme.md").stat().st_mode & 0o777 == 0o644
        write(root, {"x": "1"})
        (root / "x").chmod(0o700)
        trees.append(workspace.snapshot().after)
    assert len(set(trees)) == 1


def test_repositories_inside_the_workspace_stay_out(workspace: GitWorkspace) -> None:
    root = workspace.folder()
    make_repository(root / "cloned", {"f": "x"})
    git(root, "init", "-q", "empty")
    git(root, "init", "-q")
    write(root, {"own": "x"})
    change = workspace.snapshot()
    assert b"own" in change.patch
    assert b"Subproject" not in change.patch
    assert workspace.snapshot().patch == b""


def test_a_removed_folder_is_a_removal_of_all_files(workspace: GitWorkspace) -> None:
    root = workspace.folder()
    for path in sorted(root.rglob("*"), reverse=True):
        path.rmdir() if path.is_dir() else path.unlink()
    root.rmdir()
    assert b"deleted file" in workspace.snapshot().patch
    assert workspace.tree == "4b825dc642cb6eb9a060e54bf8d69288fbee4904"


def test_a_folder_replaced_by_a_link_is_refused(workspace: GitWorkspace) -> None:
    root = workspace.folder()
    root.rename(root.with_name("moved"))
    root.symlink_to("/")
    with pytest.raises(SafetyRefusal):
        workspace.snapshot()
    workspace.close()


def test_pipes_and_sockets_are_no_files_of_a_tree(workspace: GitWorkspace) -> None:
    os.mkfifo(workspace.folder() / "pipe")
    assert workspace.snapshot().patch == b""


def test_names_of_workspaces_become_different_safe_file_names() -> None:
    names = ["main", "Main", "a/b", "a%2fb", "a[b]", ".", "..", "", "é", "x" * 300, "x" * 301]
    safe = [folder_name(name) for name in names]
    assert len({name.lower() for name in safe}) == len(names)
    assert all("/" not in name and name not in {"", ".", ".."} for name in safe)
    assert all(len(name) < 200 for name in safe)


def test_a_workspace_of_a_plain_folder(tmp_path: Path) -> None:
    write(tmp_path / "fixture", {"a": "1\n"})
    repository = open_folder(tmp_path / "fixture", tmp_path / "store")
    workspace = repository.workspace("main", repository.base_tree)
    assert read_files(workspace.folder()) == {"a": b"1\n"}


def test_an_unreadable_file_is_an_error() -> None:
    """Root may read everything, so root becomes somebody else for this."""
    place = Path(tempfile.mkdtemp())
    root = os.geteuid() == 0
    if root:
        os.chown(place, 65534, 65534)
        os.seteuid(65534)
    try:
        write(place / "fixture", {"a": "1\n"})
        repository = open_folder(place / "fixture", place / "store")
        workspace = repository.workspace("main", repository.base_tree)
        write(workspace.folder(), {"b": "2\n"})
        assert workspace.snapshot().patch, "what can be read is taken"
        write(workspace.folder(), {"secret": "x"})
        (workspace.folder() / "secret").chmod(0)
        with pytest.raises(EnvironmentProblem):
            workspace.snapshot()
    finally:
        if root:
            os.seteuid(0)
        shutil.rmtree(place)
