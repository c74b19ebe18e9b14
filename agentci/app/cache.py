"""Looks after the cache of a project: counts, checks, tidies, clears. Never needed to replay."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from agentci.app import wiring
from agentci.app.project import open_project
from agentci.app.run_services import CACHE_FOLDER
from agentci.app.state_folder import STATE_FOLDER
from agentci.record.action_cache import ActionCache, CacheProblem, CacheStats
from agentci.record.object_store import ObjectStore


@dataclass(frozen=True, slots=True)
class CacheRequest:
    """Whose cache."""

    start: Path


@dataclass(frozen=True, slots=True)
class CacheCount:
    """What the cache holds, or what was removed from it."""

    folder: str
    stats: CacheStats


@dataclass(frozen=True, slots=True)
class CacheVerdict:
    """What is damaged. Damaged entries are never served."""

    folder: str
    checked: CacheStats
    problems: tuple[CacheProblem, ...]


def stats(request: CacheRequest) -> CacheCount:
    """Count what is there.

    Raises:
        NothingMatched: outside any project.
        StorageError: when the cache cannot be read.
    """
    with _open(request) as cache:
        return CacheCount(cache.folder, cache.actions.stats())


def verify(request: CacheRequest) -> CacheVerdict:
    """Check every entry against its digest. Raises what `stats` raises."""
    with _open(request) as cache:
        return CacheVerdict(cache.folder, cache.actions.stats(), cache.actions.verify())


def gc(request: CacheRequest) -> CacheCount:
    """Remove what cannot be served. Raises what `stats` raises."""
    with _open(request) as cache:
        return CacheCount(cache.folder, cache.actions.gc())


def clear(request: CacheRequest) -> CacheCount:
    """Remove everything. Raises what `stats` raises."""
    with _open(request) as cache:
        return CacheCount(cache.folder, cache.actions.clear())


@dataclass(frozen=True, slots=True)
class _Opened:
    folder: str
    actions: ActionCache


@contextmanager
def _open(request: CacheRequest) -> Iterator[_Opened]:
    files = wiring.files()
    folder = open_project(request.start, files).root / STATE_FOLDER / CACHE_FOLDER
    store = wiring.byte_store(folder)
    try:
        yield _Opened(folder.as_posix(), ActionCache(store, ObjectStore(files, folder)))
    finally:
        store.close()
