"""The cassette of a lane: a YAML stream, one document for each interaction, read lazily.

The first document names the format. Every other one starts with its key and ends with `...`, so a
document that a killed process left half written is told from a whole one. Documents are found by
text and parsed only when asked for. A later document replaces an earlier one of the same address.
Knows nothing of files, modes or sessions.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from itertools import pairwise
from typing import Final, TypeVar

from agentci.core.digest import Digest, digest_pieces
from agentci.core.errors import FormatError, Location
from agentci.core.json_types import JsonObject, JsonValue
from agentci.core.lane import Lane
from agentci.record.delta import Delta, frozen_lists, restore
from agentci.record.header import RECORD_AGAIN, read_header
from agentci.record.interaction import Address, Interaction
from agentci.record.object_store import ObjectStore
from agentci.record.stored_document import Place, StoredDocument, StoredRequest
from agentci.record.yaml_read import YamlProblem

_T = TypeVar("_T")

_END: Final = b"\n...\n"
_KEPT_TOGETHER: Final = 20  # requests kept put together; a conversation needs the one before
_SEPARATOR = re.compile(rb"---(?:[ \t].*)?\n")
_START = re.compile(rb"---\nkey: (sha256:[0-9a-f]{64})\n(?:occurrence: ([1-9][0-9]{0,8})\n)?")
_CONFLICT: Final = (b"\n<<<<<<< ", b"\n>>>>>>> ")
"""What git puts at the start of lines, where all of ours but a few known ones are indented."""
_PROVENANCE = re.compile(rb"^provenance:.*\n(?:[ \n].*\n?)*", re.MULTILINE)


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
        if data.endswith(_END[:-1]):
            data += b"\n"
        self.lane = lane
        self.name = name
        self.data = data
        self.objects = objects
        self.documents: dict[Place, StoredDocument] = {}
        self.notes: list[str] = []
        self.replaced: list[Place] = []
        """Places that are recorded more than once; the last recording of each counts."""
        self.is_clean = True
        """Whether nothing is torn, replaced or out of place."""
        self._requests: dict[Place, JsonObject] = {}
        self._parents: dict[Place, Place | None] = {}
        starts = list(_separators(data))
        for mark in _CONFLICT:
            if mark in data:
                raise self._conflict(data.index(mark))
        self.whole_until = starts[0] if starts else len(data)
        """End of the last whole document; what follows was left by a killed writer."""
        self.header = read_header(data[: self.whole_until], name, alone=not starts)
        if self.header is None:
            self.whole_until = 0
            self.is_clean = not data
        elif self.header.lane != lane:
            raise self._damaged(f"it holds the lane `{self.header.lane}`, not `{lane}`")
        self._index(starts)

    def _index(self, starts: list[int]) -> None:
        data = self.data
        for start, following in pairwise([*starts, len(data)]):
            body = data.index(b"\n", start) + 1
            end = following
            if not data.endswith(_END, body, end):
                end = data.find(_END, body, following) + len(_END)
                self._note_leftover(max(end, start), torn=end < body)
                if end < body:
                    continue
            match = _START.match(data, start)
            document = StoredDocument(data, body, end)
            if match is None:  # edited by hand
                place = self._checked(document.place)
            else:
                place = (Digest(match[1].decode()), int(match[2] or 1))
            if self.documents.pop(place, None) is not None:
                self.is_clean = False
                self.replaced.append(place)
            self.documents[place] = document
            self.whole_until = end

    def _note_leftover(self, start: int, *, torn: bool) -> None:
        """Take note of bytes that belong to no whole document.

        After a whole one they are the header of a second process that began the file at the same
        moment, or what a killed one left of the next separator.
        """
        self.is_clean = False
        if torn:
            line = self.data.count(b"\n", 0, start) + 1
            self.notes.append(f"`{self.name}:{line}`: a half-written recording is ignored")

    def add(self, interaction: Interaction, text: bytes) -> None:
        """Take in the document of an interaction that was just appended to the file."""
        place = (interaction.address.key, interaction.address.occurrence)
        self.documents.pop(place, None)
        self.documents[place] = StoredDocument(text, text.index(b"---\n") + 4, len(text))
        self._parents.pop(place, None)
        self._remember(place, frozen_lists(interaction.request))

    def __contains__(self, place: Place) -> bool:
        return place in self.documents

    def addresses(self) -> tuple[Address, ...]:
        """Return all addresses in the order of the file."""
        return tuple(Address(self.lane, key, occurrence) for key, occurrence in self.documents)

    def get(self, place: Place) -> Interaction | None:
        """Return the interaction at `place`, or None. All but the response is read lazily.

        Raises:
            FormatError: when its document cannot be read, now or when it is looked at.
        """
        document = self.documents.get(place)
        if document is None:
            return None
        objects = self.objects
        return Interaction(
            address=Address(self.lane, *place),
            kind=self._checked(document.kind),
            request=Lazy(lambda: self.request(place)),
            response=self._checked(lambda: document.mapping("response", objects)),
            notes=Lazy(lambda: self._checked(lambda: document.mapping("notes", objects))),
            provenance=Lazy(lambda: self._checked(lambda: document.mapping("provenance", objects))),
        )

    def parent(self, place: Place) -> Place | None:
        """Return the place of the request that the one at `place` continues, or None."""
        if place not in self._parents:
            self._parents[place] = self._checked(self.documents[place].parent)
        return self._parents[place]

    def request(self, place: Place) -> JsonObject:
        """Return the whole request at `place`, put together from the requests that it continues.

        Raises:
            FormatError: when a document cannot be read, or continues one that is not there.
        """
        deltas: dict[Place, Delta] = {}
        at: Place | None = place
        request: JsonObject | None = None
        while at is not None and request is None:
            request = self._requests.get(at)
            if request is None:
                if at in deltas:
                    raise self._damaged(f"the recording `{at[0]}` continues itself")
                stored = self.stored_request(at)
                deltas[at] = stored.delta
                at = stored.parent
        for step, delta in reversed(deltas.items()):
            try:
                request = delta.request if request is None else restore(delta, request)
            except ValueError as error:
                raise self._damaged(f"the request `{step[0]}`: {error}") from None
            self._remember(step, request)
        assert request is not None
        return request

    def stored_request(self, place: Place) -> StoredRequest:
        """Return what the document at `place` itself holds of its request.

        Raises:
            FormatError: when it cannot be read, or is not there.
        """
        document = self.documents.get(place)
        if document is None:
            raise self._damaged(f"the recording `{place[0]}`, which others continue, is gone")
        return self._checked(lambda: document.request(self.objects))

    def _remember(self, place: Place, request: JsonObject) -> None:
        self._requests.pop(place, None)
        if len(self._requests) >= _KEPT_TOGETHER:
            del self._requests[next(iter(self._requests))]
        self._requests[place] = request

    def _checked(self, read: Callable[[], _T]) -> _T:
        try:
            return read()
        except YamlProblem as problem:
            raise self._damaged(str(problem)) from None

    def _conflict(self, at: int) -> FormatError:
        line = self.data.count(b"\n", 0, at) + 2
        return FormatError(
            f"`{self.name}` is in the middle of a merge: two branches recorded the same place",
            code="ACI-F113",
            hint="take the file of one side (`git checkout --ours` or `--theirs`, then the path), "
            "then record again: only what is missing is asked for",
            location=Location(file=self.name, line=line, lane=self.lane),
        )

    def _damaged(self, reason: str) -> FormatError:
        return FormatError(
            f"`{self.name}` cannot be read: {reason}",
            code="ACI-F112",
            hint=RECORD_AGAIN,
            location=Location(file=self.name, lane=self.lane),
        )


def _separators(data: bytes) -> Iterator[int]:
    """Yield where documents start; only lines that may be separators are looked at, not each."""
    start = 0 if data.startswith(b"---") else data.find(b"\n---") + 1
    while start or data.startswith(b"---"):
        if _SEPARATOR.match(data, start):
            yield start
        start = data.find(b"\n---", start) + 1
        if not start:
            return


def content_digest(data: bytes) -> Digest:
    """Return the digest of a cassette file, of everything but its provenance."""
    data = data.replace(b"\r\n", b"\n")
    return digest_pieces(_without_provenance(data))


def _without_provenance(data: bytes) -> Iterator[memoryview]:
    whole = memoryview(data)  # a large file is not copied
    start = 0
    for match in _PROVENANCE.finditer(data) if b"\nprovenance:" in data else ():
        yield whole[start : match.start()]
        start = match.end()
    yield whole[start:]
