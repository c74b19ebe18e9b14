"""Answers that name the program's folders: marks in a recording, the present folders in a replay.

A model is told where it works and answers with paths, also in the pieces of a stream. What is
stored has a mark in the place of each folder; the number of chunks never changes. Pure text work.
"""

from __future__ import annotations

import codecs
import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from agentci.record.surroundings import Surroundings

_OPEN: Final = "{agentci:"
_MARK = re.compile(r"\{agentci:([a-z_]+)\}")
_PIECE = re.compile(
    r'"(content|text|delta|arguments|partial_json|thinking|reasoning|reasoning_content|refusal)"'
    r'\s*:\s*"((?:[^"\\]|\\.)*)"'
)
"""A text that a stream sends in pieces, as JSON writes it."""
_PLACE = re.compile(r'"(type|index|output_index|content_index|item_id)"\s*:\s*("[^"]*"|\d+)')
"""What says to which text a piece belongs."""


@dataclass(frozen=True, slots=True)
class Marked:
    """An answer with marks."""

    chunks: tuple[bytes, ...]
    counts: Mapping[str, int]
    """How many marks of each name; without any, the answer is as it came."""


@dataclass(frozen=True, slots=True)
class _Edit:
    start: int
    end: int
    text: str


@dataclass(frozen=True, slots=True)
class _Segment:
    start: int
    text: str


def mark(chunks: Sequence[bytes], around: Surroundings) -> Marked:
    """Put marks in the place of the program's folders; an answer that is no text stays.

    So does one that has such marks in it already: nobody could tell them apart.
    """
    unchanged = Marked(tuple(chunks), {})
    pattern = around.pattern()
    pieces = _texts(chunks)
    if pattern is None or pieces is None:
        return unchanged
    whole = "".join(pieces)
    if _OPEN in whole or not (_streams(whole) or around.may_be_in(whole)):
        return unchanged
    names = {each.text: each.name for each in around.spellings}
    found: Counter[str] = Counter()
    edits = sorted(_edits(whole, pattern, names, found), key=lambda edit: edit.start)
    if not edits:
        return unchanged
    return Marked(_apply(pieces, edits), dict(sorted(found.items())))


def fill(chunks: Sequence[bytes], around: Surroundings) -> tuple[bytes, ...]:
    """Put the present folders in the place of marks."""

    def put(match: re.Match[bytes]) -> bytes:
        text = around.first(match[1].decode())
        # within JSON's quotes, and harmless outside of them
        return match[0] if text is None else json.dumps(text, ensure_ascii=False)[1:-1].encode()

    pattern = re.compile(_MARK.pattern.encode())
    return tuple(pattern.sub(put, chunk) if b"{agentci:" in chunk else chunk for chunk in chunks)


def _texts(chunks: Sequence[bytes]) -> list[str] | None:
    """Decode chunk by chunk; a character cut in two goes to the chunk that completes it."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    try:
        texts = [decoder.decode(chunk) for chunk in chunks]
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return None
    return texts


def _streams(whole: str) -> bool:
    return whole.lstrip().startswith(("data:", "event:", ":", "id:"))


def _edits(
    whole: str, pattern: re.Pattern[str], names: Mapping[str, str], found: Counter[str]
) -> Iterator[_Edit]:
    taken: list[tuple[int, int]] = []
    if _streams(whole):
        for segments in _streamed_texts(whole).values():
            if len(segments) < 2:
                continue
            taken += ((each.start, each.start + len(each.text)) for each in segments)
            yield from _edits_across(segments, pattern, names, found)
    taken.sort()
    position = 0
    for match in pattern.finditer(whole):
        while position < len(taken) and taken[position][1] <= match.start():
            position += 1
        if position < len(taken) and taken[position][0] <= match.start():
            continue
        name = names[match[0]]
        found[name] += 1
        yield _Edit(match.start(), match.end(), f"{_OPEN}{name}}}")


def _streamed_texts(whole: str) -> dict[tuple[str, ...], list[_Segment]]:
    """Return the pieces of each text that is sent in several events, in their order."""
    texts: dict[tuple[str, ...], list[_Segment]] = {}
    start = 0
    for line in whole.splitlines(keepends=True):
        if line.startswith("data:"):
            place = tuple(f"{name}={value}" for name, value in _PLACE.findall(line))
            for nth, match in enumerate(_PIECE.finditer(line)):
                piece = _Segment(start + match.start(2), match[2])
                texts.setdefault((*place, match[1], str(nth)), []).append(piece)
        start += len(line)
    return texts


def _edits_across(
    segments: Sequence[_Segment],
    pattern: re.Pattern[str],
    names: Mapping[str, str],
    found: Counter[str],
) -> Iterator[_Edit]:
    """Yield edits for folders in a text of several pieces: the mark goes to where one begins."""
    joined = "".join(segment.text for segment in segments)
    for match in pattern.finditer(joined):
        name = names[match[0]]
        found[name] += 1
        text = f"{_OPEN}{name}}}"
        offset = 0
        for segment in segments:
            low = max(match.start() - offset, 0)
            high = min(match.end() - offset, len(segment.text))
            offset += len(segment.text)
            if low < high:
                yield _Edit(segment.start + low, segment.start + high, text)
                text = ""


def _apply(pieces: Sequence[str], edits: Sequence[_Edit]) -> tuple[bytes, ...]:
    """Apply edits to chunks; one that crosses a boundary goes to the chunk that it begins in."""
    out: list[bytes] = []
    offset = 0
    pending = list(edits)
    for piece in pieces:
        end = offset + len(piece)
        text: list[str] = []
        position = offset
        while pending and pending[0].start < end:
            edit = pending[0]
            text.append(piece[position - offset : max(edit.start, position) - offset])
            text.append(edit.text)
            position = min(edit.end, end)
            if edit.end > end:  # the rest of what it replaces is in the next chunk
                pending[0] = _Edit(end, edit.end, "")
                break
            pending.pop(0)
        text.append(piece[position - offset :])
        out.append("".join(text).encode())
        offset = end
    return tuple(out)
