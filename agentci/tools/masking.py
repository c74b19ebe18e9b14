"""Masking: command output without what differs between two machines or two runs.

Only what is listed here, or declared by the user, is replaced; everything else stays as it is. The
text is masked before a model sees it, so a recording and its replay see the same bytes.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import Final
from urllib.parse import quote

from agentci.core.errors import UsageError

WORKSPACE: Final = "/workspace"
"""How the work directory is shown."""
HOME: Final = "/home/agent"
"""How the home directory is shown."""

_PASSES = 4
_ESCAPES = (
    r"\x1b\[[0-?]*[ -/]*[@-~]"  # colours and cursor movements
    r"|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)"  # titles and links
    r"|\x1b[ -/]*[0-~]?"  # everything else, and a lone escape
)
_TOKEN = r"<(?:masked|duration|temp|address|pid)>"  # noqa: S105 - a placeholder, not a secret
_UNIT = r"(?:ns|us|\u00b5s|\u03bcs|ms|s|secs?|seconds?)"


@dataclass(frozen=True, slots=True)
class Masked:
    """Masked text, and how often each kind of volatile text was found in it."""

    text: str
    counts: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class _Rule:
    kind: str
    pattern: re.Pattern[str]
    replacement: Callable[[re.Match[str]], str]


def _around(token: str) -> Callable[[re.Match[str]], str]:
    """Replace the group `value` of a match and keep what stands around it."""

    def replace(match: re.Match[str]) -> str:
        start, end = match.span("value")
        text = match.string
        return text[match.start() : start] + token + text[end : match.end()]

    return replace


_PATTERNS: Final = (
    # mktemp, Python's tempfile, pytest's numbered folders, go's build folders
    (
        "temp",
        (
            r"(?<![\w.-])(?:/private)?(?:/var)?/tmp/(?P<value>tmp[a-z0-9_]{8}"
            r"|tmp\.[A-Za-z0-9]{6,12}|pytest-of-[^/\s'\"]+/pytest-\d+|go-build\d+)(?![\w-])"
        ),
    ),
    # "0.02s", "1.5 ms", "3.2 seconds": only with a fraction, so that `sleep 30s` stays
    ("duration", rf"(?<![\w.-])(?P<value>\d+\.\d+ ?{_UNIT})(?!\w|\.\d)"),
    # whole numbers only where it is clear: in 3s, took 12 ms, (4ms)
    ("duration", rf"(?<=\bin )(?P<value>\d+ ?{_UNIT})(?!\w|\.\d)"),
    ("duration", rf"(?<=\btook )(?P<value>\d+ ?{_UNIT})(?!\w|\.\d)"),
    ("duration", rf"\((?P<value>\d+ ?{_UNIT})\)"),
    # pytest above a minute: "in 65.20s (0:01:05)"
    ("duration", r"(?<=<duration> )\((?P<value>\d+:\d\d:\d\d)\)"),
    ("duration", r"\bduration_ms:? +(?P<value>\d+(?:\.\d+)?)(?![\w.])"),
    # an object's repr, user-space addresses of Linux, the heap of Go
    ("address", r"(?<=\bat )0x(?P<value>[0-9a-fA-F]{6,16})(?!\w)"),
    ("address", r"\b0x(?P<value>(?:0000)?(?:7[ef]|5[56])[0-9a-fA-F]{10})(?!\w)"),
    ("address", r"\b0x(?P<value>c000[0-9a-fA-F]{6})(?!\w)"),
    ("pid", r"\b(?:[Pp]id|PID|[Pp]rocess id)(?:[ =:]|: )(?P<value>\d+)(?!\w)"),
    ("pid", r"^==(?P<value>\d+)==(?= )"),
)


@cache
def _rules() -> tuple[_Rule, ...]:
    """Compile the patterns, when the first output is masked: a replay has none."""
    return tuple(
        _Rule(kind, re.compile(pattern, re.MULTILINE), _around(f"<{kind}>"))
        for kind, pattern in _PATTERNS
    )


class Masker:
    """Masks output of commands that ran in one work directory."""

    def __init__(self, root: Path, home: Path, extra: Iterable[str] = ()) -> None:
        """Mask the folders `root` and `home`, and what the patterns `extra` match.

        Raises:
            UsageError: when one of `extra` is not a regular expression.
        """
        self._root, self._home = root, home
        self._extra = tuple(_extra_rule(pattern) for pattern in extra)
        self._counts: dict[str, int] = {}

    @cached_property
    def _rules(self) -> tuple[_Rule, ...]:
        return (*_path_rules(self._root, self._home), *_rules(), *self._extra)

    @property
    def counts(self) -> Mapping[str, int]:
        """How often each kind was masked so far, by kind."""
        return dict(sorted(self._counts.items()))

    def mask(self, data: bytes) -> str:
        """Return `data` as text: UTF-8, LF line ends, no terminal codes, masked. Idempotent."""
        return self.mask_counted(data).text

    def mask_counted(self, data: bytes) -> Masked:
        """Return what `mask` does, with the counts of this call alone."""
        text = re.sub(_ESCAPES, "", data.decode("utf-8", "replace"))
        text = re.sub(r"\r+\n", "\n", text)
        found: dict[str, int] = {}
        for _ in range(_PASSES):  # one replacement may complete another pattern's context
            before = text
            for rule in self._rules:
                text = _apply(rule, text, found)
            if text == before:
                break
        for kind, count in found.items():
            self._counts[kind] = self._counts.get(kind, 0) + count
        return Masked(text, dict(sorted(found.items())))


def _apply(rule: _Rule, text: str, found: dict[str, int]) -> str:
    def replace(match: re.Match[str]) -> str:
        new = rule.replacement(match)
        if new != match.group():
            found[rule.kind] = found.get(rule.kind, 0) + 1
        return new

    return rule.pattern.sub(replace, text)


def _path_rules(root: Path, home: Path) -> tuple[_Rule, ...]:
    """Return one rule for all spellings of both folders, so that none is masked inside another."""
    shown: dict[str, str] = {}
    kinds: dict[str, str] = {}
    for folder, name, kind in ((root, WORKSPACE, "workspace"), (home, HOME, "home")):
        for path in (os.fspath(folder), os.path.realpath(folder)):
            for spelling, as_spelled in _spellings(path.rstrip("/"), name):
                shown.setdefault(spelling, as_spelled)
                kinds.setdefault(spelling, kind)
    if not shown:
        return ()
    own = {as_spelled: as_spelled for as_spelled in shown.values()}
    table = {**own, **shown}
    words = sorted(table, key=lambda word: (-len(word), word))
    pattern = re.compile(
        # a folder's name must not be the middle of a longer path; `-I/path` is a compiler's flag
        r"(?:(?<![\w.~-])|(?<=-[A-Za-z]))"
        rf"(?P<value>{'|'.join(re.escape(word) for word in words)})"
        r"(?![\w-]|\.\w)"
    )
    return (_Rule("path", pattern, lambda match: table[match.group()]),)


def _spellings(path: str, name: str) -> Iterable[tuple[str, str]]:
    """Yield each way to write `path`, with `name` written the same way."""
    if not path:
        return  # the root folder is part of every path
    yield path, name
    yield json.dumps(path)[1:-1], name
    yield json.dumps(path, ensure_ascii=False)[1:-1], name
    yield quote(path), name
    for spelled in (quote(path, safe=""), quote(path, safe="").replace("%2F", "%2f")):
        separator = "%2f" if "%2f" in spelled else "%2F"
        yield spelled, name.replace("/", separator)


def _extra_rule(pattern: str) -> _Rule:
    try:
        re.compile(pattern)
        # what is masked already stays, or `.` would grow the text at every pass
        compiled = re.compile(f"{_TOKEN}|(?P<agentci_value>{pattern})", re.MULTILINE)
    except re.error as error:
        raise UsageError(
            f"`{pattern}` is not a regular expression: {error.msg}",
            code="ACI-U145",
            hint="correct the pattern under `mask`",
        ) from error

    def replace(match: re.Match[str]) -> str:
        return "<masked>" if match["agentci_value"] else match.group()

    return _Rule("masked", compiled, replace)
