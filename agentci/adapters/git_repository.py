"""The target repository of a run, and everything a run does with its trees and commits.

Must not know of steps or plans. The target itself is written to by `publish` alone.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence

from agentci.adapters.git_commands import Git
from agentci.adapters.git_store import GitStore
from agentci.adapters.git_target import Base, Target
from agentci.adapters.git_workspace import GitWorkspace
from agentci.core.effects import CommitRequest, MergeOutcome
from agentci.core.errors import EnvironmentProblem, UsageError


class GitRepository:
    """A repository, or a plain folder, as the base of a run."""

    __slots__ = (
        "_base",
        "_blob_ids",
        "_lock",
        "_notes",
        "_open",
        "_read_notes",
        "_store",
        "_target",
    )

    def __init__(
        self,
        store: GitStore,
        base: Base,
        *,
        target: Target | None,
        read_notes: Callable[[], Sequence[str]],
    ) -> None:
        """Start from `base`; `target` is None for a folder that is no repository."""
        self._store = store
        self._base = base
        self._target = target
        self._read_notes = read_notes
        self._notes: tuple[str, ...] | None = None
        self._blob_ids: dict[tuple[str, str], str | None] = {}
        self._open: set[str] = set()
        self._lock = threading.Lock()
        store.add_present(base.tree)
        store.add_present(base.commit)

    @property
    def base_commit(self) -> str:
        """The commit that the run starts from."""
        return self._base.commit

    @property
    def base_tree(self) -> str:
        """The tree of `base_commit`."""
        return self._base.tree

    @property
    def base_date(self) -> int:
        """Committer date of `base_commit`, seconds since the Unix epoch."""
        return self._base.date

    @property
    def notes(self) -> Sequence[str]:
        """What a user should know; read when first asked for."""
        if self._notes is None:
            self._notes = tuple(self._read_notes())
        return self._notes

    def workspace(self, name: str, tree: str) -> GitWorkspace:
        """Open a workspace named `name` on `tree`.

        Raises:
            ValueError: when a workspace of that name is open.
        """
        with self._lock:
            if name in self._open:
                msg = f"the workspace `{name}` is open already"
                raise ValueError(msg)
            self._open.add(name)
        return GitWorkspace(self._store, name, tree=tree, after_close=self._open.discard)

    def merge(self, base: str, ours: str, theirs: str) -> MergeOutcome:
        """Merge two trees that both come from the tree `base`; renames are not guessed.

        Raises:
            EnvironmentProblem: when git is older than 2.38.
        """
        if ours in (base, theirs):
            return MergeOutcome(theirs)
        if theirs == base:
            return MergeOutcome(ours)
        for tree in (base, ours, theirs):
            self._store.materialise(tree)
        root = self._merge_commit(base)
        sides = [self._merge_commit(tree, root) for tree in (ours, theirs)]
        flags = ("--write-tree", "-z", "--name-only", "--no-messages")
        done = self._store.git.run("merge-tree", *flags, *sides, allowed=(0, 1, 128, 129))
        if done.exit_code > 1:
            raise EnvironmentProblem(
                "this git cannot merge branches of a run",
                code="ACI-E211",
                hint="install git 2.38 or newer; `git --version` shows yours",
            )
        tree, *names = (part.decode("utf-8", "replace") for part in done.stdout.split(b"\0"))
        if done.exit_code:
            return MergeOutcome(None, tuple(sorted({name for name in names if name})))
        self._store.add_present(tree)
        return MergeOutcome(tree)

    def _merge_commit(self, tree: str, *parents: str) -> str:
        who = "agentci <agentci@localhost>"
        request = CommitRequest(tree, parents, message="merge", author=who, date=self._base.date)
        return self._store.objects.commit(request)

    def commit(self, request: CommitRequest) -> str:
        """Store a commit in the run's own store and return its id."""
        self._store.materialise(request.tree)
        return self._store.objects.commit(request)

    def diff(self, before: str, after: str) -> str:
        """Return the readable patch between two trees or commits."""
        return self._store.diff(before, after).decode("utf-8", "replace")

    def changed_paths(self, before: str, after: str) -> tuple[str, ...]:
        """Return the paths that differ between two trees, sorted."""
        return self._store.changed_paths(before, after)

    def blob_id(self, tree: str, path: str) -> str | None:
        """Return the git object id of `path` in `tree`, or None where there is no such path."""
        asked = (tree, path.strip("/"))
        if asked not in self._blob_ids:
            self._store.materialise(tree)
            listed = self._store.git.run("ls-tree", "-z", tree, "--", asked[1]).stdout
            self._blob_ids[asked] = listed.split(b"\t")[0].split()[2].decode() if listed else None
        return self._blob_ids[asked]

    def publish(self, commit: str, branch: str) -> None:
        """Make `branch` of the target repository point to `commit`. No hook runs.

        Raises:
            UsageError: when the branch exists and `commit` does not contain it, when it is checked
                out, when its name is not one, or when the target is a plain folder.
        """
        if self._target is None:
            raise UsageError(
                "a plain folder has no branches to publish to",
                code="ACI-U214",
                hint="name a git repository with `--repo PATH`",
            )
        target = Git(self._target.git_dir)
        ref = f"refs/heads/{branch}"
        if branch.startswith("-") or target.run("check-ref-format", ref, allowed=(0, 1)).exit_code:
            raise UsageError(f"`{branch}` is not a name for a branch", code="ACI-U215")
        present = self._present_tip(target, ref, branch=branch)
        if present is not None and present != commit:
            self._check_contains(commit, present, branch=branch)
        self._copy_objects(target, commit, present)
        # the old value makes the update fail when somebody else moved the branch meanwhile
        old = present or "0" * len(commit)
        target.run("update-ref", "-m", "agentci: publish", ref, commit, old)

    def _present_tip(self, target: Git, ref: str, *, branch: str) -> str | None:
        form = "--format=%(objectname)%00%(worktreepath)%00%(refname)"
        for line in target.run("for-each-ref", form, ref).text.splitlines():
            tip, checked_out, name = line.split("\0")
            if name == ref and checked_out:
                raise UsageError(
                    f"the branch `{branch}` is checked out in `{checked_out}`",
                    code="ACI-U216",
                    hint="publish to another branch and merge it there",
                )
            if name == ref:
                return tip
        return None

    def _check_contains(self, commit: str, tip: str, *, branch: str) -> None:
        contained = self._store.git.run(
            "merge-base", "--is-ancestor", tip, commit, allowed=(0, 1, 128)
        )
        if contained.exit_code:
            raise UsageError(
                f"the branch `{branch}` has commits that `{commit[:12]}` does not contain",
                code="ACI-U217",
                hint="publish to another branch, or merge that branch first and run again",
            )

    def _copy_objects(self, target: Git, commit: str, present: str | None) -> None:
        known = [self._base.commit, *([present] if present else [])]
        wanted = "\n".join([commit, *(f"^{tip}" for tip in known)]) + "\n"
        pack = self._store.git.run(
            "pack-objects", "--revs", "--stdout", "-q", stdin=wanted.encode()
        )
        target.run("unpack-objects", "-q", stdin=pack.stdout)
