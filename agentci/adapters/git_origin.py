"""Fetching from `origin` what a clone lacks, with the user's own settings of git: proxies, keys.

The counterpart of `git_commands`, where nothing of the user's takes part. Must not know why.
"""

from __future__ import annotations

import re
import subprocess
from pathlib import Path
from typing import Final

from agentci.adapters.git_target import find_target
from agentci.adapters.system import inherited_environment

_TIMEOUT: Final = 600.0
"""Seconds for one fetch."""
_COMMIT: Final = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")
_ONE_COMMIT: Final = "--depth=1"
_QUIETLY: Final = {"GIT_TERMINAL_PROMPT": "0", "LC_ALL": "C", "GIT_LITERAL_PATHSPECS": "1"}


class GitOrigin:
    """The remote `origin` of the repository around a folder."""

    __slots__ = ("_shallow", "_target")

    def __init__(self, start: Path) -> None:
        """Find the repository around `start`.

        Raises:
            UsageError: when there is none.
        """
        self._target = find_target(start)
        self._shallow = self._target.common_dir / "shallow"

    def fetch(self, revision: str) -> bool:
        """Fetch a commit or a branch, and nothing before it where the clone is shallow."""
        branch = revision.removeprefix("refs/heads/").removeprefix("origin/")
        commit = _COMMIT.fullmatch(revision) is not None
        wanted = revision if commit else f"+refs/heads/{branch}:refs/remotes/origin/{branch}"
        depth = (_ONE_COMMIT,) if self._shallow.is_file() else ()
        return self._fetch(*depth, "origin", wanted)

    def deepen(self, commits: tuple[str, ...], *, by: int | None) -> bool:
        """Fetch more of what lies before `commits`."""
        more = "--unshallow" if by is None else f"--deepen={by}"
        return self._fetch(more, "origin", *commits)

    def _fetch(self, *arguments: str) -> bool:
        quiet = ("--quiet", "--no-tags", "--no-write-fetch-head", "--no-recurse-submodules")
        command = ("git", "-c", "core.hooksPath=/dev/null", "fetch", *quiet, *arguments)
        try:
            done = subprocess.run(
                command,
                cwd=self._target.work_tree or self._target.git_dir,
                env=inherited_environment({**_QUIETLY, "GIT_DIR": str(self._target.git_dir)}),
                stdin=subprocess.DEVNULL,
                capture_output=True,
                check=False,
                timeout=_TIMEOUT,
            )
        except (OSError, subprocess.TimeoutExpired):
            return False
        return done.returncode == 0
