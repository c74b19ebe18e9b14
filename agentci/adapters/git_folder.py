"""A plain folder as the base of a run: its files in a commit that is the same on every machine.

Must not know of workspaces or runs.
"""

from __future__ import annotations

import os
import stat
from pathlib import Path

from agentci.adapters.git_commands import Git
from agentci.adapters.git_objects import FileEntry
from agentci.adapters.git_store import GitStore
from agentci.adapters.git_target import Base, find_target
from agentci.core.effects import CommitRequest
from agentci.core.errors import StorageError, UsageError

FIXTURE_DATE = 1_767_225_600
"""2026-01-01T00:00:00Z, the date of the commit that stands for a plain folder."""

_AUTHOR = "agentci <agentci@localhost>"


def commit_folder(folder: Path, store: GitStore) -> Base:
    """Store the files below `folder` (absolute) and a commit of them.

    Raises:
        StorageError: when a file cannot be read, or the store not be written.
    """
    root = os.fsencode(folder)
    files: dict[bytes, FileEntry] = {}
    for path in _listed(folder, store.git):
        entry = _entry(os.path.join(root, path), store)  # noqa: PTH118 - names are bytes here
        if entry is not None:
            files[path] = entry
    tree = store.objects.tree(files)
    request = CommitRequest(tree, (), message="fixture", author=_AUTHOR, date=FIXTURE_DATE)
    return Base(store.objects.commit(request), tree, FIXTURE_DATE)


def _entry(path: bytes, store: GitStore) -> FileEntry | None:
    try:
        mode = os.lstat(path).st_mode
        if stat.S_ISLNK(mode):
            return FileEntry("120000", store.objects.blob(os.readlink(path)))  # noqa: PTH115
        if stat.S_ISREG(mode):
            with open(path, "rb") as file:  # noqa: PTH123
                blob = store.objects.blob(file.read())
            return FileEntry("100755" if mode & stat.S_IXUSR else "100644", blob)
    except FileNotFoundError:
        pass  # tracked around it, but removed
    except OSError as error:
        raise StorageError(
            f"`{os.fsdecode(path)}` cannot be read: {error.strerror}", code="ACI-E219"
        ) from error
    return None


def _listed(folder: Path, git: Git) -> list[bytes]:
    """Return the paths of the files below `folder`, sorted."""
    top, index = folder, None
    if not (folder / ".git").exists():
        try:
            around = find_target(folder)
        except UsageError:
            around = None
        if around is not None and around.work_tree is not None:
            top, index = around.work_tree, around.git_dir / "index"
    flags = ("ls-files", "-z", "--others", "--exclude-per-directory=.gitignore")
    if index is not None and index.is_file():
        # what is tracked there belongs to the folder even where a pattern would ignore it
        done = git.run(*flags, "--cached", index=index, work_tree=top, cwd=folder, allowed=(0, 128))
        if done.exit_code == 0:
            return _expanded(folder, done.stdout)
    empty = git.git_dir / "no-index"
    return _expanded(folder, git.run(*flags, index=empty, work_tree=top, cwd=folder).stdout)


def _expanded(folder: Path, listing: bytes) -> list[bytes]:
    """Put the files of inner repositories, which git lists as one folder, in their place."""
    root = os.fsencode(folder)
    paths: set[bytes] = set()
    for name in listing.split(b"\0"):
        full = os.path.join(root, name)  # noqa: PTH118 - names are bytes here
        if name.endswith(b"/") or (name and os.path.isdir(full) and not os.path.islink(full)):  # noqa: PTH112, PTH114
            for parent, folders, names in os.walk(full):
                folders[:] = [below for below in folders if below != b".git"]
                paths.update(os.path.relpath(os.path.join(parent, n), root) for n in names)  # noqa: PTH118
        elif name:
            paths.add(name)
    return sorted(path for path in paths if b".git" not in path.split(b"/"))
