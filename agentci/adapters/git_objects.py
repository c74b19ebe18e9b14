"""Writing git objects without starting git: blobs, trees and commits as loose objects.

A process costs more than the hash of a commit. Must not read repositories or know of runs.
"""

from __future__ import annotations

import hashlib
import os
import threading
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, TypeAlias

from agentci.core.effects import CommitRequest
from agentci.core.errors import StorageError, UsageError

ObjectFormat: TypeAlias = Literal["sha1", "sha256"]
_FOLDER_MODE = b"40000"


@dataclass(frozen=True, slots=True)
class FileEntry:
    """A file of a tree."""

    mode: Literal["100644", "100755", "120000"]
    object_id: str


@dataclass(slots=True)
class _Folder:
    files: dict[bytes, FileEntry] = field(default_factory=dict)
    folders: dict[bytes, _Folder] = field(default_factory=dict)


class LooseObjects:
    """The `objects` folder of a repository, written to only."""

    __slots__ = ("_folder", "object_format")

    def __init__(self, folder: Path, object_format: ObjectFormat) -> None:
        """Write below `folder`, with ids of `object_format`."""
        self._folder = folder
        self.object_format: ObjectFormat = object_format

    def blob(self, data: bytes) -> str:
        """Store a file's bytes, raw, and return the id."""
        return self._write("blob", data)

    def tree(self, files: Mapping[bytes, FileEntry]) -> str:
        """Store the trees for `files` (paths with `/`) and return the id of the topmost one."""
        top = _Folder()
        for path, entry in files.items():
            *parents, name = path.split(b"/")
            folder = top
            for parent in parents:
                folder = folder.folders.setdefault(parent, _Folder())
            folder.files[name] = entry
        return self._tree_of(top)

    def commit(self, request: CommitRequest) -> str:
        """Store a commit and return the id.

        Raises:
            UsageError: when the message or the author cannot stand in a commit.
        """
        who = request.author
        if "\n" in who or "\0" in who or "\0" in request.message:
            raise UsageError("a commit's author or message has a character that git refuses")
        message = request.message.rstrip("\n") + "\n"
        lines = [
            f"tree {request.tree}",
            *(f"parent {parent}" for parent in request.parents),
            f"author {who} {request.date} +0000",
            f"committer {who} {request.date} +0000",
        ]
        return self._write("commit", ("\n".join(lines) + "\n\n" + message).encode())

    def _tree_of(self, folder: _Folder) -> str:
        rows: list[tuple[bytes, bytes]] = []
        for name, entry in folder.files.items():
            rows.append((name, _row(entry.mode.encode(), name, entry.object_id)))
        for name, below in folder.folders.items():
            # git sorts a folder as if its name ended in a slash
            rows.append((name + b"/", _row(_FOLDER_MODE, name, self._tree_of(below))))
        rows.sort(key=lambda row: row[0])
        return self._write("tree", b"".join(row for _, row in rows))

    def _write(self, kind: str, data: bytes) -> str:
        content = b"%s %d\0" % (kind.encode(), len(data)) + data
        object_id = hashlib.new(self.object_format, content, usedforsecurity=False).hexdigest()
        path = self._folder / object_id[:2] / object_id[2:]
        if not path.exists():
            try:
                _write_once(path, zlib.compress(content, 1))
            except OSError as error:
                raise StorageError(
                    f"`{path}` cannot be written: {error.strerror}",
                    code="ACI-E213",
                    hint="free some space or make the folder `.agentci` writable",
                ) from error
        return object_id


def _row(mode: bytes, name: bytes, object_id: str) -> bytes:
    return b"%s %s\0%s" % (mode, name, bytes.fromhex(object_id))


def _write_once(path: Path, data: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f"tmp_obj_{path.name}_{os.getpid()}_{threading.get_ident()}")
    try:
        temporary.write_bytes(data)
        temporary.chmod(0o444)
        temporary.rename(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
