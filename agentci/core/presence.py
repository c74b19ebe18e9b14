"""The port of one who works in a folder where others may work at the same time."""

from __future__ import annotations

from typing import Protocol


class Presence(Protocol):
    """Somebody's stay in a folder, from `Files.enter` on. Ends also with the process."""

    def is_alone(self) -> bool:
        """Say whether nobody else has been there since; if so, all others wait until `leave`.

        Where the file system cannot tell, there is nobody else.
        """

    def leave(self) -> None:
        """End the stay; a second call does nothing."""
