"""A content-addressed store of bytes: `objects-v1/ab/cdef...`, named by the SHA-256 of the bytes.

Knows nothing of what the bytes mean or who refers to them.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final

from agentci.core.digest import Digest, digest_bytes, hex_of, parse_digest
from agentci.core.effects import Files
from agentci.core.errors import FormatError, SafetyRefusal

FOLDER_NAME: Final = "objects-v1"


class ObjectStore:
    """Bytes under their digest. A stored object never changes."""

    def __init__(self, files: Files, folder: Path, *, in_memory: bool = False) -> None:
        """Keep objects below `folder`; with `in_memory`, read from there and never write."""
        self._files = files
        self._root = folder / FOLDER_NAME
        self._memory: dict[Digest, bytes] | None = {} if in_memory else None

    def put(self, data: bytes) -> Digest:
        """Store `data` where it is not there yet, and return its digest."""
        digest = digest_bytes(data)
        if self._memory is not None:
            self._memory[digest] = data
        elif not self._files.exists(self.path(digest)):
            self._files.write_atomic(self.path(digest), data)
        return digest

    def get(self, digest: Digest) -> bytes:
        """Return the bytes of `digest`, checked.

        Raises:
            FormatError: when there is no such object.
            SafetyRefusal: when the object's bytes are not those that were stored.
        """
        if self._memory is not None and digest in self._memory:
            return self._memory[digest]
        path = self.path(digest)
        if not self._files.exists(path):
            raise FormatError(
                f"the object `{digest}` is missing",
                code="ACI-F120",
                hint=f"restore `{path}`, or record again",
            )
        data = self._files.read(path)
        if digest_bytes(data) != digest:
            raise SafetyRefusal(
                f"the object `{digest}` was changed after it was stored",
                code="ACI-P121",
                hint=f"restore `{path}` from version control, or remove it and record again",
            )
        return data

    def has(self, digest: Digest) -> bool:
        """Say whether there is an object of this name; its bytes are not checked."""
        if self._memory is not None and digest in self._memory:
            return True
        return self._files.exists(self.path(digest))

    def digests(self) -> Iterator[Digest]:
        """Yield the names of all objects on disk, sorted."""
        for path in self._files.list(self._root):
            try:
                yield parse_digest(f"sha256:{path.parent.name}{path.name}")
            except ValueError:
                continue

    def verify(self) -> tuple[Digest, ...]:
        """Return the objects whose bytes are not those that were stored."""
        return tuple(
            digest
            for digest in self.digests()
            if digest_bytes(self._files.read(self.path(digest))) != digest
        )

    def size(self, digest: Digest) -> int:
        """Return the number of bytes of an object on disk."""
        return len(self._files.read(self.path(digest)))

    def remove(self, digest: Digest) -> None:
        """Remove an object; not there is fine."""
        self._files.remove(self.path(digest))

    def path(self, digest: Digest) -> Path:
        """Return the file of an object, which need not be there."""
        name = hex_of(parse_digest(digest))
        return self._root / name[:2] / name[2:]
