"""The texts that a streamed answer spells piece by piece, put together again.

Reads server-sent events and lines of JSON. A text is told from another by its path in the events,
and by the numbers of choices, outputs and contents that stand beside it. Knows no provider.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final, TypeAlias

from agentci.record.secrets.views import View, unescaped

_LINE: Final = re.compile(r"^(?:data:[ \t]?)?(?=[{\[])(?P<json>[^\r\n]+)", re.MULTILINE)
_TOKEN: Final = re.compile(
    r"\"(?P<text>(?:[^\"\\]|\\.)*+)\"|(?P<mark>[{}\[\],:])|(?P<plain>[\w.+-]++)"
)
_NUMBERS: Final = frozenset(
    {"index", "output_index", "content_index", "summary_index", "item_id", "type"}
)

_Path: TypeAlias = tuple[str, ...]


@dataclass(slots=True)
class _Frame:
    """An object or list that is being read."""

    is_object: bool
    path: _Path
    key: str = ""
    wants_key: bool = True
    numbers: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Literal:
    path: _Path
    around: tuple[_Frame, ...]
    start: int
    end: int

    def stream(self) -> tuple[_Path, tuple[str, ...]]:
        numbers = (f"{n}={v}" for frame in self.around for n, v in sorted(frame.numbers.items()))
        return self.path, tuple(numbers)


def streams_of(text: str) -> Iterator[View]:
    """Yield each text that is spread over two or more places of `text`, in order of appearance."""
    if not text.startswith(("data:", "{", "event:", ":")) and "\ndata:" not in text:
        return
    found: dict[tuple[_Path, tuple[str, ...]], list[_Literal]] = {}
    for line in _LINE.finditer(text):
        for literal in _literals(text, line.start("json"), line.end("json")):
            found.setdefault(literal.stream(), []).append(literal)
    for literals in found.values():
        texts = {text[literal.start : literal.end] for literal in literals[:50]}
        if len(literals) > 1 and len(texts) > 1:
            yield View(
                piece
                for literal in literals
                for piece in unescaped(text, literal.start, literal.end)
            )


def _literals(text: str, start: int, end: int) -> list[_Literal]:
    """Return the text values of a line of JSON; what is no JSON gives what it gives."""
    out: list[_Literal] = []
    stack: list[_Frame] = []
    for token in _TOKEN.finditer(text, start, end):
        mark = token["mark"]
        top = stack[-1] if stack else None
        if mark is not None:
            _punctuation(mark, stack)
        elif top is None:
            continue
        elif top.is_object and top.wants_key:
            top.key = token["text"] or ""
        elif token["text"] is None or top.key in _NUMBERS:
            if top.is_object and top.key in _NUMBERS:
                top.numbers[top.key] = token["plain"] or token["text"] or ""
        else:
            path = (*top.path, top.key)
            out.append(_Literal(path, tuple(stack), token.start("text"), token.end("text")))
    return out


def _punctuation(mark: str, stack: list[_Frame]) -> None:
    top = stack[-1] if stack else None
    if mark in "{[":
        if len(stack) < 64:
            path = (*top.path, top.key) if top is not None else ()
            stack.append(_Frame(mark == "{", path))
    elif top is None:
        return
    elif mark in "}]":
        stack.pop()
    else:
        top.wants_key = mark == ","
