"""The values that expressions work on: how JSON is looked up, made text, and kept small.

Shared by both evaluators, so that they cannot disagree. Knows no syntax.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from agentci.core.json_types import JsonValue

MAX_TEXT = 4_000_000
"""Characters of a text that an expression or a prompt may give."""
MAX_ITEMS = 200_000
"""Values in a result, and items that all loops of one rendering may visit."""
MAX_NUMBER_BITS = 1024


class Malformed(Exception):
    """An expression or template is not well formed, or uses what is not available."""

    def __init__(self, reason: str, line: int | None = None) -> None:
        super().__init__(reason)
        self.line = line


class NoValue(Exception):
    """An evaluation failed: something is not there, does not fit or is too large."""

    def __init__(self, reason: str, line: int | None = None) -> None:
        super().__init__(reason)
        self.line = line


class NotThere(LookupError):
    """A name or an index that a value does not have."""


def look_up(value: object, key: object) -> Any:
    """Return the entry `key` of a mapping or list.

    Raises:
        NotThere: when there is no such entry, or `value` has no entries.
    """
    if isinstance(value, Mapping):
        if isinstance(key, str) and key in value:
            return value[key]
    elif (
        isinstance(value, Sequence)
        and isinstance(key, int)
        and not isinstance(key, bool)
        and -len(value) <= key < len(value)
    ):
        return value[key]
    raise NotThere(key)


def to_text(value: object) -> str:
    """Return `value` as it stands in a text: null is empty, lists and mappings are JSON."""
    if isinstance(value, str):
        return str(value)
    if value is None:
        return ""
    return json.dumps(to_json(value), ensure_ascii=False)


def join(values: Iterable[object], separator: str = "") -> str:
    """Join values as texts.

    Raises:
        ValueError: when the result is too long.
    """
    pieces: list[str] = []
    size = 0
    for value in values:
        pieces.append(to_text(value))
        size += len(pieces[-1]) + len(separator)
        check_length(size)
    return separator.join(pieces)


def check_length(characters: int) -> None:
    """Refuse a text of so many characters.

    Raises:
        ValueError: when no result may be so long.
    """
    if characters > MAX_TEXT:
        raise ValueError(f"the text has more than {MAX_TEXT:,} characters")


def to_json(value: object) -> JsonValue:
    """Return `value` with tuples and generators as lists.

    Raises:
        TypeError: when something in it is not JSON.
        ValueError: when it is too large, too deep or not finite.
    """
    return _Copy().copy(value, 0)


class _Copy:
    def __init__(self) -> None:
        self.items = 0
        self.characters = 0

    def copy(self, value: object, depth: int) -> JsonValue:
        if isinstance(value, str):
            return self._text(value)
        if value is None or isinstance(value, bool | int | float):
            return _number(value)
        if depth > 100:
            raise ValueError("the result is nested too deep")
        if isinstance(value, Mapping):
            return {self._key(key): self.copy(item, depth + 1) for key, item in self._each(value)}
        if isinstance(value, Iterable) and not isinstance(value, bytes):
            return [self.copy(item, depth + 1) for item in self._counted(value)]
        raise TypeError(f"the result is not JSON but {type(value).__name__}")

    def _each(self, value: Mapping[Any, object]) -> Iterable[tuple[Any, object]]:
        return self._counted(value.items())

    def _counted(self, values: Iterable[Any]) -> Iterable[Any]:
        for value in values:
            self.items += 1
            if self.items > MAX_ITEMS:
                raise ValueError(f"the result has more than {MAX_ITEMS:,} values")
            yield value

    def _key(self, key: object) -> str:
        if not isinstance(key, str):
            raise TypeError("the result has a key that is not text")
        return self._text(key)

    def _text(self, text: str) -> str:
        self.characters += len(text)
        if self.characters > MAX_TEXT:
            raise ValueError(f"the result has more than {MAX_TEXT:,} characters")
        if not text.isascii():
            try:
                text.encode()
            except UnicodeEncodeError:
                raise ValueError("the result holds half a surrogate pair") from None
        return str(text)


def _number(value: bool | float | None) -> bool | int | float | None:  # noqa: FBT001 - any scalar
    if isinstance(value, float) and not math.isfinite(value):
        raise ValueError("the result is not a finite number")
    checked_size(value)
    return value


def checked_size(value: Any) -> Any:
    """Return `value`, unless it alone is larger than any result may be.

    Raises:
        ValueError: when it is.
    """
    too_large = (
        (isinstance(value, str) and len(value) > MAX_TEXT)
        or (isinstance(value, list | tuple) and len(value) > MAX_ITEMS)
        or (isinstance(value, int) and value.bit_length() > MAX_NUMBER_BITS)
    )
    if too_large:
        raise ValueError("the result is too large")
    return value
