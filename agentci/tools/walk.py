"""Walking through a workspace in one fixed order, without what agents should not see.

Used by the tools that list and search. The order is that of the full paths as text.
"""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from agentci.tools.gitignore import IgnoreFile, glob_source, is_ignored, parse_ignore
from agentci.tools.protocol import ToolProblem
from agentci.tools.workspace_files import WorkspaceFiles, is_reserved, read_descriptor

_MAX_DEPTH: Final = 60
_MAX_IGNORE_BYTES: Final = 100_000


@dataclass(frozen=True, slots=True)
class Entry:
    """A file or a symbolic link."""

    path: str
    """Relative to the workspace, with `/`; characters that are not UTF-8 are replaced."""
    name: str
    """The last component, as the operating system has it."""
    folder: int
    """Descriptor of the folder it is in; open until the next entry is asked for."""
    link: str | None
    """Target, for a symbolic link."""


def walk(files: WorkspaceFiles, path: str) -> Iterator[Entry]:
    """Yield what is below the folder `path`, sorted, without ignored and reserved files.

    Links are named, never followed.

    Raises:
        ToolProblem: when `path` is no folder of the workspace.
    """
    parts = files.real_parts(path)
    ignores: tuple[IgnoreFile, ...] = ()
    for depth in range(len(parts)):
        with files.open_folder("/".join(parts[:depth])) as above:
            ignores = _with_ignore(ignores, above, parts[:depth])
    with files.open_folder("/".join(parts)) as folder:
        yield from _walk(folder, parts, ignores)


def is_left_out(files: WorkspaceFiles, path: str) -> bool:
    """Say whether `.gitignore` leaves out the file `path`, or a folder that it is in."""
    parts = files.real_parts(path)
    ignores: tuple[IgnoreFile, ...] = ()
    for depth in range(len(parts)):
        with files.open_folder("/".join(parts[:depth])) as above:
            ignores = _with_ignore(ignores, above, parts[:depth])
        inner = "/".join(parts[: depth + 1])
        if is_ignored(inner, folder=depth + 1 < len(parts), files=ignores):
            return True
    return False


def shown(text: str) -> str:
    """Return a name or path from the operating system as text that JSON can carry."""
    return text.encode("utf-8", "surrogateescape").decode("utf-8", "replace")


def path_filter(pattern: str) -> re.Pattern[str] | None:
    """Return the glob `pattern` as a regular expression for paths; None where it is empty.

    A pattern without a slash is for the file name, in any folder.

    Raises:
        ToolProblem: when it is not a glob.
    """
    if not pattern:
        return None
    source = glob_source(pattern)
    try:
        return re.compile(source if "/" in pattern else f"(?:.*/)?{source}", re.DOTALL)
    except re.error as error:
        raise ToolProblem(f"`{pattern}` is not a valid glob") from error


def _walk(folder: int, parts: tuple[str, ...], ignores: tuple[IgnoreFile, ...]) -> Iterator[Entry]:
    ignores = _with_ignore(ignores, folder, parts)
    found = [(name, _mode(folder, name)) for name in os.listdir(folder)]
    # a folder sorts as if its slash belonged to the name: then the order is that of the paths
    found.sort(key=lambda item: item[0] + ("/" if stat.S_ISDIR(item[1]) else ""))
    for name, mode in found:
        if is_reserved(name, top=not parts):
            continue
        path = shown("/".join((*parts, name)))
        is_folder = stat.S_ISDIR(mode)
        if is_ignored(path, folder=is_folder, files=ignores):
            continue
        if is_folder and len(parts) < _MAX_DEPTH:
            yield from _descend(folder, (*parts, name), ignores)
        elif stat.S_ISLNK(mode):
            yield Entry(path, name, folder, shown(os.readlink(name, dir_fd=folder)))
        elif stat.S_ISREG(mode):
            yield Entry(path, name, folder, None)


def _descend(
    above: int, parts: tuple[str, ...], ignores: tuple[IgnoreFile, ...]
) -> Iterator[Entry]:
    flags = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
    try:
        folder = os.open(parts[-1], flags, dir_fd=above)
    except OSError:
        return  # not readable, or no longer a folder
    try:
        yield from _walk(folder, parts, ignores)
    finally:
        os.close(folder)


def _mode(folder: int, name: str) -> int:
    try:
        return os.stat(name, dir_fd=folder, follow_symlinks=False).st_mode
    except OSError:
        return 0


def _with_ignore(
    ignores: tuple[IgnoreFile, ...], folder: int, parts: tuple[str, ...]
) -> tuple[IgnoreFile, ...]:
    flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
    try:
        descriptor = os.open(".gitignore", flags, dir_fd=folder)
    except OSError:
        return ignores
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            return ignores
        text = read_descriptor(descriptor, _MAX_IGNORE_BYTES).decode("utf-8", "replace")
    finally:
        os.close(descriptor)
    prefix = "".join(f"{part}/" for part in parts)
    return (*ignores, parse_ignore(text, shown(prefix)))
