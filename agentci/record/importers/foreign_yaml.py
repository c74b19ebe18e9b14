"""YAML of other tools, read as data: aliases within bounds, binary texts as bytes, no objects.

Scalars mean what PyYAML's safe loader makes of them, because that wrote most of these files; only
dates stay text. The events of the parser are put together here without recursion, since the
composer of libyaml does not survive deep nesting. Knows no format of recordings.
"""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass, field
from typing import Any, Final, NoReturn

import yaml

MAX_DEPTH: Final = 200
MAX_GROWTH: Final = 64 * 1024 * 1024
"""Characters that aliases may add."""

_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_PREFIX = "tag:yaml.org,2002:"
_RESOLVERS: Any = yaml.SafeLoader.yaml_implicit_resolvers
_TEXTS = frozenset(
    {
        "!",
        *(_PREFIX + name for name in ("str", "timestamp", "value", "python/str", "python/unicode")),
    }
)
_BINARY = frozenset({"!binary", f"{_PREFIX}binary"})
_LISTS = frozenset({None, "!", f"{_PREFIX}seq", f"{_PREFIX}python/tuple"})
_MAPPINGS = frozenset({None, "!", f"{_PREFIX}map"})
_OTHERS = {
    _PREFIX + name: getattr(yaml.constructor.SafeConstructor, f"construct_yaml_{name}")
    for name in ("int", "float", "bool", "null")
}
_CONSTRUCTOR: Any = yaml.constructor.SafeConstructor()


class ForeignYamlError(ValueError):
    """The text is no YAML that we read; the message says why, with the line."""


class ObjectTagError(ForeignYamlError):
    """A tag asks for an object of a program; reading it would run code."""


@dataclass(slots=True)
class _Open:
    """A list or mapping whose end has not come."""

    value: Any
    anchor: str | None
    key: str | None = None
    expects_key: bool = False
    size: int = 1


@dataclass(frozen=True, slots=True)
class _Anchored:
    value: Any
    size: int


@dataclass(slots=True)
class _Builder:
    """Puts values together from events."""

    room: int
    stack: list[_Open] = field(default_factory=list)
    anchors: dict[str, _Anchored] = field(default_factory=dict)
    result: Any = None

    def take(self, event: Any) -> None:
        """Take the next event of the document."""
        if isinstance(event, yaml.ScalarEvent):
            value = _scalar(event, as_key=self._expects_key())
            self._keep(event.anchor, value, size := 1 + len(event.value))
            self._add(value, size, event)
        elif isinstance(event, yaml.MappingStartEvent):
            self._open(event, {}, _MAPPINGS)
        elif isinstance(event, yaml.SequenceStartEvent):
            self._open(event, [], _LISTS)
        elif isinstance(event, yaml.AliasEvent):
            self._alias(event)
        elif isinstance(event, yaml.MappingEndEvent | yaml.SequenceEndEvent):
            done = self.stack.pop()
            self._keep(done.anchor, done.value, done.size)
            self._add(done.value, done.size, event)

    def _expects_key(self) -> bool:
        return bool(self.stack) and self.stack[-1].expects_key

    def _keep(self, anchor: str | None, value: Any, size: int) -> None:
        if anchor is not None:
            self.anchors[anchor] = _Anchored(value, size)

    def _open(self, event: Any, value: Any, tags: frozenset[str | None]) -> None:
        if event.tag not in tags:
            _refuse_tag(event)
        if self._expects_key():
            _fail("a list or mapping stands as a key", event)
        if len(self.stack) >= MAX_DEPTH:
            _fail(f"it nests deeper than {MAX_DEPTH} levels", event)
        self.anchors.pop(event.anchor, None)
        self.stack.append(_Open(value, event.anchor, expects_key=isinstance(value, dict)))

    def _alias(self, event: Any) -> None:
        found = self.anchors.get(event.anchor)
        if found is None:
            _fail(f"the alias `{event.anchor[:40]}` stands for nothing, or for itself", event)
        self.room -= found.size
        if self.room < 0:
            _fail("its aliases grow beyond all bounds", event)
        self._add(found.value, found.size, event)

    def _add(self, value: Any, size: int, event: Any) -> None:
        if not self.stack:
            self.result = value
            return
        top = self.stack[-1]
        top.size += size
        if isinstance(top.value, list):
            top.value.append(value)
        elif top.expects_key:
            if not isinstance(value, str):
                _fail("a key is no text", event)
            top.key, top.expects_key = value, False
        else:
            top.value[top.key] = value
            top.expects_key = True


def parse_foreign(text: str) -> Any:
    """Return the value of the one YAML document in `text`: JSON types and bytes.

    Raises:
        ObjectTagError: for a tag that would make an object, named with its line.
        ForeignYamlError: for anything else that is not read.
    """
    builder = _Builder(room=MAX_GROWTH)
    loader = _LOADER(text)
    documents = 0
    try:
        while True:
            event = loader.get_event()
            if isinstance(event, yaml.StreamEndEvent):
                return builder.result
            documents += isinstance(event, yaml.DocumentStartEvent)
            if documents > 1:
                _fail("it has more than one document", event)
            builder.take(event)
    except yaml.YAMLError as error:
        raise ForeignYamlError(" ".join(str(error).split())[:300]) from None
    finally:
        loader.dispose()


def _scalar(event: Any, *, as_key: bool) -> Any:
    tag, value = event.tag, event.value
    if tag is None:
        if as_key or not event.implicit[0]:
            return value
        tag = _plain_tag(value)
    if tag in _TEXTS:
        return value
    if tag in _BINARY:
        try:
            return base64.b64decode("".join(value.split()), validate=True)
        except (binascii.Error, ValueError):
            _fail("a binary text is no base64", event)
    construct = _OTHERS.get(tag)
    if construct is None:
        _refuse_tag(event)
    try:
        return construct(_CONSTRUCTOR, yaml.ScalarNode(tag, value))
    except (ValueError, KeyError, IndexError, OverflowError, yaml.YAMLError):
        _fail(f"`{value[:40]}` is not what its tag says", event)


def _plain_tag(value: str) -> str:
    """Name the type of a plain scalar."""
    for tag, pattern in (*_RESOLVERS.get(value[:1], ()), *_RESOLVERS.get(None, ())):
        if pattern.match(value):
            return f"{tag}" if tag != f"{_PREFIX}merge" else f"{_PREFIX}str"
    return f"{_PREFIX}str"


def _refuse_tag(event: Any) -> NoReturn:
    tag = event.tag.replace(_PREFIX, "!!", 1)[:120]
    raise ObjectTagError(f"the tag `{tag}` in line {event.start_mark.line + 1} is not read")


def _fail(message: str, event: Any) -> NoReturn:
    raise ForeignYamlError(f"{message} (line {event.start_mark.line + 1})")
