"""Opening what a run works on, and everything a run does with its trees and commits.

`store` is a folder of the run: `repo.git` has the run's objects, `work` the folders of its
workspaces, `index` git's notes about them. Opening a store again continues the run it belongs to.
Must not know of steps or plans.
"""

from __future__ import annotations

import shutil
import threading
from collections.abc import Callable, Sequence
from pathlib import Path

from agentci.adapters.git_commands import Git
from agentci.adapters.git_folder import commit_folder
from agentci.adapters.git_store import GitStore, create_store
from agentci.adapters.git_target import Base, Target, find_target, notes_of, read_base
from agentci.adapters.git_workspace import GitWorkspace
from agentci.core.effects import CommitRequest, MergeOutcome
from agentci.core.errors import EnvironmentProblem, StorageError, UsageError


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

    def has_tree(self, tree: str) -> bool:
        """Say whether the files of `tree` are at hand."""
        return self._store.has(tree)

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
        return GitWorkspace(self._store, name, tree=tree, opener=self)

    def closed(self, name: str) -> None:
        """Note that the workspace `name` is no longer open."""
        with self._lock:
            self._open.discard(name)

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
        from agentci.adapters.git_publish import publish  # noqa: PLC0415 - only with `--branch`

        publish(self._store, self._target, base=self._base, commit=commit, branch=branch)


def open_repository(target: Path, store: Path, *, revision: str = "HEAD") -> GitRepository:
    """Open the repository around `target` at `revision`; a store that exists keeps its base.

    Raises:
        UsageError: when there is no repository, or no such commit.
        EnvironmentProblem: when git is missing.
        StorageError: when the store cannot be written.
    """
    places = find_target(target)
    base = read_base(Git(places.git_dir), _kept_base(store) or revision, shown_as=target)
    create_store(store, object_format=base.object_format, alternates=places.object_folders)
    opened = GitStore(store, object_format=base.object_format)
    shallow = places.common_dir / "shallow"
    if shallow.is_file():
        shutil.copyfile(shallow, opened.git.git_dir / "shallow")
    _keep_base(store, base)
    from_head = revision == "HEAD"
    return GitRepository(
        opened,
        base,
        target=places,
        read_notes=lambda: notes_of(places, base, opened.git, from_head=from_head),
    )


def open_folder(folder: Path, store: Path) -> GitRepository:
    """Open a plain folder; its files make a commit that is the same on every machine.

    What `.gitignore` files leave out is left out here too, those of a repository around the folder
    included. A store that exists keeps its base.

    Raises:
        UsageError: when the folder does not exist.
        StorageError: when a file cannot be read, or the store not be written.
    """
    if not folder.is_dir():
        raise UsageError(f"the folder `{folder}` does not exist", code="ACI-U218")
    kept = _kept_base(store)
    create_store(store, object_format="sha1", alternates=())
    opened = GitStore(store)
    if kept is not None:
        base = read_base(opened.git, kept, shown_as=folder)
    else:
        base = commit_folder(folder.resolve(), opened)
        _keep_base(store, base)
    return GitRepository(opened, base, target=None, read_notes=tuple)


def _kept_base(store: Path) -> str | None:
    ref = store / "repo.git" / "refs" / "agentci" / "base"
    return ref.read_text().strip() if ref.is_file() else None


def _keep_base(store: Path, base: Base) -> None:
    ref = store / "repo.git" / "refs" / "agentci" / "base"
    if ref.is_file():
        return
    try:
        ref.parent.mkdir(parents=True, exist_ok=True)
        temporary = ref.with_name("base.new")
        temporary.write_text(base.commit + "\n")
        temporary.rename(ref)
    except OSError as error:
        raise StorageError(
            f"`{ref}` cannot be written: {error.strerror}",
            code="ACI-E213",
            hint="free some space or make the folder `.agentci` writable",
        ) from error
