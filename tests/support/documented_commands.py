"""Reads the commands that a page shows and runs them, one after the other, as its reader would.

A page is read from top to bottom. A fenced block whose first line is a comment with a path is a
file that the reader writes, or an excerpt where the path is one of a recording. In a `console`
block a line that starts with `$ ` is a command, followed by what it prints; `...` alone on a line
stands for lines that are left out. A command that is shown without `echo $?` after it has to exit
with 0.
"""

from __future__ import annotations

import re
import shlex
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

ELLIPSIS = "..."
CUT = "# ...\n"
"""Stands for lines that an excerpt leaves out; `...` ends a document of a recording."""
RECORDINGS = "cassettes/"
_FENCE = re.compile(
    r"^(?P<indent> *)(?P<ticks>`{3,})(?P<info>\w*)\n(?P<body>.*?)^(?P=indent)(?P=ticks)$",
    re.MULTILINE | re.DOTALL,
)
_FILE = re.compile(r"(?:#|//) (?P<path>[\w.-]+(?:/[\w.-]+)*\.\w+)")
_PROGRESS = re.compile(r"\w+ +\S+ \(\w+, SECONDS\)")
_VOLATILE = (
    (re.compile(r"\d{8}-\d{6}-[0-9a-f]{6}"), "RUN"),
    (re.compile(r"\b\d+\.\d s\b"), "SECONDS"),
)


@dataclass(frozen=True, slots=True)
class ShownFile:
    """A file that the page asks its reader to write."""

    path: str
    text: str


@dataclass(frozen=True, slots=True)
class Excerpt:
    """Parts of a file that ships."""

    path: str
    parts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ShownCommand:
    """A command, and what the page says that it prints."""

    line: str
    output: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a command of a page really did."""

    command: ShownCommand
    code: int
    lines: tuple[str, ...]
    """Both streams, in the order of writing."""


def read_page(text: str) -> tuple[ShownFile | ShownCommand, ...]:
    """Return the files and commands of a page, in its order."""
    return tuple(step for match in _FENCE.finditer(text) for step in _steps(match))


def read_excerpts(text: str) -> tuple[Excerpt, ...]:
    """Return what a page shows of recordings."""
    found: list[Excerpt] = []
    for match in _FENCE.finditer(text):
        first, _, rest = match["body"].partition("\n")
        named = _FILE.fullmatch(first)
        if named is not None and named["path"].startswith(RECORDINGS):
            found.append(Excerpt(named["path"], tuple(rest.split(CUT))))
    return tuple(found)


def commands(steps: Sequence[ShownFile | ShownCommand]) -> tuple[ShownCommand, ...]:
    """Return the commands alone."""
    return tuple(step for step in steps if isinstance(step, ShownCommand))


def _steps(match: re.Match[str]) -> Iterator[ShownFile | ShownCommand]:
    indent = len(match["indent"])
    lines = [line[indent:] for line in match["body"].splitlines()]
    if match["info"] == "console":
        yield from _commands(lines)
        return
    named = _FILE.fullmatch(lines[0]) if lines else None
    if named is not None and not named["path"].startswith(RECORDINGS):
        yield ShownFile(named["path"], "\n".join([*lines, ""]))


def _commands(lines: Sequence[str]) -> Iterator[ShownCommand]:
    starts = [index for index, line in enumerate(lines) if line.startswith("$ ")]
    assert starts[:1] == [0], f"a console block starts with a command, not with {lines[:1]}"
    for start, end in zip(starts, [*starts[1:], len(lines)], strict=True):
        yield ShownCommand(lines[start][2:], tuple(lines[start + 1 : end]))


def run_page(
    steps: Sequence[ShownFile | ShownCommand], folder: Path, env: Mapping[str, str]
) -> tuple[Outcome, ...]:
    """Run a page in one shell in `folder`, so that variables live on; return what happened."""
    mark = "\x1eagentci-docs "
    stored = folder.parent / "shown-files"
    stored.mkdir()
    script = []
    for number, step in enumerate(steps):
        if isinstance(step, ShownFile):
            (stored / str(number)).write_text(step.text)
            script.append(f"mkdir -p {shlex.quote(str(Path(step.path).parent))}")
            script.append(f"cp {shlex.quote(str(stored / str(number)))} {shlex.quote(step.path)}")
            continue
        # `$?` stays what it was, for a command that looks at it
        script.append(step.line)
        script.append(f"status=$?; printf '{mark}%s\\n' $status; (exit $status)")
    done = subprocess.run(
        ["bash", "-c", "\n".join(script)],
        cwd=folder,
        env={"PYTHONUNBUFFERED": "1", **env},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        check=False,
        timeout=600,
    )
    outputs = done.stdout.decode().split(mark)
    outcomes: list[Outcome] = []
    text = outputs[0]
    for command, following in zip(commands(steps), outputs[1:], strict=True):
        code, _, rest = following.partition("\n")
        outcomes.append(Outcome(command, int(code), tuple(text.splitlines())))
        text = rest
    return tuple(outcomes)


def wrong(outcomes: Sequence[Outcome]) -> list[str]:
    """Return what is not as the page says, in words; empty where the page is right."""
    problems: list[str] = []
    for number, outcome in enumerate(outcomes):
        following = outcomes[number + 1 : number + 2]
        looked_at = bool(following) and following[0].command.line == "echo $?"
        shown = "\n".join(f"    {line}" for line in outcome.lines)
        if outcome.code and not looked_at:
            problems.append(f"$ {outcome.command.line}\n  exited with {outcome.code}:\n{shown}")
        elif not _matches(outcome.command.output, outcome.lines):
            problems.append(f"$ {outcome.command.line}\n  really prints:\n{shown}")
    return problems


def _matches(expected: Sequence[str], actual: Sequence[str]) -> bool:
    """Say whether a command prints what is shown; nothing shown means that all is left out."""
    if not expected:
        return True
    lines = [line for line in map(_plain, actual) if not _PROGRESS.fullmatch(line)]
    chunks = _chunks([_plain(line) for line in expected])
    if len(chunks) == 1:
        return chunks[0] == lines
    position = 0
    for number, chunk in enumerate(chunks):
        last = len(lines) - len(chunk)
        places: Sequence[int] = range(position, last + 1)
        if number == 0:
            places = [0]
        elif number == len(chunks) - 1 and chunk:
            places = [last] if last >= position else []
        found = next((at for at in places if lines[at : at + len(chunk)] == chunk), None)
        if found is None:
            return False
        position = found + len(chunk)
    return True


def _chunks(lines: Sequence[str]) -> list[list[str]]:
    chunks: list[list[str]] = [[]]
    for line in lines:
        if line == ELLIPSIS:
            chunks.append([])
        else:
            chunks[-1].append(line)
    return chunks


def _plain(line: str) -> str:
    """Return a line without what differs between two runs."""
    for pattern, word in _VOLATILE:
        line = pattern.sub(word, line)
    return " ".join(line.split())  # columns are as wide as what is in them
