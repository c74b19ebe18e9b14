"""Two texts beside each other, line by line, with what differs within a line. Values only."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from itertools import zip_longest
from typing import Final, Literal, TypeAlias

_WORDS: Final = re.compile(r"\w+|\s+|[^\w\s]")
_CONTEXT: Final = 3
"""Equal lines that are shown around a change."""
_MOST_LINES: Final = 1_500
"""Of one text; comparing takes the square of it."""
_LONGEST_LINE: Final = 2_000
"""Characters."""
_MOST_WORDS: Final = 150
"""Of a line whose words are compared."""

RowKind: TypeAlias = Literal["equal", "changed", "removed", "added", "gap"]


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of a line."""

    text: str
    changed: bool = False


@dataclass(frozen=True, slots=True)
class Row:
    """A line of each side."""

    kind: RowKind
    base_line: int | None = None
    """Counted from 1."""
    base: tuple[Piece, ...] = ()
    head_line: int | None = None
    head: tuple[Piece, ...] = ()
    skipped: int = 0
    """For a gap: how many equal lines are left out."""


@dataclass(frozen=True, slots=True)
class SideBySide:
    """Two texts, compared."""

    rows: tuple[Row, ...]
    is_equal: bool
    is_cut: bool
    """Whether a text is longer than what is shown of it."""


def side_by_side(base: str, head: str) -> SideBySide:
    """Compare two texts; equal lines far from any change are left out and counted."""
    old, old_cut = _lines(base)
    new, new_cut = _lines(head)
    rows: list[Row] = []
    matcher = SequenceMatcher(None, old, new, autojunk=False)
    for kind, i1, i2, j1, j2 in matcher.get_opcodes():
        if kind == "equal":
            at_start, at_end = i1 == 0 and j1 == 0, i2 == len(old) and j2 == len(new)
            rows += _equal(old[i1:i2], i1, j1, at_start=at_start, at_end=at_end)
        else:
            rows += _changed(old[i1:i2], new[j1:j2], i1, j1)
    return SideBySide(tuple(rows), is_equal=base == head, is_cut=old_cut or new_cut)


def _lines(text: str) -> tuple[list[str], bool]:
    lines = text.split("\n") if text else []
    if lines and not lines[-1]:
        lines.pop()
    cut = len(lines) > _MOST_LINES or any(len(line) > _LONGEST_LINE for line in lines)
    return [line[:_LONGEST_LINE] for line in lines[:_MOST_LINES]], cut


def _equal(lines: Sequence[str], i: int, j: int, *, at_start: bool, at_end: bool) -> Iterator[Row]:
    before = 0 if at_start else _CONTEXT
    after = 0 if at_end else _CONTEXT
    whole = at_start and at_end
    left_out = 0 if whole else len(lines) - before - after
    for index, line in enumerate(lines):
        if left_out > 1 and before <= index < len(lines) - after:
            if index == before:
                yield Row("gap", skipped=left_out)
            continue
        piece = (Piece(line),)
        yield Row("equal", i + index + 1, piece, j + index + 1, piece)


def _changed(old: Sequence[str], new: Sequence[str], i: int, j: int) -> Iterator[Row]:
    for index, (left, right) in enumerate(zip_longest(old, new)):
        if left is None:
            yield Row("added", head_line=j + index + 1, head=(Piece(right, changed=True),))
        elif right is None:
            yield Row("removed", i + index + 1, (Piece(left, changed=True),))
        else:
            base, head = _words(left, right)
            yield Row("changed", i + index + 1, base, j + index + 1, head)


def _words(old: str, new: str) -> tuple[tuple[Piece, ...], tuple[Piece, ...]]:
    left, right = _WORDS.findall(old), _WORDS.findall(new)
    if len(left) > _MOST_WORDS or len(right) > _MOST_WORDS:
        return (Piece(old, changed=True),), (Piece(new, changed=True),)
    base: list[Piece] = []
    head: list[Piece] = []
    for kind, i1, i2, j1, j2 in SequenceMatcher(None, left, right, autojunk=False).get_opcodes():
        changed = kind != "equal"
        if i2 > i1:
            base.append(Piece("".join(left[i1:i2]), changed=changed))
        if j2 > j1:
            head.append(Piece("".join(right[j1:j2]), changed=changed))
    return tuple(base), tuple(head)
