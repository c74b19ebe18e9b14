"""Reading and writing files of a workspace so that no path can leave it.

Each component of a path is opened relative to the folder above it and never followed when it is a
symbolic link; links are resolved here, inside the workspace only. So a link that is put in place
between a check and its use cannot lead outside either. This module knows nothing of tools' texts
beyond what went wrong with a path.
"""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final, NoReturn

from agentci.core.errors import StorageError
from agentci.tools.masking import WORKSPACE
from agentci.tools.protocol import ToolProblem

MAX_BYTES: Final = 1_000_000
"""The largest file that tools read or write, in bytes."""

_FOLDER_FLAGS: Final = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_READ_FLAGS: Final = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_WRITE_FLAGS: Final = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
_MAX_LINKS: Final = 40
_TEMPORARY: Final = ".agentci-write"
_MACHINE_FAULTS: Final = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EIO})
_WORDS: Final = {
    errno.ENOENT: "there is no such file or folder",
    errno.ENOTDIR: "a part of the path is a file, not a folder",
    errno.EISDIR: "it is a folder",
    errno.EACCES: "permission denied",
    errno.EPERM: "permission denied",
    errno.ENAMETOOLONG: "the name is too long",
    errno.ELOOP: "it is a symbolic link",
}


@dataclass(frozen=True, slots=True)
class WorkspaceFile:
    """A regular file's content and mode."""

    data: bytes
    mode: int
    """Permission bits."""


def split_path(path: str) -> tuple[str, ...]:
    """Return the components of a path in the workspace; empty for the workspace itself.

    Paths are relative with `/`; the shown name of the workspace, `/workspace`, may stand in front.

    Raises:
        ToolProblem: for paths that leave the workspace or that are not for agents.
    """
    if "\0" in path or not _encodes(path):
        raise ToolProblem("the path has characters that no file name can have")
    inner = path
    if path == WORKSPACE or path.startswith(f"{WORKSPACE}/"):
        inner = path[len(WORKSPACE) :].lstrip("/")
    elif path.startswith("/"):
        raise ToolProblem(
            f"`{path}` is outside the workspace; give a path relative to the workspace"
        )
    parts = tuple(part for part in inner.split("/") if part not in {"", "."})
    if ".." in parts:
        raise ToolProblem(f"`{path}` has `..`; give a path inside the workspace without it")
    _refuse_reserved(parts, path)
    return parts


def is_reserved(name: str, *, top: bool) -> bool:
    """Say whether a file or folder `name` is git's or agentci's own (`top`: in the top folder)."""
    folded = name.casefold()
    return folded in {".git", _TEMPORARY} or (top and folded == ".agentci")


def _refuse_reserved(parts: tuple[str, ...], path: str) -> None:
    for index, part in enumerate(parts):
        if is_reserved(part, top=index == 0):
            raise ToolProblem(f"`{path}` belongs to git or agentci and is not for agents")


def _encodes(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def decode_text(data: bytes, path: str) -> str:
    """Return the content of a text file, line ends as they are.

    Raises:
        ToolProblem: for binary files and for text that is not UTF-8.
    """
    if b"\0" in data:
        raise ToolProblem(f"`{path}` is a binary file of {len(data)} bytes")
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise ToolProblem(
            f"`{path}` is not UTF-8 text: byte {error.start} is 0x{data[error.start]:02x}"
        ) from error


class WorkspaceFiles:
    """The files below one folder."""

    def __init__(self, root: Path) -> None:
        """Take the workspace's folder; the folder itself is trusted."""
        self._root = root

    def read(self, path: str, *, max_bytes: int = MAX_BYTES) -> WorkspaceFile:
        """Return a regular file.

        Raises:
            ToolProblem: when there is none at `path`, or it has more than `max_bytes`.
        """
        with self._parent(path, make=False) as place:
            if place.name is None:
                _refuse(path, errno.EISDIR)
            return _read_at(place.folder, place.name, path, max_bytes=max_bytes)

    def read_optional(self, path: str, *, max_bytes: int = MAX_BYTES) -> WorkspaceFile | None:
        """Return a regular file, or None where there is nothing at `path`."""
        try:
            return self.read(path, max_bytes=max_bytes)
        except _Missing:
            return None

    def write(self, path: str, data: bytes) -> bool:
        """Replace or create a file and its folders; say whether it is new. Keeps mode bits.

        Raises:
            ToolProblem: when `path` is something else than a regular file.
            StorageError: when the disk is full or read-only.
        """
        with self._parent(path, make=True) as place:
            if place.name is None:
                _refuse(path, errno.EISDIR)
            mode = _mode_at(place.folder, place.name, path)
            _write_at(place.folder, place.name, data, mode=mode, path=path)
            return mode is None

    def is_folder(self, path: str) -> bool:
        """Say whether `path` is a folder (else a file).

        Raises:
            ToolProblem: when there is nothing.
        """
        with self._parent(path, make=False) as place:
            if place.name is None:
                return True
            with _named(path):
                found = os.stat(place.name, dir_fd=place.folder, follow_symlinks=False)
            return stat.S_ISDIR(found.st_mode)

    def real_parts(self, path: str) -> tuple[str, ...]:
        """Return the components of `path` after resolving links, all inside the workspace."""
        with self._parent(path, make=False) as place:
            return place.parts

    @contextmanager
    def open_folder(self, path: str) -> Iterator[int]:
        """Open a folder and give its descriptor.

        Raises:
            ToolProblem: when there is no such folder.
        """
        with self._parent(path, make=False) as place:
            if place.name is None:
                yield place.folder
                return
            with _named(path):
                folder = os.open(place.name, _FOLDER_FLAGS, dir_fd=place.folder)
            try:
                yield folder
            finally:
                os.close(folder)

    @contextmanager
    def _parent(self, path: str, *, make: bool) -> Iterator[_Place]:
        walk = _Walk(self._root, path, make=make)
        try:
            with _named(path):
                place = walk.go(split_path(path))
            yield place
        finally:
            walk.close()


@dataclass(frozen=True, slots=True)
class _Place:
    folder: int
    """Descriptor of the folder."""
    name: str | None
    """Name in it, which is no link; None for the workspace's own folder."""
    parts: tuple[str, ...]


class _Missing(ToolProblem):
    """Nothing is at the path."""


class _Walk:
    """One way down from the workspace's folder, with the open descriptors of each step."""

    def __init__(self, root: Path, path: str, *, make: bool) -> None:
        self._path = path
        self._make = make
        self._links = 0
        self._names: list[str] = []
        self._folders = [os.open(root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)]

    def go(self, parts: tuple[str, ...]) -> _Place:
        pending = list(reversed(parts))
        while pending:
            part = pending.pop()
            if part in {"", "."}:
                continue
            if part == "..":
                self._up()
                continue
            if is_reserved(part, top=not self._names):
                _refuse_reserved((*self._names, part), self._path)
            target = self._link_target(part)
            if target is not None:
                pending.extend(reversed(target.split("/")))
            elif any(rest not in {"", "."} for rest in pending):
                self._down(part)
            else:
                return _Place(self._folders[-1], part, (*self._names, part))
        return self._place_of_folder()

    def close(self) -> None:
        for folder in self._folders:
            os.close(folder)

    def _place_of_folder(self) -> _Place:
        """Return the folder where the walk stands, as a name in the folder above."""
        if not self._names:
            return _Place(self._folders[-1], None, ())
        return _Place(self._folders[-2], self._names[-1], tuple(self._names))

    def _up(self) -> None:
        if not self._names:
            raise ToolProblem(f"`{self._path}` leads outside the workspace by a symbolic link")
        self._names.pop()
        os.close(self._folders.pop())

    def _link_target(self, part: str) -> str | None:
        try:
            target = os.readlink(part, dir_fd=self._folders[-1])
        except OSError as error:
            if error.errno in {errno.EINVAL, errno.ENOENT}:
                return None  # not a link, or not there: opening it will tell
            raise
        self._links += 1
        if self._links > _MAX_LINKS:
            raise ToolProblem(f"`{self._path}` has too many symbolic links")
        if target.startswith("/"):
            raise ToolProblem(f"`{self._path}` leads outside the workspace by a symbolic link")
        return target

    def _down(self, part: str) -> None:
        above = self._folders[-1]
        made = False
        if self._make:
            with suppress(FileExistsError):
                os.mkdir(part, dir_fd=above)
                made = True
        folder = os.open(part, _FOLDER_FLAGS, dir_fd=above)
        self._folders.append(folder)
        self._names.append(part)
        if made:
            os.fchmod(folder, 0o755)  # whatever the umask


def read_descriptor(descriptor: int, count: int) -> bytes:
    """Return at most `count` bytes of an open file."""
    with os.fdopen(descriptor, "rb", closefd=False) as file:
        return file.read(count)


def _read_at(folder: int, name: str, path: str, *, max_bytes: int) -> WorkspaceFile:
    with _named(path):
        descriptor = os.open(name, _READ_FLAGS, dir_fd=folder)
        try:
            found = os.fstat(descriptor)
            _refuse_irregular(found.st_mode, path)
            data = read_descriptor(descriptor, max_bytes + 1)
        finally:
            os.close(descriptor)
    if len(data) > max_bytes:
        raise ToolProblem(f"`{path}` is larger than {max_bytes} bytes")
    return WorkspaceFile(data, stat.S_IMODE(found.st_mode))


def _mode_at(folder: int, name: str, path: str) -> int | None:
    try:
        found = os.stat(name, dir_fd=folder, follow_symlinks=False)
    except FileNotFoundError:
        return None
    except OSError as error:
        _refuse(path, error.errno)
    _refuse_irregular(found.st_mode, path)
    return stat.S_IMODE(found.st_mode)


def _write_at(folder: int, name: str, data: bytes, *, mode: int | None, path: str) -> None:
    """Write beside the file and rename: a link or hard link at `name` is never written through."""
    with _named(path):
        with suppress(FileNotFoundError):
            os.unlink(_TEMPORARY, dir_fd=folder)
        descriptor = os.open(_TEMPORARY, _WRITE_FLAGS, 0o600, dir_fd=folder)
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(data)
                os.fchmod(descriptor, 0o644 if mode is None else mode)
            os.rename(_TEMPORARY, name, src_dir_fd=folder, dst_dir_fd=folder)
        except BaseException:
            with suppress(OSError):
                os.unlink(_TEMPORARY, dir_fd=folder)
            raise


def _refuse_irregular(mode: int, path: str) -> None:
    if stat.S_ISDIR(mode):
        _refuse(path, errno.EISDIR)
    if not stat.S_ISREG(mode):
        raise ToolProblem(f"`{path}` is not a regular file")


@contextmanager
def _named(path: str) -> Iterator[None]:
    """Turn errors of the operating system into words that are the same on every machine."""
    try:
        yield
    except OSError as error:
        _refuse(path, error.errno)


def _refuse(path: str, code: int | None) -> NoReturn:
    if code in _MACHINE_FAULTS:
        raise StorageError(
            f"cannot write `{path}` in the workspace: {os.strerror(code)}",
            code="ACI-E127",
            hint="free some space or make the folder of runs writable, then `agentci resume`",
        )
    words = _WORDS.get(code or 0) or f"error {errno.errorcode.get(code or 0, 'unknown')}"
    if code == errno.ENOENT:
        raise _Missing(f"cannot open `{path}`: {words}")
    raise ToolProblem(f"cannot open `{path}`: {words}")
