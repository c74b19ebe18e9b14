"""Where a program runs, as it may stand in its requests and in the answers that it gets.

A recording shows the working directory as `/workspace` and the home directory as `/home/agent`,
in all their spellings; an answer keeps marks in their place, which a replay fills with the present
ones. Knows spellings of folders, nothing of clients or requests.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path, PurePosixPath
from typing import Final
from urllib.parse import quote

WORKSPACE: Final = "/workspace"
HOME: Final = "/home/agent"

_NOT_IN_SLUG = re.compile(r"[^A-Za-z0-9]")
_BEFORE: Final = r"(?:(?<![\w.~-])|(?<=\\[nrtbf])|(?<=-[A-Za-z]))"
"""Not in the middle of a longer path; behind an escaped line break, or a compiler's flag."""
_AFTER: Final = r"(?![\w-]|\.\w)"
_AFTER_SLUG: Final = r"(?![A-Za-z0-9])"


@dataclass(frozen=True, slots=True)
class Spelling:
    """One way in which a folder may be written."""

    name: str
    """`cwd`, `home`, `cwd_slug` or `home_slug`."""
    text: str
    """As it stands on this machine."""
    shown: str
    """As it stands in a recorded request."""


@dataclass(frozen=True, slots=True)
class Surroundings:
    """The folders that a program knows of, longest spelling first."""

    spellings: tuple[Spelling, ...] = ()

    def first(self, name: str) -> str | None:
        """Return how `name` is written on this machine, or None where it is not known."""
        return next((each.text for each in reversed(self.spellings) if each.name == name), None)

    def pattern(self) -> re.Pattern[str] | None:
        """Return what finds every spelling, none of them inside another; None for no folder."""
        return _pattern(self.spellings)

    def may_be_in(self, text: str) -> bool:
        """Say whether it is worth looking for `pattern` in `text`; much cheaper than to do it."""
        return any(each.text in text for each in self.spellings)


@lru_cache(maxsize=64)
def _pattern(spellings: tuple[Spelling, ...]) -> re.Pattern[str] | None:
    if not spellings:
        return None
    plain = [each.text for each in spellings if not each.name.endswith("_slug")]
    slugs = [each.text for each in spellings if each.name.endswith("_slug")]
    parts = [f"(?:{'|'.join(map(re.escape, plain))}){_AFTER}"] if plain else []
    if slugs:
        parts.append(f"(?:{'|'.join(map(re.escape, slugs))}){_AFTER_SLUG}")
    return re.compile(f"{_BEFORE}(?:{'|'.join(parts)})")


def surroundings(cwd: Path, home: Path, *, root: Path | None = None) -> Surroundings:
    """Return the spellings of a program's folders; `root` is the workspace around `cwd`."""
    top = root if root is not None else cwd
    inside = PurePosixPath(WORKSPACE, os.path.relpath(cwd, top)).as_posix()
    found: dict[str, Spelling] = {}
    for folder, name, shown in (
        (cwd, "cwd", inside),
        (top, "cwd", WORKSPACE),
        (home, "home", HOME),
    ):
        for path in (os.path.normpath(folder.absolute()), os.path.realpath(folder)):
            for spelling in _spellings(name, path.rstrip("/"), shown):
                found.setdefault(spelling.text, spelling)
    ordered = sorted(found.values(), key=lambda each: (-len(each.text), each.text))
    return Surroundings(tuple(ordered))


def slug(path: str) -> str:
    """Return a path as clients make a folder's name of it: all but letters and digits is `-`."""
    return _NOT_IN_SLUG.sub("-", path)


def _spellings(name: str, path: str, shown: str) -> Iterator[Spelling]:
    if path.count("/") < 1 or len(path) < 2:
        return  # the root folder is part of every path
    yield Spelling(name, path, shown)
    yield Spelling(name, json.dumps(path)[1:-1], shown)
    yield Spelling(name, json.dumps(path, ensure_ascii=False)[1:-1], shown)
    yield Spelling(name, quote(path), shown)
    yield Spelling(f"{name}_slug", slug(path), slug(shown))
    yield Spelling(f"{name}_slug", path.replace("/", "-"), slug(shown))
