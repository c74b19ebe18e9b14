"""The `ByteStore` port on diskcache, whose pickle support is closed off.

diskcache pickles any value that is not a plain one, and unpickles whatever its database says
(CVE-2025-69872). The `Disk` here stores bytes under texts, and refuses every other mode, also for
entries that somebody else has put into the database.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import diskcache
from diskcache.core import MODE_BINARY, MODE_RAW

from agentci.core.errors import SafetyRefusal, StorageError

_SIZE_LIMIT: Final = 1 << 60  # diskcache evicts beyond its limit; nothing here expires by itself


class BytesDisk(diskcache.Disk):  # type: ignore[misc]  # diskcache has no types
    """Texts to bytes, nothing else."""

    def put(self, key: object) -> tuple[str, bool]:
        """Return the database form of a key."""
        return _text(key), True

    def get(self, key: object, raw: object) -> str:
        """Return a key from its database form."""
        if not raw:
            raise _refusal("a pickled key")
        return _text(key)

    def store(self, value: object, read: bool, key: object = None) -> Any:  # noqa: FBT001 - diskcache's signature
        """Return the database form of a value; larger ones go to a file."""
        if read or not isinstance(value, bytes):
            raise _refusal("a value that is not bytes")
        return super().store(value, read, key=key)

    def fetch(self, mode: int, filename: object, value: object, read: bool) -> bytes:  # noqa: FBT001 - diskcache's signature
        """Return a value from its database form."""
        if mode not in {MODE_RAW, MODE_BINARY} or read:
            raise _refusal(f"a value of storage mode {mode}")
        fetched: object = super().fetch(mode, filename, value, read)
        if not isinstance(fetched, bytes):
            raise _refusal("a value that is not bytes")
        return fetched


class DiskByteStore:
    """Implements `agentci.core.effects.ByteStore`; safe with several processes and threads."""

    def __init__(self, folder: Path) -> None:
        """Open or make the store in `folder`.

        Raises:
            StorageError: when the folder cannot be used, or its database is damaged.
        """
        self._folder = folder
        with self._reported():
            self._cache = diskcache.Cache(
                str(folder),
                disk=BytesDisk,
                eviction_policy="none",
                size_limit=_SIZE_LIMIT,
                cull_limit=0,
                statistics=0,
                tag_index=0,
            )

    def get(self, key: str) -> bytes | None:
        """Return the value of `key`, or None."""
        with self._reported():
            value: bytes | None = self._cache.get(key)
        return value

    def put(self, key: str, value: bytes) -> None:
        """Store `value`; an existing value is replaced."""
        with self._reported():
            self._cache.set(key, value)

    def delete(self, key: str) -> None:
        """Remove `key`; not there is fine."""
        with self._reported():
            self._cache.delete(key)

    def keys(self) -> Iterator[str]:
        """Yield all keys, sorted."""
        with self._reported():
            found = sorted(self._cache.iterkeys())
        yield from found

    def close(self) -> None:
        """Release files."""
        with self._reported():
            self._cache.close()

    @contextmanager
    def _reported(self) -> Iterator[None]:
        try:
            yield
        except (sqlite3.Error, diskcache.Timeout, OSError) as error:
            raise StorageError(
                f"the cache `{self._folder}` cannot be used: {str(error).lower()}",
                code="ACI-E125",
                hint="check the disk; `agentci cache clear` removes the cache and costs only time",
            ) from error


def _text(key: object) -> str:
    if not isinstance(key, str):
        raise _refusal("a key that is not text")
    return key


def _refusal(what: str) -> SafetyRefusal:
    return SafetyRefusal(
        f"the cache holds {what}, which agentci never writes and does not read",
        code="ACI-P125",
        hint="look who wrote to the cache, then remove it with `agentci cache clear`",
    )
