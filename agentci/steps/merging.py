"""Merging the files of branches that ran at the same time, in plan order."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from agentci.core.effects import Repository


class MergeConflict(Exception):
    """Two branches changed the same place. Caught by the step kind that merges."""

    def __init__(self, branch: str, paths: tuple[str, ...]) -> None:
        """Name the branch that could not be added, and the paths."""
        shown = ", ".join(f"`{path}`" for path in paths)
        super().__init__(
            f"the files of `{branch}` conflict with those of earlier branches: {shown}"
        )


def merge_branches(repository: Repository, base: str, trees: Mapping[str, str]) -> str:
    """Merge the trees of branches, which all started from `base`, in the order given.

    Raises:
        MergeConflict: when two branches changed the same place.
    """
    merged = base
    for branch, tree in trees.items():
        if tree in (base, merged):
            continue
        if merged == base:
            merged = tree
            continue
        outcome = repository.merge(base, merged, tree)
        if outcome.tree is None:
            raise MergeConflict(branch, outcome.conflicts)
        merged = outcome.tree
    return merged
