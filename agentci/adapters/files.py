"""The `Files` port on the local file system: atomic writes, whole appends, advisory locks.

Knows nothing of what the files hold.
"""

from __future__ import annotations

import errno
import fcntl
import itertools
import os
import shutil
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from agentci.adapters.presence import MARK, LocalPresence
from agentci.core.errors import StorageError
from agentci.core.tree_file import TreeFile

_TEMPORARY: Final = ".agentci-tmp-"
_NO_LOCKS = frozenset({errno.ENOTSUP, errno.ENOSYS, errno.ENOLCK})
"""A file system without locks (some network and shared folders) is used without them."""

_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
_REFUSED = frozenset({errno.EROFS, errno.EACCES, errno.EPERM})
_counter = itertools.count()


class LocalFiles:
    """Implements `agentci.core.effects.Files`."""

    def read(self, path: Path) -> bytes:
        """Return the whole content."""
        with _reported("read", path):
            return path.read_bytes()

    def exists(self, path: Path) -> bool:
        """Say whether `path` is there, as a file or a folder."""
        with _reported("look for", path):
            return path.exists()

    def list(self, folder: Path) -> tuple[Path, ...]:
        """Return all files below `folder`, sorted by path; empty where it does not exist."""

        def fail(error: OSError) -> None:
            if error.errno not in {errno.ENOENT, errno.ENOTDIR}:
                raise error

        with _reported("list", folder):
            return tuple(
                sorted(
                    Path(parent, name)
                    for parent, _, names in os.walk(folder, onerror=fail)
                    for name in names
                    if not name.startswith(_TEMPORARY)
                )
            )

    def tree(self, folder: Path) -> tuple[TreeFile, ...]:
        """Return what git would keep of `folder`, sorted by path: links are not followed."""
        with _reported("list", folder):
            found = [
                Path(parent, name)
                for parent, folders, names in os.walk(folder)
                for name in (*names, *folders)
                if not name.startswith(_TEMPORARY)
            ]
            return tuple(each for path in sorted(found) if (each := _tree_file(path)) is not None)

    def write_atomic(self, path: Path, data: bytes) -> None:
        """Replace the content in one step (temporary file, fsync, rename); makes folders."""
        with _reported("write", path):
            path.parent.mkdir(parents=True, exist_ok=True)
            _replace(path, data)

    def open_append(self, path: Path) -> LocalAppendFile:
        """Open a file for appending, and make it and its folders where missing."""
        return LocalAppendFile(path)

    def force(self, path: Path) -> None:
        """Force to the disk what was appended to a file; not there is fine."""
        with _reported("write", path), suppress(FileNotFoundError):
            descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
            try:
                os.fsync(descriptor)
            finally:
                os.close(descriptor)

    def update(self, path: Path, change: Callable[[bytes], bytes | None]) -> None:
        """Replace the content by `change(content)`, with no append in between."""
        with _reported("write", path):
            try:
                descriptor = _open_locked(path, os.O_RDONLY)
            except FileNotFoundError:
                new = change(b"")
                if new:
                    path.parent.mkdir(parents=True, exist_ok=True)
                    _replace(path, new)
                return
            try:
                old = _read_all(descriptor)
                new = change(old)
                if new is None:
                    path.unlink()
                elif new != old:
                    _replace(path, new)
            finally:
                os.close(descriptor)

    def remove(self, path: Path) -> None:
        """Remove a file or a whole folder; not there is fine."""
        with _reported("remove", path), suppress(FileNotFoundError):
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path)
            else:
                path.unlink()

    @contextmanager
    def lock(self, path: Path) -> Iterator[bool]:
        """Take the lock file `path` without waiting; gives False where another holder has it."""
        with _reported("lock", path):
            path.parent.mkdir(parents=True, exist_ok=True)
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
        try:
            with _reported("lock", path):
                taken = _flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            yield taken
        finally:
            os.close(descriptor)

    def enter(self, folder: Path) -> LocalPresence:
        """Come to `folder`, which is made where missing, to work there beside others."""
        with _reported("lock", folder):
            folder.mkdir(parents=True, exist_ok=True)
            return LocalPresence(folder, folder / f"{_TEMPORARY}{MARK}")


class LocalAppendFile:
    """Implements `agentci.core.effects.AppendFile`.

    Every append holds the lock of the file itself, so that it can neither fall between the lines
    of another process nor into a file that has just been replaced.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._descriptor: int | None = None
        with _reported("write", path):
            self._descriptor = self._open()

    def append(self, data: bytes, *, sync: bool = False) -> None:
        """Write `data` at the end, on a line of its own; with `sync`, also force it to the disk."""
        with _reported("write", self._path):
            descriptor = self._locked()
            try:
                size = os.fstat(descriptor).st_size
                whole = size == 0 or os.pread(descriptor, 1, size - 1) == b"\n"
                try:
                    _write_all(descriptor, data if whole else b"\n" + data)
                    if sync:
                        os.fsync(descriptor)
                except OSError:
                    os.ftruncate(descriptor, size)
                    raise
            finally:
                _flock(descriptor, fcntl.LOCK_UN)

    def sync(self) -> None:
        """Force what was written to the disk."""
        if self._descriptor is not None:
            with _reported("write", self._path):
                os.fsync(self._descriptor)

    def close(self) -> None:
        """Close the file; a second call does nothing."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    def _open(self) -> int:
        new = not self._path.exists()
        if new:
            self._path.parent.mkdir(parents=True, exist_ok=True)
        flags = os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC
        descriptor = os.open(self._path, flags, 0o666)
        if new:
            _sync_folder(self._path.parent)
        return descriptor

    def _locked(self) -> int:
        """Return the descriptor with the lock held, of the file that has the name now."""
        while True:
            if self._descriptor is None:
                self._descriptor = self._open()
            _flock(self._descriptor, fcntl.LOCK_EX)
            if _is_current(self._descriptor, self._path):
                return self._descriptor
            self.close()


def _tree_file(path: Path) -> TreeFile | None:
    """Return how git would keep `path`; None for a folder and what is neither file nor link."""
    mode = path.lstat().st_mode
    if stat.S_ISLNK(mode):
        return TreeFile(path, link=os.readlink(path))  # noqa: PTH115 - the text as it is
    if not stat.S_ISREG(mode):
        return None
    return TreeFile(path, executable=bool(mode & stat.S_IXUSR))


def _open_locked(path: Path, flags: int) -> int:
    while True:
        descriptor = os.open(path, flags | os.O_CLOEXEC)
        try:
            _flock(descriptor, fcntl.LOCK_EX)
            current = _is_current(descriptor, path)
        except OSError:
            os.close(descriptor)
            raise
        if current:
            return descriptor
        os.close(descriptor)


def _flock(descriptor: int, operation: int) -> bool:
    """Lock or unlock; False where another holder has the lock and waiting was not asked for."""
    try:
        fcntl.flock(descriptor, operation)
    except BlockingIOError:
        return False
    except OSError as error:
        if error.errno not in _NO_LOCKS:
            raise
    return True


def _is_current(descriptor: int, path: Path) -> bool:
    """Say whether `path` still names the open file, not one that has replaced it."""
    try:
        named = path.stat()
    except FileNotFoundError:
        return False
    held = os.fstat(descriptor)
    return (named.st_dev, named.st_ino) == (held.st_dev, held.st_ino)


def _replace(path: Path, data: bytes) -> None:
    temporary = path.with_name(f"{_TEMPORARY}{os.getpid()}-{next(_counter)}")
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
    try:
        descriptor = os.open(temporary, flags, 0o666)
        try:
            _write_all(descriptor, data)
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        temporary.replace(path)
    except OSError:
        with suppress(OSError):
            temporary.unlink()
        raise
    _sync_folder(path.parent)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno != errno.EINVAL:  # some file systems cannot sync a folder
            raise
    finally:
        os.close(descriptor)


def _write_all(descriptor: int, data: bytes) -> None:
    written = os.write(descriptor, data)
    while written < len(data):
        written += os.write(descriptor, memoryview(data)[written:])


def _read_all(descriptor: int) -> bytes:
    with os.fdopen(os.dup(descriptor), "rb") as stream:
        return stream.read()


@contextmanager
def _reported(doing: str, path: Path) -> Iterator[None]:
    """Turn the system's errors into ours."""
    try:
        yield
    except OSError as error:
        raise _storage_error(error, doing, path) from error


def _storage_error(error: OSError, doing: str, path: Path) -> StorageError:
    reason = (error.strerror or str(error)).lower()
    message = f"cannot {doing} `{path}`: {reason}"
    if error.errno in _FULL:
        return StorageError(
            message,
            code="ACI-E121",
            hint="free some space and run again; everything written before is kept",
        )
    if error.errno in _REFUSED:
        return StorageError(
            message,
            code="ACI-E122",
            hint="use a folder that you may write to, or `--mode replay`, which records nothing",
        )
    if error.errno in {errno.ENOENT, errno.ENOTDIR}:
        return StorageError(message, code="ACI-E123", hint="check the path")
    return StorageError(message)
