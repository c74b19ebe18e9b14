"""Which files `.gitignore` leaves out, for listings and searches.

A cheap reading of git's rules: the `.gitignore` of each folder, comments, negation, anchors, `*`,
`?`, `[...]` and `**`. It does no I/O; who walks the folders hands in the texts.
"""

from __future__ import annotations

import re
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class IgnoreRule:
    """One line of a `.gitignore`."""

    pattern: re.Pattern[str]
    """Matches a path relative to the folder of the file."""
    negated: bool
    folders_only: bool


@dataclass(frozen=True, slots=True)
class IgnoreFile:
    """The rules of one `.gitignore` and the folder that they are relative to."""

    folder: str
    """Relative to the workspace, with a trailing slash; empty for the workspace itself."""
    rules: tuple[IgnoreRule, ...]


def parse_ignore(text: str, folder: str) -> IgnoreFile:
    """Return the rules of a `.gitignore`; lines that are no valid pattern are left out."""
    rules = (_parse_line(line) for line in text.splitlines())
    return IgnoreFile(folder, tuple(rule for rule in rules if rule is not None))


def is_ignored(path: str, *, folder: bool, files: tuple[IgnoreFile, ...]) -> bool:
    """Say whether `path` is left out; `files` are those of the folders above, outermost first.

    The last rule that matches decides. The folders above `path` must not be ignored themselves.
    """
    for file in reversed(files):
        relative = path.removeprefix(file.folder)
        for rule in reversed(file.rules):
            if (folder or not rule.folders_only) and rule.pattern.fullmatch(relative):
                return not rule.negated
    return False


def _parse_line(line: str) -> IgnoreRule | None:
    text = line.rstrip("\r")
    text = re.sub(r"(?<!\\) +$", "", text)
    if not text or text.startswith("#"):
        return None
    negated = text.startswith("!")
    text = text.removeprefix("!") if negated else text
    folders_only = text.endswith("/")
    text = text.rstrip("/")
    anchored = "/" in text
    source = glob_source(text.removeprefix("/"))
    try:
        pattern = re.compile(source if anchored else f"(?:.*/)?{source}", re.DOTALL)
    except re.error:
        return None
    return IgnoreRule(pattern, negated, folders_only) if text else None


_GLOB = re.compile(
    r"(?P<start>^\*\*/)|(?P<middle>/\*\*/)|(?P<end>/\*\*$)|(?P<stars>\*+)|(?P<one>\?)"
    r"|\[(?P<set>[!^]?\]?[^\]]*)\]|\\(?P<escaped>.)|(?P<plain>.)",
    re.DOTALL,
)


def glob_source(glob: str) -> str:
    """Return the source of a regular expression for a glob, for use with `fullmatch`.

    `*` and `?` stay within one component; `**` spans several.
    """
    return "".join(_translate(match) for match in _GLOB.finditer(glob))


def _translate(match: re.Match[str]) -> str:
    fixed = {"start": "(?:.*/)?", "middle": "/(?:.*/)?", "end": "/.*", "one": "[^/]"}
    kind = match.lastgroup or "plain"
    if kind == "stars":
        return ".*" if match.group() == "**" == match.string else "[^/]*"
    if kind == "set":
        return _character_set(match["set"])
    if kind in {"escaped", "plain"}:
        return re.escape(match[kind])
    return fixed[kind]


def _character_set(body: str) -> str:
    negated = body[:1] in {"!", "^"}
    members = body[1:] if negated else body
    escaped = "".join(rf"\{c}" if c in r"\[]^&~|" else c for c in members)
    return f"(?!/)[{'^' if negated else ''}{escaped}]"
