"""Which findings a person has allowed. Knows the list's meaning, not its file."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final

from agentci.record.secrets.scan import Spotted

if TYPE_CHECKING:
    from agentci.core.effects import Files
    from agentci.spec.secret_allow import AllowedSecret

ALLOW_NAME: Final = "secrets.allow.yaml"


@dataclass(slots=True)
class AllowList:
    """Findings that are no secrets, each with a reason."""

    entries: tuple[AllowedSecret, ...] = ()
    used: set[int] = field(default_factory=set)
    """Positions of the entries that have allowed something."""

    def allows(self, found: Spotted, *, cassette: str, lane: str) -> bool:
        """Say whether an entry is about `found`."""
        for index, entry in enumerate(self.entries):
            if (
                entry.kind in {None, found.kind}
                and entry.text in {None, found.secret}
                and _fits(entry.cassette, cassette)
                and _fits(entry.lane, lane)
                and _fits(entry.path, found.path)
            ):
                self.used.add(index)
                return True
        return False

    @property
    def unused(self) -> tuple[int, ...]:
        """Positions, counted from 1, of the entries that have allowed nothing."""
        return tuple(n + 1 for n in range(len(self.entries)) if n not in self.used)


def load_allow_list(files: Files, cassettes: Path) -> AllowList:
    """Read the list in the folder of all cassettes; an empty one where there is none.

    Raises:
        SpecError: when it is invalid.
        FormatError: when it is of another format or version.
    """
    path = cassettes / ALLOW_NAME
    if not files.exists(path):
        return AllowList()
    from agentci.spec.secret_allow import read_allow_list  # noqa: PLC0415 - slow, rarely needed

    return AllowList(read_allow_list(files.read(path), path.as_posix()).allow)


def _fits(pattern: str | None, text: str) -> bool:
    if pattern is None:
        return True
    parts = (re.escape(part) for part in pattern.split("*"))
    return re.fullmatch(".*".join(parts), text, re.DOTALL) is not None
