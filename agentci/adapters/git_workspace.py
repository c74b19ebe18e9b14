"""A workspace: a git tree, and a folder with its files once somebody asks for one.

Recorded changes move the tree alone; the folder follows when it is asked for. Must not know of
runs, steps or the target repository.
"""

from __future__ import annotations

import os
import re
import shutil
import stat
from pathlib import Path
from typing import Protocol

from agentci.adapters.git_commands import GitOutput, failure
from agentci.adapters.git_store import GitStore
from agentci.core.digest import digest_bytes, hex_of
from agentci.core.effects import TreeChange
from agentci.core.errors import Diverged, EnvironmentProblem, SafetyRefusal, StorageError

_NESTED = re.compile(rb"^add '(.+)/'$", re.MULTILINE)
_ADD_FAILED = re.compile(
    r"^error: (?:unable to index file|open\()[ ]?['\"](.+?)['\"]", re.MULTILINE
)
_LONGEST_NAME = 100


class WorkspaceOpener(Protocol):
    """Keeps the names of workspaces apart."""

    def workspace(self, name: str, tree: str) -> GitWorkspace:
        """Open a workspace."""

    def closed(self, name: str) -> None:
        """Note that the workspace `name` is no longer open."""


class GitWorkspace:
    """The files that one branch of a run works on."""

    __slots__ = (
        "_clean",
        "_home",
        "_index",
        "_opener",
        "_root",
        "_shown",
        "_store",
        "_tree",
        "name",
    )  # fmt: skip

    def __init__(self, store: GitStore, name: str, *, tree: str, opener: WorkspaceOpener) -> None:
        """Start on `tree`, without a folder; leftovers of a killed run are dropped later."""
        safe = folder_name(name)
        self.name = name
        self._store = store
        self._tree = tree
        self._home = store.folder / "work" / safe
        # always called the same, because some tools print the name of their folder
        self._root = self._home / "workspace"
        self._index = store.folder / "index" / f"work.{safe}"
        self._shown: str | None = None
        self._clean = True
        self._opener = opener

    @property
    def tree(self) -> str:
        """Git tree id as of the last snapshot, apply or reset."""
        return self._tree

    @property
    def path(self) -> Path:
        """Where the folder is, or will be once `folder` is called."""
        return self._root

    def folder(self) -> Path:
        """Return the folder with the files; ask again after `apply` and `reset`.

        Raises:
            Diverged: when recorded changes do not lead to the tree.
            StorageError: when the files cannot be written.
        """
        if self._shown != self._tree or not self._clean:
            self._store.materialise(self._tree)
            if self._shown is None:
                self._check_out()
            else:
                self._update()
        return self._root

    def snapshot(self) -> TreeChange:
        """Take what changed in the folder since `tree` into a new tree, and return the change.

        Ignored files (`.gitignore`) and repositories inside the workspace stay out.
        """
        if self._shown != self._tree or not self._clean:
            return TreeChange(self._tree, self._tree, b"")  # nobody has seen the folder since
        self._guard_root()
        staged = self._git("add", "--all", "--verbose", "--ignore-errors", allowed=(0, 1, 128))
        nested = self._nested(staged.stdout, staged.stderr.decode("utf-8", "replace"))
        if staged.exit_code and not nested:
            raise failure("add", staged)
        if nested:
            flags = ("--pathspec-from-file=-", "--pathspec-file-nul")
            self._git("reset", "-q", *flags, self._tree, stdin=b"\0".join(nested))
        if not staged.stdout:
            return TreeChange(self._tree, self._tree, b"")
        before, after = self._tree, self._store.git.run("write-tree", index=self._index).text
        self._store.add_present(after)
        self._tree = self._shown = after
        return self._store.change(before, after)

    def apply(self, change: TreeChange) -> None:
        """Replay a recorded change on the tree; it is verified when the files are needed.

        Raises:
            Diverged: when `change.before` is not the present tree.
        """
        if change.before != self._tree:
            raise Diverged(
                f"a recorded change starts from tree `{change.before[:12]}`, but the workspace "
                f"`{self.name}` is at tree `{self._tree[:12]}`",
                code="ACI-R211",
                hint="something earlier went another way than when it was recorded; record again",
            )
        if (change.before == change.after) is bool(change.patch):
            raise Diverged(
                f"the recorded change to tree `{change.after[:12]}` does not fit its patch",
                code="ACI-R212",
                hint="the recording was edited or is incomplete; record the step again",
            )
        self._store.claim(change)
        self._tree = change.after

    def change_since(self, before: str) -> TreeChange:
        """Return the change from the tree `before` to the present tree."""
        return self._store.change(before, self._tree)

    def reset(self, tree: str) -> None:
        """Go to `tree`; the folder is cleaned of everything else when it is next asked for."""
        self._tree = tree
        self._clean = self._shown is None

    def fork(self, name: str) -> GitWorkspace:
        """Return a new workspace on the same tree, with a folder of its own.

        Raises:
            ValueError: when a workspace of that name is open.
        """
        return self._opener.workspace(name, self._tree)

    def close(self) -> None:
        """Remove the folder; a second call does nothing."""
        self._drop_folder()
        self._opener.closed(self.name)

    def _check_out(self) -> None:
        self._drop_folder()
        try:
            self._root.mkdir(parents=True)
        except OSError as error:
            raise StorageError(
                f"`{self._root}` cannot be made: {error.strerror}",
                code="ACI-E213",
                hint="free some space or make the folder `.agentci` writable",
            ) from error
        self._git("read-tree", "--reset", "-u", self._tree)
        self._shown, self._clean = self._tree, True

    def _update(self) -> None:
        self._guard_root()
        clean, self._clean = self._clean, False  # should this fail, all of it is done again
        try:
            self._git("read-tree", "--reset", "-u", self._tree)
            if not clean:
                self._git("clean", "-ffdxq")
        except StorageError:
            raise
        except EnvironmentProblem:
            # for example a folder without write permission, left by a command
            self._check_out()
        self._shown, self._clean = self._tree, True

    def _guard_root(self) -> None:
        if self._root.is_symlink() or self._home.is_symlink():
            raise SafetyRefusal(
                f"the folder of the workspace `{self.name}` was replaced by a symbolic link",
                code="ACI-P210",
                hint="look at the last command of the run; start a new run when it is safe",
            )
        self._root.mkdir(parents=True, exist_ok=True)

    def _nested(self, added: bytes, errors: str) -> list[bytes]:
        """Return folders that are repositories of their own: their files cannot be recorded."""
        found = {match[1] for match in _NESTED.finditer(added)}
        failed = {name.rstrip("/") for name in _ADD_FAILED.findall(errors)}
        for name in failed:
            if not (self._root / name / ".git").exists():
                return []
            found.add(os.fsencode(name))
        return sorted(found)

    def _git(self, *args: str, stdin: bytes = b"", allowed: tuple[int, ...] = (0,)) -> GitOutput:
        return self._store.git.run(
            *args, stdin=stdin, index=self._index, work_tree=self._root, allowed=allowed
        )

    def _drop_folder(self) -> None:
        self._shown, self._clean = None, True
        for leftover in (self._index, self._index.with_name(self._index.name + ".lock")):
            leftover.unlink(missing_ok=True)
        if self._home.is_symlink():
            self._home.unlink()
        elif self._home.exists():
            remove_tree(self._home)


def folder_name(name: str) -> str:
    """Return a file name for any workspace name, different for different names."""
    safe = "".join(
        c if c.isascii() and (c.islower() or c.isdigit() or c in "-_.") else _escaped(c)
        for c in name
    )
    if safe.startswith(".") or not safe:
        safe = f"%{safe}"
    if len(safe) > _LONGEST_NAME:
        safe = f"{safe[:_LONGEST_NAME]}%%{hex_of(digest_bytes(name.encode()))[:16]}"
    return safe


def _escaped(character: str) -> str:
    return "".join(f"%{byte:02x}" for byte in character.encode("utf-8", "surrogatepass"))


def remove_tree(folder: Path) -> None:
    """Remove a folder, even where a command took away the permission to write to it.

    Raises:
        StorageError: when it still cannot be removed.
    """
    try:
        shutil.rmtree(folder)
    except OSError:
        for parent, _, _ in os.walk(folder):
            os.chmod(parent, stat.S_IRWXU)  # noqa: PTH101 - os.walk gives texts
        try:
            shutil.rmtree(folder)
        except OSError as error:
            raise StorageError(
                f"`{error.filename}` cannot be removed: {error.strerror}",
                code="ACI-E218",
                hint=f"remove `{folder}` by hand",
            ) from error
