"""The project's own history, only read: commits, merge bases, and files as a commit has them.

Must not know of runs.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

from agentci.adapters.git_commands import Git
from agentci.adapters.git_commit_files import CommitFiles
from agentci.adapters.git_target import find_target
from agentci.core.errors import StorageError

_NO_SUBMODULES = "--ignore-submodules=all"


class GitHistory:
    """The repository around a folder."""

    __slots__ = ("_git", "_target", "work_tree")

    def __init__(self, start: Path) -> None:
        """Find the repository around `start`.

        Raises:
            UsageError: when there is none.
        """
        self._target = find_target(start)
        self._git = Git(self._target.git_dir)
        self.work_tree = self._target.work_tree or self._target.git_dir
        """Folder of the checkout."""

    def commit(self, revision: str) -> str | None:
        """Return the id of the commit that `revision` names, or None."""
        if revision.startswith("-"):
            return None
        asked = ("rev-parse", "--verify", "--quiet", "--end-of-options", revision + "^{commit}")
        found = self._git.run(*asked, allowed=(0, 1, 128))
        return found.text if found.exit_code == 0 else None

    def merge_base(self, one: str, other: str) -> str | None:
        """Return the best common ancestor of two commits, or None where none is in the clone."""
        found = self._git.run("merge-base", one, other, allowed=(0, 1, 128))
        return found.text.splitlines()[0] if found.exit_code == 0 else None

    def default_branch(self) -> str | None:
        """Return what the remote `origin` calls its main branch, as `origin/main`, or None."""
        asked = ("symbolic-ref", "--quiet", "--short", "refs/remotes/origin/HEAD")
        found = self._git.run(*asked, allowed=(0, 1, 128))
        return found.text if found.exit_code == 0 else None

    def is_shallow(self) -> bool:
        """Say whether older commits are missing in this clone."""
        return (self._target.common_dir / "shallow").is_file()

    def is_changed(self) -> bool:
        """Say whether files differ from HEAD, ignored ones and agentci's own folder left out."""
        found = self._compared("status", "--porcelain", "-z", "--no-renames", _NO_SUBMODULES)
        return any(_is_of_user(entry[3:]) for entry in found)

    def changed_since(self, commit: str) -> tuple[str, ...]:
        """Return the paths whose files are not as `commit` has them, new ones included, sorted."""
        differ = self._compared("diff", "--name-only", "-z", "--no-renames", _NO_SUBMODULES, commit)
        new = self._compared("ls-files", "--others", "--exclude-standard", "-z")
        paths = {path for path in (*differ, *new) if _is_of_user(path)}
        return tuple(sorted(path.decode("utf-8", "surrogateescape") for path in paths))

    def _compared(self, *arguments: str) -> list[bytes]:
        """Return the entries that a comparison with the checkout prints; none without one."""
        if self._target.work_tree is None:
            return []
        exclude = self._target.common_dir / "info" / "exclude"
        with tempfile.TemporaryDirectory(prefix="agentci-index-") as folder:
            # a copy, because a refresh of the index is a write to somebody else's repository
            index = Path(folder) / "index"
            own = self._target.git_dir / "index"
            if own.is_file():
                index.write_bytes(own.read_bytes())
            done = self._git.run(
                *("-c", f"core.excludesFile={exclude}", *arguments),
                index=index,
                work_tree=self._target.work_tree,
            )
        return [entry for entry in done.stdout.split(b"\0") if entry]

    def files_at(self, commit: str) -> CommitFiles:
        """Return the files of `commit`, at the paths where the checkout has them."""
        return CommitFiles(self._git, commit, self.work_tree)

    def check_out(self, commit: str, folder: Path) -> None:
        """Make `folder`, a repository with `commit` checked out, which borrows this one's objects.

        Nothing is written to this repository, and no hook, filter or configuration takes part.

        Raises:
            StorageError: when the folder cannot be written.
            EnvironmentProblem: when an object of the commit is missing in this clone.
        """
        git = Git(folder / ".git")
        try:
            for part in ("objects/info", "refs", "info"):
                (git.git_dir / part).mkdir(parents=True)
            lines = "".join(f"{path}\n" for path in self._target.object_folders)
            (git.git_dir / "objects/info/alternates").write_text(lines)
            (git.git_dir / "HEAD").write_text(f"{commit}\n")
            (git.git_dir / "config").write_text(_config(commit))
            if self.is_shallow():
                shallow = (self._target.common_dir / "shallow").read_bytes()
                (git.git_dir / "shallow").write_bytes(shallow)
        except OSError as error:
            raise StorageError(
                f"`{folder}` cannot be written: {error.strerror}",
                code="ACI-E213",
                hint="free some space and run the same command again",
            ) from error
        git.run("read-tree", commit, work_tree=folder)
        git.run("checkout-index", "--all", "--quiet", work_tree=folder)


def _is_of_user(path: bytes) -> bool:
    return path.split(b"/")[0] != b".agentci"


def _config(commit: str) -> str:
    if len(commit) == 40:
        return "[core]\n\trepositoryformatversion = 0\n"
    return "[core]\n\trepositoryformatversion = 1\n[extensions]\n\tobjectformat = sha256\n"
