"""The action cache: what a step gave, under the digest of everything that can change it.

Works on any `ByteStore`. Knows nothing of steps; a result is JSON, and blobs it refers to are
named beside it, so that a result without its blobs is never served.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from agentci.core.canonical import canonical_bytes
from agentci.core.digest import Digest, digest_bytes, parse_digest
from agentci.core.effects import ByteStore
from agentci.core.json_types import JsonObject
from agentci.record.object_store import ObjectStore

FORMAT: Final = "agentci/action-result"
VERSION: Final = 1


@dataclass(frozen=True, slots=True)
class ActionResult:
    """What an action gave."""

    value: JsonObject
    blobs: tuple[Digest, ...] = ()
    """Objects that `value` refers to."""


@dataclass(frozen=True, slots=True)
class CacheStats:
    """How much there is."""

    results: int
    result_bytes: int
    objects: int
    object_bytes: int


@dataclass(frozen=True, slots=True)
class CacheProblem:
    """An entry that cannot be served."""

    key: str
    """Digest of the action or of the object."""
    reason: str


class ActionCache:
    """Results of actions by digest, and the objects that they refer to."""

    def __init__(self, store: ByteStore, objects: ObjectStore) -> None:
        self._store = store
        self.objects = objects

    def get(self, action: Digest) -> ActionResult | None:
        """Return the result of `action`; None also where it or one of its blobs is damaged."""
        data = self._store.get(action)
        result = None if data is None else _decode(data, action)
        if result is None or not all(self.objects.has(blob) for blob in result.blobs):
            return None
        return result

    def put(self, action: Digest, result: ActionResult) -> None:
        """Keep the result of `action`; its blobs must be in `objects` already."""
        self._store.put(action, _encode(result, action))

    def stats(self) -> CacheStats:
        """Count what is kept."""
        sizes = [len(self._store.get(key) or b"") for key in self._keys()]
        objects = [self.objects.size(digest) for digest in self.objects.digests()]
        return CacheStats(len(sizes), sum(sizes), len(objects), sum(objects))

    def verify(self) -> tuple[CacheProblem, ...]:
        """Return every entry that is damaged, with what is wrong."""
        found = []
        for key in self._keys():
            result = _decode(self._store.get(key) or b"", key)
            if result is None:
                found.append(CacheProblem(key, "not a result of this version, or damaged"))
                continue
            missing = [blob for blob in result.blobs if not self.objects.has(blob)]
            found += (CacheProblem(key, f"its object `{blob}` is missing") for blob in missing)
        found += (
            CacheProblem(digest, "the object's bytes were changed")
            for digest in self.objects.verify()
        )
        return tuple(found)

    def gc(self) -> CacheStats:
        """Remove what cannot be served and objects without a result; return what was removed."""
        before = self.stats()
        for digest in self.objects.verify():
            self.objects.remove(digest)
        used: set[Digest] = set()
        for key in self._keys():
            result = self.get(key)
            if result is None:
                self._store.delete(key)
            else:
                used.update(result.blobs)
        self._remove_objects(keep=used)
        after = self.stats()
        return CacheStats(
            before.results - after.results,
            before.result_bytes - after.result_bytes,
            before.objects - after.objects,
            before.object_bytes - after.object_bytes,
        )

    def clear(self) -> CacheStats:
        """Remove everything; return what was removed."""
        removed = self.stats()
        for key in self._keys():
            self._store.delete(key)
        self._remove_objects(keep=set())
        return removed

    def _keys(self) -> tuple[Digest, ...]:
        return tuple(Digest(key) for key in self._store.keys())  # noqa: SIM118 - no mapping

    def _remove_objects(self, *, keep: set[Digest]) -> None:
        for digest in tuple(self.objects.digests()):
            if digest not in keep:
                self.objects.remove(digest)


def _encode(result: ActionResult, action: Digest) -> bytes:
    body = canonical_bytes(
        {
            "format": FORMAT,
            "version": VERSION,
            "action": action,
            "value": result.value,
            "blobs": sorted(set(result.blobs)),
        }
    )
    return digest_bytes(body).encode() + b"\n" + body


def _decode(data: bytes, action: Digest) -> ActionResult | None:
    """Return the result in `data`, or None where it is damaged, or not one of `action`."""
    claimed, _, body = data.partition(b"\n")
    if digest_bytes(body).encode() != claimed:
        return None
    fields = json.loads(body)
    expected = {"format": FORMAT, "version": VERSION, "action": action}
    if any(fields.get(name) != value for name, value in expected.items()):
        return None
    value = fields["value"]
    assert isinstance(value, Mapping)
    return ActionResult(value, tuple(parse_digest(blob) for blob in fields["blobs"]))
