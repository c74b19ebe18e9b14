"""Port to programs that work for the user: deploy tools, with the user's environment.

What agents and pipelines run goes through `Sandbox` instead, and gets nothing of it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol


@dataclass(frozen=True, slots=True)
class ProgramRequest:
    """A program to run to its end."""

    argv: Sequence[str]
    folder: Path
    timeout: float
    """Seconds, after which it is killed."""
    changes: Mapping[str, str] = field(default_factory=dict)
    """Variables on top of the user's environment."""


@dataclass(frozen=True, slots=True)
class ProgramResult:
    """What a program did."""

    exit_code: int
    """127 where there is no such program, 124 where it took too long."""
    out: str
    err: str

    @property
    def said(self) -> str:
        """The last lines of what it printed, errors first."""
        text = self.err.strip() or self.out.strip()
        return "\n".join(text.splitlines()[-20:])


class Programs(Protocol):
    """Programs of this machine."""

    def has(self, name: str) -> bool:
        """Say whether a program of this name would be found."""

    def run(self, request: ProgramRequest) -> ProgramResult:
        """Run a program to its end; standard input is empty. Never raises for what it does."""
