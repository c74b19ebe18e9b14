"""Ports to the past of the project's own git repository, which is only read."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

from agentci.core.effects import Files


class CommittedFiles(Files, Protocol):
    """The files of one commit, at the paths where the checkout has them. Writing is refused."""

    def close(self) -> None:
        """End what reads; a second call does nothing."""


class History(Protocol):
    """The project's own git repository, only read."""

    @property
    def work_tree(self) -> Path:
        """Folder of the checkout."""

    def commit(self, revision: str) -> str | None:
        """Return the id of the commit that `revision` names, or None."""

    def merge_base(self, one: str, other: str) -> str | None:
        """Return the best common ancestor of two commits, or None where none is in the clone."""

    def default_branch(self) -> str | None:
        """Return what the remote `origin` calls its main branch, as `origin/main`, or None."""

    def is_shallow(self) -> bool:
        """Say whether older commits are missing in this clone."""

    def is_changed(self) -> bool:
        """Say whether files differ from HEAD, ignored ones and agentci's own folder left out."""

    def changed_since(self, commit: str) -> tuple[str, ...]:
        """Return the paths whose files are not as `commit` has them, new ones included, sorted.

        Relative to `work_tree`; ignored ones and agentci's own folder are left out.
        """

    def files_at(self, commit: str) -> CommittedFiles:
        """Return the files of `commit`; whoever opens them closes them."""

    def check_out(self, commit: str, folder: Path) -> None:
        """Check `commit` out into the new repository `folder`, which borrows these objects."""
