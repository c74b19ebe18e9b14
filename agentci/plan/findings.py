"""Collects what static checks find, each with its place in the user's file."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import TypeAlias

from agentci.core.errors import Location, Problem
from agentci.plan.bundle import Bundle
from agentci.spec.suggestion import did_you_mean

Path: TypeAlias = tuple[str | int, ...]
"""Keys and positions from the top of the definition."""


@dataclass(slots=True)
class Findings:
    """The problems of one definition."""

    bundle: Bundle
    problems: list[Problem] = field(default_factory=list)

    def add(self, code: str, path: Path, *, message: str, hint: str | None = None) -> None:
        """Report a problem at `path` of the definition."""
        self.problems.append(Problem(code, message, self.bundle.positions.locate(path), hint))

    def add_in_file(
        self, code: str, file: str, *, offset: int, message: str, hint: str | None = None
    ) -> None:
        """Report a problem in a prompt file, at a character offset of its text."""
        above = self.bundle.prompts[file].text[:offset]
        line = above.count("\n") + 1
        column = offset - (above.rfind("\n") + 1) + 1
        place = Location(file=self.shown_path(file), line=line, column=column)
        self.problems.append(Problem(code, message, place, hint))

    def shown_path(self, file: str) -> str:
        """Return a file of the definition as a user would type it."""
        definition = self.bundle.positions.locate(()).file or ""
        return str(PurePosixPath(definition).parent / file)

    def sorted(self) -> tuple[Problem, ...]:
        """Return each problem once, by place."""
        return tuple(sorted(dict.fromkeys(self.problems), key=_place))


def _place(problem: Problem) -> tuple[str, int, int, str, str]:
    place = problem.location
    return (
        place.file or "",
        place.line or 0,
        place.column or 0,
        problem.code,
        problem.message,
    )


def names_hint(wrong: str, known: Iterable[str], *, what: str) -> str:
    """Return a hint with the nearest name, or with all names where none is near."""
    names = sorted(known)
    near = did_you_mean(wrong, names)
    if near is not None:
        return near
    shown = ", ".join(f"`{name}`" for name in names[:12])
    more = ", ..." if len(names) > 12 else ""
    return f"{what}: {shown}{more}" if names else f"{what}: none"
