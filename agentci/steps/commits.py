"""Which commits a place in a run follows: the parents of the commit that would be made there.

Steps that run one after the other give a chain. What follows several branches that committed has
the last commit of each as a parent, in plan order, whoever was faster.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from agentci.steps.results import StepRecord


@dataclass(frozen=True, slots=True)
class MadeCommit:
    """A commit that the run has made."""

    id: str
    parents: tuple[str, ...]


def parents_after(commits: tuple[MadeCommit, ...], base: str) -> tuple[str, ...]:
    """Return the parents of a commit that follows `commits`; `base` where there are none."""
    followed = {parent for commit in commits for parent in commit.parents}
    return tuple(commit.id for commit in commits if commit.id not in followed) or (base,)


def commits_after(
    record: StepRecord, before: tuple[MadeCommit, ...], base: str
) -> tuple[MadeCommit, ...]:
    """Return the commits that what follows `record` can see, when it saw `before` itself."""
    if record.commits is not None:
        return record.commits
    if record.kind == "commit" and isinstance(record.output, dict):
        made = MadeCommit(str(record.output["commit"]), parents_after(before, base))
        return joined([before, (made,)])
    return before


def joined(sides: Iterable[tuple[MadeCommit, ...]]) -> tuple[MadeCommit, ...]:
    """Return the commits of all `sides`, each once, in this order."""
    return tuple({commit.id: commit for side in sides for commit in side}.values())
