"""How a command in a sandbox with a file system of its own sees the machine.

The same in every such sandbox, so that a recording does not tell which one was used.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Mapping
from pathlib import Path

from agentci.core.effects import CommandRequest

WORKSPACE = "/workspace"
HOME = "/home/agent"
HOST_NAME = "agentci"
USER = 10_001
"""User and group id inside; never root."""

START = '(exec "$@"); code=$?; kill -9 -1 2>/dev/null; exit $code'
"""Runs the arguments and ends everything that they left running; needs only a POSIX shell."""


def inside_environment(request: CommandRequest) -> Mapping[str, str]:
    """Return the request's environment with the paths of the inside."""
    root = str(request.root.resolve())
    inside = {
        name: value.replace(root, WORKSPACE).replace(str(request.root), WORKSPACE)
        for name, value in request.env.items()
    }
    return {**inside, "HOME": HOME}


def inside_folder(request: CommandRequest) -> str:
    """Return the working directory as seen from the inside."""
    below = request.folder.strip("/")
    return WORKSPACE if below in {"", "."} else f"{WORKSPACE}/{below}"


def give_files(root: Path, user: int) -> None:
    """Give everything below `root` to `user`, where agentci runs as root and so may.

    A sandbox has no privileges: what belongs to another user it could not change.
    """
    if os.geteuid() != 0:
        return
    for parent, folders, files in os.walk(root):
        for name in ("", *folders, *files):
            path = os.path.join(parent, name) if name else parent  # noqa: PTH118 - os.walk gives texts
            with contextlib.suppress(FileNotFoundError):
                if os.lstat(path).st_uid != user:
                    os.lchown(path, user, user)
