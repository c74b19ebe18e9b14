"""The files of one commit, read from the object database without a checkout.

Nothing of a stranger's commit touches the disk before somebody asks for it. Must not know of runs.
"""

from __future__ import annotations

import os
import posixpath
import subprocess
from bisect import bisect_left
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import IO, NoReturn

from agentci.adapters.git_commands import Git
from agentci.core.effects import AppendFile
from agentci.core.errors import EnvironmentProblem, StorageError
from agentci.core.presence import Presence
from agentci.core.tree_file import TreeFile

_LINK = "120000"
_SUBMODULE = "160000"
_EXECUTABLE = "100755"
_AHEAD = 250
"""Files that are read together."""
_HOPS = 10
"""Links that lead to links."""


class CommitFiles:
    """The files of one commit, for reading; whoever opens it closes it."""

    def __init__(self, git: Git, commit: str, work_tree: Path) -> None:
        """Read the list of files of `commit`; each content is read when it is asked for."""
        self._git = git
        self._root = work_tree.resolve()
        self._commit = commit
        self._entries = _list(git, commit)
        self._reader: subprocess.Popen[bytes] | None = None
        self._ahead: dict[str, bytes] = {}
        """Contents that were read together, until the next ones are."""
        self._listed: list[str] = []
        """Folders that somebody has listed, and so will read."""
        self._names = sorted(self._entries)

    def read(self, path: Path) -> bytes:
        """Return the whole content; a link to a file of the same commit is followed."""
        entry = self._followed(self._name(path))
        if entry is None:
            raise StorageError(
                f"`{path}` is not a file of commit `{self._commit[:12]}`", code="ACI-E221"
            )
        if entry[1] not in self._ahead:
            self._read_ahead(self._name(path), entry[1])
        return self._ahead[entry[1]]

    def exists(self, path: Path) -> bool:
        """Say whether `path` is there, as a file or a folder."""
        name = self._name(path)
        return self._followed(name) is not None or self._is_folder(name)

    def list(self, folder: Path) -> tuple[Path, ...]:
        """Return all files below `folder`, sorted by path; links are left out."""
        prefix = self._prefix(folder)
        return tuple(
            sorted(
                folder / path[len(prefix) :]
                for path, entry in self._entries.items()
                if path.startswith(prefix) and entry[0] != _LINK
            )
        )

    def tree(self, folder: Path) -> tuple[TreeFile, ...]:
        """Return what git keeps of `folder`, sorted by path: links are not followed."""
        prefix = self._prefix(folder)
        found = (
            self._tree_file(folder / path[len(prefix) :], *entry)
            for path, entry in self._entries.items()
            if path.startswith(prefix)
        )
        return tuple(sorted(found, key=lambda each: each.path))

    def close(self) -> None:
        """End the process that reads; a second call does nothing."""
        if self._reader is not None:
            self._reader.communicate()
            self._reader = None

    def _prefix(self, folder: Path) -> str:
        """Return how the paths of a folder begin, which will be read."""
        name = self._name(folder)
        prefix = "" if name == "." else name + "/"
        if prefix:
            self._listed.append(prefix)
        return prefix

    def _tree_file(self, path: Path, mode: str, object_id: str) -> TreeFile:
        if mode == _LINK:
            return TreeFile(path, link=os.fsdecode(self._blob(object_id)))
        return TreeFile(path, executable=mode == _EXECUTABLE)

    def _is_folder(self, name: str) -> bool:
        if name == ".":
            return bool(self._names)
        after = bisect_left(self._names, name + "/")
        return after < len(self._names) and self._names[after].startswith(name + "/")

    def _followed(self, name: str) -> tuple[str, str] | None:
        entry = self._entries.get(name)
        for _ in range(_HOPS):
            if entry is None or entry[0] != _LINK:
                return entry
            target = os.fsdecode(self._blob(entry[1]))
            name = posixpath.normpath(posixpath.join(posixpath.dirname(name), target))
            entry = self._entries.get(name)
        return None

    def _name(self, path: Path) -> str:
        """Return the path in the commit; what lies outside of the checkout is in no commit."""
        absolute = Path(os.path.abspath(path))  # noqa: PTH100 - `resolve` would follow links on disk
        for place in (absolute, path.resolve()):
            if place.is_relative_to(self._root):
                return place.relative_to(self._root).as_posix()
        return "\0"

    def _read_ahead(self, name: str, object_id: str) -> None:
        """Read a file and those after it in a listed folder: one exchange with git for many."""
        wanted = {object_id: None}
        folder = max((each for each in self._listed if name.startswith(each)), default=None)
        if folder is not None:
            start = bisect_left(self._names, name) + 1
            for each in self._names[start : start + _AHEAD]:
                mode, following = self._entries[each]
                if each.startswith(folder) and mode != _LINK:
                    wanted[following] = None
        self._ahead = dict(zip(wanted, self._blobs(tuple(wanted)), strict=True))

    def _blob(self, object_id: str) -> bytes:
        return next(self._blobs((object_id,)))

    def _blobs(self, object_ids: Sequence[str]) -> Iterator[bytes]:
        reader = self._open()
        asked, answer = _pipe(reader.stdin), _pipe(reader.stdout)
        # far less than a pipe holds, so that git never waits for a reader that still writes
        asked.write("".join(f"{each}\n" for each in object_ids).encode())
        asked.flush()
        for object_id in object_ids:
            yield self._answer(answer, object_id)

    def _answer(self, answer: IO[bytes], object_id: str) -> bytes:
        head = answer.readline().split()
        if len(head) != 3:
            raise EnvironmentProblem(
                f"the git object `{object_id}` cannot be read",
                code="ACI-E222",
                hint="in a partial clone, run `git fetch --refetch --no-filter`",
            )
        data = answer.read(int(head[2]))
        answer.read(1)  # the line break after it
        return data

    def _open(self) -> subprocess.Popen[bytes]:
        if self._reader is None:
            self._reader = self._git.start("cat-file", "--batch")
        return self._reader

    # The rest of the port: a commit cannot be written to.

    def write_atomic(self, path: Path, data: bytes) -> None:
        """Refuse."""
        self._refuse(path, data)

    def open_append(self, path: Path) -> AppendFile:
        """Refuse."""
        self._refuse(path)

    def force(self, path: Path) -> None:
        """Do nothing: there is nothing to be forced to the disk."""

    def update(self, path: Path, change: Callable[[bytes], bytes | None]) -> None:
        """Refuse."""
        self._refuse(path, change)

    def remove(self, path: Path) -> None:
        """Refuse."""
        self._refuse(path)

    def lock(self, path: Path) -> AbstractContextManager[bool]:
        """Refuse."""
        self._refuse(path)

    def enter(self, folder: Path) -> Presence:
        """Refuse."""
        self._refuse(folder)

    def _refuse(self, path: Path, *_what: object) -> NoReturn:
        raise StorageError(
            f"`{path}` cannot be written: it is a file of commit `{self._commit[:12]}`",
            code="ACI-E223",
        )


def _list(git: Git, commit: str) -> dict[str, tuple[str, str]]:
    """Return mode and object id of every file by path, in order of the paths."""
    listed = git.run("ls-tree", "-r", "-z", "--full-tree", commit).stdout
    found: dict[str, tuple[str, str]] = {}
    for entry in listed.split(b"\0"):
        if entry:
            head, _, path = entry.partition(b"\t")
            mode, _kind, object_id = head.decode().split()
            if mode != _SUBMODULE:
                found[os.fsdecode(path)] = (mode, object_id)
    return found


def _pipe(stream: IO[bytes] | None) -> IO[bytes]:
    assert stream is not None
    return stream
