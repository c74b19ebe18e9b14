"""Errors as text for people and as JSON for programs.

It knows the error tree and may read the line of a file that an error points to, nothing else.
"""

from __future__ import annotations

from itertools import islice
from pathlib import Path
from typing import Any, Final

from agentci.cli.render.json import plain, to_json
from agentci.cli.render.style import paint
from agentci.core.errors import AgentciError, CassetteMiss, Location, Problem, SpecError

_WIDEST_LINE: Final = 160
_UNSHOWN: Final = "ACI-P"
"""Family of errors whose line may be a secret, which a log must not repeat."""
_LONGEST_FILE: Final = 100_000
"""Lines; an excerpt is not worth reading more."""


def as_text(error: AgentciError, *, color: bool) -> str:
    """Return the error with its place, the line there, and the next thing to do."""
    return "\n".join(_problem(problem, color=color) for problem in problems_of(error))


def as_json(error: AgentciError) -> str:
    """Return one JSON object with everything that `as_text` shows."""
    return to_json({"error": error_json(error)})


def error_json(error: AgentciError) -> dict[str, Any]:
    """Return an error as the value of the key `error`."""
    content: dict[str, Any] = {
        "code": error.code,
        "exit_code": error.exit_code,
        "message": error.message,
        "hint": error.hint,
        "location": plain(error.location),
    }
    if isinstance(error, SpecError):
        content["problems"] = plain(error.problems)
    if isinstance(error, CassetteMiss):
        content["misses"] = [_miss_json(miss) for miss in error.misses]
    return content


def _miss_json(miss: CassetteMiss) -> dict[str, Any]:
    return {
        "lane": miss.lane,
        "causes": list(miss.causes),
        "changes": list(miss.changes),
        "message": miss.message,
        "hint": miss.hint,
    }


def problems_of(error: AgentciError) -> tuple[Problem, ...]:
    """Return everything that is wrong, one entry each."""
    if isinstance(error, SpecError):
        return error.problems
    place = error.location or Location()
    return (Problem(error.code, error.message, place, error.hint),)


def _problem(problem: Problem, *, color: bool) -> str:
    head = paint(f"error[{problem.code}]", "red", color=color)
    lines = [f"{head}: {printable(problem.message)}"]
    place = str(problem.location)
    if place:
        lines.append(f"  {paint('-->', 'cyan', color=color)} {printable(place)}")
        if not problem.code.startswith(_UNSHOWN):
            lines.extend(_excerpt(problem.location, color=color))
    if problem.hint:
        lines.append(f"{paint('hint', 'green', color=color)}: {printable(problem.hint)}")
    return "\n".join(lines) + "\n"


def _excerpt(place: Location, *, color: bool) -> list[str]:
    """Return the line that `place` names with a caret below it; nothing where it is not there."""
    if place.file is None or place.line is None or place.line > _LONGEST_FILE:
        return []
    try:
        with Path(place.file).open(encoding="utf-8", errors="replace") as lines:
            line = next(islice(lines, place.line - 1, None), None)
    except (OSError, ValueError):
        return []
    if line is None or not line.strip():
        return []
    shown = printable(line.rstrip("\n"))[:_WIDEST_LINE].replace("\t", " ")
    number = str(place.line)
    bar = paint("|", "cyan", color=color)
    margin = " " * len(number)
    out = [f" {margin} {bar}", f" {paint(number, 'cyan', color=color)} {bar} {shown}"]
    if place.column is not None and place.column <= len(shown) + 1:
        out.append(f" {margin} {bar} {' ' * (place.column - 1)}{paint('^', 'red', color=color)}")
    return out


def printable(text: str) -> str:
    """Return `text` without control characters, which could repaint a person's terminal."""
    return "".join(c if c.isprintable() or c in "\n\t" else _escaped(c) for c in text)


def _escaped(character: str) -> str:
    return character.encode("unicode_escape", "backslashreplace").decode("ascii")
