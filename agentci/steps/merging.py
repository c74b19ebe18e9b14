"""Merging the files of branches that ran at the same time, in plan order."""

from __future__ import annotations

from typing import TYPE_CHECKING

from agentci.core.errors import Location, StepFailed

if TYPE_CHECKING:
    from collections.abc import Mapping

    from agentci.core.effects import Repository
    from agentci.core.lane import Lane


class MergeConflict(StepFailed):
    """Two branches changed the same place."""

    default_code = "ACI-S130"


def merge_branches(
    repository: Repository, base: str, trees: Mapping[str, str], *, lane: Lane
) -> str:
    """Merge the trees of branches, which all started from `base`, in the order given.

    Raises:
        MergeConflict: when two branches changed the same place; `lane` is where they meet.
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
            shown = ", ".join(f"`{path}`" for path in outcome.conflicts)
            raise MergeConflict(
                f"the files of `{branch}` conflict with those of earlier branches: {shown}",
                location=Location(lane=lane),
                hint="let one of the steps `needs` the other, or let them change different files",
            )
        merged = outcome.tree
    return merged
