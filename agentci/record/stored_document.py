"""A document of a cassette as it stands in the file; each part is parsed when it is asked for.

Knows the fields of a document. Knows nothing of other documents, of files or of sessions.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, TypeAlias, get_args

from agentci.core.digest import Digest, digest_bytes, parse_digest
from agentci.core.json_types import JsonObject, JsonValue
from agentci.record.blob_refs import move_in
from agentci.record.delta import Delta
from agentci.record.interaction import InteractionKind
from agentci.record.object_store import ObjectStore
from agentci.record.yaml_read import BLOB_FIELD, YamlProblem, parse

Place: TypeAlias = tuple[Digest, int]
"""Key and occurrence: an address within one lane."""

_NEXT_FIELD: Final = re.compile(rb"\n[A-Za-z.\"']")
_COUNT: Final = re.compile(rb": ([0-9]{1,9})\n")
_KINDS: Final[tuple[InteractionKind, ...]] = get_args(InteractionKind)
_AS_WRITTEN: Final = {f"kind: {kind}\n".encode(): kind for kind in _KINDS}
"""Our own line for each kind, which needs no parser."""
_BLOB: Final = BLOB_FIELD.encode()


@dataclass(frozen=True, slots=True)
class StoredRequest:
    """The stored part of a request."""

    delta: Delta
    parent: Place | None
    """The request that the delta is made for; None where it is the whole request."""


@dataclass(frozen=True, slots=True)
class StoredDocument:
    """A document without its `---` line. Methods raise `YamlProblem` for what cannot be read."""

    source: bytes
    """The bytes of a whole file; documents share them."""
    start: int
    end: int

    @property
    def text(self) -> bytes:
        """The bytes of the document."""
        return self.source[self.start : self.end]

    def place(self) -> Place:
        """Return the place that the document names."""
        try:
            key = parse_digest(str(self._value("key")))
        except ValueError as error:
            raise YamlProblem(f"a document has no key: {error}") from None
        occurrence = self._value("occurrence")
        if occurrence is None:
            return (key, 1)
        if not isinstance(occurrence, int) or isinstance(occurrence, bool) or occurrence < 1:
            raise YamlProblem(f"`occurrence` is no count: `{occurrence}`")
        return (key, occurrence)

    def kind(self) -> InteractionKind:
        """Return what answered."""
        kind = _AS_WRITTEN.get(self._text("kind")) or self._value("kind")
        for known in _KINDS:
            if kind == known:
                return known
        raise YamlProblem(f"`kind` is unknown: `{kind}`")

    def mapping(self, name: str, objects: ObjectStore) -> JsonObject:
        """Return a field that is a mapping, blobs put back; empty where there is none."""
        value = self._value(name)
        if value is None:
            return {}
        if not isinstance(value, (dict, Mapping)):
            raise YamlProblem(f"`{name}` is no mapping")
        if self.source.find(_BLOB, self.start, self.end) >= 0:
            return {key: move_in(item, objects) for key, item in value.items()}
        return value

    def parent(self) -> Place | None:
        """Return the place of the request that this one continues."""
        value = self._value("continues")
        if value is None:
            return None
        key, _, occurrence = str(value).partition("/")
        try:
            return (parse_digest(key), int(occurrence or 1))
        except ValueError as error:
            raise YamlProblem(f"`continues` names no recording: {error}") from None

    def request(self, objects: ObjectStore) -> StoredRequest:
        """Return the stored part of the request."""
        request = self.mapping("request", objects)
        keeps = self.mapping("keeps", objects)
        drops = self._value("drops")
        counts = {name: count for name, count in keeps.items() if isinstance(count, int)}
        names = tuple(map(str, drops)) if isinstance(drops, list) else ()
        return StoredRequest(Delta(request, counts, names), self.parent())

    def request_text(self) -> bytes:
        """Return the text of the stored part of the request, unparsed; for searching."""
        start = max(self.source.find(b"\nrequest:", self.start, self.end), self.start)
        end = self.source.find(b"\nresponse:", start, self.end)
        return self.source[start : end if end >= 0 else self.end]

    def list_length(self) -> int:
        """Return about how many items the lists of the request's body have; for searching."""
        kept = sum(int(count) for count in _COUNT.findall(self._text("keeps")))
        return kept + self.request_text().count(b"\n    - ")

    def digest(self, name: str) -> Digest:
        """Return the digest of a top-level field as it stands in the file."""
        return digest_bytes(self._text(name))

    def _value(self, name: str) -> JsonValue:
        text = self._text(name)
        value = parse(text) if text else {}
        if not isinstance(value, (dict, Mapping)):
            raise YamlProblem(f"`{name}` is no field of a mapping")
        return value.get(name)

    def _text(self, name: str) -> bytes:
        """Return the lines of a top-level field; all of them but the first are indented."""
        field = b"\n" + name.encode() + b":"
        if self.source.startswith(field[1:], self.start):
            start = self.start
        else:
            start = self.source.find(field, self.start, self.end) + 1
        if not start:
            return b""
        following = _NEXT_FIELD.search(self.source, start, self.end)
        end = following.start() + 1 if following is not None else self.end
        return self.source[start:end]
