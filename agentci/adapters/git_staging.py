"""The index of the project's own checkout, only read: what the next commit changes.

Must not know of hooks, or of who asks.
"""

from __future__ import annotations

from pathlib import Path

from agentci.adapters.git_commands import Git
from agentci.adapters.git_target import find_target
from agentci.adapters.system import SystemEnv
from agentci.core.digest import digest_bytes
from agentci.core.errors import UsageError


class GitStaging:
    """The index of the checkout around a folder."""

    __slots__ = ("_exclude", "_git", "_index", "work_tree")

    def __init__(self, start: Path) -> None:
        """Find the checkout around `start`.

        Raises:
            UsageError: when there is none.
        """
        target = find_target(start)
        if target.work_tree is None:
            raise UsageError(
                f"`{target.git_dir}` is a repository without a checkout",
                code="ACI-U219",
                hint="run the same command in a checkout of it",
            )
        self.work_tree = target.work_tree
        """Folder of the checkout, absolute."""
        self._git = Git(target.git_dir)
        self._exclude = target.common_dir / "info" / "exclude"
        # `git commit FILE` and `git commit -a` have hooks look at an index of their own
        named = SystemEnv().get("GIT_INDEX_FILE")
        self._index = target.work_tree / named if named else None

    def paths(self) -> tuple[str, ...]:
        """Return the paths that the next commit adds, changes or removes, sorted."""
        asked = ("diff", "--cached", "--name-only", "--no-renames", "--ignore-submodules", "-z")
        return _names(self._run(*asked))

    def differing(self) -> tuple[str, ...]:
        """Return the paths of files that are not as they are staged, untracked ones too, sorted."""
        status = self._run(
            *("-c", f"core.excludesFile={self._exclude}", "status", "--porcelain", "-z"),
            *("--no-renames", "--untracked-files=all", "--ignore-submodules=all"),
        )
        entries = [entry for entry in status.split(b"\0") if entry]
        return _names(b"\0".join(entry[3:] for entry in entries if entry[1:2] != b" "))

    def state(self) -> str:
        """Return a text that is equal only where HEAD, the index and all files are equal."""
        head = self._git.run("rev-parse", "--verify", "--quiet", "HEAD", allowed=(0, 1, 128)).text
        index = digest_bytes(self._run("ls-files", "--stage", "-z"))
        return "\n".join([head, index, *(self._seen(path) for path in self.differing())])

    def _seen(self, path: str) -> str:
        try:
            found = (self.work_tree / path).lstat()
        except OSError:
            return f"{path} -"
        return f"{path} {found.st_mode} {found.st_size} {found.st_mtime_ns}"

    def _run(self, *arguments: str) -> bytes:
        return self._git.run(*arguments, index=self._index, work_tree=self.work_tree).stdout


def _names(listed: bytes) -> tuple[str, ...]:
    names = (name.decode("utf-8", "surrogateescape") for name in listed.split(b"\0") if name)
    return tuple(sorted(names))
