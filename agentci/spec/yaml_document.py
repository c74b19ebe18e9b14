"""YAML that a person wrote, as JSON values with the place of each one.

The dialect is YAML 1.2 narrowed to JSON: every key is text, `yes` and `on` are texts, there are no
dates, octal numbers, tags, merge keys or second documents. What one reader would take for a number
and another for text (`007`, `0x1F`) is refused. Aliases work, within a limit on what they expand
to. Nothing here knows what a document means; see `agentci.spec.validation` for that.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NoReturn, TypeAlias

import yaml
from yaml.reader import Reader

from agentci.core.errors import Location, Problem, SpecError
from agentci.core.json_types import JsonValue

MAX_BYTES = 2_000_000
MAX_DEPTH = 60
MAX_VALUES = 200_000
"""Values in a document after aliases are expanded."""

_LOADER: type[yaml.SafeLoader | yaml.CSafeLoader] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_WORDS: dict[str, bool | None] = {
    "": None, "~": None, "null": None, "Null": None, "NULL": None,
    "true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False,
}  # fmt: skip
_INTEGER = re.compile(r"[-+]?(?:0|[1-9][0-9]*)")
_FLOAT = re.compile(r"[-+]?(?:(?:0|[1-9][0-9]*)(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][-+]?[0-9]+)?")
_AMBIGUOUS = re.compile(
    r"[-+]?(?:0[0-9]+(?:\.[0-9]*)?|0[xX][0-9a-fA-F]+|0[oO][0-7]+|0[bB][01]+|\.(?:inf|Inf|INF))"
    r"|\.(?:nan|NaN|NAN)"
)
_NUMBER_START = frozenset("+-.0123456789")


@dataclass(frozen=True, slots=True)
class Mark:
    """A place in a text, counted from 0."""

    line: int
    column: int


@dataclass(frozen=True, slots=True)
class Place:
    """Where an entry of a mapping or list stands. In a list, `key` is the value's own place."""

    key: Mark
    value: Mark


PathParts: TypeAlias = tuple[str | int, ...]
"""Keys and list positions that lead from the root to a value."""


@dataclass(frozen=True, slots=True)
class Positions:
    """Finds the place of each value of one document."""

    file: str
    _root: JsonValue
    _start: Mark
    _places: Mapping[int, Mapping[str | int, Place]] = field(repr=False)
    """By `id` of the mapping or list, which `_root` keeps alive."""

    def locate(self, path: PathParts, *, key: bool = False) -> Location:
        """Return the place of the value at `path`, or of its key.

        Where `path` leads to nothing, it is the place of the nearest value around it.
        """
        value, place = self._root, Place(self._start, self._start)
        for part in path:
            found = self._places.get(id(value), {}).get(part)
            if found is None:
                return self._location(place.key)
            place = found
            value = _child(value, part)
        return self._location(place.key if key else place.value)

    def inside(self, path: PathParts) -> Positions:
        """Return the places in the value at `path`, as if it were a document of its own.

        Where `path` leads to nothing, every place in it is that of the nearest value around it.
        """
        value, mark = self._root, self._start
        for part in path:
            found = self._places.get(id(value), {}).get(part)
            if found is None:
                return Positions(self.file, None, mark, {})
            value, mark = _child(value, part), found.value
        return Positions(self.file, value, mark, self._places)

    def _location(self, mark: Mark) -> Location:
        return Location(self.file, mark.line + 1, mark.column + 1)


def _child(value: JsonValue, part: str | int) -> JsonValue:
    if isinstance(value, Mapping) and isinstance(part, str):
        return value[part]
    if isinstance(value, Sequence) and isinstance(part, int):
        return value[part]
    return None


@dataclass(frozen=True, slots=True)
class Document:
    """A parsed YAML document."""

    value: JsonValue
    positions: Positions


@dataclass(slots=True)
class _Open:
    """A mapping or list that is being read."""

    value: dict[str, JsonValue] | list[JsonValue]
    start: Mark
    anchor: str | None
    places: dict[str | int, Place] = field(default_factory=dict)
    key: str | None = None
    key_mark: Mark | None = None
    size: int = 1


@dataclass(frozen=True, slots=True)
class _Anchored:
    value: JsonValue
    size: int


def parse_document(data: bytes, name: str) -> Document:
    """Parse `data`; `name` is the file's name in messages.

    Raises:
        SpecError: for anything that is not one well-formed document of the dialect above.
    """
    return _Reader(name).read(data)


class _Reader:
    """Builds values and places in one pass over the parser's events, without recursion."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.places: dict[int, Mapping[str | int, Place]] = {}
        self.stack: list[_Open] = []
        self.anchors: dict[str, _Anchored] = {}
        self.count = 0
        self.root: JsonValue = None
        self.start: Mark | None = None

    def read(self, data: bytes) -> Document:
        text = self._decode(data)
        if (control := Reader.NON_PRINTABLE.search(text)) is not None:
            before = text[: control.start()]
            mark = Mark(before.count("\n"), control.start() - before.rfind("\n") - 1)
            message = f"the control character U+{ord(control[0]):04X} is not allowed"
            self._fail("ACI-D101", message, mark, hint="remove it, or write an escape in quotes")
        loader = _LOADER(text)
        try:
            while loader.check_event():
                self._event(loader.get_event())
        except yaml.YAMLError as error:
            self._syntax(error, text)
        finally:
            loader.dispose()
        if self.start is None:
            self._fail("ACI-D103", "the file is empty", Mark(0, 0))
        return Document(self.root, Positions(self.name, self.root, self.start, self.places))

    def _decode(self, data: bytes) -> str:
        if len(data) > MAX_BYTES:
            message = f"the file has {len(data):,} bytes; the limit is {MAX_BYTES:,}"
            self._fail("ACI-D104", message, Mark(0, 0))
        try:
            return data.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            before = data[: error.start]
            mark = Mark(before.count(b"\n"), error.start - before.rfind(b"\n") - 1)
            message = f"not UTF-8: byte 0x{data[error.start]:02x} at offset {error.start}"
            self._fail("ACI-D102", message, mark, hint="save the file as UTF-8")

    def _event(self, event: Any) -> None:
        kind = type(event)
        if kind is yaml.ScalarEvent:
            self._scalar(event)
        elif kind is yaml.MappingStartEvent:
            self._open(event, {})
        elif kind is yaml.SequenceStartEvent:
            self._open(event, [])
        elif kind is yaml.MappingEndEvent or kind is yaml.SequenceEndEvent:
            self._close()
        elif kind is yaml.AliasEvent:
            self._alias(event)
        elif kind is yaml.DocumentStartEvent and self.start is not None:
            message = "a second document begins here; the file may hold only one"
            self._fail("ACI-D105", message, _mark(event), hint="remove the `---` line")

    def _scalar(self, event: Any) -> None:
        if event.tag is not None:
            self._tag(event)
        text: str = event.value
        if not text.isascii() and any("\ud800" <= c <= "\udfff" for c in text):
            self._fail("ACI-D101", "the text holds half a surrogate pair", _mark(event))
        if "\0" in text:  # no path, argument or file name can carry it
            self._fail("ACI-D101", "the text holds the character U+0000", _mark(event))
        if self._expects_key():
            self._key(text, event)
            return
        value: JsonValue = text
        if event.implicit[0]:
            value = self._plain(text, event)
        if event.anchor is not None:
            self.anchors[event.anchor] = _Anchored(value, 1)
        self._add(value, _mark(event), 1)

    def _plain(self, text: str, event: Any) -> JsonValue:
        if text in _WORDS:
            return _WORDS[text]
        if text[0] not in _NUMBER_START:
            return text
        if _AMBIGUOUS.fullmatch(text) or (len(text) > 100 and _FLOAT.fullmatch(text)):
            message = f"`{text[:40]}` can be read as a number or as text"
            hint = f'write "{text[:40]}" for text, or a plain decimal number'
            self._fail("ACI-D107", message, _mark(event), hint=hint)
        if _INTEGER.fullmatch(text):
            return int(text)
        if _FLOAT.fullmatch(text):
            number = float(text)
            if number in {float("inf"), float("-inf")}:
                self._fail("ACI-D107", f"the number `{text}` is too large", _mark(event))
            return number
        return text

    def _key(self, text: str, event: Any) -> None:
        top = self.stack[-1]
        mark = _mark(event)
        first = top.places.get(text)
        if first is not None:
            message = f"the key `{text}` is written twice; first in line {first.key.line + 1}"
            self._fail("ACI-D106", message, mark, hint="remove or rename one of the two")
        if text == "<<" and event.implicit[0]:
            message = "merge keys (`<<`) are not part of YAML 1.2"
            self._fail("ACI-D108", message, mark, hint="write the keys out")
        top.key, top.key_mark = text, mark

    def _open(self, event: Any, value: dict[str, JsonValue] | list[JsonValue]) -> None:
        if event.tag is not None:
            self._tag(event)
        mark = _mark(event)
        if self._expects_key():
            self._fail(
                "ACI-D101", "a key has to be a text", mark, hint="put a text with `{{ }}` in quotes"
            )
        if len(self.stack) >= MAX_DEPTH:
            self._too_deep(mark)
        if event.anchor is not None:
            self.anchors.pop(event.anchor, None)
        self.stack.append(_Open(value, mark, event.anchor))

    def _close(self) -> None:
        done = self.stack.pop()
        self.places[id(done.value)] = done.places
        if done.anchor is not None:
            self.anchors[done.anchor] = _Anchored(done.value, done.size)
        self._add(done.value, done.start, done.size)

    def _alias(self, event: Any) -> None:
        mark = _mark(event)
        if self._expects_key():
            self._fail("ACI-D101", "a key has to be a text, not an alias", mark)
        anchored = self.anchors.get(event.anchor)
        if anchored is None:
            message = f"the alias `*{event.anchor}` has no anchor `&{event.anchor}` before it"
            self._fail("ACI-D109", message, mark)
        self.count += anchored.size
        self._add(anchored.value, mark, anchored.size)

    def _add(self, value: JsonValue, mark: Mark, size: int) -> None:
        self.count += 1
        if self.count > MAX_VALUES:
            message = f"more than {MAX_VALUES:,} values, aliases expanded"
            self._fail("ACI-D104", message, mark)
        if not self.stack:
            self.root, self.start = value, mark
            return
        top = self.stack[-1]
        top.size += size
        if isinstance(top.value, list):
            top.places[len(top.value)] = Place(mark, mark)
            top.value.append(value)
        elif top.key is not None:
            top.places[top.key] = Place(top.key_mark or mark, mark)
            top.value[top.key] = value
            top.key = None

    def _expects_key(self) -> bool:
        return (
            bool(self.stack) and self.stack[-1].key is None and type(self.stack[-1].value) is dict
        )

    def _tag(self, event: Any) -> NoReturn:
        message = f"the tag `{event.tag}` is not allowed"
        self._fail("ACI-D108", message, _mark(event), hint="quote the value to make it text")

    def _too_deep(self, mark: Mark) -> NoReturn:
        self._fail("ACI-D104", f"nested deeper than {MAX_DEPTH} levels", mark)

    def _syntax(self, error: yaml.YAMLError, text: str) -> NoReturn:
        found = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
        mark = Mark(found.line, found.column) if found is not None else Mark(0, 0)
        parts = [getattr(error, "context", None), getattr(error, "problem", None)]
        reason = ", ".join(str(part) for part in parts if part) or str(error).splitlines()[0]
        line = [*text.split("\n"), ""][min(mark.line, text.count("\n"))]
        char = line[mark.column : mark.column + 1]
        hint = None
        if char == "\t":
            reason, hint = "a tab cannot indent", "indent with spaces"
        elif "cannot start any token" in reason:
            reason, hint = f"`{char}` cannot begin a text", "put the text in quotes"
        elif "{{" in line or "}}" in line:
            hint = "put a text with `{{ }}` in quotes"
        elif "mapping values are not allowed" in reason:
            hint = "put a text with `: ` in quotes, or check the indentation"
        self._fail("ACI-D101", f"not valid YAML: {reason}", mark, hint=hint)

    def _fail(self, code: str, message: str, mark: Mark, *, hint: str | None = None) -> NoReturn:
        place = Location(self.name, mark.line + 1, mark.column + 1)
        raise SpecError((Problem(code, message, place, hint),))


def _mark(event: Any) -> Mark:
    start = event.start_mark
    return Mark(start.line, start.column)
