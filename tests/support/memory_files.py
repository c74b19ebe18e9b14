"""Files in memory, for tests of code that only reads and writes whole files."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from pathlib import Path

from agentci.core.effects import AppendFile
from agentci.core.errors import StorageError
from agentci.core.presence import Presence
from agentci.core.tree_file import TreeFile


class MemoryFiles:
    """The port `Files`, without appending and locks."""

    def __init__(self, content: Mapping[str, bytes | str] | None = None) -> None:
        self.content = {
            Path(path): data.encode() if isinstance(data, str) else data
            for path, data in (content or {}).items()
        }

    def read(self, path: Path) -> bytes:
        if path not in self.content:
            raise StorageError(f"`{path}` is not there")
        return self.content[path]

    def exists(self, path: Path) -> bool:
        return any(path == known or path in known.parents for known in self.content)

    def list(self, folder: Path) -> tuple[Path, ...]:
        return tuple(sorted(path for path in self.content if folder in path.parents))

    def tree(self, folder: Path) -> tuple[TreeFile, ...]:
        return tuple(TreeFile(path) for path in self.list(folder))

    def write_atomic(self, path: Path, data: bytes) -> None:
        self.content[path] = data

    def open_append(self, path: Path) -> AppendFile:
        raise NotImplementedError

    def force(self, path: Path) -> None:
        pass

    def update(self, path: Path, change: Callable[[bytes], bytes | None]) -> None:
        changed = change(self.content.get(path, b""))
        if changed is None:
            self.remove(path)
        else:
            self.content[path] = changed

    def remove(self, path: Path) -> None:
        for known in [p for p in self.content if p == path or path in p.parents]:
            del self.content[known]

    def lock(self, path: Path) -> AbstractContextManager[bool]:
        raise NotImplementedError

    def enter(self, folder: Path) -> Presence:
        return Alone()


class Alone:
    """The port `Presence` where there is nobody else."""

    def is_alone(self) -> bool:
        return True

    def leave(self) -> None:
        pass
