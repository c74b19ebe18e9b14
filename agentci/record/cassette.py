"""The cassette of a lane: a YAML stream, one document for each interaction, read lazily.

The first document names the format. Every other one starts with its key and ends with `...`, so a
document that a killed process left half written is told from a whole one. Documents are found by
text and parsed only when asked for. A later document replaces an earlier one of the same address.
Knows nothing of files, modes or sessions.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Final, TypeAlias

from agentci.core.digest import Digest, digest_bytes, parse_digest
from agentci.core.errors import FormatError, Location
from agentci.core.json_types import JsonObject, JsonValue
from agentci.core.lane import Lane
from agentci.record.blob_refs import move_in
from agentci.record.delta import Delta, frozen_lists, restore
from agentci.record.interaction import Address, Interaction, InteractionKind
from agentci.record.object_store import ObjectStore
from agentci.record.yaml_read import YamlProblem, parse
from agentci.record.yaml_text import BLOB_FIELD, emit_field

FORMAT: Final = "agentci/cassette"
VERSION: Final = 1
END: Final = b"...\n"

Place: TypeAlias = tuple[Digest, int]
"""Key and occurrence: an address within one lane."""

_RESOLVED = 20  # requests kept put together; a conversation needs the one before
_HEADER = re.compile(rb"^format: agentci/cassette\n", re.MULTILINE)
_SEPARATOR = re.compile(rb"^---(?:[ \t].*)?\n", re.MULTILINE)
_START = re.compile(
    rb"^---\nkey: (sha256:[0-9a-f]{64})\n(?:occurrence: ([1-9][0-9]{0,8})\n)?", re.MULTILINE
)
_SECTION = re.compile(rb"^([a-z_]+):", re.MULTILINE)
_PROVENANCE = re.compile(rb"^provenance:.*\n(?:[ \n].*\n?)*", re.MULTILINE)
_RECORD_AGAIN = "restore the file from version control, or remove it and record again"


@dataclass(frozen=True, slots=True)
class Header:
    """The first document of a cassette."""

    lane: Lane
    note: str = ""
    """Where the recordings come from, for a reader."""

    def text(self) -> bytes:
        """Return the header as it stands in a file."""
        comment = "# Recorded answers, one document each, replayed by agentci. Record to change.\n"
        fields = f"{comment}format: {FORMAT}\nversion: {VERSION}\n" + emit_field("lane", self.lane)
        return (fields + (emit_field("note", self.note) if self.note else "")).encode()


@dataclass(frozen=True, slots=True)
class Span:
    """A document: where it stands in which bytes, without its `---` line."""

    source: bytes
    start: int
    end: int

    @property
    def text(self) -> bytes:
        """The bytes of the document."""
        return self.source[self.start : self.end]


class Lazy(Mapping[str, JsonValue]):
    """A mapping that is read when it is first looked at."""

    __slots__ = ("_load", "_value")

    def __init__(self, load: Callable[[], JsonObject]) -> None:
        self._load = load
        self._value: JsonObject | None = None

    def _read(self) -> JsonObject:
        if self._value is None:
            self._value = self._load()
        return self._value

    def __getitem__(self, name: str) -> JsonValue:
        return self._read()[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._read())

    def __len__(self) -> int:
        return len(self._read())

    def __repr__(self) -> str:
        return repr(dict(self))


class Cassette:
    """The interactions of one lane, indexed by address; parsed when asked for."""

    def __init__(self, data: bytes, *, lane: Lane, name: str, objects: ObjectStore) -> None:
        """Index `data`, the content of the file `name`; empty data is an empty cassette.

        Raises:
            FormatError: when this is no cassette, one of another lane or of a newer version.
        """
        if b"\r\n" in data:  # a checkout that rewrites line ends; we never write a bare CR
            data = data.replace(b"\r\n", b"\n")
        self.lane = lane
        self.name = name
        self.data = data
        self.spans: dict[Place, Span] = {}
        self.notes: list[str] = []
        self.is_clean = True
        """Whether the file needs no repair: no torn document and none that is replaced."""
        self.objects = objects
        self._resolved: dict[Place, JsonObject] = {}
        self._parents: dict[Place, Place | None] = {}
        starts = [match.start() for match in _SEPARATOR.finditer(data)]
        self.whole_until = starts[0] if starts else len(data)
        """End of the last whole document; what follows was left by a killed writer."""
        self.header = self._read_header(data[: self.whole_until])
        if self.header is None:
            self.whole_until = 0
            self.is_clean = not data
        self._index(starts)

    def _read_header(self, text: bytes) -> Header | None:
        found = list(_HEADER.finditer(text))
        if not found:
            expected = Header(self.lane).text()
            if not text or (text == self.data and expected.startswith(text)):
                return None
            raise self._damaged(f"does not start with `format: {FORMAT}`", code="ACI-F110")
        try:
            fields = parse(text[found[-1].start() :])
        except YamlProblem as problem:
            raise self._damaged(f"has an unreadable header: {problem}", code="ACI-F110") from None
        assert isinstance(fields, Mapping)
        version = fields.get("version")
        if not isinstance(version, int) or version != VERSION:
            raise FormatError(
                f"`{self.name}` is a cassette of version `{version}`; this release reads {VERSION}",
                code="ACI-F111",
                hint="update agentci, or record again",
                location=Location(file=self.name),
            )
        if fields.get("lane") != self.lane:
            raise self._damaged(
                f"holds the lane `{fields.get('lane')}`, not `{self.lane}`", code="ACI-F113"
            )
        return Header(self.lane, str(fields.get("note", "")))

    def _index(self, starts: list[int]) -> None:
        data = self.data
        matches = {match.start(): match for match in _START.finditer(data)}
        for start, end in pairwise([*starts, len(data)]):
            body = data.index(b"\n", start) + 1
            if not data.endswith((b"\n...\n", b"\n..."), body, end):
                self.is_clean = False
                line = data.count(b"\n", 0, start) + 1
                self.notes.append(f"`{self.name}:{line}`: a half-written recording is ignored")
                continue
            match = matches.get(start)
            place = self._place(data[body:end]) if match is None else _match_place(match)
            if place in self.spans:
                self.is_clean = False
                del self.spans[place]
            self.spans[place] = Span(data, body, end)
            self.whole_until = end

    def _place(self, text: bytes) -> Place:
        """Return the place of a document that somebody has edited by hand."""
        fields = self._parse(text)
        occurrence = fields.get("occurrence", 1)
        try:
            key = parse_digest(str(fields.get("key")))
        except ValueError as error:
            raise self._damaged(f"has a document without a key: {error}") from None
        if not isinstance(occurrence, int) or isinstance(occurrence, bool) or occurrence < 1:
            raise self._damaged(f"has an `occurrence` that is no count: `{occurrence}`")
        return (key, occurrence)

    def add(self, interaction: Interaction, text: bytes) -> None:
        """Take in the document of an interaction that was just appended to the file."""
        place = (interaction.address.key, interaction.address.occurrence)
        self.spans.pop(place, None)
        self.spans[place] = Span(text, text.index(b"---\n") + 4, len(text))
        self._parents.pop(place, None)
        self._remember(place, frozen_lists(interaction.request))

    def __contains__(self, place: Place) -> bool:
        return place in self.spans

    def addresses(self) -> tuple[Address, ...]:
        """Return all addresses in the order of the file."""
        return tuple(Address(self.lane, key, occurrence) for key, occurrence in self.spans)

    def get(self, place: Place) -> Interaction | None:
        """Return the interaction at `place`, or None.

        Raises:
            FormatError: when its document cannot be read.
        """
        span = self.spans.get(place)
        if span is None:
            return None
        text = span.text
        sections = _sections(text)
        response = self._section(sections, "response")
        if BLOB_FIELD.encode() in text:
            response = _object(move_in(response, self.objects))
        return Interaction(
            address=Address(self.lane, *place),
            kind=self._kind(sections),
            request=Lazy(lambda: self.request(place)),
            response=response,
            notes=Lazy(lambda: self._section(sections, "notes")),
            provenance=Lazy(lambda: self._section(sections, "provenance")),
        )

    def request(self, place: Place) -> JsonObject:
        """Return the whole request at `place`, put together from the requests that it continues.

        Raises:
            FormatError: when a document cannot be read, or continues one that is not there.
        """
        deltas: list[tuple[Place, Delta]] = []
        seen: set[Place] = set()
        at: Place | None = place
        request: JsonObject | None = None
        while at is not None and request is None:
            request = self._resolved.get(at)
            if request is None:
                if at in seen:
                    raise self._damaged(f"has a recording that continues itself: `{at[0]}`")
                seen.add(at)
                delta, parent = self.delta(at)
                deltas.append((at, delta))
                at = parent
        for step, delta in reversed(deltas):
            try:
                request = delta.request if request is None else restore(delta, request)
            except ValueError as error:
                raise self._damaged(
                    f"cannot put the request `{step[0]}` together: {error}"
                ) from None
            self._remember(step, request)
        assert request is not None
        return request

    def parent(self, place: Place) -> Place | None:
        """Return the place of the request that the one at `place` continues, or None."""
        if place not in self._parents:
            self._parents[place] = self.delta(place)[1]
        return self._parents[place]

    def delta(self, place: Place) -> tuple[Delta, Place | None]:
        """Return the stored part of a request, and the place of the one that it continues."""
        span = self.spans.get(place)
        if span is None:
            raise self._damaged(f"continues the recording `{place[0]}`, which is not there")
        text = span.text
        sections = _sections(text)
        request = self._section(sections, "request")
        if BLOB_FIELD.encode() in text:
            request = _object(move_in(request, self.objects))
        parent = self._value(sections, "continues")
        keeps = self._section(sections, "keeps")
        drops = self._value(sections, "drops")
        if parent is None:
            return Delta(request), None
        counts = {name: count for name, count in keeps.items() if isinstance(count, int)}
        names = tuple(map(str, drops)) if isinstance(drops, list) else ()
        return Delta(request, counts, names), self._pointer(str(parent))

    def _pointer(self, text: str) -> Place:
        key, _, occurrence = text.partition("/")
        try:
            return (parse_digest(key), int(occurrence or 1))
        except ValueError as error:
            raise self._damaged(f"has a wrong `continues`: {error}") from None

    def _remember(self, place: Place, request: JsonObject) -> None:
        self._resolved.pop(place, None)
        if len(self._resolved) >= _RESOLVED:
            del self._resolved[next(iter(self._resolved))]
        self._resolved[place] = request

    def _kind(self, sections: dict[bytes, Span]) -> InteractionKind:
        kind = self._value(sections, "kind")
        if kind not in {"model", "tool"}:
            raise self._damaged(f"has a recording of the unknown kind `{kind}`")
        return "model" if kind == "model" else "tool"

    def _section(self, sections: dict[bytes, Span], name: str) -> JsonObject:
        value = self._value(sections, name)
        if isinstance(value, Mapping):
            return value
        if value is None:
            return {}
        raise self._damaged(f"has a `{name}` that is no mapping")

    def _value(self, sections: dict[bytes, Span], name: str) -> JsonValue:
        span = sections.get(name.encode())
        return None if span is None else self._parse(span.text).get(name)

    def _parse(self, text: bytes) -> JsonObject:
        try:
            value = parse(text)
        except YamlProblem as problem:
            raise self._damaged(f"cannot be read: {problem}") from None
        if not isinstance(value, Mapping):
            raise self._damaged("has a document that is no mapping")
        return value

    def _damaged(self, what: str, *, code: str = "ACI-F112") -> FormatError:
        return FormatError(
            f"`{self.name}` {what}",
            code=code,
            hint=_RECORD_AGAIN,
            location=Location(file=self.name, lane=self.lane),
        )


def content_digest(data: bytes) -> Digest:
    """Return the digest of a cassette file, of everything but its provenance."""
    return digest_bytes(_PROVENANCE.sub(b"", data.replace(b"\r\n", b"\n")))


def _match_place(match: re.Match[bytes]) -> Place:
    return (Digest(match[1].decode()), int(match[2] or 1))


def _sections(text: bytes) -> dict[bytes, Span]:
    found = list(_SECTION.finditer(text))
    ends = [match.start() for match in found[1:]] + [len(text)]
    return {
        match[1]: Span(text, match.start(), end) for match, end in zip(found, ends, strict=True)
    }


def _object(value: JsonValue) -> JsonObject:
    assert isinstance(value, Mapping)
    return value
