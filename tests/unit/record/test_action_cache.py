"""A cached result is whole and its own, or it is not served."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from agentci.adapters.byte_store import DiskByteStore
from agentci.adapters.files import LocalFiles
from agentci.core.digest import Digest, digest_bytes
from agentci.record.action_cache import ActionCache, ActionResult
from agentci.record.object_store import ObjectStore

FILES = LocalFiles()


@pytest.fixture
def cache(tmp_path: Path) -> Iterator[ActionCache]:
    store = DiskByteStore(tmp_path / "actions")
    yield ActionCache(store, ObjectStore(FILES, tmp_path))
    store.close()


def action(name: str) -> Digest:
    return digest_bytes(name.encode())


def test_a_result_is_served_while_its_objects_are_there(cache: ActionCache) -> None:
    blob = cache.objects.put(b"patch")
    result = ActionResult({"output": {"a": 1.5}, "tree": "x"}, (blob,))
    cache.put(action("a"), result)
    assert cache.get(action("a")) == result
    assert cache.get(action("b")) is None
    assert cache.verify() == ()
    cache.objects.remove(blob)
    assert cache.get(action("a")) is None
    assert [problem.key for problem in cache.verify()] == [action("a")]


def test_a_damaged_or_exchanged_result_is_never_served(cache: ActionCache, tmp_path: Path) -> None:
    cache.put(action("a"), ActionResult({"output": 1}))
    store = DiskByteStore(tmp_path / "actions")
    good = store.get(action("a"))
    assert good is not None
    store.put(action("b"), good)
    store.put(action("a"), good.replace(b'"output":1', b'"output":2'))
    store.put(action("c"), b"")
    store.close()
    assert [cache.get(action(name)) for name in "abc"] == [None, None, None]
    assert len(cache.verify()) == 3


def test_collecting_garbage_keeps_what_can_be_served(cache: ActionCache) -> None:
    used, unused = cache.objects.put(b"used"), cache.objects.put(b"unused")
    gone = cache.objects.put(b"gone")
    cache.put(action("good"), ActionResult({}, (used,)))
    cache.put(action("bad"), ActionResult({}, (gone,)))
    cache.objects.remove(gone)
    removed = cache.gc()
    assert (removed.results, removed.objects) == (1, 1)
    assert cache.get(action("good")) is not None
    assert not cache.objects.has(unused)
    assert cache.gc() == type(removed)(0, 0, 0, 0)
    cleared = cache.clear()
    assert (cleared.results, cleared.objects) == (1, 1)
    assert cache.stats() == type(removed)(0, 0, 0, 0)
