"""A text as a program will read it: escapes undone, pieces of a streamed answer put together.

A view remembers where each of its characters comes from, so that what is found in it can be
replaced in the text itself. Knows no secrets.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final, TypeAlias

Segment: TypeAlias = tuple[int, int]
"""Start and end in the text that a view was made of."""


@dataclass(frozen=True, slots=True)
class Piece:
    """Characters of a view that come from one place."""

    text: str
    start: int
    end: int

    @property
    def is_literal(self) -> bool:
        """Whether each character stands for itself; otherwise they stand for all of the place."""
        return len(self.text) == self.end - self.start


class View:
    """A text, and the places of its characters in another one."""

    __slots__ = ("_pieces", "_starts", "text")

    def __init__(self, pieces: Iterable[Piece]) -> None:
        """Put pieces together."""
        self._pieces = list(pieces)
        self._starts: list[int] = []
        length = 0
        for piece in self._pieces:
            self._starts.append(length)
            length += len(piece.text)
        self.text = "".join(piece.text for piece in self._pieces)

    def segments(self, start: int, end: int) -> tuple[Segment, ...]:
        """Return where the characters from `start` to `end` come from; adjoining places are one."""
        found: list[Segment] = []
        index = max(bisect_right(self._starts, start) - 1, 0)
        while index < len(self._pieces) and self._starts[index] < end:
            piece, at = self._pieces[index], self._starts[index]
            index += 1
            if not piece.text:
                continue
            first, last = piece.start, piece.end
            if piece.is_literal:
                first = piece.start + max(start - at, 0)
                last = piece.start + min(end - at, len(piece.text))
            if found and found[-1][1] == first:
                found[-1] = (found[-1][0], last)
            elif first < last:
                found.append((first, last))
        return tuple(found)


_PERCENT: Final = re.compile(r"%([0-9A-Fa-f]{2})")
_BACKSLASH: Final = re.compile(r"\\(?:u([0-9A-Fa-f]{4})|([\"\\/bfnrt]))")
_ENTITY: Final = re.compile(r"&(?:#(3[0-9]|4[0-9]|6[0-4])|(amp|lt|gt|quot|apos));")
_NAMED: Final = {
    "b": "\b",
    "f": "\f",
    "n": "\n",
    "r": "\r",
    "t": "\t",
    "amp": "&",
    "lt": "<",
    "gt": ">",
    "quot": '"',
    "apos": "'",
}


def views_of(text: str) -> Iterator[View]:
    """Yield `text` itself, and each other way to read it that differs."""
    yield View((Piece(text, 0, len(text)),))
    if "%" in text and _PERCENT.search(text):
        yield View(_undone(text, _PERCENT, base=16))
    if "\\" in text and _BACKSLASH.search(text):
        yield View(_undone(text, _BACKSLASH, base=16))
    if "&" in text and _ENTITY.search(text):
        yield View(_undone(text, _ENTITY, base=10))


def unescaped(text: str, start: int, end: int) -> Iterator[Piece]:
    """Yield the pieces of the JSON text literal whose content is `text[start:end]`."""
    yield from _undone(text, _BACKSLASH, base=16, start=start, end=end)


def _undone(
    text: str, escapes: re.Pattern[str], *, base: int, start: int = 0, end: int | None = None
) -> Iterator[Piece]:
    end = len(text) if end is None else end
    at = start
    for match in escapes.finditer(text, start, end):
        if match.start() > at:
            yield Piece(text[at : match.start()], at, match.start())
        code = match[1]
        named = match[2] if match.lastindex == 2 else ""
        char = chr(int(code, base)) if code else _NAMED.get(named, named)
        yield Piece(char, match.start(), match.end())
        at = match.end()
    if at < end:
        yield Piece(text[at:end], at, end)
