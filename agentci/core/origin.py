"""Port to the remote `origin` of the project's own repository, for commits that a clone lacks."""

from __future__ import annotations

from typing import Protocol


class Origin(Protocol):
    """Where the clone came from. Only fetched from, never pushed to."""

    def fetch(self, revision: str) -> bool:
        """Fetch a commit by its id, or a branch by its name, and nothing before it if it can.

        A branch becomes `origin/<name>`. Returns False where `origin` does not give it.
        """

    def deepen(self, commits: tuple[str, ...], *, by: int | None) -> bool:
        """Fetch `by` more commits before each of `commits`, or all of them for None.

        Returns False where `origin` does not give them.
        """
