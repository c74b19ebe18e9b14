"""A file of a folder as git would keep it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class TreeFile:
    """A file as git keeps it, besides its content."""

    path: Path
    executable: bool = False
    link: str | None = None
    """Where it leads, for a symbolic link, which has no content of its own."""
