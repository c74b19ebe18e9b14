"""Whether a session has its folder to itself: what only one may do, only one who is alone does.

A session that came to a folder where others record, or was joined by others, cannot know what they
need. Knows nothing of cassettes.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from agentci.core.effects import Files
    from agentci.core.presence import Presence

KEPT_FOR_OTHERS: Final = (
    "another process recorded in this folder at the same time, so recordings that were not used "
    "are still there; record again to remove them"
)


class Company:
    """A session's stay in the folder that it records in."""

    __slots__ = ("_files", "_folder", "_presence", "had_any")

    def __init__(self, files: Files, folder: Path) -> None:
        """Be not there yet: a session that does nothing is in nobody's way."""
        self._files = files
        self._folder = folder
        self._presence: Presence | None = None
        self.had_any = False
        """Whether somebody else was found to be there."""

    def enter(self, *, make: bool = False) -> None:
        """Be there from now on, if the folder exists or with `make`; call before reading from it.

        Raises:
            StorageError: when the folder cannot be made or read.
        """
        if self._presence is None and (make or self._files.exists(self._folder)):
            self._presence = self._files.enter(self._folder)

    def is_alone(self) -> bool:
        """Say whether nobody else has been there since; if so, all others wait until `leave`."""
        if self._presence is not None and not self._presence.is_alone():
            self.had_any = True
        return not self.had_any

    def leave(self) -> None:
        """Be there no more; a second call does nothing."""
        presence, self._presence = self._presence, None
        if presence is not None:
            presence.leave()
