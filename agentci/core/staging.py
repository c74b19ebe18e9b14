"""Port to what the next commit of the project's own git repository changes, which is only read."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol


class Staging(Protocol):
    """The index of a checkout, beside its HEAD and its files."""

    @property
    def work_tree(self) -> Path:
        """Folder of the checkout, absolute."""

    def paths(self) -> tuple[str, ...]:
        """Return the paths that the next commit adds, changes or removes, sorted.

        They are relative to `work_tree`, with `/`.
        """

    def differing(self) -> tuple[str, ...]:
        """Return the paths of files that are not as they are staged, untracked ones too, sorted."""

    def state(self) -> str:
        """Return a text that is equal only where HEAD, the index and all files are equal.

        Files that git ignores have no part in it.
        """
