"""The run's own object store: a bare repository that reads the target's objects as alternates.

A tree may be *claimed*: its id is known from a recorded change, but it was not built yet. It is
built, and the claim verified, when somebody needs its content. Must not know of folders.
"""

from __future__ import annotations

import os
import shutil
import threading
from pathlib import Path

from agentci.adapters.git_commands import Git
from agentci.adapters.git_objects import LooseObjects, ObjectFormat
from agentci.core.effects import TreeChange
from agentci.core.errors import Diverged, EnvironmentProblem, StorageError

_BATCH = 500
"""Patches for one process, far below the limit on the length of a command line."""

_RAW_ATTRIBUTES = "* -text -crlf -eol -ident -filter -working-tree-encoding\n"
"""The strongest of git's attribute files: bytes are never converted, whatever a tree asks for."""

_PATCH = ("-p", "--full-index", "--no-renames", "--no-ext-diff", "--no-textconv")


class GitStore:
    """Objects of a run, with trees that are built on demand from recorded changes."""

    __slots__ = ("_claims", "_lock", "_present", "_scratch_tree", "folder", "git", "objects")

    def __init__(self, folder: Path, *, object_format: ObjectFormat = "sha1") -> None:
        """Open the store in `folder`; see `create`."""
        self.folder = folder
        self.git = Git(folder / "repo.git")
        self.objects = LooseObjects(folder / "repo.git" / "objects", object_format)
        self._lock = threading.RLock()
        self._present: set[str] = set()
        self._claims: dict[str, TreeChange] = {}
        self._scratch_tree: str | None = None

    def add_present(self, tree: str) -> None:
        """Note that `tree` is in the store."""
        self._present.add(tree)

    def claim(self, change: TreeChange) -> None:
        """Note how `change.after` can be built; it is verified when it is built."""
        with self._lock:
            if change.after not in self._present:
                self._claims.setdefault(change.after, change)

    def change(self, before: str, after: str) -> TreeChange:
        """Return the change between two trees, computed only where it is not known yet."""
        if before == after:
            return TreeChange(before, after, b"")
        claimed = self._claims.get(after)
        if claimed is not None and claimed.before == before:
            return claimed
        return TreeChange(before, after, self.diff(before, after, "--binary"))

    def diff(self, before: str, after: str, *options: str) -> bytes:
        """Return the patch between two trees or commits."""
        return self._compare(before, after, *_PATCH, *options)

    def changed_paths(self, before: str, after: str) -> tuple[str, ...]:
        """Return the paths that differ between two trees, sorted."""
        names = self._compare(before, after, "--name-only", "--no-renames", "-z")
        return tuple(sorted(name.decode("utf-8", "replace") for name in names.split(b"\0") if name))

    def _compare(self, before: str, after: str, *options: str) -> bytes:
        if before == after:
            return b""
        self.materialise(before)
        self.materialise(after)
        return self.git.run("diff-tree", "-r", *options, before, after).stdout

    def materialise(self, tree: str) -> None:
        """Build `tree` when it is only claimed.

        Raises:
            Diverged: when the recorded changes do not lead to `tree`.
            EnvironmentProblem: when `tree` is neither in the store nor claimed.
        """
        with self._lock:
            if tree in self._present:
                return
            chain: list[TreeChange] = []
            start = tree
            while start not in self._present and start in self._claims:
                chain.append(self._claims[start])
                start = chain[-1].before
            self._require(start)
            chain.reverse()
            if chain and not self._replay(chain):
                self._explain(chain)

    def has(self, object_id: str) -> bool:
        """Say whether an object is in the store or in the target; a claimed tree is not."""
        if object_id in self._present:
            return True
        if self.git.run("cat-file", "-e", object_id, allowed=(0, 1, 128)).exit_code:
            return False
        self._present.add(object_id)
        return True

    def _require(self, object_id: str) -> None:
        if not self.has(object_id):
            raise EnvironmentProblem(
                f"the git object `{object_id}` is not in the run's store",
                code="ACI-E216",
                hint="the target repository may have been cleaned up; start a new run",
            )

    def _replay(self, chain: list[TreeChange]) -> bool:
        """Apply `chain` in the scratch index; say whether it led to the claimed tree."""
        index = self.folder / "index" / "scratch"
        if self._scratch_tree != chain[0].before:
            self._scratch_tree = None
            self.git.run("read-tree", chain[0].before, index=index)
        self._scratch_tree = None
        patches = self._write_patches(chain)
        try:
            for first in range(0, len(patches), _BATCH):
                names = patches[first : first + _BATCH]
                flags = ("--cached", "--whitespace=nowarn")
                tmp = self.folder / "tmp"
                done = self.git.run(
                    "apply", *flags, *names, index=index, cwd=tmp, allowed=(0, 1, 128)
                )
                if done.exit_code:
                    return False
        finally:
            shutil.rmtree(self.folder / "tmp", ignore_errors=True)
        tree = self.git.run("write-tree", index=index).text
        self._present.add(tree)
        self._scratch_tree = tree
        return tree == chain[-1].after

    def _write_patches(self, chain: list[TreeChange]) -> list[str]:
        folder = self.folder / "tmp"
        names = []
        try:
            folder.mkdir(parents=True, exist_ok=True)
            for number, change in enumerate(chain):
                if change.patch:
                    names.append(f"{number:06}.patch")
                    (folder / names[-1]).write_bytes(change.patch)
        except OSError as error:
            raise _unwritable(folder, error) from error
        return names

    def _explain(self, chain: list[TreeChange]) -> None:
        """Find the first change of a failed chain that is at fault, and raise."""
        for number, change in enumerate(chain, start=1):
            if not self._replay([change]):
                raise Diverged(
                    f"recorded change {number} of {len(chain)} does not lead from tree "
                    f"`{change.before[:12]}` to tree `{change.after[:12]}`",
                    code="ACI-R212",
                    hint="the recording was edited or is incomplete; record the step again",
                )
            self._present.add(change.after)


def create_store(
    folder: Path, *, object_format: ObjectFormat, alternates: tuple[Path, ...]
) -> None:
    """Write the skeleton of a bare repository; an existing one is kept.

    Raises:
        StorageError: when the folder cannot be written.
    """
    repository = folder / "repo.git"
    version = 0 if object_format == "sha1" else 1
    config = f"[core]\n\trepositoryformatversion = {version}\n\tbare = true\n"
    config += "\tlooseCompression = 1\n"
    if object_format != "sha1":
        config += f"[extensions]\n\tobjectformat = {object_format}\n"
    try:
        for part in ("objects/info", "refs", "info"):
            (repository / part).mkdir(parents=True, exist_ok=True)
        (folder / "index").mkdir(exist_ok=True)
        for leftover in sorted((folder / "index").glob("scratch*")):
            leftover.unlink()
        lines = b"".join(_quoted(path) + b"\n" for path in alternates)
        (repository / "objects/info/alternates").write_bytes(lines)
        (repository / "info/attributes").write_text(_RAW_ATTRIBUTES)
        (repository / "config").write_text(config)
        (repository / "HEAD").write_text("ref: refs/heads/none\n")
    except OSError as error:
        raise _unwritable(folder, error) from error


def _unwritable(folder: Path, error: OSError) -> StorageError:
    return StorageError(
        f"`{folder}` cannot be written: {error.strerror}",
        code="ACI-E213",
        hint="free some space or make the folder `.agentci` writable",
    )


def _quoted(path: Path) -> bytes:
    raw = os.fsencode(path)
    if b"\n" not in raw:
        return raw
    escaped = raw.replace(b"\\", b"\\\\").replace(b'"', b'\\"').replace(b"\n", b"\\n")
    return b'"' + escaped + b'"'
