"""What an import gives: files of a suite, and what could not be taken over, place by place."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from agentci.core.json_types import JsonObject

ReadFile: TypeAlias = Callable[[str], bytes]
"""Returns a file by its path in the folder of what is imported; raises UsageError outside of it,
and StorageError where there is none."""


@dataclass(frozen=True, slots=True)
class Note:
    """Something that was not taken over, or not quite as it was."""

    place: str
    """As `file:line`."""
    what: str
    why: str


@dataclass(slots=True)
class Notes:
    """Gathers notes in the order in which they are found, each once."""

    found: dict[Note, None] = field(default_factory=dict)

    def add(self, place: str, what: str, why: str) -> None:
        """Keep a note."""
        self.found.setdefault(Note(place, what, why))


@dataclass(frozen=True, slots=True)
class ImportedSuite:
    """A pipeline's folder with one suite or several."""

    format: str
    """What it was."""
    files: Mapping[str, bytes | JsonObject]
    """By their path in the pipeline's folder; objects are written as YAML."""
    cases: int
    """In each suite."""
    suites: int
    expectations: int
    """Assertions or evaluators of all cases that were taken over."""
    notes: tuple[Note, ...] = ()


class NotImportable(Exception):
    """A part that cannot be taken over; the text says why, for people."""
