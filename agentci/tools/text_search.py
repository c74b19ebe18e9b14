"""Searching the text files of a workspace, for the tool `search`. Knows no tool's schema."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from agentci.tools.protocol import ToolProblem
from agentci.tools.walk import path_filter, walk
from agentci.tools.workspace_files import MAX_BYTES, WorkspaceFiles, decode_text

MAX_MATCHES: Final = 200
"""Lines in one answer."""
MAX_LINE: Final = 300
"""Characters shown of a line."""
REGEX_SECONDS: Final = 10.0
"""After which a regular expression is given up."""
_MAX_TOTAL: Final = 32_000_000


@dataclass(frozen=True, slots=True)
class TextFile:
    """A file to search."""

    path: str
    lines: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Hit:
    """A line that matches."""

    path: str
    number: int
    """Counted from 1."""
    text: str


@dataclass(frozen=True, slots=True)
class _Corpus:
    files: tuple[TextFile, ...]
    left_out: int
    """Text files that are too large or beyond the total."""


async def search_text(
    root: Path, query: str, *, path: str, pattern: str, regex: bool, ignore_case: bool
) -> str:
    """Return the matching lines of the files below `path`, as the model reads them.

    Raises:
        ToolProblem: when there is no such path, or the regular expression is invalid or too slow.
    """
    corpus = _read(WorkspaceFiles(root), path, pattern)
    if regex:
        hits = await asyncio.to_thread(_find_regex, corpus.files, query, ignore_case=ignore_case)
    else:
        hits = _find_literal(corpus.files, query, ignore_case=ignore_case)
    return _answer(hits, corpus.left_out)


def _read(files: WorkspaceFiles, path: str, pattern: str) -> _Corpus:
    wanted = path_filter(pattern)
    found: list[TextFile] = []
    total = left_out = 0
    for name in _paths(files, path):
        if wanted is not None and not wanted.fullmatch(name):
            continue
        try:
            data = files.read(name).data
            text = decode_text(data, name)
        except ToolProblem as problem:
            left_out += "larger than" in str(problem)
            continue
        total += len(data)
        if total > _MAX_TOTAL:
            left_out += 1
            continue
        found.append(TextFile(name, tuple(line.rstrip("\r") for line in text.split("\n"))))
    return _Corpus(tuple(found), left_out)


def _paths(files: WorkspaceFiles, path: str) -> Iterator[str]:
    if files.is_folder(path):
        yield from (entry.path for entry in walk(files, path) if entry.link is None)
    else:
        yield "/".join(files.real_parts(path))


def _find_literal(files: Sequence[TextFile], query: str, *, ignore_case: bool) -> list[Hit]:
    if ignore_case:  # an escaped text has no choices, so it cannot backtrack
        matches = re.compile(re.escape(query), re.IGNORECASE).search
        return list(_hits(files, lambda line: matches(line) is not None))
    return list(_hits(files, lambda line: query in line))


def _hits(files: Sequence[TextFile], matches: Callable[[str], bool]) -> Iterator[Hit]:
    count = 0
    for file in files:
        for number, line in enumerate(file.lines, 1):
            if matches(line):
                yield Hit(file.path, number, line)
                count += 1
                if count > MAX_MATCHES:
                    return


def _find_regex(files: Sequence[TextFile], query: str, *, ignore_case: bool) -> list[Hit]:
    # a process is seldom needed, and what starts it takes long to import
    from agentci.tools.regex_process import find_matching_lines  # noqa: PLC0415

    try:
        re.compile(query)
    except (re.error, OverflowError, RecursionError) as error:
        raise ToolProblem(f"`{query}` is not a valid Python regular expression") from error
    places = find_matching_lines(
        query,
        [file.lines for file in files],
        ignore_case=ignore_case,
        limit=MAX_MATCHES + 1,
        timeout=REGEX_SECONDS,
    )
    if places is None:
        raise ToolProblem(
            f"the regular expression took more than {REGEX_SECONDS:g} seconds; simplify it, or "
            "search fewer files with `path` or `pattern`"
        )
    return [
        Hit(files[place.text].path, place.line + 1, files[place.text].lines[place.line])
        for place in places
    ]


def _answer(hits: Sequence[Hit], left_out: int) -> str:
    lines = [f"{hit.path}:{hit.number}: {_cut(hit.text)}" for hit in hits[:MAX_MATCHES]]
    if not lines:
        lines.append("[no matches]")
    if len(hits) > MAX_MATCHES:
        lines.append(f"[more than {MAX_MATCHES} matches; narrow it with `path` or `pattern`]")
    if left_out:
        lines.append(f"[{left_out} files not searched: larger than {MAX_BYTES} bytes, or too many]")
    return "\n".join(lines)


def _cut(text: str) -> str:
    return text if len(text) <= MAX_LINE else f"{text[:MAX_LINE]}[...]"
