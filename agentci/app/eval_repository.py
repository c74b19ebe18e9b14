"""The files that the trials of a suite work on: one store for all trials with the same base.

Each trial sees a repository of its own, whose workspaces no other trial can name. A target that
never looks at files gets one without git. Must not know of suites.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Final

from agentci.core.effects import MergeOutcome, TreeChange
from agentci.plan.bundle import all_steps, blocks_of
from agentci.spec.pipeline import AgentStep, ApproveStep, PipelineStep

if TYPE_CHECKING:
    from agentci.core.effects import CommitRequest, Repository, Workspace
    from agentci.plan.bundle import Bundle
    from agentci.spec.pipeline import StepBase

EMPTY_TREE: Final = "4b825dc642cb6eb9a060e54bf8d69288fbee4904"
"""Git's id of the tree without files."""
EMPTY_COMMIT: Final = "8cd4664cbb662306aab23f288e8e95003ff95aa1"
"""Of the commit that stands for a folder without files."""
EMPTY_DATE: Final = 1_767_225_600


def uses_files(bundle: Bundle) -> bool:
    """Say whether a run of `bundle` may look at files: not where agents without tools answer."""
    steps = all_steps(bundle.spec.steps)
    return any(_uses_files(bundle, step) for step in steps)


def _uses_files(bundle: Bundle, step: StepBase) -> bool:
    if isinstance(step, AgentStep):
        select = step.select
        looks = select is not None and (select.best or select.first_passing)
        tools = bundle.spec.agents[step.agent].tools
        return bool(tools or step.attachments or looks)
    if isinstance(step, PipelineStep):
        child = bundle.children.get(step.pipeline)
        return child is None or uses_files(child)
    return not isinstance(step, ApproveStep) and not blocks_of(step)


@dataclass(slots=True)
class SharedBase:
    """The base that trials have in common; opened when the first of them needs it."""

    open: Callable[[], Repository]
    unused: bool = False
    """Whether targets never look at its files."""
    _repository: Repository | None = None
    _lock: Lock = field(default_factory=Lock)

    def repository(self) -> Repository:
        """Return the repository itself."""
        with self._lock:
            if self._repository is None:
                self._repository = self.open()
            return self._repository

    def notes(self) -> Sequence[str]:
        """Return what a user should know of it, where it was used."""
        return () if self._repository is None else self._repository.notes


@dataclass(frozen=True, slots=True)
class TrialRepository:
    """Implements `Repository` for one trial."""

    shared: SharedBase
    name: str
    """Of the trial; unique."""

    @property
    def base_commit(self) -> str:
        """The commit that the trial starts from."""
        return EMPTY_COMMIT if self.shared.unused else self.shared.repository().base_commit

    @property
    def base_tree(self) -> str:
        """The tree of `base_commit`."""
        return EMPTY_TREE if self.shared.unused else self.shared.repository().base_tree

    @property
    def base_date(self) -> int:
        """Committer date of `base_commit`."""
        return EMPTY_DATE if self.shared.unused else self.shared.repository().base_date

    @property
    def notes(self) -> Sequence[str]:
        """What a user should know."""
        return () if self.shared.unused else self.shared.repository().notes

    def has_tree(self, tree: str) -> bool:
        """Say whether the files of `tree` are at hand."""
        return self.shared.repository().has_tree(tree)

    def workspace(self, name: str, tree: str) -> Workspace:
        """Open a workspace; its name is unique within the trial."""
        if self.shared.unused and tree == EMPTY_TREE:
            return NoFiles()
        return self.real_workspace(name, tree)

    def real_workspace(self, name: str, tree: str) -> Workspace:
        """Open a workspace with a folder, whatever the target uses."""
        inner = self.shared.repository().workspace(f"{self.name}/{name}", tree)
        return _TrialWorkspace(self, inner)

    def merge(self, base: str, ours: str, theirs: str) -> MergeOutcome:
        """Merge two trees that both come from the tree `base`."""
        if ours in {base, theirs}:
            return MergeOutcome(theirs)
        return self.shared.repository().merge(base, ours, theirs)

    def commit(self, request: CommitRequest) -> str:
        """Store a commit and return its id."""
        return self.shared.repository().commit(request)

    def diff(self, before: str, after: str) -> str:
        """Return the readable patch between two trees or commits."""
        return "" if before == after else self.shared.repository().diff(before, after)

    def changed_paths(self, before: str, after: str) -> tuple[str, ...]:
        """Return the paths that differ between two trees, sorted."""
        return () if before == after else self.shared.repository().changed_paths(before, after)

    def blob_id(self, tree: str, path: str) -> str | None:
        """Return the git object id of `path` in `tree`, or None."""
        return self.shared.repository().blob_id(tree, path)

    def publish(self, commit: str, branch: str) -> None:
        """Refuse: a trial leaves nothing behind."""
        del commit, branch
        raise AssertionError("no trial is published")


@dataclass(frozen=True, slots=True)
class _TrialWorkspace:
    """A workspace whose forks stay within the trial."""

    owner: TrialRepository
    inner: Workspace

    @property
    def tree(self) -> str:
        return self.inner.tree

    @property
    def path(self) -> Path:
        return self.inner.path

    def folder(self) -> Path:
        return self.inner.folder()

    def snapshot(self) -> TreeChange:
        return self.inner.snapshot()

    def apply(self, change: TreeChange) -> None:
        self.inner.apply(change)

    def change_since(self, before: str) -> TreeChange:
        return self.inner.change_since(before)

    def reset(self, tree: str) -> None:
        self.inner.reset(tree)

    def fork(self, name: str) -> Workspace:
        return self.owner.workspace(name, self.inner.tree)

    def close(self) -> None:
        self.inner.close()


class NoFiles:
    """The workspace of a target that never looks at files."""

    tree: Final = EMPTY_TREE
    path: Final = Path("/workspace")

    def folder(self) -> Path:
        """Never called: see `uses_files`."""
        raise AssertionError("a target without files asked for them")

    def snapshot(self) -> TreeChange:
        """Return that nothing changed."""
        return TreeChange(EMPTY_TREE, EMPTY_TREE, b"")

    def apply(self, change: TreeChange) -> None:
        """Accept that nothing changed."""
        assert change.before == change.after == EMPTY_TREE

    def change_since(self, before: str) -> TreeChange:
        """Return that nothing changed."""
        return TreeChange(before, EMPTY_TREE, b"")

    def reset(self, tree: str) -> None:
        """Stay where there is nothing."""
        assert tree == EMPTY_TREE

    def fork(self, name: str) -> NoFiles:
        """Return the same."""
        del name
        return self

    def close(self) -> None:
        """Do nothing."""
